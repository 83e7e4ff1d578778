"""How good predictions are for the rows of each level of each column; the worst ones first."""

from dataclasses import dataclass
from typing import Any

from penstock.training.metrics import LARGER, PRIMARY, Predictions, measured
from penstock.training.tasks import Task

__all__ = ["Segment", "segments"]

# Fewer rows, or a column of more levels, say nothing.
FEWEST_ROWS = 50
MOST_LEVELS = 50
QUANTILES = (0, 0.25, 0.5, 0.75, 1)


@dataclass(frozen=True)
class Segment:
    """Rows with one level of a column, or with numbers in one quarter; `value` of the metric."""

    name: str
    rows: int
    value: float


def segments(rows: Any, found: Predictions, task: Task) -> list[Segment]:
    """By the first metric of the task, the worst ones first."""
    import warnings

    made = []
    for name in rows.columns:
        for level, places in _levels(rows[name]):
            if len(places) < FEWEST_ROWS or (
                task.classifies and len(set(found.truth[places].tolist())) < 2
            ):
                continue
            weights = None if found.weights is None else found.weights[places]
            part = Predictions(found.truth[places], found.scores[places], weights)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = measured(part, task)[PRIMARY[task.kind]]
            made.append(Segment(f"{name} = {level}", len(places), value))
    sign = 1 if PRIMARY[task.kind] in LARGER else -1
    return sorted(made, key=lambda each: sign * each.value)


def _levels(column: Any) -> list[tuple[str, Any]]:
    """Each level, or quarter of the numbers, and the positions of its rows."""
    import pandas
    from pandas.api import types

    column = column.reset_index(drop=True)
    if types.is_datetime64_any_dtype(column):
        return []
    if types.is_numeric_dtype(column) and column.nunique() > 12:
        column = pandas.qcut(column.astype("float64"), QUANTILES, duplicates="drop").map(
            lambda part: f"{part.left:g} to {part.right:g}", na_action="ignore"
        )
    if column.nunique() > MOST_LEVELS:
        return []
    made = column.astype("object").where(column.notna(), "missing")
    return [(str(level), part.index.to_numpy()) for level, part in made.groupby(made)]
