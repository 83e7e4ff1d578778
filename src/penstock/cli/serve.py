"""`penstock serve`: predictions over HTTP. The gateway reads its options itself."""

import signal

import click

__all__ = ["command"]


class _Serve(click.Command):
    """Has the help page of the gateway, which knows its options."""

    def get_help(self, ctx: click.Context) -> str:
        from penstock.gateway import help_page

        return help_page().rstrip("\n")


@click.command(
    "serve",
    cls=_Serve,
    short_help="Answer requests for predictions over HTTP.",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Serve artifacts over HTTP."""
    from penstock.gateway import serve

    # The gateway ends well by itself; Python would end the process after it with another code.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    context.exit(serve(arguments))
