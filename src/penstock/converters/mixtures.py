"""scikit-learn's mixtures of normal distributions: which one a row is likely to come from."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.scores import exp_normalize, largest
from penstock.converters.validation import finite_rows, sized
from penstock.converters.values import (
    LINEAR_TOLERANCE,
    Ask,
    Prediction,
    Value,
    labels,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]


def mixture(estimator: Any, value: Value, context: Context) -> Prediction:
    """The logarithm of the density of each component, with its weight.

    sklearn/mixture/_gaussian_mixture.py, `_estimate_log_gaussian_prob`: minus half of the squared
    distance from the mean in the axes of the component, and what is the same for all rows.
    """
    import numpy

    means = estimator.means_
    if means.dtype != numpy.float64:
        context.refuse("was fitted on float32; fit it on float64")
    rows = finite_rows(value, context)
    squares = SQUARES[estimator.covariance_type](estimator, rows, context)
    # At its mean a component has its largest density.
    tops = numpy.diagonal(estimator._estimate_weighted_log_prob(means))
    scores = squares
    for function, operands in (("multiply", numpy.full(len(means), -0.5)), ("add", tops)):
        scores = context.arithmetic(scores, function, operands, precision="f64")
    names = range(len(means))
    shares = numbers("probability", exp_normalize(scores, context), names, Ask("predict_proba"))

    def density(data: Any) -> Any:
        return estimator._estimate_weighted_log_prob(numpy.asarray(data, dtype="float64"))

    return Prediction(
        (
            labels(largest(scores, context), names, name="cluster", decided_by="raw"),
            replace(shares, exponent="raw"),
            numbers("raw", scores, names, Ask(function=density)),
        )
    )


def _growth(means: Any, precisions: Any) -> float:
    """How far the means are from zero, in the deviations of their components."""
    return max(1.0, float((means**2 * precisions).sum(axis=1).max()))


def _full(estimator: Any, rows: Value, context: Context) -> Value:
    import numpy

    parts = []
    for mean, axes in zip(estimator.means_, estimator.precisions_cholesky_, strict=True):
        turned = _turned(rows, axes, _growth(mean.reshape(1, -1) @ axes, 1.0), context)
        parts.append(_distance(turned, mean.reshape(1, -1) @ axes, None, context))
    together = context.concat(parts)
    return together.with_columns(numeric_columns(numpy.shape(estimator.means_)[0]))


def _tied(estimator: Any, rows: Value, context: Context) -> Value:
    axes = estimator.precisions_cholesky_
    centers = estimator.means_ @ axes
    return _distance(_turned(rows, axes, _growth(centers, 1.0), context), centers, None, context)


def _diagonal(estimator: Any, rows: Value, context: Context) -> Value:
    precisions = estimator.precisions_cholesky_**2
    distance = _distance(rows, estimator.means_, 1.0 / precisions, context)
    growth = _growth(estimator.means_, precisions)
    return replace(distance, tolerance=100 * LINEAR_TOLERANCE * growth)


def _spherical(estimator: Any, rows: Value, context: Context) -> Value:
    import numpy

    precisions = numpy.repeat(
        (estimator.precisions_cholesky_**2).reshape(-1, 1), estimator.means_.shape[1], axis=1
    )
    distance = _distance(rows, estimator.means_, 1.0 / precisions, context)
    growth = _growth(estimator.means_, precisions)
    return replace(distance, tolerance=100 * LINEAR_TOLERANCE * growth)


def _turned(rows: Value, axes: Any, growth: float, context: Context) -> Value:
    import numpy

    return context.add(
        "linear",
        rows,
        numeric_columns(axes.shape[1]),
        tolerance=100 * LINEAR_TOLERANCE * growth,
        coefficients=numpy.ascontiguousarray(axes.T),
        intercepts=numpy.zeros(axes.shape[1]),
    )


def _distance(rows: Value, points: Any, scales: Any, context: Context) -> Value:
    return context.add(
        "distance",
        rows,
        numeric_columns(len(points)),
        metric="squared_euclidean",
        points=points,
        scales=scales,
    )


SQUARES: dict[str, Callable[[Any, Value, Context], Value]] = {
    "diag": _diagonal,
    "full": _full,
    "spherical": _spherical,
    "tied": _tied,
}

CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.mixture.BayesianGaussianMixture": mixture,
        "sklearn.mixture.GaussianMixture": mixture,
    }
)
