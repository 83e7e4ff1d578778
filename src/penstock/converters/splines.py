"""Numbers to the basis of a spline: polynomials that are looked up by the interval of a number."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.validation import dense, sized
from penstock.converters.values import LINEAR_TOLERANCE, Value, codes, numeric_columns

__all__ = ["CONVERTERS"]

# Polynomials about the left end of an interval, against SciPy's recursion; absolute below 1.
TOLERANCE = {"float64": LINEAR_TOLERANCE, "float32": 1.2e-7}
FLOATS = ("float32", "float64")


@dataclass(frozen=True)
class _Pieces:
    """A spline basis as pieces: where each but the first begins, its point, its coefficients.

    `coefficients[power][piece][spline]`, of powers of the distance from the point.
    """

    edges: Any
    points: Any
    coefficients: Any


def spline_transformer(estimator: Any, value: Value, context: Context) -> Value:
    """The splines of each column (sklearn/preprocessing/_polynomial.py)."""
    dense(value, context)
    zeros = estimator.handle_missing == "zeros"
    if zeros and estimator.extrapolation in ("continue", "linear"):
        context.refuse(
            f"`zeros` lets infinities through, which `{estimator.extrapolation}` multiplies by 0; "
            "impute before",
            option="handle_missing",
        )
    # Where missing numbers are let through, infinities are.
    infinite = zeros and estimator.extrapolation != "error"
    numbers = context.require(context.number(value), missing=zeros, infinite=infinite)
    dtype = numbers.dtype if {c.dtype for c in numbers.columns} <= set(FLOATS) else "float64"
    if estimator.sparse_output:
        dtype = "float64"
    pieces = _all_pieces(estimator, context)
    numbers = replace(numbers, columns=numeric_columns(value.width), frame="")
    if estimator.extrapolation == "constant":
        numbers = _limited(pieces, numbers, context)
    if estimator.extrapolation == "error":
        numbers = _within(estimator, numbers, context)
    if estimator.extrapolation == "periodic":
        numbers = _wrapped(estimator, numbers, context)
    result = _evaluated(numbers, pieces, context)
    if zeros:
        result = _without_missing(result, numbers, context)
    result = _without_last(estimator, result, context)
    if dtype == "float32":
        result = context.cast(result, "f32")
    return replace(
        result,
        sparse=bool(estimator.sparse_output),
        tolerance=max(result.tolerance, TOLERANCE[dtype]),
    )


def _all_pieces(estimator: Any, context: Context) -> list[_Pieces]:
    import numpy

    found = []
    degree = int(estimator.degree)
    if degree == 0 and estimator.extrapolation == "constant":
        context.refuse(
            "steps (degree 0), for which scikit-learn raises beyond the knots; take "
            "`KBinsDiscretizer`",
            option="degree",
        )
    for spline in estimator.bsplines_:
        if not numpy.isfinite(spline.t).all() or not (numpy.diff(spline.t) >= 0).all():
            context.refuse("has knots that do not ascend", option="knots")
        apart = spline.t[degree] < spline.t[-degree - 1]
        if estimator.extrapolation in ("continue", "periodic") and not apart:
            context.refuse("has a column with one knot only, a constant", option="extrapolation")
        pieces = _pieces(estimator.extrapolation, spline, degree)
        if not numpy.isfinite(pieces.coefficients).all():
            context.refuse("has knots that are too near to each other", option="knots")
        found.append(pieces)
        if estimator.extrapolation == "linear" and degree <= 1:
            # As scikit-learn does: the next column has one more.
            degree += 1
    return found


def _pieces(extrapolation: str, spline: Any, degree: int) -> _Pieces:
    import numpy

    first, last = float(spline.t[degree]), float(spline.t[-degree - 1])
    inner = numpy.unique(spline.t[(spline.t >= first) & (spline.t < last)])
    powers = range(max(int(spline.k), 1) + 1)
    tables = [_derivative(spline, inner, power) for power in powers]
    points = [first, *inner.tolist(), last, last]
    edges = [*inner.tolist(), last, math.nextafter(last, math.inf)]
    ends = [numpy.zeros((2, table.shape[1])) for table in tables]
    if extrapolation == "constant":
        ends[0][0, :degree] = spline(first)[:degree]
        ends[0][1, -degree:] = spline(last)[-degree:]
    elif extrapolation == "linear":
        count = max(degree, 1) if degree > 1 else degree + 1
        for power in (0, 1):
            ends[power][0, :count] = spline(first, nu=power)[:count]
            ends[power][1, -count:] = spline(last, nu=power)[-count:]
    else:
        # The first and the last polynomial go on.
        ends = [numpy.stack([table[0], table[-1]]) for table in tables]
        points[-1] = float(inner[-1])
    # The last knot itself is a piece, as others may be at the same place.
    at_last = [spline([last]), *[numpy.zeros((1, spline.c.shape[1]))] * (len(tables) - 1)]
    coefficients = [
        numpy.vstack([end[:1], table, knot, end[1:]])
        for table, knot, end in zip(tables, at_last, ends, strict=True)
    ]
    return _Pieces(numpy.array(edges), numpy.array(points), numpy.array(coefficients))


def _derivative(spline: Any, points: Any, power: int) -> Any:
    import numpy

    if power > spline.k:
        return numpy.zeros((len(points), spline.c.shape[1]))
    return spline(points, nu=power) / math.factorial(power)


def _within(estimator: Any, value: Value, context: Context) -> Value:
    """The same numbers; a row is refused where one is beyond the knots."""
    import numpy

    limits = [[spline.t[spline.k], spline.t[-spline.k - 1]] for spline in estimator.bsplines_]
    points = numpy.array(limits).reshape(-1)
    return context.add(
        "interpolate",
        value,
        value.columns,
        tolerance=LINEAR_TOLERANCE,
        points=points,
        values=points,
        ends=numpy.arange(2, len(points) + 1, 2),
        below=numpy.zeros(value.width),
        above=numpy.zeros(value.width),
        refuse=True,
        precision="f64",
    )


def _limited(pieces: list[_Pieces], value: Value, context: Context) -> Value:
    """The numbers, where those beyond the knots are beside them."""
    import numpy

    return context.add(
        "clip",
        value,
        value.columns,
        minimum=numpy.nextafter([piece.edges[0] for piece in pieces], -math.inf),
        maximum=numpy.array([piece.edges[-1] for piece in pieces]),
        precision="f64",
    )


def _wrapped(estimator: Any, value: Value, context: Context) -> Value:
    """The numbers within one period."""
    import numpy

    first = numpy.array([spline.t[spline.k] for spline in estimator.bsplines_])
    last = numpy.array([spline.t[spline.t.size - spline.k - 1] for spline in estimator.bsplines_])
    shifted = context.arithmetic(value, "subtract", first, precision="f64")
    period = context.add("constant", [], value.columns, values=last - first)
    wrapped = context.add("combine", [shifted, period], value.columns, function="modulo")
    return context.arithmetic(wrapped, "add", first, precision="f64")


def _evaluated(value: Value, pieces: list[_Pieces], context: Context) -> Value:
    """All polynomials of the pieces that the numbers are in, by Horner's scheme."""
    import numpy

    code = context.add(
        "digitize",
        value,
        codes(value.width),
        edges=numpy.concatenate([piece.edges for piece in pieces]),
        ends=numpy.cumsum([len(piece.edges) for piece in pieces]),
    )
    points = _looked_up(code, [piece.points for piece in pieces], context)
    distance = context.combine(value, "subtract", points)
    count = pieces[0].coefficients.shape[2]
    spread = [at for at in range(value.width) for _ in range(count)]
    code, distance = context.select(code, spread), context.select(distance, spread)

    def coefficient(power: int) -> Value:
        tables = [piece.coefficients[power].T for piece in pieces]
        return _looked_up(code, [row for table in tables for row in table], context)

    *lower, highest = range(pieces[0].coefficients.shape[0])
    result = coefficient(highest)
    for power in reversed(lower):
        columns = result.columns
        product = context.add("combine", [result, distance], columns, function="multiply")
        result = context.add("combine", [product, coefficient(power)], columns, function="add")
    return result


def _looked_up(code: Value, tables: list[Any], context: Context) -> Value:
    import numpy

    return context.add(
        "lookup",
        code,
        numeric_columns(code.width),
        values=numpy.concatenate(tables).astype("float64"),
        ends=numpy.cumsum([len(table) for table in tables]),
        absent=numpy.full(code.width, numpy.nan),
    )


def _without_missing(value: Value, numbers: Value, context: Context) -> Value:
    """The splines of a missing number are 0."""
    import numpy

    count = value.width // numbers.width
    missing = context.add("indicate_missing", numbers, numeric_columns(numbers.width), missing=None)
    spread = [at for at in range(numbers.width) for _ in range(count)]
    zeros = context.add("constant", [], value.columns, values=numpy.zeros(value.width))
    inputs = [context.select(missing, spread), zeros, value]
    return context.add("choose", inputs, value.columns)


def _without_last(estimator: Any, value: Value, context: Context) -> Value:
    """Without the last spline of each column, where there is no bias."""
    if estimator.include_bias:
        return value
    count = estimator.bsplines_[0].c.shape[1]
    return context.select(value, [at for at in range(value.width) if (at + 1) % count])


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {"sklearn.preprocessing.SplineTransformer": spline_transformer}
)
