"""One comparison: prepare a case, let its contenders take turns, and keep what was measured."""

import json
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy

from bench.contender import ALL_THREADS, Absent, Contender, Outputs
from bench.models import Case, prepare
from bench.timing import Clock, Effort, Measured, interleave

__all__ = ["SMALL_BATCHES", "Comparison", "Goal", "Line", "Result", "compare", "unpacked_bytes"]

SMALL_BATCHES = (10, 1_000)
RESIDENT_RUNS = 3

Preparation = Callable[[Case], list[Contender]]


@dataclass(frozen=True)
class Goal:
    """What penstock has to reach: a multiple of a peer's speed, or a limit of its own.

    `measure` names something that is timed; a peer's row is always its prepared one. Multiples
    are set for a machine with AVX-512; without it, half of one is the goal.
    """

    measure: str
    peer: str = ""
    factor: float | None = None
    limit: float | None = None
    why: str = ""  # what bounds it, for where it is missed


@dataclass(frozen=True)
class Comparison:
    """What a script compares: a workload of `bench.pipelines`, and who predicts with it."""

    workload: str
    title: str
    contenders: Sequence[Preparation]
    goals: Sequence[Goal] = ()
    about: str = ""
    largest: int | None = None  # rows of the largest batch, where 100,000 would take too long
    expected: Callable[[Case], Outputs] = lambda case: case.expected
    # What a contender answers, in the form of what is expected.
    reduced: Callable[[Case, Outputs], Outputs] = lambda case, outputs: outputs
    weighed: bool = True  # whether loading and memory are measured as well


@dataclass(frozen=True)
class Line:
    """What was measured of one contender; `difference` is its largest to the source library."""

    name: str
    library: str
    given: str
    note: str
    timed: Mapping[str, Measured]
    resident_bytes: int | None  # None where the system does not tell
    file: Path | None
    difference: float | None  # None for a model of its own


@dataclass(frozen=True)
class Result:
    """All lines of a comparison, in the order of its contenders, and who is not there."""

    comparison: Comparison
    largest: int
    lines: Sequence[Line] = ()
    absent: Sequence[Absent] = field(default_factory=list)

    def best(self, library: str, measure: str) -> float | None:
        """The fewest seconds among the lines of that library."""
        timed = [line.timed for line in self.lines if line.library == library]
        return min((one[measure].median for one in timed if measure in one), default=None)


def compare(comparison: Comparison, effort: Effort) -> Result:
    """Measures every contender in turn, one after the other within each round."""
    _say(f"{comparison.title}: preparing")
    case = prepare(comparison.workload)
    contenders, absent = _contenders(comparison, case)
    expected = comparison.expected(case)
    differences = {
        each.name: _difference(each, expected, lambda outputs: comparison.reduced(case, outputs))
        for each in contenders
    }
    largest = min(comparison.largest or effort.largest, effort.largest)
    timed: dict[str, dict[str, Measured]] = {each.name: {} for each in contenders}
    for name, rounds, clock in _measures(largest, effort, comparison.weighed):
        _say(f"{comparison.title}: {name}")
        clocks = {each.name: clock(each) for each in contenders}
        present = {each: found for each, found in clocks.items() if found is not None}
        for contender, measured in interleave(present, rounds).items():
            timed[contender][name] = measured
    lines = [
        Line(
            name=each.name,
            library=each.library,
            given=each.given,
            note=each.note,
            timed=timed[each.name],
            resident_bytes=_resident_bytes(each) if comparison.weighed else None,
            file=each.file,
            difference=differences[each.name],
        )
        for each in contenders
    ]
    return Result(comparison, largest, lines, absent)


def unpacked_bytes(artifact: Path) -> int:
    """What the entries of an artifact hold before they are compressed."""
    with zipfile.ZipFile(artifact) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def _contenders(comparison: Comparison, case: Case) -> tuple[list[Contender], list[Absent]]:
    contenders: list[Contender] = []
    absent: list[Absent] = []
    for prepared in comparison.contenders:
        try:
            contenders += prepared(case)
        except Absent as reason:
            _say(str(reason))
            absent.append(reason)
    return contenders, absent


def _measures(
    largest: int, effort: Effort, weighed: bool
) -> list[tuple[str, int, Callable[[Contender], Clock | None]]]:
    """Name, rounds and the clock of a contender, for all that is timed."""

    def batch(rows: int, threads: int) -> Callable[[Contender], Clock | None]:
        return lambda contender: contender.batch(rows, threads)

    measures: list[tuple[str, int, Callable[[Contender], Clock | None]]] = [
        ("dictionary", effort.row_rounds, lambda contender: contender.dictionary),
        ("prepared", effort.row_rounds, lambda contender: contender.prepared),
        *((str(rows), effort.batch_rounds, batch(rows, 1)) for rows in SMALL_BATCHES),
    ]
    if largest not in SMALL_BATCHES:
        measures.append(("batch", effort.batch_rounds, batch(largest, 1)))
    if ALL_THREADS > 1:
        measures.append(("threads", effort.batch_rounds, batch(largest, ALL_THREADS)))
    if weighed:
        measures.append(("load", effort.load_rounds, lambda contender: contender.load))
    return measures


def _difference(
    contender: Contender, expected: Outputs, reduced: Callable[[Outputs], Outputs]
) -> float | None:
    if contender.outputs is None:
        return None
    return float(numpy.abs(reduced(contender.outputs()) - expected).max())


def _resident_bytes(contender: Contender) -> int | None:
    """What a loaded model weighs: the median over a few fresh processes."""
    from bench.loading import LOADERS

    if contender.file is None or contender.file.suffix not in LOADERS:
        return None
    command = [sys.executable, "-m", "bench.loading", str(contender.file)]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        for _ in range(RESIDENT_RUNS)
    ]
    return None if None in runs else int(statistics.median(runs))


def _say(what: str) -> None:
    print(f"{what} ...", file=sys.stderr, flush=True)
