"""How good predictions are, by task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import PenstockError
from penstock.training.tasks import Task

__all__ = ["LARGER", "PRIMARY", "Predictions", "measured", "predictions"]

# What is compared first; more is better only of those in `LARGER`.
PRIMARY = {
    "binary": "auc",
    "multiclass": "log_loss",
    "regression": "rmse",
    "count": "poisson_deviance",
}
LARGER = ("auc", "average_precision", "accuracy", "balanced_accuracy", "f1", "r2")
_SMALLEST = 1e-15


@dataclass(frozen=True)
class Predictions:
    """What was so and what was predicted, row by row.

    `scores`: the probability of the positive class, a column of probabilities per class, or the
    predicted numbers. `ends`: lower and upper end of the interval around each number.
    """

    truth: Any
    scores: Any
    weights: Any = None
    ends: tuple[Any, Any] | None = None

    def chosen(self, rows: Any) -> "Predictions":
        """Those of the rows at these positions."""
        weights = None if self.weights is None else self.weights[rows]
        ends = None if self.ends is None else (self.ends[0][rows], self.ends[1][rows])
        return Predictions(self.truth[rows], self.scores[rows], weights, ends)


def predictions(model: Any, rows: Any, truth: Any, task: Task, weights: Any = None) -> Predictions:
    """The answers of a `Model` to these rows."""
    import numpy

    answers = model.predict(rows)
    if not task.classifies:
        ends = None
        if {"lower", "upper"} <= set(answers.columns):
            ends = (answers["lower"].to_numpy(), answers["upper"].to_numpy())
        values = answers["value"].to_numpy()
        return Predictions(numpy.asarray(truth, "float64"), values, weights, ends)
    columns = [name for name in answers.columns if name.startswith("probability_")]
    if not columns:
        raise PenstockError("the model answers with no probability, so it cannot be judged")
    shares = answers[columns].to_numpy()
    if task.kind == "binary":
        shares = shares[:, task.classes.index(task.positive)]
    return Predictions(numpy.asarray(truth), shares, weights)


def measured(found: Predictions, task: Task, threshold: float | None = None) -> dict[str, float]:
    """Every metric of the task by name; those of a threshold where there is one."""
    return _MEASURES[task.kind](found, task, threshold)


def _two(found: Predictions, task: Task, threshold: float | None) -> dict[str, float]:
    from sklearn import metrics

    truth = (found.truth == task.positive).astype("int64")
    weighted = {"sample_weight": found.weights}
    cut = 0.5 if threshold is None else threshold
    said = (found.scores >= cut).astype("int64")
    several = len(set(truth.tolist())) > 1
    nan = float("nan")
    return {
        "auc": float(metrics.roc_auc_score(truth, found.scores, **weighted)) if several else nan,
        "average_precision": float(
            metrics.average_precision_score(truth, found.scores, **weighted)
        ),
        "log_loss": float(metrics.log_loss(truth, found.scores, labels=[0, 1], **weighted)),
        "brier": float(metrics.brier_score_loss(truth, found.scores, **weighted)),
        "accuracy": float(metrics.accuracy_score(truth, said, **weighted)),
        "f1": float(metrics.f1_score(truth, said, zero_division=0.0, **weighted)),
        "precision": float(metrics.precision_score(truth, said, zero_division=0.0, **weighted)),
        "recall": float(metrics.recall_score(truth, said, zero_division=0.0, **weighted)),
    }


def _several(found: Predictions, task: Task, threshold: float | None) -> dict[str, float]:
    import numpy
    from sklearn import metrics

    places = {value: at for at, value in enumerate(task.classes)}
    truth = numpy.array([places[value] for value in found.truth.tolist()])
    said = found.scores.argmax(axis=1)
    # Shares in float32 add up to 1 in float32 only.
    shares = found.scores / found.scores.sum(axis=1, keepdims=True)
    weighted = {"sample_weight": found.weights}
    everyone = list(range(len(task.classes)))
    return {
        "log_loss": float(metrics.log_loss(truth, shares, labels=everyone, **weighted)),
        "accuracy": float(metrics.accuracy_score(truth, said, **weighted)),
        "balanced_accuracy": float(
            metrics.recall_score(
                truth, said, average="macro", labels=numpy.unique(truth), **weighted
            )
        ),
    }


def _numbers(found: Predictions, task: Task, threshold: float | None) -> dict[str, float]:
    import numpy
    from sklearn import metrics

    weighted = {"sample_weight": found.weights}
    squared = metrics.mean_squared_error(found.truth, found.scores, **weighted)
    told = {
        "rmse": float(numpy.sqrt(squared)),
        "mae": float(metrics.mean_absolute_error(found.truth, found.scores, **weighted)),
        "r2": float(metrics.r2_score(found.truth, found.scores, **weighted)),
    }
    if task.kind == "count":
        means = numpy.maximum(found.scores, _SMALLEST)
        deviance = metrics.mean_poisson_deviance(found.truth, means, **weighted)
        told = {"poisson_deviance": float(deviance), **told}
    if found.ends is not None:
        lower, upper = found.ends
        inside = (lower <= found.truth) & (found.truth <= upper)
        told["coverage"] = float(numpy.average(inside, weights=found.weights))
        told["width"] = float(numpy.average(upper - lower, weights=found.weights))
    return told


_MEASURES: Mapping[str, Callable[[Predictions, Task, float | None], dict[str, float]]] = {
    "binary": _two,
    "multiclass": _several,
    "regression": _numbers,
    "count": _numbers,
}
