"""What a table looks like, column by column, and what is odd about it; in one pass."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from penstock.data.columns import TYPES, word
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
_LEAK = 0.99


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
        reason = _oddity(column, found.sampled)
        if reason is not None:
            said.append(f"`{column.name}`: {reason}")
        if found.target not in (None, column.name):
            strength = _tells(sample.column(at), sample.column(str(found.target)))
            if strength is not None and strength > _LEAK:
                said.append(
                    f"`{column.name}` tells `{found.target}` nearly alone ({strength:.1%} of it): "
                    "is it known before the target is?"
                )
    return said


def _oddity(column: Column, sampled: int) -> str | None:
    present = column.count - column.missing
    if present == 0 and column.count:
        return "has no value at all; leave it out"
    if not column.count or column.type not in TYPES:
        return None
    if column.distinct == 1:
        return "has one value only; it tells nothing, leave it out"
    whole = column.type == "text" or isinstance(column.minimum, int)
    if whole and column.distinct == sampled and sampled > 20:
        return "is different in every row, as an identifier is; leave it out, or keep it as the key"
    if column.missing / column.count > _MOSTLY_MISSING:
        return f"is missing in {column.missing / column.count:.0%} of the rows"
    if any(isinstance(end, float) and math.isinf(end) for end in (column.minimum, column.maximum)):
        return "has infinite values"
    if column.type == "text" and column.distinct > _MANY_LEVELS:
        return f"has {column.distinct:,} levels; rare ones should be put together"
    return None


def _tells(values: Any, target: Any) -> float | None:
    """How much of the target a column tells alone, from 0 to 1, on rows held back.

    The mean of the target by level (of numbers: by bins of equal counts) in every other row
    predicts the remaining ones: what is explained of their variance.
    """
    import numpy

    groups, outcomes = _groups(values), _outcomes(target)
    if outcomes is None or len(outcomes) < 100:
        return None
    known = numpy.arange(len(outcomes)) % 2 == 0
    counts = numpy.bincount(groups[known], minlength=groups.max() + 1)
    # A level that comes once says nothing of others: identifiers are no leaks.
    if numpy.count_nonzero(counts) * 4 > known.sum():
        return None
    best = 0.0
    for outcome in outcomes.T:
        sums = numpy.bincount(groups[known], outcome[known], minlength=len(counts))
        means = numpy.where(counts > 0, sums / numpy.maximum(counts, 1), outcome[known].mean())
        spread = ((outcome[~known] - outcome[~known].mean()) ** 2).sum()
        left = ((outcome[~known] - means[groups[~known]]) ** 2).sum()
        best = max(best, 1 - left / spread) if spread > 0 else best
    return float(best)


def _groups(values: Any) -> Any:
    import numpy
    from pyarrow import compute

    if word(values.type) in ("number", "timestamp"):
        plain = values.cast("float64") if word(values.type) == "number" else values.cast("int64")
        numbers = plain.to_numpy().astype("float64")
        finite = numbers[numpy.isfinite(numbers)]
        steps = numpy.linspace(0, 1, 201)
        edges = numpy.unique(numpy.quantile(finite, steps)) if len(finite) else finite
        return numpy.where(numpy.isnan(numbers), len(edges) + 1, numpy.searchsorted(edges, numbers))
    encoded = compute.dictionary_encode(values, null_encoding="encode").combine_chunks()
    return encoded.indices.to_numpy(zero_copy_only=False)


def _outcomes(target: Any) -> Any:
    """The target as numbers: itself, or a column of zeros and ones for each of few levels."""
    import numpy
    from pyarrow import compute

    if word(target.type) == "number":
        numbers = target.cast("float64").to_numpy()
        return numpy.nan_to_num(numbers)[:, None]
    levels = compute.unique(target.drop_null())
    if len(levels) > 20:
        return None
    return numpy.stack(
        [compute.fill_null(compute.equal(target, one), False).to_numpy() for one in levels], axis=1
    ).astype("float64")
