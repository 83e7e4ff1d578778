"""`penstock verify`: runs the examples inside an artifact."""

import click

from penstock.cli import EXIT_DIFFERENCE

__all__ = ["command"]


@click.command("verify", short_help="Run the examples inside an artifact.")
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
    count = len(model.examples)
    told = f"{count} examples match" if count else "there are no examples; nothing was compared"
    click.echo(f"`{artifact}`: {told}", err=True)
