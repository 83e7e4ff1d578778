"""What a table looks like, column by column, and what is odd about it; in one pass."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from penstock.data.columns import TYPES, word
from penstock.data.oddities import (
    LEAK,
    Outcome,
    binned,
    counts_rows,
    is_free_text,
    names_rows,
    strength,
)
from penstock.data.table import Table
from penstock.errors import SchemaError

__all__ = ["QUANTILES", "Column", "Profile", "profile"]

QUANTILES = (0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0)
BINS = 20
TOP_LEVELS = 10
# Rows that quantiles, levels and leaks are measured on; all of them where there are no more.
SAMPLE_ROWS = 200_000
# Shares and strengths at which something is worth a warning.
_MOSTLY_MISSING = 0.5
_MANY_LEVELS = 100
# Fewer rows tell nothing of leaks, and what has more levels is not told by one column.
_FEWEST_FOR_LEAKS = 100
_MOST_CLASSES = 20


@dataclass
class Column:
    """One column: counts are of all rows, levels, quantiles and bins of the sample."""

    name: str
    type: str
    count: int = 0
    missing: int = 0
    minimum: Any = None
    maximum: Any = None
    mean: float | None = None
    distinct: int = 0
    quantiles: list[Any] = field(default_factory=list)
    # Counts of equal steps from the smallest to the largest value, or of the most frequent levels.
    bins: list[int] = field(default_factory=list)
    levels: list[tuple[Any, int]] = field(default_factory=list)


@dataclass
class Profile:
    """All columns, and warnings in words."""

    name: str
    row_count: int
    sampled: int
    # Bytes of a row in memory, as Arrow has it and as a pandas frame.
    arrow_bytes: float
    pandas_bytes: float
    columns: list[Column]
    warnings: list[str]
    target: str | None = None


def profile(table: Table, *, target: str | None = None, seed: int = 0) -> Profile:
    """The profile of a table; memory does not grow with it.

    `target`: the column to be predicted; others that tell it nearly alone are warned of.
    """
    import numpy
    import pyarrow

    if target is not None and target not in table.names:
        known = "`, `".join(table.names)
        raise SchemaError(f"`{table.name}` has no column `{target}`; it has: `{known}`")
    columns = [Column(name, type_) for name, type_ in table.types.items()]
    totals = [0.0] * len(columns)
    random = numpy.random.default_rng(seed)
    kept: list[Any] = []
    marks: list[Any] = []
    row_count = 0
    threshold = 1.0
    for batch in table.batches():
        row_count += batch.num_rows
        for at, column in enumerate(columns):
            totals[at] += _count(column, batch.column(at))
        # The rows with the smallest random numbers are a fair sample of all.
        drawn = random.random(batch.num_rows)
        chosen = numpy.flatnonzero(drawn <= threshold)
        kept.append(batch.take(pyarrow.array(chosen)))
        marks.append(drawn[chosen])
        if sum(map(len, marks)) > 2 * SAMPLE_ROWS:
            threshold = _thin(kept, marks)
    if sum(map(len, marks)) > SAMPLE_ROWS:
        _thin(kept, marks)
    sample = pyarrow.Table.from_batches(kept, table.schema)
    for at, column in enumerate(columns):
        _describe(column, sample.column(at), totals[at])
    found = Profile(
        name=table.name,
        row_count=row_count,
        sampled=len(sample),
        arrow_bytes=sample.nbytes / max(len(sample), 1),
        pandas_bytes=_pandas_bytes(sample),
        columns=columns,
        warnings=[],
        target=target,
    )
    found.warnings = _warnings(found, sample)
    return found


def _count(column: Column, values: Any) -> float:
    """Adds a batch to what is counted of all rows; the sum of its numbers."""
    from pyarrow import compute

    column.count += len(values)
    column.missing += values.null_count
    if column.type not in ("number", "timestamp") or values.null_count == len(values):
        return 0.0
    ends = compute.min_max(values).as_py()
    low, high = ends["min"], ends["max"]
    column.minimum = low if column.minimum is None else min(column.minimum, low)
    column.maximum = high if column.maximum is None else max(column.maximum, high)
    return float(compute.sum(values).as_py()) if column.type == "number" else 0.0


def _thin(kept: list[Any], marks: list[Any]) -> float:
    """Leaves the rows with the smallest marks, in their order; the largest mark that stays."""
    import numpy
    import pyarrow

    threshold = float(numpy.partition(numpy.concatenate(marks), SAMPLE_ROWS - 1)[SAMPLE_ROWS - 1])
    for at, mark in enumerate(marks):
        stays = mark <= threshold
        kept[at] = kept[at].filter(pyarrow.array(stays))
        marks[at] = mark[stays]
    return threshold


def _describe(column: Column, values: Any, total: float) -> None:
    import numpy
    from pyarrow import compute

    present = column.count - column.missing
    if column.type not in TYPES:
        # Lists and the like have neither levels nor an order.
        return
    column.distinct = len(compute.unique(values.drop_null()))
    if column.type == "number" and present:
        column.mean = total / present
        numbers = values.drop_null().cast("float64").to_numpy()
        finite = numbers[numpy.isfinite(numbers)]
        if len(finite):
            column.quantiles = numpy.quantile(finite, QUANTILES).tolist()
            column.quantiles[0], column.quantiles[-1] = column.minimum, column.maximum
            column.bins = numpy.histogram(finite, BINS)[0].tolist()
    elif column.type == "timestamp" and present:
        moments = values.drop_null().cast("timestamp[us]").cast("int64").to_numpy()
        column.bins = numpy.histogram(moments, BINS)[0].tolist()
    elif column.type in ("text", "boolean"):
        counts = Counter(values.drop_null().to_pylist())
        column.levels = counts.most_common(TOP_LEVELS)


def _pandas_bytes(sample: Any) -> float:
    """Bytes of a row as a pandas frame, measured."""
    try:
        frame = sample.slice(0, 20_000).to_pandas(date_as_object=False)
    except ModuleNotFoundError:
        return math.nan
    return float(frame.memory_usage(deep=True, index=False).sum()) / max(len(frame), 1)


# -- Warnings --


def _warnings(found: Profile, sample: Any) -> list[str]:
    said = []
    for at, column in enumerate(found.columns):
        reason = _oddity(column, sample.column(at))
        if reason is not None:
            said.append(f"`{column.name}`: {reason}")
        if found.target not in (None, column.name):
            score = _tells(sample.column(at), sample.column(str(found.target)))
            if score >= LEAK:
                said.append(
                    f"`{column.name}` tells `{found.target}` nearly alone (score {score:.3f}): is "
                    "it known before the target is?"
                )
    return said


def _oddity(column: Column, sample: Any) -> str | None:
    present = column.count - column.missing
    if present == 0 and column.count:
        return "has no value at all; leave it out"
    if not column.count or column.type not in TYPES:
        return None
    if column.distinct == 1:
        return "has one value only; it tells nothing, leave it out"
    values = sample.drop_null()
    if column.type == "text" and is_free_text(_some(values), column.distinct, len(values)):
        return "is free text: training counts its words; drop it if they tell nothing"
    if (column.type == "text" and names_rows(column.distinct, len(values))) or (
        isinstance(column.minimum, int)
        and column.distinct == len(sample)
        and counts_rows(values.to_numpy(), column.count)
    ):
        return "is different in every row, as an identifier is; leave it out, or keep it as the key"
    if column.missing / column.count > _MOSTLY_MISSING:
        return f"is missing in {column.missing / column.count:.1%} of the rows"
    if any(isinstance(end, float) and math.isinf(end) for end in (column.minimum, column.maximum)):
        return "has infinite values"
    if column.type == "text" and column.distinct > _MANY_LEVELS:
        return f"has {column.distinct:,} levels; rare ones should be put together"
    return None


def _some(texts: Any) -> list[str]:
    """Two hundred of the texts."""
    return [text.as_py() for text in texts[:: max(1, len(texts) // 200)]] if len(texts) else []


def _tells(values: Any, target: Any) -> float:
    """How much of the target a column tells alone, from 0 to 1, on rows held back."""
    outcome = _outcome(target)
    if outcome is None or len(outcome.values) < _FEWEST_FOR_LEAKS:
        return 0.0
    return strength(_groups(values), outcome)


def _groups(values: Any) -> Any:
    from pyarrow import compute

    if word(values.type) in ("number", "timestamp"):
        plain = values.cast("float64") if word(values.type) == "number" else values.cast("int64")
        return binned(plain.to_numpy().astype("float64"))
    encoded = compute.dictionary_encode(values, null_encoding="encode").combine_chunks()
    return encoded.indices.to_numpy(zero_copy_only=False)


def _outcome(target: Any) -> Outcome | None:
    """The target as training would take it: two values, several levels, or numbers."""
    import numpy
    from pyarrow import compute

    levels = compute.unique(target.drop_null())
    if word(target.type) == "number" and len(levels) != 2:
        numbers = target.cast("float64").to_numpy()
        return Outcome(numpy.nan_to_num(numbers))
    if not 1 < len(levels) <= _MOST_CLASSES:
        return None
    codes = compute.fill_null(compute.index_in(target, levels), 0).to_numpy()
    return Outcome(codes.astype("int64"), len(levels))
