"""scikit-learn's approximations of kernels: waves of random sums, and sketches of polynomials."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.responses import summed
from penstock.converters.validation import dense, finite_rows, floats, sized
from penstock.converters.values import LINK_TOLERANCE, Value, codes, numeric_columns

__all__ = ["CONVERTERS"]

# Of a sum of a million a cosine leaves ten digits.
WAVE_TOLERANCE = 1e-10
SKETCH_TOLERANCE = 1e-10
INTERVALS = {1: 0.8, 2: 0.5, 3: 0.4}


def rbf_sampler(estimator: Any, value: Value, context: Context) -> Value:
    """Cosines of random sums (sklearn/kernel_approximation.py, `RBFSampler.transform`)."""
    rows = _doubles(floats(dense(value, context), context), estimator.random_weights_, context)
    return _waves(estimator, rows, (2.0 / estimator.n_components) ** 0.5, context)


def skewed_chi2_sampler(estimator: Any, value: Value, context: Context) -> Value:
    """Cosines of random sums of logarithms; numbers up to `-skewedness` are refused."""
    import numpy

    rows = _doubles(floats(dense(value, context), context), estimator.random_weights_, context)
    rows = context.arithmetic(rows, "add", float(estimator.skewedness))
    rows = context.add(
        "power",
        rows,
        rows.columns,
        tolerance=LINK_TOLERANCE,
        family="box_cox",
        exponents=numpy.zeros(rows.width),
        precision="f64",
    )
    scale = float(numpy.sqrt(2.0) / numpy.sqrt(estimator.n_components))
    return _waves(estimator, rows, scale, context)


def _doubles(rows: Value, fitted: Any, context: Context) -> Value:
    if rows.precision == "f32" or str(fitted.dtype) != "float64":
        context.refuse("computes in float32; fit it on float64")
    return rows


def _waves(estimator: Any, rows: Value, scale: float, context: Context) -> Value:
    sums = context.add(
        "linear",
        rows,
        numeric_columns(estimator.random_weights_.shape[1]),
        tolerance=WAVE_TOLERANCE,
        coefficients=estimator.random_weights_.T.astype("float64"),
        intercepts=estimator.random_offset_.astype("float64"),
    )
    return context.arithmetic(context.map(sums, "cos"), "multiply", float(scale))


def additive_chi2_sampler(estimator: Any, value: Value, context: Context) -> Value:
    """Roots, and waves of logarithms; 0 stays 0, and negative numbers are refused.

    sklearn/kernel_approximation.py, `AdditiveChi2Sampler._transform_dense`.
    """
    import math

    steps = int(estimator.sample_steps)
    interval = estimator.sample_interval
    interval = INTERVALS[steps] if interval is None else float(interval)
    rows = floats(dense(value, context), context)
    # scikit-learn writes the waves into an array of the type of the data.
    if any(column.dtype != "float64" for column in context.number(value).columns):
        context.refuse("rounds to the type of the data; cast to float64 before")
    rows = _not_negative(rows, context)
    parts = [context.map(context.arithmetic(rows, "multiply", interval), "sqrt")]
    # What is 0 counts as 1 in the logarithm, and has a factor of 0.
    zero = context.add("encode_number", rows, codes(rows.width), **_zeros(rows.width))
    ones = context.add("lookup", zero, rows.columns, **_ones(rows.width))
    logarithms = context.map(context.combine(rows, "add", ones), "log")
    logarithms = context.arithmetic(logarithms, "multiply", interval)
    doubled = context.arithmetic(context.arithmetic(rows, "multiply", 2.0), "multiply", interval)
    for step in range(1, steps):
        divisor = math.cosh(math.pi * step * interval)
        factors = context.map(context.arithmetic(doubled, "divide", divisor), "sqrt")
        angles = context.arithmetic(logarithms, "multiply", float(step))
        for function in ("cos", "sin"):
            wave = context.map(angles, function, tolerance=WAVE_TOLERANCE)
            parts.append(context.combine(factors, "multiply", wave))
    return context.concat(parts)


def _not_negative(rows: Value, context: Context) -> Value:
    """The same numbers; a row with a negative one is refused."""
    import numpy

    most = float(numpy.finfo("float64").max)
    return context.add(
        "interpolate",
        rows,
        rows.columns,
        points=numpy.tile([0.0, most], rows.width),
        values=numpy.tile([0.0, most], rows.width),
        ends=2 * numpy.arange(1, rows.width + 1),
        below=numpy.zeros(rows.width),
        above=numpy.full(rows.width, most),
        refuse=True,
        precision="f64",
    )


def _zeros(width: int) -> dict[str, Any]:
    """The fields of an encoder of 0, for each of so many elements."""
    import numpy

    return {
        "levels": numpy.zeros(width),
        "ends": numpy.arange(1, width + 1),
        "codes": numpy.zeros(width, dtype="int32"),
        "missing_codes": numpy.full(width, -1),
        "unseen_codes": numpy.full(width, -1),
    }


def _ones(width: int) -> dict[str, Any]:
    import numpy

    return {
        "values": numpy.ones(width),
        "ends": numpy.arange(1, width + 1),
        "absent": numpy.zeros(width),
    }


def polynomial_count_sketch(estimator: Any, value: Value, context: Context) -> Value:
    """The circular convolution of several sums of the row.

    sklearn/kernel_approximation.py, `PolynomialCountSketch.transform`, multiplies their Fourier
    transforms, and rounds where this gives what is exact.
    """
    import numpy

    rows = finite_rows(value, context)
    count = int(estimator.n_components)
    together: Value | None = None
    for hashes, signs in zip(estimator.indexHash_, estimator.bitHash_, strict=True):
        matrix = numpy.zeros((count, len(hashes)))
        numpy.add.at(matrix, (hashes, numpy.arange(len(hashes))), signs)
        sketch = _sketch(estimator, matrix, rows, context)
        together = sketch if together is None else _convolved(together, sketch, context)
    if together is None:
        context.refuse("has no sketches", option="degree")
    return replace(together, tolerance=SKETCH_TOLERANCE)


def _sketch(estimator: Any, matrix: Any, rows: Value, context: Context) -> Value:
    """The matrix times sqrt(gamma) x, and sqrt(coef0) behind it."""
    import numpy

    width, gamma = rows.width, float(numpy.sqrt(estimator.gamma))
    intercepts = numpy.zeros(len(matrix))
    if estimator.coef0 != 0:
        intercepts = float(numpy.sqrt(estimator.coef0)) * matrix[:, width]
    return context.add(
        "linear",
        rows,
        numeric_columns(len(matrix)),
        coefficients=numpy.ascontiguousarray(gamma * matrix[:, :width]),
        intercepts=numpy.ascontiguousarray(intercepts),
    )


def _convolved(left: Value, right: Value, context: Context) -> Value:
    """The sum, for each position, of all products whose positions add up to it, or once around."""
    count = left.width
    parts = []
    for at in range(count):
        factor = context.select(left, [at] * count)
        shifted = context.select(right, [(position - at) % count for position in range(count)])
        parts.append(context.combine(factor, "multiply", shifted))
    return summed(parts, context)


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.kernel_approximation.AdditiveChi2Sampler": additive_chi2_sampler,
        "sklearn.kernel_approximation.PolynomialCountSketch": polynomial_count_sketch,
        "sklearn.kernel_approximation.RBFSampler": rbf_sampler,
        "sklearn.kernel_approximation.SkewedChi2Sampler": skewed_chi2_sampler,
    }
)
