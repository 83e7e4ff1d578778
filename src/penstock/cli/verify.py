"""`penstock verify`: runs the examples inside an artifact."""

import click

from penstock.cli import EXIT_DIFFERENCE

__all__ = ["command"]


@click.command("verify")
@click.argument("artifact", type=click.Path())
def command(artifact: str) -> None:
    """Run the example rows inside ARTIFACT and compare with the expected outputs.

    Exit code 1 and the first difference if one differs.
    """
    from penstock.errors import ArtifactError
    from penstock.model import load

    model = load(artifact, verify=False)
    try:
        model.verify()
    except ArtifactError as error:
        click.echo(f"`{artifact}`: {error}", err=True)
        raise click.exceptions.Exit(EXIT_DIFFERENCE) from None
    click.echo(f"{len(model.examples)} examples match", err=True)
