"""The command line `penstock`; thin: each command parses, calls the package, and prints."""

import os
import signal
import sys
from typing import Any, NoReturn

import click

from penstock import __version__
from penstock.errors import PenstockError

__all__ = ["EXIT_DIFFERENCE", "group", "main"]

# Command to the module under `penstock.cli` that has it, in the order of the help page.
COMMANDS = (
    *("profile", "train", "init", "compare", "convert", "inspect", "verify", "predict", "serve"),
    *("token", "keygen", "sign", "supported"),
)
EXIT_DIFFERENCE = 1
EXIT_WRONG = 3
EXIT_INTERRUPTED = 128 + signal.SIGINT
EXIT_TERMINATED = 128 + signal.SIGTERM


class _Commands(click.Group):
    """Imports a command when it is called, so that the others cost nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        command: click.Command = import_module(f"penstock.cli.{cmd_name}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        import difflib

        near = difflib.get_close_matches(args[0], COMMANDS, n=1)
        if near and args[0] not in COMMANDS:
            ctx.fail(f"there is no command `{args[0]}`; did you mean `{near[0]}`?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # The reader of the pipe has seen enough; nothing more can be printed.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="""Predictions and other data go to standard output as UTF-8, messages to
    standard error. Exit codes:

    \b
      0    done
      1    the examples of an artifact differ (verify); a condition is not met
      2    wrong usage
      3    a wrong model, file or value
      130  interrupted (143: terminated)
    """,
)
@click.version_option(__version__, prog_name="penstock")
def group() -> None:
    """From a fitted pipeline to one portable file that predicts the same, fast."""


def main() -> NoReturn:
    """Runs the command line; whatever a user can cause ends in one line and an exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_TERMINATED))
    _speak_utf8()
    try:
        code = group.main(prog_name="penstock", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        code = EXIT_INTERRUPTED
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (PenstockError, OSError, ModuleNotFoundError) as error:
        click.echo(f"Error: {_message(error)}", err=True)
        code = EXIT_WRONG
    sys.exit(code if isinstance(code, int) else 0)


def _speak_utf8() -> None:
    """Pipes get UTF-8 whatever the locale; a terminal that has less shows what it can."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                encoding=None if stream.isatty() else "utf-8", errors="backslashreplace"
            )


def _message(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        name = str(error.name).split(".")[0]
        if name == "penstock":
            raise error
        return f"`{name}` is not installed; install it, or `pip install 'penstock[all]'`"
    if isinstance(error, OSError) and error.filename is not None:
        return f"`{error.filename}`: {error.strerror}; check the path"
    return str(error)
