"""How good predictions are, by task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import PenstockError
from penstock.training.tasks import Task

__all__ = [
    *("LARGER", "NEUTRAL", "PRIMARY", "SMALLEST", "Predictions"),
    *("first", "measured", "predictions", "silhouette"),
]

# What is compared first; more is better only of those in `LARGER`, and of `NEUTRAL` nothing is.
PRIMARY = {
    "binary": "auc",
    "multiclass": "log_loss",
    "regression": "rmse",
    "count": "poisson_deviance",
    "clustering": "silhouette",
    # Before it, where there is a target to judge by, comes `auc`.
    "anomaly": "rate",
}
LARGER = (
    *("auc", "average_precision", "accuracy", "balanced_accuracy", "f1", "precision", "recall"),
    *("r2", "coverage", "silhouette", "calinski_harabasz", "adjusted_rand", "mutual_information"),
)
NEUTRAL = ("rate", "score_mean", "score_p01", "score_p50")
# Rows that are measured against each other.
PAIRED_ROWS = 4_000
SMALLEST = 1e-15


@dataclass(frozen=True)
class Predictions:
    """What was so and what was predicted, row by row.

    `scores`: the probability of the positive class, a column of probabilities per class, or the
    predicted numbers; of clusters a column of distances to each, of anomalies the score, which is
    less for what is odder. `ends`: lower and upper end of the interval around each number.
    `labels`: the cluster, or -1 for an anomaly and 1 for others. `space`: the matrix in which
    clusters are near or far. `truth` is None where there is no target.
    """

    truth: Any
    scores: Any
    weights: Any = None
    ends: tuple[Any, Any] | None = None
    labels: Any = None
    space: Any = None

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.scores)

    def chosen(self, rows: Any) -> "Predictions":
        """Those of the rows at these positions."""

        def taken(values: Any) -> Any:
            return None if values is None else values[rows]

        ends = None if self.ends is None else (self.ends[0][rows], self.ends[1][rows])
        return Predictions(
            taken(self.truth),
            self.scores[rows],
            taken(self.weights),
            ends,
            taken(self.labels),
            taken(self.space),
        )


def predictions(model: Any, rows: Any, truth: Any, task: Task, weights: Any = None) -> Predictions:
    """The answers of a `Model` to these rows."""
    import numpy

    answers = model.predict(rows)
    if not task.targeted:
        return _untargeted(answers, truth, task, weights)
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


def _untargeted(answers: Any, truth: Any, task: Task, weights: Any) -> Predictions:
    if task.kind == "anomaly":
        scores, labels = answers["score"].to_numpy(), answers["label"].to_numpy()
    else:
        distances = [name for name in answers.columns if name.startswith("distance_")]
        scores, labels = answers[distances].to_numpy(), answers["cluster"].to_numpy()
    return Predictions(truth, scores, weights, labels=labels)


def measured(found: Predictions, task: Task, threshold: float | None = None) -> dict[str, float]:
    """Every metric of the task by name; those of a threshold where there is one."""
    return _MEASURES[task.kind](found, task, threshold)


def first(found: Predictions, task: Task) -> float:
    """The first metric of the task alone."""
    return _FIRST[task.kind](found, task)


def _auc(found: Predictions, task: Task) -> float:
    from sklearn.metrics import roc_auc_score

    truth = found.truth == task.positive
    if truth.all() or not truth.any():
        return float("nan")
    return float(roc_auc_score(truth, found.scores, sample_weight=found.weights))


def _log_loss(found: Predictions, task: Task) -> float:
    from sklearn.metrics import log_loss

    places = {value: at for at, value in enumerate(task.classes)}
    truth = [places[value] for value in found.truth.tolist()]
    # Shares in float32 add up to 1 in float32 only.
    shares = found.scores / found.scores.sum(axis=1, keepdims=True)
    everyone = list(range(len(task.classes)))
    return float(log_loss(truth, shares, labels=everyone, sample_weight=found.weights))


def _rmse(found: Predictions, task: Task) -> float:
    import numpy

    squares = (found.truth - found.scores) ** 2
    return float(numpy.sqrt(numpy.average(squares, weights=found.weights)))


def _deviance(found: Predictions, task: Task) -> float:
    import numpy
    from sklearn.metrics import mean_poisson_deviance

    means = numpy.maximum(found.scores, SMALLEST)
    return float(mean_poisson_deviance(found.truth, means, sample_weight=found.weights))


def _rate(found: Predictions, task: Task) -> float:
    return float((found.labels == -1).mean())


_FIRST: Mapping[str, Callable[[Predictions, Task], float]] = {
    "binary": _auc,
    "multiclass": _log_loss,
    "regression": _rmse,
    "count": _deviance,
    "anomaly": _rate,
}


def _two(found: Predictions, task: Task, threshold: float | None) -> dict[str, float]:
    from sklearn import metrics

    truth = (found.truth == task.positive).astype("int64")
    weighted = {"sample_weight": found.weights}
    cut = 0.5 if threshold is None else threshold
    said = (found.scores >= cut).astype("int64")
    return {
        "auc": _auc(found, task),
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
    weighted = {"sample_weight": found.weights}
    return {
        "log_loss": _log_loss(found, task),
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
    told = {
        "rmse": _rmse(found, task),
        "mae": float(metrics.mean_absolute_error(found.truth, found.scores, **weighted)),
        "r2": float(metrics.r2_score(found.truth, found.scores, **weighted)),
    }
    if task.kind == "count":
        told = {"poisson_deviance": _deviance(found, task), **told}
    if found.ends is not None:
        lower, upper = found.ends
        inside = (lower <= found.truth) & (found.truth <= upper)
        told["coverage"] = float(numpy.average(inside, weights=found.weights))
        told["width"] = float(numpy.average(upper - lower, weights=found.weights))
    return told


def silhouette(space: Any, labels: Any) -> float:
    """Of some rows of a matrix; NaN where all are in one cluster, or each is in another."""
    return _shape(space, labels)["silhouette"]


def _shape(space: Any, labels: Any) -> dict[str, float]:
    """How far clusters are apart for how wide they are, on up to `PAIRED_ROWS` rows."""
    import numpy
    from sklearn import metrics

    count = len(labels)
    rows = numpy.linspace(0, count - 1, min(count, PAIRED_ROWS)).astype("int64")
    points, labels = space[rows], labels[rows]
    points = points.toarray() if hasattr(points, "toarray") else points
    if not 1 < len(numpy.unique(labels)) < len(labels):
        return dict.fromkeys(("silhouette", "davies_bouldin", "calinski_harabasz"), float("nan"))
    return {
        "silhouette": float(metrics.silhouette_score(points, labels)),
        "davies_bouldin": float(metrics.davies_bouldin_score(points, labels)),
        "calinski_harabasz": float(metrics.calinski_harabasz_score(points, labels)),
    }


def _clusters(found: Predictions, task: Task, threshold: float | None) -> dict[str, float]:
    import numpy
    from sklearn import metrics

    told: dict[str, float] = {}
    if found.space is not None:
        nearest = found.scores.min(axis=1) ** 2
        weights = 1.0 if found.weights is None else found.weights
        told = {**_shape(found.space, found.labels), "inertia": float(numpy.sum(nearest * weights))}
    if found.truth is not None:
        truth, labels = _judging(found)
        told["adjusted_rand"] = float(metrics.adjusted_rand_score(truth, labels))
        told["mutual_information"] = float(metrics.normalized_mutual_info_score(truth, labels))
    return told


def _anomalies(found: Predictions, task: Task, threshold: float | None) -> dict[str, float]:
    import numpy
    from sklearn import metrics

    told: dict[str, float] = {}
    odd = found.labels == -1
    if found.truth is not None:
        there = ~_missing(found.truth)
        truth, scores = found.truth[there] == task.positive, -found.scores[there]
        if 0 < truth.sum() < len(truth):
            told["auc"] = float(metrics.roc_auc_score(truth, scores))
            told["average_precision"] = float(metrics.average_precision_score(truth, scores))
            told["precision"] = float(metrics.precision_score(truth, odd[there], zero_division=0.0))
            told["recall"] = float(metrics.recall_score(truth, odd[there], zero_division=0.0))
        else:
            told = dict.fromkeys(("auc", "average_precision", "precision", "recall"), float("nan"))
    low, middle = numpy.quantile(found.scores, (0.01, 0.5))
    return told | {
        "rate": _rate(found, task),
        "score_mean": float(found.scores.mean()),
        "score_p01": float(low),
        "score_p50": float(middle),
    }


def _judging(found: Predictions) -> tuple[Any, Any]:
    """Truth, as text, and labels of the rows that have a truth."""
    there = ~_missing(found.truth)
    return found.truth[there].astype("str"), found.labels[there]


def _missing(truth: Any) -> Any:
    import pandas

    return pandas.isna(truth)


_MEASURES: Mapping[str, Callable[[Predictions, Task, float | None], dict[str, float]]] = {
    "binary": _two,
    "multiclass": _several,
    "regression": _numbers,
    "count": _numbers,
    "clustering": _clusters,
    "anomaly": _anomalies,
}
