"""scikit-learn's scalers: arithmetic with one operand per column, and row norms."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.converters.context import Context
from penstock.converters.validation import dense, floats, sized
from penstock.converters.values import LINEAR_TOLERANCE, Value

__all__ = ["CONVERTERS"]

# numpy computes float32 in place with a float64 operand in float64, and rounds the result; the
# precision of `arithmetic` is the same. StandardScaler alone rounds its operands first.


def standard_scaler(estimator: Any, value: Value, context: Context) -> Value:
    """(x - mean) / scale; sparse matrices are multiplied by 1 / scale."""
    value = floats(value, context, missing=True)
    if estimator.with_mean:
        if value.sparse:
            context.refuse("cannot center a sparse matrix", option="with_mean")
        value = _arithmetic("subtract", value, estimator.mean_, context, rounded=True)
    if value.sparse:
        # `scale_` decides here, not `with_std` (sklearn/preprocessing/_data.py, `transform`).
        return _scaled(value, estimator.scale_, context)
    if estimator.with_std:
        value = _arithmetic("divide", value, estimator.scale_, context, rounded=True)
    return value


def min_max_scaler(estimator: Any, value: Value, context: Context) -> Value:
    """x * scale + min, and clipped where that is asked."""
    value = floats(dense(value, context), context, missing=True)
    value = _arithmetic("multiply", value, estimator.scale_, context)
    value = _arithmetic("add", value, estimator.min_, context)
    return _clipped(value, estimator.feature_range, context) if estimator.clip else value


def max_abs_scaler(estimator: Any, value: Value, context: Context) -> Value:
    """x / scale, and clipped to -1..1 where that is asked."""
    value = _scaled(floats(value, context, missing=True), estimator.scale_, context)
    # The option exists since scikit-learn 1.8.
    return _clipped(value, (-1.0, 1.0), context) if getattr(estimator, "clip", False) else value


def robust_scaler(estimator: Any, value: Value, context: Context) -> Value:
    """(x - center) / scale; sparse matrices are not centered."""
    value = floats(value, context, missing=True)
    if estimator.with_centering and not value.sparse:
        value = _arithmetic("subtract", value, estimator.center_, context)
    return _scaled(value, estimator.scale_, context) if estimator.with_scaling else value


def normalizer(estimator: Any, value: Value, context: Context) -> Value:
    """Each row divided by its norm.

    sklearn/preprocessing/_data.py, `normalize`: in dense rows a norm below ten epsilons counts as
    1, in sparse ones only zero does. Dense ones numpy adds in their dtype, in an order that depends
    on the layout in memory; sparse ones are added in float64 from first to last.
    """
    import numpy

    # `Normalizer` makes an array of the value before `normalize` asks for floats.
    value = floats(value, context, dtype=value.dtype)
    epsilon = float(numpy.finfo(value.dtype).eps)
    tolerance = {"f64": LINEAR_TOLERANCE, "f32": (value.width + 4) * epsilon / 2}[value.precision]
    return context.add(
        "normalize",
        value,
        value.columns,
        sparse=value.sparse,
        tolerance=0.0 if value.sparse or estimator.norm == "max" else tolerance,
        norm=estimator.norm,
        smallest=0.0 if value.sparse else 10 * epsilon,
        accumulate="f64" if value.sparse else value.precision,
        precision=value.precision,
    )


def _scaled(value: Value, scale: Any, context: Context) -> Value:
    """x / scale; sparse matrices are multiplied by its inverse (`inplace_column_scale`)."""
    if scale is None:
        return value
    if value.sparse:
        return _arithmetic("multiply", value, 1.0 / scale, context)
    return _arithmetic("divide", value, scale, context)


def _arithmetic(
    function: str, value: Value, operands: Any, context: Context, *, rounded: bool = False
) -> Value:
    import numpy

    numbers = numpy.asarray(operands)
    if rounded:
        numbers = numbers.astype(value.dtype)
    return context.arithmetic(value, function, numbers, sparse=value.sparse)


def _clipped(value: Value, limits: tuple[float, float], context: Context) -> Value:
    import numpy

    low, high = numpy.asarray(limits).astype(value.dtype).astype("float64")
    return context.add(
        "clip",
        value,
        value.columns,
        sparse=value.sparse,
        minimum=numpy.full(value.width, low),
        maximum=numpy.full(value.width, high),
        precision=value.precision,
    )


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.preprocessing.MaxAbsScaler": max_abs_scaler,
        "sklearn.preprocessing.MinMaxScaler": min_max_scaler,
        "sklearn.preprocessing.Normalizer": normalizer,
        "sklearn.preprocessing.RobustScaler": robust_scaler,
        "sklearn.preprocessing.StandardScaler": standard_scaler,
    }
)
