"""scikit-learn's projections: rows as sums of components that were found in training."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.validation import dense, floats, sized
from penstock.converters.values import (
    LINEAR_TOLERANCE,
    Ask,
    Prediction,
    Value,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

# As sums of linear models in float32.
SINGLE_TOLERANCE = 1e-5


def principal_components(estimator: Any, value: Value, context: Context) -> Value:
    """The components of a row less those of the mean; divided by their deviation to whiten.

    sklearn/decomposition/_base.py, `_BasePCA._transform`.
    """
    import numpy

    components = estimator.components_
    scales = numpy.sqrt(estimator.explained_variance_)
    mean = estimator.mean_.reshape(1, -1) @ components.T
    # What is far from zero cancels, and what rounding has made of it stays.
    growth = (numpy.abs(estimator.mean_) @ numpy.abs(components.T)) / numpy.maximum(scales, 1.0)
    result = _projected(
        floats(value, context),
        components,
        context,
        intercepts=-mean.ravel(),
        growth=max(1.0, float(growth.max())),
    )
    if not estimator.whiten:
        return result
    least = numpy.finfo(scales.dtype).eps
    return context.arithmetic(result, "divide", numpy.maximum(scales, least))


def truncated_svd(estimator: Any, value: Value, context: Context) -> Value:
    """The components of a row."""
    return _projected(_checked(value, context), estimator.components_, context)


def independent_components(estimator: Any, value: Value, context: Context) -> Value:
    """The components of a row less the mean."""
    rows = floats(dense(value, context), context)
    if estimator.whiten:
        rows = context.arithmetic(rows, "subtract", estimator.mean_)
    return _projected(rows, estimator.components_, context)


def factor_analysis(estimator: Any, value: Value, context: Context) -> Value:
    """The expected latent variables (sklearn/decomposition/_factor_analysis.py, `transform`)."""
    import numpy

    weighted = estimator.components_ / estimator.noise_variance_
    unit = numpy.eye(len(estimator.components_))
    covariance = numpy.linalg.inv(unit + numpy.dot(weighted, estimator.components_.T))
    rows = _checked(dense(value, context), context)
    rows = rows.with_columns(numeric_columns(rows.width))
    rows = context.arithmetic(rows, "subtract", estimator.mean_)
    return _projected(
        _projected(rows, weighted, context, growth=100.0), covariance.T, context, growth=100.0
    )


def partial_least_squares(estimator: Any, value: Value, context: Context) -> Prediction:
    """The dot product of a row less the mean (sklearn/cross_decomposition/_pls.py, `predict`)."""
    import numpy

    rows = floats(dense(value, context), context)
    rows = context.arithmetic(rows, "subtract", estimator._x_mean)
    targets = _projected(
        rows, estimator.coef_, context, intercepts=numpy.asarray(estimator.intercept_)
    )
    if targets.width > 1:
        return Prediction((numbers("value", targets, range(targets.width), Ask("predict")),))
    first = Ask("predict", pick=lambda answer: answer.reshape(len(answer), -1)[:, 0])
    return Prediction((number("value", targets, first),))


def _checked(value: Value, context: Context) -> Value:
    rows = context.require(context.number(value), precision=value.precision)
    return replace(rows, columns=numeric_columns(value.width, value.dtype), frame="")


def _projected(
    rows: Value,
    components: Any,
    context: Context,
    *,
    intercepts: Any = None,
    growth: float = 1.0,
) -> Value:
    """The dot products with the components; in float32 where rows and components are."""
    import numpy

    single = rows.precision == "f32" and components.dtype == numpy.float32
    least = max(SINGLE_TOLERANCE, rows.width * 2.0**-24) if single else LINEAR_TOLERANCE
    count = len(components)
    result = context.add(
        "linear",
        rows,
        numeric_columns(count),
        tolerance=least * growth,
        coefficients=components.astype("float64"),
        intercepts=numpy.zeros(count) if intercepts is None else intercepts.astype("float64"),
    )
    return context.cast(result, "f32") if single else result


REGRESSORS = ("CCA", "PLSCanonical", "PLSRegression")

CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        **{f"sklearn.cross_decomposition.{name}": partial_least_squares for name in REGRESSORS},
        "sklearn.decomposition.FactorAnalysis": factor_analysis,
        "sklearn.decomposition.FastICA": independent_components,
        "sklearn.decomposition.IncrementalPCA": principal_components,
        "sklearn.decomposition.PCA": principal_components,
        "sklearn.decomposition.TruncatedSVD": truncated_svd,
    }
)
