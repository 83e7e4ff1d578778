"""`penstock supported`: the classes that convert."""

import click

__all__ = ["command"]


@click.command("supported", short_help="List the classes that convert.")
def command() -> None:
    """List the qualified names of the classes that convert."""
    from penstock.converters import supported

    click.echo("\n".join(supported()))
