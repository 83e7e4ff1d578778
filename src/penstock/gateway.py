"""The gateway in this process, for the command line; the server itself is in `rust/gateway`."""

from collections.abc import Sequence

from penstock import _core

__all__ = ["hash_token", "help_page", "serve"]


def serve(arguments: Sequence[str]) -> int:
    """Serves artifacts over HTTP until SIGTERM or SIGINT; the exit code.

    Takes the arguments of `penstock serve`. What is wrong is printed to standard error.
    """
    return _core.serve(["penstock serve", *arguments])


def hash_token(name: str) -> int:
    """Prints a new token to standard error and the line that knows it to standard output."""
    return _core.serve(["penstock", "hash-token", name])


def help_page() -> str:
    """What `penstock serve --help` prints."""
    return _core.serve_help()
