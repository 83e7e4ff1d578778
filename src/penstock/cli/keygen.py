"""`penstock keygen`: a pair of keys to sign artifacts with."""

import click

__all__ = ["command"]


@click.command("keygen", short_help="Make a pair of keys to sign with.")
@click.argument("name", type=click.Path())
def command(name: str) -> None:
    """Make NAME.key, which signs artifacts, and NAME.pub, which checks signatures.

    Both are Ed25519 keys in PEM, as OpenSSL has them. NAME.key is not
    encrypted, and only you can read it: keep it where models are released.
    NAME.pub goes to whoever runs them. Files that are there are not
    overwritten.
    """
    from penstock.keys import keygen

    told = f"`{name}.key` is private, keep it secret; `{name}.pub` is public"
    click.echo(f"key {keygen(name)}: {told}", err=True)
