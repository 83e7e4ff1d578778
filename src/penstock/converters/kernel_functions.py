"""Kernels between a row and the rows of training, by the names that scikit-learn has for them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from penstock.converters.context import Context
from penstock.converters.values import LINK_TOLERANCE, Value, numeric_columns

__all__ = [
    "KERNELS",
    "Kernel",
    "check_digits",
    "distances",
    "kernel",
    "products",
    "unit",
]

# Sums of large terms of either sign; other kernels are at most 1.
PRODUCT_TOLERANCE = 1e-9
# Beyond this, answers of two computers differ in digits that people look at.
LOST = 1e-7
# Beyond so many units of the exponent nothing is left of an exponential.
EXPONENT = 40.0


@dataclass(frozen=True)
class Kernel:
    """A kernel with its options, and the points that rows are compared with."""

    name: str
    points: Any
    gamma: float
    coef0: float
    degree: float


def kernel(parts: Kernel, rows: Value, context: Context) -> Value:
    """One number for each point (sklearn/metrics/pairwise.py, `pairwise_kernels`)."""
    name = {"polynomial": "poly"}.get(parts.name, parts.name)
    if not isinstance(name, str) or name not in KERNELS:
        known = "`, `".join(KERNELS)
        named = f"`{name}`" if isinstance(name, str) else "a function"
        context.refuse(f"{named} is not supported; supported are `{known}`", option="kernel")
    return KERNELS[name](parts, rows, context)


def _linear(parts: Kernel, rows: Value, context: Context) -> Value:
    return products(parts.points, rows, context)


def _polynomial(parts: Kernel, rows: Value, context: Context) -> Value:
    import numpy

    bases = _shifted(parts, rows, context)
    degree = int(parts.degree)
    if degree != parts.degree:
        context.refuse(f"{parts.degree} is no whole number", option="degree")
    return context.add(
        "products",
        bases,
        bases.columns,
        factors=numpy.repeat(numpy.arange(bases.width), degree),
        ends=degree * numpy.arange(1, bases.width + 1),
        absorbing=False,
        precision="f64",
    )


def _radial(parts: Kernel, rows: Value, context: Context) -> Value:
    squares = distances("squared_euclidean", parts.points, rows, context)
    return _decay(parts, squares, context)


def _laplacian(parts: Kernel, rows: Value, context: Context) -> Value:
    return _decay(parts, distances("manhattan", parts.points, rows, context), context)


def _sigmoid(parts: Kernel, rows: Value, context: Context) -> Value:
    return context.map(_shifted(parts, rows, context), "tanh")


def _cosine(parts: Kernel, rows: Value, context: Context) -> Value:
    from sklearn.preprocessing import normalize

    return products(normalize(parts.points), unit(rows, context), context)


def unit(rows: Value, context: Context) -> Value:
    """The row divided by its norm; a norm of almost zero counts as one."""
    import numpy

    return context.add(
        "normalize",
        rows,
        rows.columns,
        tolerance=LINK_TOLERANCE,
        norm="l2",
        smallest=10 * float(numpy.finfo("float64").eps),
        accumulate="f64",
        precision="f64",
    )


def _decay(parts: Kernel, far: Value, context: Context) -> Value:
    """exp(-gamma * distance).

    scikit-learn takes squares as ‖x‖² - 2x·p + ‖p‖², of which rounding leaves less, the farther
    the points are from zero.
    """
    import numpy

    norm = float((numpy.asarray(parts.points, dtype="float64") ** 2).sum(axis=1).max(initial=0.0))
    growth = EXPONENT + parts.gamma * norm
    return context.add(
        "link",
        far,
        far.columns,
        tolerance=10 * growth * LINK_TOLERANCE,
        function="exp",
        scale=-parts.gamma,
        precision="f64",
    )


def _shifted(parts: Kernel, rows: Value, context: Context) -> Value:
    """gamma * x·p + coef0."""
    result = products(parts.points, rows, context)
    result = context.arithmetic(result, "multiply", parts.gamma)
    return context.arithmetic(result, "add", parts.coef0)


def products(points: Any, rows: Value, context: Context) -> Value:
    """The dot product with each point."""
    import numpy

    return context.add(
        "linear",
        rows,
        numeric_columns(len(points)),
        tolerance=PRODUCT_TOLERANCE,
        coefficients=numpy.asarray(points, dtype="float64"),
        intercepts=numpy.zeros(len(points)),
    )


def distances(
    metric: str, points: Any, rows: Value, context: Context, *, scales: Any = None
) -> Value:
    """How far each point is; `scales`: what each element of a difference is divided by."""
    import numpy

    wide = None
    if scales is not None:
        wide = numpy.tile(numpy.asarray(scales, dtype="float64"), (len(points), 1))
    return context.add(
        "distance",
        rows,
        numeric_columns(len(points)),
        metric=metric,
        points=numpy.asarray(points, dtype="float64"),
        scales=wide,
    )


def check_digits(kernels: Any, coefficients: Any, context: Context) -> None:
    """Refuses sums of kernels that cancel so far that scikit-learn's own answers are noise.

    `kernels`: between the rows of training; `coefficients`: of them, a column for each target.
    """
    import numpy

    noise = numpy.finfo("float64").eps * (numpy.abs(kernels) @ numpy.abs(coefficients)).max()
    if not noise <= LOST:
        context.refuse(
            "the kernels cancel so far that scikit-learn's own answers are only sure to "
            f"{noise:.0e}; raise it, scale the columns, or drop rows that come twice",
            option="alpha",
        )


KERNELS: dict[str, Callable[[Kernel, Value, Context], Value]] = {
    "cosine": _cosine,
    "laplacian": _laplacian,
    "linear": _linear,
    "poly": _polynomial,
    "rbf": _radial,
    "sigmoid": _sigmoid,
}
