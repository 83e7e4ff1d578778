"""scikit-learn's Gaussian processes: means of what is known of similar rows."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.covariances import covariance, variance
from penstock.converters.dividing import shared
from penstock.converters.kernel_functions import check_digits, distances
from penstock.converters.pairing import pair_scores
from penstock.converters.responses import summed
from penstock.converters.scores import class_labels, complement, largest, winner
from penstock.converters.validation import finite_rows, sized
from penstock.converters.values import (
    LINEAR_TOLERANCE,
    Answer,
    Ask,
    Prediction,
    Value,
    codes,
    labels,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

# Sums of terms that are a thousand times what they add up to, of sums of kernels.
SHARE_TOLERANCE = 1e-9


def process_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The sum of the kernels, each times its dual coefficient, for one target or several."""
    import numpy

    if not hasattr(estimator, "X_train_"):
        context.refuse("is not fitted, and predicts by its kernel alone; fit it")
    alpha = numpy.asarray(estimator.alpha_, dtype="float64")
    table = alpha.reshape(len(alpha), -1).T
    rows, points = _rows(estimator, value, context)
    similar = covariance(estimator.kernel_, points, rows, context)
    most = float(numpy.abs(estimator.kernel_.diag(points)).max())
    growth = max(1.0, float(numpy.abs(table).sum(axis=1).max()) * most)
    scales = numpy.broadcast_to(estimator._y_train_std, (len(table),)).astype("float64")
    means = numpy.broadcast_to(estimator._y_train_mean, (len(table),)).astype("float64")
    check_digits(estimator.kernel_(points), table.T * scales, context)
    sums = _summed(similar, table, LINEAR_TOLERANCE * growth * max(1.0, scales.max()), context)
    result = context.arithmetic(context.arithmetic(sums, "multiply", scales), "add", means)
    if result.width > 1:
        return Prediction((numbers("value", result, range(result.width), Ask("predict")),))
    return Prediction((number("value", result),))


def process_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """Two classes by the sign of a mean; more by the shares, or the votes, of several such.

    sklearn/gaussian_process/_gpc.py.
    """
    classes = class_labels(estimator.classes_, context)
    inner = estimator.base_estimator_
    rows, _ = _rows(inner if len(classes) == 2 else inner.estimators_[0], value, context)
    if len(classes) == 2:
        latent, share = _binary(inner, rows, context)
        label = labels(winner(latent, context), classes)
        label = replace(label, undecided=Ask(function=lambda data: _even(inner, data)))
        return Prediction((label, _probability(complement(share, context), classes)))
    members = [_binary(member, rows, context) for member in inner.estimators_]
    shares = context.concat([share for _, share in members])
    shares = shares.with_columns(numeric_columns(shares.width))
    if estimator.multi_class == "one_vs_rest":
        label = labels(largest(shares, context), classes, decided_by="probability")
        pairs = [context.select(shares, [at, at]) for at in range(len(classes))]
        return Prediction((label, _probability(shared(pairs, context), classes)))
    sides = context.concat([latent for latent, _ in members])
    wins = context.add("above", sides, codes(sides.width), threshold=0.0)
    scores = pair_scores(wins, shares, len(classes), context)
    label = labels(largest(scores, context), classes)
    return Prediction((replace(label, undecided=Ask(function=lambda data: _tied(inner, data))),))


def _probability(shares: Value, classes: Any) -> Answer:
    return numbers("probability", shares, classes, Ask("predict_proba"))


def _even(member: Any, data: Any) -> Any:
    """Whether the mean is zero but for rounding."""
    import numpy

    similar = member.kernel_(member.X_train_, numpy.asarray(data, dtype="float64"))
    means = similar.T.dot(member.y_train_ - member.pi_)
    return ~(numpy.abs(means) > 1e-12 * numpy.abs(similar).sum(axis=0))


def _tied(inner: Any, data: Any) -> Any:
    import numpy

    scores = numpy.sort(inner.decision_function(data), axis=1)
    return ~(scores[:, -1] - scores[:, -2] > SHARE_TOLERANCE)


def _rows(estimator: Any, value: Value, context: Context) -> tuple[Value, Any]:
    import numpy

    rows = finite_rows(value, context)
    return rows, numpy.asarray(estimator.X_train_, dtype="float64")


def _summed(similar: Value, table: Any, tolerance: float, context: Context) -> Value:
    import numpy

    return context.add(
        "linear",
        replace(similar, tolerance=0.0),
        numeric_columns(len(table)),
        tolerance=tolerance,
        coefficients=numpy.ascontiguousarray(table, dtype="float64"),
        intercepts=numpy.zeros(len(table)),
    )


def _binary(member: Any, rows: Value, context: Context) -> tuple[Value, Value]:
    """The mean of the latent function, and the share of the second class.

    `_BinaryGaussianProcessClassifierLaplace.predict_proba`: five error functions in place of a
    logistic one.
    """
    import numpy
    from scipy.linalg import solve
    from sklearn.gaussian_process import _gpc

    points = numpy.asarray(member.X_train_, dtype="float64")
    # SciPy checks what it solves.
    similar = context.require(covariance(member.kernel_, points, rows, context))
    mean = _summed(similar, (member.y_train_ - member.pi_).reshape(1, -1), 0.0, context)
    turned = _summed(similar, solve(member.L_, numpy.diag(member.W_sr_)), 0.0, context)
    known = distances("squared_euclidean", numpy.zeros((1, len(points))), turned, context)
    own = variance(member.kernel_, rows, context)
    spread = context.add("combine", [own, known], numeric_columns(1), function="subtract")
    parts = []
    for factor in numpy.ravel(_gpc.LAMBDAS):
        # gamma * sqrt(alpha / (alpha + lambda²)), where alpha is 1 / (2 variance).
        width = context.arithmetic(spread, "multiply", 2.0 * float(factor) ** 2)
        width = context.map(context.arithmetic(width, "add", 1.0), "sqrt")
        gamma = context.arithmetic(mean, "multiply", float(factor))
        inner = context.add("combine", [gamma, width], numeric_columns(1), function="divide")
        parts.append(context.map(inner, "erf"))
    factors = numpy.ravel(_gpc.COEFS)
    share = summed(parts, context, weights=0.5 * factors, tolerance=SHARE_TOLERANCE)
    share = context.arithmetic(share, "add", 0.5 * float(factors.sum()))
    # Without a variance scikit-learn divides 0 by 0.
    root = context.map(spread, "sqrt")
    one = context.add("combine", [root, root], numeric_columns(1), function="divide")
    share = context.add("combine", [share, one], numeric_columns(1), function="multiply")
    return mean, share


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.gaussian_process.GaussianProcessClassifier": process_classifier,
        "sklearn.gaussian_process.GaussianProcessRegressor": process_regressor,
    }
)
