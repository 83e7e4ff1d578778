"""What the inputs do: contributions by our engine, permutation, and partial dependence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penstock.errors import PenstockError
from penstock.training.columns import used
from penstock.training.metrics import LARGER, PRIMARY, Predictions, first, predictions
from penstock.training.result import Result

__all__ = ["Dependence", "contributed", "dependences", "permuted"]

EXPLAINED_ROWS, PERMUTED_ROWS, DEPENDENT_ROWS = 2_000, 5_000, 500
VALUES = 12


@dataclass(frozen=True)
class Dependence:
    """The mean prediction as if every row had this value, and how many rows have it or are near."""

    name: str
    values: tuple[Any, ...]
    means: tuple[float, ...]
    counts: Any


def _inputs(result: Result) -> list[str]:
    return [str(field.name) for field in result.model.schema.inputs if field.type != "ignored"]


def _sample(result: Result, most: int) -> Any:
    """Positions of held-out rows, evenly."""
    import numpy

    held = result.prepared.parts.holdout
    return held[numpy.linspace(0, len(held) - 1, min(most, len(held))).astype("int64")]


def contributed(result: Result) -> list[tuple[str, float]]:
    """The mean of the absolute contributions of each input, largest first; empty if there are none.

    Of several raw scores, the mean over them.
    """
    rows = result.prepared.rows.iloc[_sample(result, EXPLAINED_ROWS)]
    try:
        told = result.model.explain(rows)
    except PenstockError:
        return []
    found = []
    columns = [name for name in told.columns if name.startswith("contribution_")]
    for name in _inputs(result):
        mine = [each for each in columns if each.endswith(f"_{name}")]
        # `contribution_<input>`, or with a class between: the shortest rest is the column's own.
        others = [x for x in _inputs(result) if x != name and x.endswith(f"_{name}")]
        mine = [each for each in mine if not any(each.endswith(f"_{x}") for x in others)]
        found.append((name, float(told[mine].abs().to_numpy().mean()) if mine else 0.0))
    return sorted(found, key=lambda pair: -pair[1])


def permuted(result: Result) -> list[tuple[str, float]]:
    """How much the first metric loses where a column is shuffled among held-out rows.

    Without a target it is how much the answers change: the share of rows that come into another
    cluster, or the mean change of the score.
    """
    import numpy

    at = _sample(result, PERMUTED_ROWS)
    rows = result.prepared.rows.iloc[at]
    task, weights = result.prepared.task, result.prepared.weighted(at)
    sign = 1 if PRIMARY[task.kind] in LARGER else -1

    def answers(changed: Any) -> Predictions:
        return predictions(result.model, changed, result.prepared.truth(at), task, weights)

    whole = answers(rows)
    known = first(whole, task) if task.targeted else 0.0

    def loss(changed: Predictions) -> float:
        if task.kind == "clustering":
            return float((changed.labels != whole.labels).mean())
        if task.kind == "anomaly":
            return float(abs(changed.scores - whole.scores).mean())
        return sign * (known - first(changed, task))

    random = numpy.random.default_rng(result.recipe.seed)
    found = []
    for name in _inputs(result):
        order = random.permutation(len(rows))
        changed = rows.assign(**{name: rows[name].iloc[order].array})
        found.append((name, loss(answers(changed))))
    return sorted(found, key=lambda pair: -pair[1])


def dependences(result: Result, names: Sequence[str]) -> list[Dependence]:
    """Of these inputs, at up to a dozen values: quantiles of numbers, most frequent levels.

    Dates and free text have none: nearly every row has its own.
    """
    import numpy
    from pandas.api import types

    rows = result.prepared.rows.iloc[_sample(result, DEPENDENT_ROWS)]
    learned = result.prepared.rows.iloc[result.prepared.parts.training]
    made = []
    written = used(result.features, "text")
    for name in names:
        if name in written or types.is_datetime64_any_dtype(learned[name]):
            continue
        values, counts = _values(learned[name])
        means = []
        for value in values:
            column = learned[name].iloc[:1].repeat(len(rows)).reset_index(drop=True)
            column[:] = value
            changed = rows.reset_index(drop=True)
            changed[name] = column
            answers = predictions(result.model, changed, numpy.zeros(len(rows)), _task(result))
            scores = answers.scores if answers.scores.ndim == 1 else answers.scores[:, -1]
            means.append(float(scores.mean()))
        made.append(Dependence(name, tuple(values), tuple(means), counts))
    return made


def _task(result: Result) -> Any:
    return result.prepared.task


def _values(column: Any) -> tuple[list[Any], Any]:
    import numpy
    from pandas.api import types

    present = column.dropna()
    if not types.is_numeric_dtype(column) or present.nunique() <= VALUES:
        counts = present.value_counts().head(VALUES)
        if types.is_numeric_dtype(column):
            counts = counts.sort_index()
        return counts.index.tolist(), counts.to_numpy()
    shares = numpy.linspace(0.02, 0.98, VALUES)
    values = numpy.unique(present.quantile(shares, interpolation="nearest"))
    edges = (values[1:] + values[:-1]) / 2
    counts = numpy.bincount(numpy.searchsorted(edges, present), minlength=len(values))
    return values.tolist(), counts
