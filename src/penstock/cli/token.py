"""`penstock token`: tokens for those who may ask a gateway."""

import click

__all__ = ["command"]


@click.command("token", short_help="Make a token for clients of `serve`.")
@click.argument("name")
@click.pass_context
def command(context: click.Context, name: str) -> None:
    """Make a token called NAME for a client of `penstock serve --tokens FILE`.

    The token goes to standard error: give it to the client, it cannot be
    shown again. The line that knows it goes to standard output, for FILE:

    \b
      penstock token shop >> tokens
    """
    from penstock.gateway import hash_token

    context.exit(hash_token(name))
