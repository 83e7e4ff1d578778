"""How the scripts of this folder are called, and how they end: with tables or with a message."""

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.comparison import Comparison
    from bench.timing import Effort

__all__ = ["chosen", "effort", "guarded", "print_section", "print_table"]


def print_table(comparison: Callable[[], "Comparison"]) -> int:
    """Measures one comparison and prints its section; the exit code."""

    def section(effort: "Effort") -> str:
        from bench.report import compared

        return compared(comparison(), effort)

    return print_section(section)


def print_section(section: Callable[["Effort"], str]) -> int:
    """Prints what a script measures, with the options of the command line; the exit code."""
    parser = argparse.ArgumentParser()
    options = chosen(parser)
    return guarded(lambda: print(section(effort(options))))


def chosen(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The options, with those that every script has."""
    parser.add_argument(
        "--quick", action="store_true", help="few rounds and smaller batches; figures are rough"
    )
    return parser.parse_args()


def effort(options: argparse.Namespace) -> "Effort":
    """How much pains the options ask for."""
    from bench.timing import FULL, QUICK

    return QUICK if options.quick else FULL


def guarded(script: Callable[[], None]) -> int:
    """The exit code of a script: 0, or 1 after a message on standard error."""
    try:
        script()
    except ModuleNotFoundError as missing:
        print(
            f"error: module `{missing.name}` is not installed here; run `make bench`",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("interrupted; what was trained so far is kept", file=sys.stderr)
        return 130
    return 0
