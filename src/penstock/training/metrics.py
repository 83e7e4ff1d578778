"""How good predictions are, by task; and the threshold that says yes or no."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import PenstockError
from penstock.training.tasks import Task

__all__ = [
    "LARGER",
    "PRIMARY",
    "Predictions",
    "check_threshold",
    "measured",
    "predictions",
    "thresholded",
]

# What is compared first; more is better only of those in `LARGER`.
PRIMARY = {
    "binary": "auc",
    "multiclass": "log_loss",
    "regression": "rmse",
    "count": "poisson_deviance",
}
LARGER = ("auc", "average_precision", "accuracy", "balanced_accuracy", "f1", "r2")
_SMALLEST = 1e-15
_RATE, _COSTS = {"rate"}, {"false_positive", "false_negative"}


@dataclass(frozen=True)
class Predictions:
    """What was so and what was predicted, row by row.

    `scores`: the probability of the positive class, a column of probabilities per class, or the
    predicted numbers.
    """

    truth: Any
    scores: Any
    weights: Any = None


def predictions(model: Any, rows: Any, truth: Any, task: Task, weights: Any = None) -> Predictions:
    """The answers of a `Model` to these rows."""
    import numpy

    answers = model.predict(rows)
    if not task.classifies:
        return Predictions(numpy.asarray(truth, "float64"), answers["value"].to_numpy(), weights)
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
    return told


_MEASURES: Mapping[str, Callable[[Predictions, Task, float | None], dict[str, float]]] = {
    "binary": _two,
    "multiclass": _several,
    "regression": _numbers,
    "count": _numbers,
}


def thresholded(found: Predictions, task: Task, wanted: Any) -> float:
    """The threshold on the probability of the positive class that is best on these rows.

    `wanted`: "f1", a number, `{"rate": share of rows above it}`, or costs of `false_positive` and
    `false_negative`; `check_threshold` has passed it.
    """
    import numpy

    if isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
        return float(wanted)
    truth = found.truth == task.positive
    weights = numpy.ones(len(truth)) if found.weights is None else found.weights
    order = numpy.argsort(-found.scores, kind="stable")
    scores = found.scores[order]
    hits = numpy.cumsum(weights[order] * truth[order])
    misses = numpy.cumsum(weights[order] * ~truth[order])
    # Only between different scores there is a threshold.
    ends = numpy.append(scores[1:] != scores[:-1], True)
    positives = hits[-1]
    if wanted == "f1":
        gain = 2 * hits / (hits + misses + positives)
    elif set(wanted) == _RATE:
        share = (hits + misses) / (hits[-1] + misses[-1])
        gain = -abs(share - float(wanted["rate"]))
    else:
        missed = positives - hits
        gain = -(
            misses * float(wanted["false_positive"]) + missed * float(wanted["false_negative"])
        )
    return float(scores[numpy.where(ends, gain, -numpy.inf).argmax()])


def check_threshold(wanted: Any) -> None:
    """Raises `PenstockError` for a way to choose a threshold that there is none of."""
    if wanted == "f1" or (isinstance(wanted, (int, float)) and not isinstance(wanted, bool)):
        return
    named = isinstance(wanted, Mapping) and set(wanted) in (_RATE, _COSTS)
    if named and all(isinstance(value, (int, float)) for value in wanted.values()):
        return
    raise PenstockError(
        f'`threshold` is {wanted!r}; it must be "f1", a number, {{rate = 0.1}} or '
        "{false_positive = 1, false_negative = 5}"
    )
