"""Rows that a model is likely to get wrong: missing, unseen, extreme, at and beside thresholds."""

import math
import random
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.converters.values import Column
from penstock.frames import Example, Row
from penstock.times import unit

__all__ = ["Probe", "hostile", "spread", "typical", "unseen"]

TYPICAL_ROWS = 200
HOSTILE_ROWS = 1200
MIXED_ROWS = 60
LEVELS = 40
THRESHOLDS = 12
UNSEEN_TEXT = "a level that was never seen"

# f32: the largest finite number, one that rounds to infinity, an integer that it cannot hold, the
# smallest numbers.
SINGLE = (3.4028234663852886e38, 3.5e38, 16777217.0, 1e-38, 1e-45)
# LightGBM reads numbers up to this magnitude as zero (engine-notes.md, kZeroThreshold).
ZEROS = (1.0000000180025095e-35, 1.0000001e-35)
NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e300, -1e300, 5e-324, *SINGLE, *ZEROS)
INFINITIES = (math.inf, -math.inf)
# By the unit of the column. Every calendar errs somewhere here: before 1970, February, the weeks of
# ISO 8601 around new year, a leap second, the hours that clocks skip and repeat (in Berlin).
SECONDS = (
    "1970-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "1900-02-28T23:59:59Z",
    "1900-03-01T00:00:00Z",
    "2000-02-29T23:59:59Z",
    "2100-03-01T00:00:00Z",
    "2024-02-29T12:34:56Z",
    "2024-12-31T00:00:00Z",
    "2016-12-31T23:59:59Z",
    "2019-12-30T00:00:00Z",
    "2021-01-03T23:59:59Z",
    "2024-03-31T00:59:59Z",
    "2024-03-31T01:00:00Z",
    "2024-10-27T00:30:00Z",
    "2024-10-27T01:30:00Z",
    "1899-12-31T23:59:59Z",
)
MILLISECONDS = ("1969-12-31T23:59:59.999000Z", "2024-02-29T23:59:59.001000Z")
MICROSECONDS = ("1969-12-31T23:59:59.999999Z", "2024-02-29T23:59:59.000001Z")
# Less than a microsecond is cut, also before 1970; the first and the last time that there is.
NANOSECONDS = (
    "1969-12-31T23:59:59.999999999Z",
    "2024-02-29T23:59:59.000000001Z",
    "1677-09-21T00:12:43.145224193Z",
    "2262-04-11T23:47:16.854775807Z",
)
# What coarser units reach: all years of Python, and the first second that f64 may not tell to the
# microsecond.
FAR = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2255-06-05T23:47:35Z")
TIMES = {
    "s": (*SECONDS, *FAR),
    "ms": (*SECONDS, *MILLISECONDS, *FAR),
    "us": (*SECONDS, *MILLISECONDS, *MICROSECONDS, *FAR, "2255-06-05T23:47:34.740993Z"),
    "ns": (*SECONDS, *MILLISECONDS, *MICROSECONDS, *NANOSECONDS),
}


@dataclass(frozen=True)
class Probe:
    """A row in which one column (or several: `None`) holds something unusual."""

    column: str | None
    case: str
    row: Row


