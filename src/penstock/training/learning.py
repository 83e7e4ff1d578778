"""Learning curves for a report: how much more rows would bring, and how much more trees did."""

import time
from dataclasses import dataclass
from typing import Any

from penstock.training.crossing import asked
from penstock.training.metrics import first
from penstock.training.result import Result

__all__ = ["Point", "learned"]

# Of the rows to learn from; the last point is the model itself.
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
FEWEST_ROWS = 100
# The next one is begun only if it can be expected to end by then.
SECONDS = 30.0
# Twice the rows take twice as long, and some more.
GROWTH = 2.5
# Rows that were learned from, to measure on.
SEEN_ROWS = 20_000


@dataclass(frozen=True)
class Point:
    """The first metric of what was learned from so many rows, on these rows and on others."""

    rows: int
    seen: float
    held: float


def learned(result: Result) -> list[Point]:
    """Points by number of rows; none for ensembles, and where no target is learned.

    Each fits the same recipe to a part of the rows, up to a budget of seconds.
    """
    import numpy

    found, recipe = result.prepared, result.recipe
    if not found.task.targeted or recipe.algorithm == "auto":
        return []
    rows = found.parts.training if recipe.folds else found.parts.learning
    order = numpy.random.default_rng(recipe.seed).permutation(rows)
    validation = None if recipe.folds else found.parts.validation
    points, start, last = [], time.monotonic(), 0.0
    for share in SHARES:
        begun = time.monotonic()
        part = numpy.sort(order[: int(len(order) * share)])
        if len(part) < FEWEST_ROWS or not _is_whole(found, part):
            continue
        if begun - start + GROWTH * last > SECONDS:
            break
        pipeline = result.fit.fit(recipe, part, validation).pipeline
        points.append(_point(pipeline, result, part))
        last = time.monotonic() - begun
    return [*points, _point(result.pipeline, result, rows)] if points else []


def _is_whole(found: Any, part: Any) -> bool:
    """Whether every class is among these rows."""
    return not found.task.classifies or found.target.iloc[part].nunique() == len(found.task.classes)


def _point(pipeline: Any, result: Result, part: Any) -> Point:
    found, step = result.prepared, max(1, len(part) // SEEN_ROWS)
    seen, held = (
        first(asked(pipeline, found, at), found.task) for at in (part[::step], found.parts.holdout)
    )
    return Point(len(part), seen, held)
