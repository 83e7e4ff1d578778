"""What a comparison measured, as Markdown: tables, goals beside what was reached, and notes."""

from collections.abc import Callable
from dataclasses import dataclass

from bench import machine
from bench.comparison import Comparison, Goal, Line, Result, compare, unpacked_bytes
from bench.contender import ALL_THREADS
from bench.table import table
from bench.timing import Effort

__all__ = ["compared"]

OWN = "penstock"
NAMES = {
    "lightgbm": "LightGBM",
    "onedal": "oneDAL",
    "onnxruntime": "ONNX Runtime",
    "scikit-learn": "scikit-learn",
    "xgboost": "XGBoost",
}
BUSY_THREADS = 1.1  # above this, more than one thread was at work
WITHOUT_AVX512 = 0.5  # the share of a goal that other vectors have to reach


@dataclass(frozen=True)
class _Column:
    title: str
    value: Callable[[Line], str]


def compared(comparison: Comparison, effort: Effort) -> str:
    """The section of one comparison, measured now."""
    return _section(compare(comparison, effort))


def _section(result: Result) -> str:
    columns = _columns(result)
    cells = [[column.value(line) for column in columns] for line in result.lines]
    # A column that nobody has a figure for is not shown.
    shown = [index for index in range(len(columns)) if any(row[index] for row in cells)]
    parts = [
        f"## {result.comparison.title}",
        result.comparison.about,
        table(
            [columns[index].title for index in shown],
            [[row[index] for index in shown] for row in cells],
        ),
        _goals(result),
        _notes(result),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _columns(result: Result) -> list[_Column]:
    def microseconds(measure: str) -> Callable[[Line], str]:
        return lambda line: _figure(line, measure, lambda seconds: f"{seconds * 1e6:,.1f}")

    def speed(measure: str, rows: int) -> Callable[[Line], str]:
        return lambda line: _figure(line, measure, lambda seconds: f"{rows / seconds:,.0f}")

    largest = result.largest
    return [
        _Column("", lambda line: line.name),
        _Column("one row from a dict, µs", microseconds("dictionary")),
        _Column("one row prepared, µs", microseconds("prepared")),
        _Column("batch of 10, rows/s", speed("10", 10)),
        _Column("batch of 1,000, rows/s", speed("1000", 1_000)),
        _Column(f"batch of {largest:,}, rows/s", speed("batch", largest)),
        _Column(f"{largest:,} on {ALL_THREADS} threads, rows/s", speed("threads", largest)),
        _Column("load, ms", lambda line: _figure(line, "load", lambda took: f"{took * 1e3:,.1f}")),
        _Column(
            "file, kB", lambda line: f"{line.file.stat().st_size / 1e3:,.0f}" if line.file else ""
        ),
        _Column("memory, MB", lambda line: _megabytes(line.resident_bytes)),
        _Column("difference", _difference),
    ]


def _figure(line: Line, measure: str, write: Callable[[float], str]) -> str:
    return write(line.timed[measure].median) if measure in line.timed else ""


def _difference(line: Line) -> str:
    if line.difference is None:
        return "its own model"
    return f"{line.difference:.1e}" if line.difference else "0"


def _goals(result: Result) -> str:
    if not any(line.library == OWN for line in result.lines):
        return ""
    cells = [_goal(result, goal) for goal in result.comparison.goals]
    if not cells:
        return ""
    here = "goal here" if _share() == 1 else "goal here, without AVX-512"
    shown = table(["penstock", "measured", "goal", here, ""], cells)
    goals = zip(result.comparison.goals, cells, strict=True)
    whys = [f"- {row[0]}: {goal.why}" for goal, row in goals if goal.why and "missed" in row[-1]]
    return "\n\n".join([shown, "\n".join(whys)]) if whys else shown


def _goal(result: Result, goal: Goal) -> list[str]:
    if goal.factor is None:
        return _limit(result, goal)
    title = f"{TITLES[goal.measure]}, times the speed of {NAMES[goal.peer]}"
    # A peer gets its row prepared, whatever the own one comes from.
    theirs = "prepared" if goal.measure == "dictionary" else goal.measure
    own, peer = result.best(OWN, goal.measure), result.best(goal.peer, theirs)
    needed = goal.factor * _share()
    if own is None or peer is None:
        return [title, "not measured", f"≥ {goal.factor:g}", f"≥ {needed:g}", ""]
    ratio = peer / own
    missed = f"**missed**: {ratio / needed:.0%} of it"
    verdict = "reached" if ratio >= needed else missed
    return [title, f"{ratio:.1f}", f"≥ {goal.factor:g}", f"≥ {needed:g}", verdict]


def _limit(result: Result, goal: Goal) -> list[str]:
    own = next(line for line in result.lines if line.library == OWN)
    assert goal.limit is not None
    if goal.measure == "memory":
        unpacked = unpacked_bytes(own.file) if own.file else 0
        title = f"memory, times the unpacked size ({_megabytes(unpacked)} MB)"
        measured = own.resident_bytes / unpacked if own.resident_bytes else None
    else:
        title, measured = "load, ms", own.timed["load"].median * 1e3
    limit = f"< {goal.limit:g}"
    if measured is None:
        return [title, "", limit, limit, ""]
    missed = f"**missed**: {measured / goal.limit:.1f} times it"
    verdict = "reached" if measured < goal.limit else missed
    return [title, f"{measured:.1f}", limit, limit, verdict]


def _share() -> float:
    """How much of a goal applies on this machine."""
    return 1.0 if "avx512bw" in machine.instruction_sets() else WITHOUT_AVX512


TITLES = {
    "dictionary": "one row from a dict",
    "prepared": "one row",
    "10": "batch of 10",
    "1000": "batch of 1,000",
    "batch": "batch, one thread",
    "threads": "batch, all threads",
}


def _notes(result: Result) -> str:
    notes = [f"{line.name}: {line.given}." for line in result.lines]
    notes += dict.fromkeys(line.note for line in result.lines if line.note)
    notes += [
        f"{absent.name} is not there: {absent.reason.rstrip('.')}." for absent in result.absent
    ]
    for line in result.lines:
        alone = [
            timed.threads for name, timed in line.timed.items() if name not in ("threads", "load")
        ]
        if max(alone) > BUSY_THREADS:
            notes.append(f"{line.name} kept {max(alone):.1f} threads busy, though told to use one.")
    return "\n".join(f"- {note}" for note in notes)


def _megabytes(size: int | None) -> str:
    return "" if size is None else f"{size / 1e6:,.1f}"
