"""scikit-learn on kernels: how similar a row is to those of training, and sums of that."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.kernel_functions import Kernel, check_digits, kernel
from penstock.converters.scores import class_labels, largest
from penstock.converters.searching import searched, undecided
from penstock.converters.validation import dense, finite_rows, floats, sized
from penstock.converters.values import (
    LINEAR_TOLERANCE,
    Ask,
    Prediction,
    Value,
    labels,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]


def kernel_ridge(estimator: Any, value: Value, context: Context) -> Prediction:
    """The sum of the kernels, each times its dual coefficient, for one target or several."""
    similar = _similar(
        estimator, estimator.kernel, estimator.X_fit_, estimator.gamma, value, context
    )
    coefficients = estimator.dual_coef_
    single = coefficients.ndim == 1
    table = coefficients.reshape(len(coefficients), -1)
    check_digits(estimator._get_kernel(estimator.X_fit_), table, context)
    result = _summed(similar, table.T, 0.0, context)
    if single:
        return Prediction((number("value", result),))
    if result.width == 1:
        return Prediction((number("value", result, Ask("predict", pick=lambda a: a[:, 0])),))
    return Prediction((numbers("value", result, range(result.width), Ask("predict")),))


def kernel_components(estimator: Any, value: Value, context: Context) -> Value:
    """The components of the centered kernels (sklearn/decomposition/_kernel_pca.py)."""
    import numpy

    gamma = getattr(estimator, "gamma_", estimator.gamma)
    similar = _similar(estimator, estimator.kernel, estimator.X_fit_, gamma, value, context)
    # scikit-learn checks the kernels as it does data.
    similar = context.require(similar)
    known = numpy.flatnonzero(estimator.eigenvalues_)
    scaled = numpy.zeros_like(estimator.eigenvectors_)
    scaled[:, known] = estimator.eigenvectors_[:, known] / numpy.sqrt(estimator.eigenvalues_[known])
    centered = _centered(estimator._centerer, similar, context)
    return _summed(centered, scaled.T, 0.0, context)


def kernel_centerer(estimator: Any, value: Value, context: Context) -> Value:
    """Each number less its mean in training, and less the mean of the row."""
    rows = floats(dense(value, context), context)
    if rows.precision == "f32":
        context.refuse("computes in float32; cast to float64 before")
    return _centered(estimator, rows, context)


def _centered(estimator: Any, similar: Value, context: Context) -> Value:
    """sklearn/preprocessing/_data.py, `KernelCenterer.transform`."""
    import numpy

    means = numpy.asarray(estimator.K_fit_rows_, dtype="float64")
    total = _sum(similar, context)
    mean = context.arithmetic(total, "divide", float(len(means)))
    result = context.arithmetic(similar, "subtract", means)
    result = context.add(
        "combine",
        [result, context.select(mean, [0] * similar.width)],
        similar.columns,
        function="subtract",
    )
    return context.arithmetic(result, "add", float(estimator.K_fit_all_))


def nystroem(estimator: Any, value: Value, context: Context) -> Value:
    """Kernels with a few rows of training, times a matrix."""
    options = estimator.kernel_params or {}
    if options:
        context.refuse("give `gamma`, `coef0` and `degree` instead", option="kernel_params")
    similar = _similar(
        estimator, estimator.kernel, estimator.components_, estimator.gamma, value, context
    )
    return _summed(similar, estimator.normalization_, 0.0, context)


def label_propagation(estimator: Any, value: Value, context: Context) -> Prediction:
    """The labels of similar rows, or of the nearest, as shares of their sum.

    sklearn/semi_supervised/_label_propagation.py, `predict_proba`.
    """
    classes = class_labels(estimator.classes_, context)
    known = estimator.label_distributions_
    if estimator.kernel == "knn":
        doubt, sums = _neighbors(estimator.nn_fit, known, value, context)
    else:
        if estimator.kernel != "rbf":
            context.refuse("a function of your own", option="kernel")
        similar = _similar(
            estimator, "rbf", estimator.X_, estimator.gamma, value, context, plain=True
        )
        doubt, sums = None, replace(_summed(similar, known.T, 0.0, context), tolerance=0.0)
    total = _sum(sums, context)
    # Far from all rows nothing is left of the kernels, and scikit-learn divides 0 by 0.
    shares = context.add(
        "combine",
        [sums, context.select(total, [0] * len(classes))],
        numeric_columns(len(classes)),
        tolerance=SHARES_TOLERANCE,
        function="divide",
    )
    label = labels(largest(shares, context), classes, decided_by="probability")
    share = numbers("probability", shares, classes, Ask("predict_proba"))
    return Prediction(tuple(replace(answer, undecided=doubt) for answer in (label, share)))


# Kernels are as exact as their exponents, which are up to 700 where shares are left.
SHARES_TOLERANCE = 1e-9


def _neighbors(search: Any, known: Any, value: Value, context: Context) -> tuple[Ask | None, Value]:
    count = int(search.n_neighbors)
    found = searched(search, value, context)
    means = context.add(
        "neighbors",
        found.rows,
        numeric_columns(known.shape[1]),
        values=known.astype("float64"),
        count=count,
        weights="uniform",
        adding="ordered",
        ends=None,
        **found.fields,
    )
    return undecided(search, found, count, weighted=False), means


def _sum(value: Value, context: Context) -> Value:
    import numpy

    return context.add(
        "linear",
        value,
        numeric_columns(1),
        tolerance=LINEAR_TOLERANCE,
        coefficients=numpy.ones((1, value.width)),
        intercepts=numpy.zeros(1),
    )


def _similar(
    estimator: Any,
    name: Any,
    points: Any,
    gamma: Any,
    value: Value,
    context: Context,
    *,
    plain: bool = False,
) -> Value:
    """The kernels between a row and these points."""
    if hasattr(points, "toarray"):
        context.refuse("was fitted on a sparse matrix; fit it on a dense one")
    if str(points.dtype) == "float32" and value.precision == "f32":
        context.refuse("computes kernels in float32; fit it on float64")
    rows = finite_rows(value, context)
    gamma = 1.0 / rows.width if gamma is None else float(gamma)
    coef0 = 1.0 if plain or estimator.coef0 is None else float(estimator.coef0)
    degree = 3.0 if plain or estimator.degree is None else float(estimator.degree)
    return kernel(Kernel(name, points, gamma, coef0, degree), rows, context)


def _summed(similar: Value, coefficients: Any, intercepts: Any, context: Context) -> Value:
    """The kernels times a matrix; their errors grow as the coefficients do."""
    import numpy

    growth = max(1.0, float(numpy.abs(coefficients).sum(axis=1).max(initial=0.0)))
    offsets = numpy.broadcast_to(numpy.asarray(intercepts, dtype="float64"), len(coefficients))
    return context.add(
        "linear",
        replace(similar, tolerance=0.0),
        numeric_columns(len(coefficients)),
        tolerance=max(LINEAR_TOLERANCE, similar.tolerance) * growth,
        coefficients=numpy.ascontiguousarray(coefficients, dtype="float64"),
        intercepts=numpy.ascontiguousarray(offsets),
    )


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.decomposition.KernelPCA": kernel_components,
        "sklearn.kernel_approximation.Nystroem": nystroem,
        "sklearn.kernel_ridge.KernelRidge": kernel_ridge,
        "sklearn.preprocessing.KernelCenterer": kernel_centerer,
        "sklearn.semi_supervised.LabelPropagation": label_propagation,
        "sklearn.semi_supervised.LabelSpreading": label_propagation,
    }
)