def typical(example: Example, count: int = TYPICAL_ROWS) -> list[Row]:
    """Rows of the example, spread evenly; the same ones every time."""
    if example.row_count <= count:
        return example.rows(range(example.row_count))
    return example.rows([at * example.row_count // count for at in range(count)])


def hostile(
    example: Example,
    rows: Sequence[Row],
    used: Iterable[str],
    thresholds: Mapping[str, Sequence[float]],
    seed: int = 0,
) -> list[Probe]:
    """Probes made from typical rows: each used column in turn, all at once, then at random."""
    used = list(used)
    columns = {str(column.name): column for column in example.columns}
    values = {
        name: list(_values(columns[name], [row[name] for row in rows], thresholds.get(name, ())))
        for name in used
    }
    probes = [
        Probe(name, case, rows[(at + seed) % len(rows)] | {name: value})
        for at, (name, case, value) in enumerate(_in_turn(values))
    ]
    probes = probes[:HOSTILE_ROWS]
    for case in ("missing", "unseen"):
        changes = {name: value for name in used for known, value in values[name] if known == case}
        if changes:
            probes.append(Probe(None, f"{case} everywhere", rows[0] | changes))
    chooser = random.Random(seed)
    for _ in range(MIXED_ROWS if used else 0):
        row = dict(chooser.choice(rows))
        for name in used:
            if values[name] and chooser.random() < min(0.5, 4 / len(used)):
                row[name] = chooser.choice(values[name])[1]
        probes.append(Probe(None, "mixed", row))
    return probes


def unseen(column: Column) -> Any:
    """A level that the column does not have; `None` where there can be none."""
    if column.kind == "text":
        return UNSEEN_TEXT
    if column.kind == "number" and column.categories is not None:
        numbers = [level for level in column.categories if isinstance(level, (int, float))]
        return max(numbers, default=0) + 1
    return None


def _in_turn(
    values: Mapping[str, Sequence[tuple[str, Any]]],
) -> Iterator[tuple[str, str, Any]]:
    """The first value of every column, then the second of every column, and so on."""
    longest = max((len(items) for items in values.values()), default=0)
    for at in range(longest):
        for name, items in values.items():
            if at < len(items):
                yield name, *items[at]


def _values(
    column: Column, seen: Sequence[Any], thresholds: Sequence[float]
) -> Iterator[tuple[str, Any]]:
    """What may come in a column, each with the name of its case; the most telling first."""
    yield "missing", None
    new = unseen(column)
    if new is not None:
        yield "unseen", new
    if column.kind == "boolean":
        yield from (("level", value) for value in (True, False))
    elif column.kind == "text":
        yield from _texts(column, seen)
    elif column.kind == "timestamp":
        yield from (("time", time) for time in TIMES[unit(column.dtype)])
    elif column.categories is not None:
        yield from (("level", level) for level in column.categories[:LEVELS])
        yield from (("unseen", value) for value in (-1, -5))
    else:
        yield from _numbers(column, seen, thresholds)


def _texts(column: Column, seen: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    levels = column.categories or sorted({value for value in seen if value is not None})
    yield from (("level", level) for level in levels[:LEVELS])
    known = set(levels)
    tricky = ["", "nan", "None", *(f"{level} " for level in levels[:1])]
    yield from (("unseen", text) for text in tricky if text not in known)


def _numbers(
    column: Column, seen: Sequence[Any], thresholds: Sequence[float]
) -> Iterator[tuple[str, Any]]:
    present = [value for value in seen if value is not None and math.isfinite(value)]
    low, high = min(present, default=0.0), max(present, default=1.0)
    # In floats: an integer beyond 2^53 is refused, whatever the source library makes of it.
    yield from (("extreme", value) for value in (10.0 * high, 10.0 * low, high, low))
    for at, value in enumerate(spread(thresholds, THRESHOLDS)):
        yield "threshold", value
        yield from (("threshold", beside) for beside in _beside(value, every=at < THRESHOLDS // 2))
    yield from (("infinite", value) for value in INFINITIES)
    yield from (("number", value) for value in NUMBERS)


def spread(values: Sequence[Any], count: int) -> list[Any]:
    """So many of the values, evenly from first to last."""
    if len(values) <= count:
        return list(values)
    return [values[at * (len(values) - 1) // (count - 1)] for at in range(count)]


def _beside(value: float, *, every: bool) -> list[float]:
    """The next numbers in f64, and the number and its neighbors in f32."""
    near = [math.nextafter(value, math.inf), math.nextafter(value, -math.inf)]
    if not every or not 1e-37 < abs(value) < 3e38:
        return near
    (bits,) = struct.unpack("<i", struct.pack("<f", value))
    singles = [struct.unpack("<f", struct.pack("<i", bits + step))[0] for step in (-1, 0, 1)]
    return near + singles
