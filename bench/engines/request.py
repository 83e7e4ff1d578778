"""What an engine is asked for, and what it offers; needs nothing but numpy."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy

from bench.timing import Call

__all__ = ["Engine", "Refused", "Request"]


@dataclass(frozen=True)
class Request:
    """A trained model and its rows, as files; `kind` says which library wrote the model."""

    workload: str
    kind: str
    model: str
    matrix: str  # of the batch, in the type of number that the source library predicts from
    columns: str  # of the batch before any step: numbers and texts by name
    train: str  # columns and `target`, to train a model of one's own
    kept: str  # where to keep what takes long to make; a name to append to
    threads: int  # the most that are asked for
    limit: int  # rows of the batch that are asked for

    @cached_property
    def rows(self) -> numpy.ndarray[Any, Any]:
        return numpy.array(numpy.load(self.matrix, mmap_mode="r")[: self.limit])

    def keep(self, suffix: str) -> Path:
        return Path(f"{self.kept}{suffix}")


@dataclass(frozen=True)
class Engine:
    """An engine that has read its model; calls find their inputs ready."""

    given: str
    batch: Callable[[int, int, int], Call]  # from a row up to another one, on so many threads
    outputs: Callable[[], numpy.ndarray[Any, Any]] | None
    load: Call | None = None
    file: Path | None = None
    note: str = ""


class Refused(Exception):
    """The engine cannot take this model; the text says why."""
