"""What a training tells while it runs: events for a caller, a line or a live line for people."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

__all__ = ["Event", "Listener", "silent", "told"]

# Between two lines of one kind of progress in a log.
SECONDS_PER_LINE = 10.0


@dataclass(frozen=True)
class Event:
    """`kind`: `data`, `feature`, `warning`, `step`, `fold`, `trial`, `model` or `progress`.

    `text` is for people; `values` has the same for programs.
    """

    kind: str
    text: str
    values: Mapping[str, Any] = field(default_factory=dict)


Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """Tells nobody."""


@contextmanager
def told(stream: IO[str] | None = None) -> Iterator[Listener]:
    """A listener that writes to standard error: on a terminal a line that moves, else plain lines.

    Without `rich` a terminal gets plain lines as well.
    """
    stream = stream or sys.stderr
    live = stream.isatty() and _rich()
    if not live:
        yield _lines(stream)
        return
    from rich.console import Console

    console = Console(file=stream, highlight=False)
    with console.status("reading ...") as status:

        def listen(event: Event) -> None:
            if event.kind == "progress":
                status.update(event.text)
                return
            style = "yellow" if event.kind == "warning" else None
            console.print(event.text, style=style, markup=False)

        yield listen


def _rich() -> bool:
    from importlib.util import find_spec

    return find_spec("rich") is not None


def _lines(stream: IO[str]) -> Listener:
    last = time.monotonic()

    def listen(event: Event) -> None:
        nonlocal last
        if event.kind == "progress":
            if time.monotonic() - last < SECONDS_PER_LINE:
                return
            last = time.monotonic()
        word = "warning: " if event.kind == "warning" else ""
        stream.write(f"{word}{event.text}\n")
        stream.flush()

    return listen
