"""scikit-learn's nearest neighbors: the mean of what is known of the training rows nearby."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.scores import class_labels, largest
from penstock.converters.validation import dense, sized
from penstock.converters.values import (
    Answer,
    Ask,
    Prediction,
    Value,
    labels,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

METRICS = ("chebyshev", "euclidean", "manhattan")
WEIGHTS = ("distance", "uniform")
# Sums of a few neighbors; where distances are weights, those of a whole matrix leave half of the
# digits (the root of ‖x‖² - 2x·p + ‖p‖²).
UNIFORM_TOLERANCE, DISTANCE_TOLERANCE = 1e-14, 1e-6


def k_neighbors_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The shares of the classes among the neighbors; the largest is the label."""
    import numpy

    several = estimator.outputs_2d_
    targets = estimator._y.reshape(len(estimator._y), -1)
    classes = estimator.classes_ if several else [estimator.classes_]
    tables = [numpy.eye(len(known))[targets[:, at]] for at, known in enumerate(classes)]
    shares = _means(estimator, numpy.hstack(tables), value, context)
    undecided = _undecided(estimator)
    answers: list[Answer] = []
    start = 0
    for at, known in enumerate(classes):
        part = context.select(shares, range(start, start + len(known)))
        start += len(known)
        names = class_labels(known, context, fewest=1)
        suffix, column, item = (f"_{at}", _column(at), _item(at)) if several else ("", None, None)
        name = f"probability{suffix}"
        label = labels(
            largest(part, context),
            names,
            name=f"label{suffix}",
            ask=Ask("predict", pick=column),
            decided_by=name,
        )
        share = numbers(name, part, names, Ask("predict_proba", pick=item))
        answers += [replace(answer, undecided=undecided) for answer in (label, share)]
    return Prediction(tuple(answers))


def k_neighbors_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The mean of the targets of the neighbors, for one target or several."""
    targets = estimator._y.reshape(len(estimator._y), -1)
    means = _means(estimator, targets, value, context)
    if means.width == 1:
        first = Ask("predict", pick=lambda answer: answer.reshape(len(answer), -1)[:, 0])
        answer = number("value", means, first)
    else:
        answer = numbers("value", means, range(means.width), Ask("predict"))
    return Prediction((replace(answer, undecided=_undecided(estimator)),))


def _means(estimator: Any, known: Any, value: Value, context: Context) -> Value:
    """The means of what is known of the neighbors, equally or by the inverse of the distance."""
    metric, weights = estimator.effective_metric_, estimator.weights or "uniform"
    if metric not in METRICS:
        context.refuse(f"`{metric}` is not supported; use one of {METRICS}", option="metric")
    if (estimator.effective_metric_params_ or {}).get("w") is not None:
        context.refuse("weights of columns are not supported", option="metric_params")
    if weights not in WEIGHTS:
        context.refuse("an artifact holds no functions of your own", option="weights")
    points = estimator._fit_X
    if hasattr(points, "toarray"):
        context.refuse("was fitted on a sparse matrix; fit it on a dense one")
    rows = context.require(context.number(dense(value, context)), precision=value.precision)
    return context.add(
        "neighbors",
        rows,
        numeric_columns(known.shape[1]),
        tolerance=DISTANCE_TOLERANCE if weights == "distance" else UNIFORM_TOLERANCE,
        metric=metric,
        points=points.astype("float64"),
        values=known.astype("float64"),
        count=int(estimator.n_neighbors),
        weights=weights,
    )


def _undecided(estimator: Any) -> Ask:
    """Whether the last neighbor is as near as the next one, which is none.

    scikit-learn's own choice depends on its algorithm and the order of its training data.
    """

    def ask(data: Any) -> Any:
        import numpy

        count = int(estimator.n_neighbors)
        if count >= estimator.n_samples_fit_:
            return numpy.zeros(len(data), dtype=bool)
        distances, _ = estimator.kneighbors(data, n_neighbors=count + 1)
        last, following = distances[:, count - 1], distances[:, count]
        with numpy.errstate(all="ignore"):
            scale = following**2
            if estimator._fit_method == "brute" and estimator.effective_metric_ == "euclidean":
                rows = numpy.asarray(data, dtype="float64")
                scale = (rows**2).sum(axis=1) + (estimator._fit_X.astype("float64") ** 2).sum(
                    axis=1
                ).max()
                return ~(following**2 - last**2 > 1e-12 * scale)
            return ~(following**2 - last**2 > 1e-14 * scale)

    return Ask(function=ask)


def _column(at: int) -> Callable[[Any], Any]:
    return lambda answer: answer[:, at]


def _item(at: int) -> Callable[[Any], Any]:
    return lambda answer: answer[at]


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.neighbors.KNeighborsClassifier": k_neighbors_classifier,
        "sklearn.neighbors.KNeighborsRegressor": k_neighbors_regressor,
    }
)
