"""What was measured, as Markdown: a table per comparison, and the page `docs/benchmarks.md`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench import machine
from bench.comparison import Line, Result, unpacked_bytes

__all__ = ["page", "section"]

OWN, PEER = "penstock", "onnxruntime"
BUSY_THREADS = 1.1  # above this, more than one thread was at work

INTRODUCTION = """\
# Benchmarks

Written by `make bench`; do not edit. Everything below was measured in one run, on this machine,
with one thread for everybody.

{facts}

**What is predicted**: flights of 2013 from New York, late or not; 19 numeric columns (imputed with
the median, scaled) and 8 text columns (imputed, one-hot: 514 columns), the pipelines of
`demo/pipelines.py`.

**How**: the contenders take turns, one sample each per round, so that a disturbance meets all of
them; the figures are medians. *One row* is `predict` with a dictionary for penstock,
`predict_proba` with a frame of one row for scikit-learn, and a call with arrays made beforehand for
the others. *Load* is from the file to a model that can predict, the library being imported;
penstock checks the hashes and runs the examples of the file in that time. *Memory* is what the
resident set of a fresh process grows by per model when the file, loaded once, is loaded eight more
times. *Difference* is the largest one of a probability to scikit-learn's, over the batch.

**Again**: `make bench` runs all of it and writes this page; `python -m bench.flights_lightgbm` (in
`.venv`) runs one and prints its table. Trained models are kept under `build/bench/`.
"""


@dataclass(frozen=True)
class _Column:
    title: str
    value: Callable[[Line], str]


COLUMNS = (
    _Column("", lambda line: line.contender.name),
    _Column("given", lambda line: line.contender.given),
    _Column("one row, µs", lambda line: f"{line.row.median * 1e6:,.1f}" if line.row else ""),
    _Column("load, ms", lambda line: f"{line.load.median * 1e3:,.1f}"),
    _Column("file, kB", lambda line: f"{line.file_bytes / 1e3:,.0f}"),
    _Column("memory, MB", lambda line: _megabytes(line.resident_bytes)),
    _Column("difference", lambda line: f"{line.difference:.1e}" if line.difference else "0"),
)


def page(results: Iterable[Result], import_seconds: float) -> str:
    """The whole page."""
    facts = {
        **machine.describe(),
        "`import penstock; penstock.load`": f"{import_seconds * 1e3:.0f} ms (median)",
    }
    listed = "\n".join(f"- **{name}**: {value}" for name, value in facts.items())
    return "\n".join([INTRODUCTION.format(facts=listed), *map(section, results)])


def section(result: Result) -> str:
    """The table of one comparison, what follows from it, and its notes."""
    rows = _Column(
        f"batch of {result.batch_rows:,}, rows/s",
        lambda line: f"{result.batch_rows / line.batch.median:,.0f}",
    )
    columns = (*COLUMNS[:3], rows, *COLUMNS[3:])
    cells = [[column.value(line) for column in columns] for line in result.lines]
    parts = [f"## {result.comparison.title}", _table([column.title for column in columns], cells)]
    parts += [_goals(result), *_notes(result)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _goals(result: Result) -> str:
    libraries = {line.contender.library for line in result.lines}
    if not {OWN, PEER} <= libraries:
        return ""
    goals = result.comparison.goals
    own = next(line for line in result.lines if line.contender.library == OWN)
    memory, title = _memory(own)
    row, batch = (_ratio(result, seconds) for seconds in (_row_seconds, _batch_seconds))
    cells = [
        _at_least("one row, times as fast as ONNX Runtime", row, goals.row),
        _at_least("batch, times the rows/s of ONNX Runtime", batch, goals.batch),
        _below("load, ms", own.load.median * 1e3, goals.load_seconds and goals.load_seconds * 1e3),
        _below(title, memory, goals.memory),
    ]
    return _table(["penstock", "measured", "goal", ""], cells)


def _ratio(result: Result, seconds: Callable[[Line], float]) -> float:
    """How many times as long the quickest form of the peer takes."""
    return result.best(PEER, seconds) / result.best(OWN, seconds)


def _memory(own: Line) -> tuple[float | None, str]:
    unpacked = unpacked_bytes(own.contender.file)
    resident = own.resident_bytes
    title = f"memory, times the unpacked size ({_megabytes(unpacked)} MB)"
    return resident / unpacked if resident is not None else None, title


def _at_least(title: str, measured: float, goal: float | None) -> list[str]:
    if goal is None:
        return [title, f"{measured:.1f}", "", ""]
    return [title, f"{measured:.1f}", f"≥ {goal:g}", _verdict(measured >= goal)]


def _below(title: str, measured: float | None, goal: float | None) -> list[str]:
    if measured is None or goal is None:
        return [title, "" if measured is None else f"{measured:.1f}", "", ""]
    return [title, f"{measured:.1f}", f"< {goal:g}", _verdict(measured < goal)]


def _notes(result: Result) -> list[str]:
    notes = list(dict.fromkeys(line.contender.note for line in result.lines if line.contender.note))
    for line in result.lines:
        threads = max(each.threads for each in (line.row, line.batch) if each)
        if threads > BUSY_THREADS:
            notes.append(
                f"{line.contender.name} kept {threads:.1f} threads busy, though told to use one."
            )
    return notes


def _row_seconds(line: Line) -> float:
    return line.row.median if line.row else float("inf")


def _batch_seconds(line: Line) -> float:
    return line.batch.median


def _verdict(reached: bool) -> str:
    return "reached" if reached else "**missed**"


def _megabytes(size: int | None) -> str:
    return "" if size is None else f"{size / 1e6:,.1f}"


def _table(titles: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """Markdown that can also be read as it is: columns are aligned, numbers to the right."""
    widths = [max(len(row[index]) for row in (titles, *cells)) for index in range(len(titles))]
    textual = [index < 2 or not title for index, title in enumerate(titles)]

    def line(row: Sequence[str]) -> str:
        padded = (
            text.ljust(width) if left else text.rjust(width)
            for text, width, left in zip(row, widths, textual, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    ruler = [
        "-" * width if left else "-" * (width - 1) + ":"
        for width, left in zip(widths, textual, strict=True)
    ]
    return "\n".join([line(titles), line(ruler), *map(line, cells)])
