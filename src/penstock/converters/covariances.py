"""Kernels of scikit-learn's Gaussian processes, between a row and the rows of training."""

import math
from collections.abc import Callable
from typing import Any

from penstock.converters.context import Context
from penstock.converters.kernel_functions import distances, products
from penstock.converters.values import LINK_TOLERANCE, Value, numeric_columns

__all__ = ["covariance", "variance"]

# Ends of Matern's smoothness for which no Bessel function is due.
HALVES = {0.5, 1.5, 2.5, math.inf}


def covariance(kernel: Any, points: Any, rows: Value, context: Context) -> Value:
    """One number for each point (sklearn/gaussian_process/kernels.py, `__call__` of each)."""
    function = COVARIANCES.get(type(kernel).__name__)
    if function is None or type(kernel).__module__ != "sklearn.gaussian_process.kernels":
        known = "`, `".join(COVARIANCES)
        context.refuse(
            f"`{type(kernel).__name__}` is not supported; supported are `{known}`", option="kernel"
        )
    return function(kernel, points, rows, context)


def variance(kernel: Any, rows: Value, context: Context) -> Value:
    """The kernel between a row and itself, one number (`diag` of each)."""
    name = type(kernel).__name__
    if name in ("Product", "Sum"):
        first, second = (variance(side, rows, context) for side in (kernel.k1, kernel.k2))
        return context.combine(first, {"Product": "multiply", "Sum": "add"}[name], second)
    if name == "Exponentiation":
        return _power(variance(kernel.kernel, rows, context), kernel.exponent, context)
    if name == "DotProduct":
        far = distances("squared_euclidean", _origin(rows), rows, context)
        return context.arithmetic(far, "add", float(kernel.sigma_0) ** 2)
    constants = {"ConstantKernel": "constant_value", "WhiteKernel": "noise_level"}
    value = getattr(kernel, constants[name]) if name in constants else 1.0
    return _constant(float(value), 1, context)


def _origin(rows: Value) -> Any:
    import numpy

    return numpy.zeros((1, rows.width))


def _constant(value: float, count: int, context: Context) -> Value:
    import numpy

    return context.add("constant", [], numeric_columns(count), values=numpy.full(count, value))


def _power(value: Value, exponent: float, context: Context) -> Value:
    """numpy's power, whose bases here are finite: C's."""
    exponents = _constant(float(exponent), value.width, context)
    return context.combine(value, "power", exponents, tolerance=LINK_TOLERANCE)


def _scaled(kernel: Any, metric: str, points: Any, rows: Value, context: Context) -> Value:
    """Distances in units of the length scale."""
    import numpy

    lengths = numpy.broadcast_to(
        numpy.squeeze(kernel.length_scale).astype("float64"), (rows.width,)
    )
    scaled = context.arithmetic(rows, "divide", lengths)
    return distances(metric, points / lengths, scaled, context)


def _exponential(value: Value, scale: float, context: Context) -> Value:
    return context.add(
        "link",
        value,
        value.columns,
        tolerance=100 * LINK_TOLERANCE,
        function="exp",
        scale=scale,
        precision="f64",
    )


def _radial(kernel: Any, points: Any, rows: Value, context: Context) -> Value:
    return _exponential(_scaled(kernel, "squared_euclidean", points, rows, context), -0.5, context)


def _matern(kernel: Any, points: Any, rows: Value, context: Context) -> Value:
    if kernel.nu not in HALVES:
        context.refuse(f"`nu` of {kernel.nu} takes a Bessel function", option="kernel")
    if kernel.nu == math.inf:
        return _radial(kernel, points, rows, context)
    far = _scaled(kernel, "euclidean", points, rows, context)
    if kernel.nu == 0.5:
        return _exponential(far, -1.0, context)
    far = context.arithmetic(far, "multiply", math.sqrt(2 * kernel.nu))
    factor = context.arithmetic(far, "add", 1.0)
    if kernel.nu == 2.5:
        third = context.arithmetic(context.map(far, "square"), "divide", 3.0)
        factor = context.combine(factor, "add", third)
    return context.combine(factor, "multiply", _exponential(far, -1.0, context))


def _rational(kernel: Any, points: Any, rows: Value, context: Context) -> Value:
    far = distances("squared_euclidean", points, rows, context)
    scale = 2 * float(kernel.alpha) * float(kernel.length_scale) ** 2
    base = context.arithmetic(context.arithmetic(far, "divide", scale), "add", 1.0)
    return _power(base, -float(kernel.alpha), context)


def _periodic(kernel: Any, points: Any, rows: Value, context: Context) -> Value:
    far = distances("euclidean", points, rows, context)
    angles = context.arithmetic(far, "multiply", math.pi / float(kernel.periodicity))
    waves = context.arithmetic(context.map(angles, "sin"), "divide", float(kernel.length_scale))
    return _exponential(context.map(waves, "square"), -2.0, context)


def _dot(kernel: Any, points: Any, rows: Value, context: Context) -> Value:
    return context.arithmetic(products(points, rows, context), "add", float(kernel.sigma_0) ** 2)


def _same(kernel: Any, points: Any, rows: Value, context: Context) -> Value:
    return _constant(float(kernel.constant_value), len(points), context)


def _noise(kernel: Any, points: Any, rows: Value, context: Context) -> Value:
    """Noise of one row has nothing to do with that of others."""
    return _constant(0.0, len(points), context)


def _sides(kernel: Any, points: Any, rows: Value, context: Context) -> tuple[Value, Value]:
    first = covariance(kernel.k1, points, rows, context)
    return first, covariance(kernel.k2, points, rows, context)


def _sum(kernel: Any, points: Any, rows: Value, context: Context) -> Value:
    left, right = _sides(kernel, points, rows, context)
    return context.combine(left, "add", right)


def _product(kernel: Any, points: Any, rows: Value, context: Context) -> Value:
    left, right = _sides(kernel, points, rows, context)
    return context.combine(left, "multiply", right)


def _exponentiation(kernel: Any, points: Any, rows: Value, context: Context) -> Value:
    return _power(covariance(kernel.kernel, points, rows, context), kernel.exponent, context)


COVARIANCES: dict[str, Callable[[Any, Any, Value, Context], Value]] = {
    "ConstantKernel": _same,
    "DotProduct": _dot,
    "ExpSineSquared": _periodic,
    "Exponentiation": _exponentiation,
    "Matern": _matern,
    "Product": _product,
    "RBF": _radial,
    "RationalQuadratic": _rational,
    "Sum": _sum,
    "WhiteKernel": _noise,
}
