"""What a comparison needs of each contender, whoever it is."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from bench.timing import Clock

__all__ = ["ALL_THREADS", "Absent", "Contender", "Outputs"]

Outputs = numpy.ndarray[Any, Any]

# The cores that this process may use, where the system tells.
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
ALL_THREADS = _CORES or 1


@dataclass(frozen=True)
class Contender:
    """One engine with one form of input; where nothing else is said, inputs are ready made."""

    name: str
    library: str
    given: str  # the form of its inputs, for the page
    dictionary: Clock | None  # one row from a Python dictionary, on one thread
    prepared: Clock | None  # one row in the engine's own form, on one thread
    batch: Callable[[int, int], Clock]  # the first rows of the batch, at most so many threads
    outputs: Callable[[], Outputs] | None  # for all rows of the batch; None for another model
    load: Clock | None = None
    file: Path | None = None
    note: str = ""


class Absent(Exception):
    """A contender cannot take part; says who and why, for the page."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name, self.reason = name, reason
