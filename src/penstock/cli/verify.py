"""`penstock verify`: runs the examples inside an artifact, and checks its signature."""

import click

from penstock.cli import EXIT_DIFFERENCE

__all__ = ["command"]


@click.command("verify", short_help="Run the examples inside an artifact, check its signature.")
@click.argument("artifact", type=click.Path())
@click.option(
    "--key", metavar="FILE", help="Refuse what this public key (NAME.pub) has not signed."
)
def command(artifact: str, key: str | None) -> None:
    """Run the example rows inside ARTIFACT and compare with the expected outputs.

    Exit code 1 and the first difference if one differs. With --key, the
    signature is checked first: exit code 3 if there is none, if it is of
    another key, or if the artifact was altered.
    """
    from penstock.errors import ArtifactError
    from penstock.model import load

    model = load(artifact, verify=False, require_signature=key)
    if model.signed_by is not None:
        click.echo(f"`{artifact}`: signed by key {model.signed_by}", err=True)
    try:
        model.verify()
    except ArtifactError as error:
        click.echo(f"`{artifact}`: {error}", err=True)
        raise click.exceptions.Exit(EXIT_DIFFERENCE) from None
    count = len(model.examples)
    told = f"{count} examples match" if count else "there are no examples; nothing was compared"
    click.echo(f"`{artifact}`: {told}", err=True)
