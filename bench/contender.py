"""What a comparison needs of each contender, whoever it is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from bench.timing import Call

__all__ = ["Contender", "Probabilities"]

Probabilities = numpy.ndarray[Any, Any]


@dataclass(frozen=True)
class Contender:
    """One engine with one form of input; calls use one thread and find their inputs ready."""

    name: str
    library: str
    given: str  # the form of its inputs, for the table
    row: Call | None
    batch: Call
    late: Callable[
        [Any], Probabilities
    ]  # what `batch` returned → the probability of a late arrival
    file: Path
    note: str = ""
