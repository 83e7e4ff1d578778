"""`penstock sign`: adds a signature to an artifact."""

import click

__all__ = ["command"]


@click.command("sign", short_help="Sign an artifact.")
@click.argument("artifact", type=click.Path())
@click.option("--key", metavar="FILE", required=True, help="The private key, as NAME.key.")
@click.option(
    "-o", "--output", metavar="FILE", help="Where the signed artifact goes; ARTIFACT if not given."
)
def command(artifact: str, key: str, output: str | None) -> None:
    """Add the signature of a private key to ARTIFACT.

    The examples are run first. The model stays the same, and so does its
    SHA-256; signatures of other keys stay.
    """
    from penstock.model import sign

    click.echo(f"`{output or artifact}`: signed by key {sign(artifact, key, output)}", err=True)
