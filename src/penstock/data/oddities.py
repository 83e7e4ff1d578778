"""What is odd about a column: it names the row, is free text, or tells the target alone.

`penstock profile` and training warn of the same, whatever holds the values: they hand over numbers
of groups and plain arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["LEAK", "Outcome", "binned", "counts_rows", "is_free_text", "names_rows", "strength"]

# A text that is another one in nearly every row names the row.
_UNIQUE_SHARE = 0.9
_FEWEST_FOR_IDENTIFIER = 50
# Numbers that count rows leave no more out than this, of a table or of a sample of it.
_GAPS = 4
# Free text has words, and hardly ever the same ones.
_WORDS, _FREE_SHARE = 4.0, 0.5
# What tells the target alone, on rows that it was not learned from.
LEAK = 0.98
_SAMPLE = 20_000
_BINS = 64


@dataclass(frozen=True)
class Outcome:
    """A target by row: 0 and 1, codes of `classes` classes, or numbers where it is None."""

    values: Any
    classes: int | None = None


def names_rows(distinct: int, present: int) -> bool:
    """Whether texts are identifiers, by how many there are and how many of them differ."""
    return distinct > _FEWEST_FOR_IDENTIFIER and distinct / present > _UNIQUE_SHARE


def counts_rows(numbers: Any, row_count: int) -> bool:
    """Whether whole numbers, of all rows or of some of `row_count`, are counted through."""
    import numpy

    ordered = numpy.sort(numpy.asarray(numbers, dtype="float64"))
    steps = numpy.diff(ordered)
    if len(ordered) <= _FEWEST_FOR_IDENTIFIER or not (steps > 0).all():
        return False
    if not numpy.isfinite(ordered).all() or abs(ordered[[0, -1]]).max() > 2**53:
        return False
    step = int(numpy.gcd.reduce(steps.astype("int64")))
    return bool((ordered[-1] - ordered[0]) / step <= _GAPS * row_count)


def is_free_text(texts: Sequence[str], distinct: int, present: int) -> bool:
    """Whether a column is written by people, by some of its texts and how many of all differ."""
    words = sum(len(text.split()) for text in texts) / max(len(texts), 1)
    return words >= _WORDS and distinct / present > _FREE_SHARE


def binned(numbers: Any) -> Any:
    """A group for each value of few, for each of equal shares of many, and one for missing ones."""
    import numpy

    values = numpy.asarray(numbers, dtype="float64")
    known = numpy.unique(values[~numpy.isnan(values)])
    if len(known) > _BINS:
        shares = numpy.linspace(0, 1, _BINS + 1)[1:-1]
        known = numpy.unique(
            numpy.quantile(values[~numpy.isnan(values)], shares, method="inverted_cdf")
        )
    return numpy.where(numpy.isnan(values), len(known) + 1, numpy.searchsorted(known, values))


def strength(groups: Any, target: Outcome, seed: int = 0) -> float:
    """How well groups tell the target on rows that this was not learned from; 1 is all of it.

    The mean, or the most frequent class, of each group in one half of the rows, 20,000 at most, is
    asked of the other: the area under the ROC curve of two classes, the share that is right of
    several, the share of the variance of numbers. Groups of one row each tell nothing.
    """
    import numpy

    count = min(len(groups), _SAMPLE)
    chosen = numpy.random.default_rng(seed).permutation(len(groups))[:count]
    first, second = chosen[: count // 2], chosen[count // 2 :]
    sizes = numpy.bincount(groups[first], minlength=int(groups.max(initial=0)) + 1)
    if not count or numpy.count_nonzero(sizes) * 4 > len(first):
        return 0.0
    values = numpy.asarray(target.values)
    if target.classes is not None and target.classes > 2:
        return _right(groups, values, (first, second), target.classes)
    sums = numpy.bincount(groups[first], values[first], len(sizes))
    means = numpy.where(sizes > 0, sums / numpy.maximum(sizes, 1), values[first].mean())
    told, truth = means[groups[second]], values[second]
    return _area(told, truth > 0) if target.classes else _explained(told, truth)


def _right(groups: Any, codes: Any, halves: tuple[Any, Any], classes: int) -> float:
    import numpy

    first, second = halves
    # Where nearly all rows are of one class, whatever says so is right.
    if numpy.bincount(codes).max() >= 0.9 * len(codes):
        return 0.0
    size = int(groups.max()) + 1
    pairs = numpy.bincount(groups[first] * classes + codes[first], minlength=size * classes)
    table = pairs.reshape(size, classes)
    told = numpy.where(table.sum(axis=1) > 0, table.argmax(axis=1), -1)
    return float((told[groups[second]] == codes[second]).mean())


def _area(told: Any, truth: Any) -> float:
    """Under the ROC curve: how often a positive row is told more than another one."""
    import numpy

    if truth.all() or not truth.any():
        return 0.0
    _, places = numpy.unique(told, return_inverse=True)
    hits = numpy.bincount(places, truth)
    others = numpy.bincount(places, ~truth)
    above = hits.sum() - numpy.cumsum(hits)
    return float((others * (above + hits / 2)).sum() / (hits.sum() * others.sum()))


def _explained(told: Any, truth: Any) -> float:
    spread = float(((truth - truth.mean()) ** 2).sum())
    return 1 - float(((truth - told) ** 2).sum()) / spread if spread > 0 else 0.0
