"""How the scripts of this folder end: with tables, or with a message that says what is missing."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.comparison import Comparison

__all__ = ["guarded", "print_table"]


def print_table(comparison: Callable[[], "Comparison"]) -> int:
    """Measures one comparison and prints its table; the exit code."""

    def script() -> None:
        from bench import report
        from bench.comparison import compare

        print(report.section(compare(comparison())))

    return guarded(script)


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
