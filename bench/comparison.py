"""One comparison: prepare a case, let its contenders take turns, and keep what was measured."""

import json
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy

from bench.contender import Contender
from bench.loading import load
from bench.models import Case, prepare
from bench.timing import Measured, interleave

__all__ = ["Comparison", "Goals", "Line", "Result", "compare", "unpacked_bytes"]

ROW_ROUNDS = 25
BATCH_ROUNDS = 5
LOAD_ROUNDS = 9
RESIDENT_RUNS = 3

Preparation = Callable[[Case], list[Contender]]


@dataclass(frozen=True)
class Goals:
    """What penstock has to reach; None where nothing was set.

    The ratios are to ONNX Runtime at its quickest.
    """

    row: float | None = 5.0  # times as fast
    batch: float | None = None  # times the rows per second
    load_seconds: float | None = None
    memory: float | None = None  # at most this many times the unpacked size of the artifact


@dataclass(frozen=True)
class Comparison:
    """What a script compares: a pipeline of `demo.pipelines`, and who predicts with it."""

    pipeline: str
    title: str
    contenders: Sequence[Preparation]
    goals: Goals = field(default_factory=Goals)


@dataclass(frozen=True)
class Line:
    """What was measured of one contender; `difference` is its largest to scikit-learn."""

    contender: Contender
    row: Measured | None
    batch: Measured
    load: Measured
    resident_bytes: int | None  # None where the system does not tell
    file_bytes: int
    difference: float


@dataclass(frozen=True)
class Result:
    """All lines of a comparison, in the order of its contenders."""

    comparison: Comparison
    batch_rows: int
    lines: Sequence[Line] = field(default_factory=list)

    def best(self, library: str, measure: Callable[[Line], float]) -> float:
        """The smallest measure among the lines of that library."""
        return min(measure(line) for line in self.lines if line.contender.library == library)


def compare(comparison: Comparison) -> Result:
    """Measures every contender in this process, one after the other within each round."""
    _say(f"{comparison.title}: preparing")
    case = prepare(comparison.pipeline)
    contenders = [contender for prepared in comparison.contenders for contender in prepared(case)]
    expected = case.pipeline.predict_proba(case.batch)[:, 1]
    differences = {each.name: _difference(each, expected) for each in contenders}

    _say(f"{comparison.title}: one row")
    row = interleave({each.name: each.row for each in contenders if each.row}, ROW_ROUNDS)
    _say(f"{comparison.title}: batches of {len(case.batch):,} rows")
    batch = interleave({each.name: each.batch for each in contenders}, BATCH_ROUNDS)
    _say(f"{comparison.title}: loading")
    files = {str(each.file): each.file for each in contenders}
    loads = interleave({name: _loader(file) for name, file in files.items()}, LOAD_ROUNDS)
    residents = {name: _resident_bytes(file) for name, file in files.items()}

    lines = [
        Line(
            contender=each,
            row=row.get(each.name),
            batch=batch[each.name],
            load=loads[str(each.file)],
            resident_bytes=residents[str(each.file)],
            file_bytes=each.file.stat().st_size,
            difference=differences[each.name],
        )
        for each in contenders
    ]
    return Result(comparison, len(case.batch), lines)


def unpacked_bytes(artifact: Path) -> int:
    """What the entries of an artifact hold before they are compressed."""
    with zipfile.ZipFile(artifact) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def _difference(contender: Contender, expected: numpy.ndarray) -> float:
    return float(numpy.abs(contender.late(contender.batch()) - expected).max())


def _loader(file: Path) -> Callable[[], object]:
    return lambda: load(file)


def _resident_bytes(file: Path) -> int | None:
    """What a loaded model weighs: the median over a few fresh processes."""
    command = [sys.executable, "-m", "bench.loading", str(file)]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        for _ in range(RESIDENT_RUNS)
    ]
    return None if None in runs else int(statistics.median(runs))


def _say(what: str) -> None:
    print(f"{what} ...", file=sys.stderr, flush=True)
