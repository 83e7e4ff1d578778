"""Inverses of scikit-learn's transformers, through which predicted targets go."""

from collections.abc import Callable
from typing import Any

from penstock.converters.context import Context
from penstock.converters.values import Value

__all__ = ["INVERSES"]

# Exponentials of logarithms of what a regressor predicts, which has an error of its own.
POWER_TOLERANCE = 1e-9
# sklearn/preprocessing/_data.py.
MARGIN = 1e-7
SMALL = 2.0**-52

# The value, and how exact it is at best.
Inverse = Callable[[Any, Value, Context], tuple[Value, float]]
Steps = Callable[[Any], list[tuple[str, Any]]]


def _scaled(steps: Steps, *, rounding: bool = False) -> Inverse:
    """Arithmetic with what was learned; `rounding`: in the type of what is scaled."""

    def inverse(transformer: Any, value: Value, context: Context) -> tuple[Value, float]:
        value = context.require(value, missing=True)
        for function, operands in steps(transformer):
            if operands is not None:
                if rounding:
                    operands = operands.astype(value.dtype).astype("float64")
                value = context.arithmetic(
                    value, function, operands, sparse=value.sparse, frame=value.frame
                )
        return value, 0.0

    return inverse


# `None`: an option leaves it out.
_standard = _scaled(
    lambda scaler: [
        ("multiply", scaler.scale_ if scaler.with_std else None),
        ("add", scaler.mean_ if scaler.with_mean else None),
    ],
    rounding=True,
)


def _double(value: Value, context: Context) -> Value:
    if value.precision == "f32":
        context.refuse("computes in float32; fit it on float64", option="transformer")
    return context.require(value, missing=True)


def _compared(function: str, value: Value, number: float, context: Context) -> Value:
    """The function of each number and one other."""
    import numpy

    other = context.add("constant", [], value.columns, values=numpy.full(value.width, number))
    return context.combine(value, function, other)


def _power(transformer: Any, value: Value, context: Context) -> tuple[Value, float]:
    """sklearn/preprocessing/_data.py, `PowerTransformer.inverse_transform`."""
    value = _double(value, context)
    if transformer.standardize:
        value, _ = _standard(transformer._scaler, value, context)
    inverse = {"box-cox": _box_cox, "yeo-johnson": _yeo_johnson}[transformer.method]
    exponents = [float(exponent) for exponent in transformer.lambdas_]
    parts = [
        inverse(context.select(value, [at]), exponent, context)
        for at, exponent in enumerate(exponents)
    ]
    return context.concat(parts), POWER_TOLERANCE


def _box_cox(x: Value, exponent: float, context: Context) -> Value:
    """scipy/special/_boxcox.pxd, `inv_boxcox`: (λx + 1) ^ (1 / λ)."""
    if exponent == 0:
        return context.map(x, "exp")
    logarithm = context.map(context.arithmetic(x, "multiply", exponent), "log1p")
    return context.map(context.arithmetic(logarithm, "divide", exponent), "exp")


def _yeo_johnson(x: Value, exponent: float, context: Context) -> Value:
    if abs(exponent) < SMALL:
        above = context.map(x, "expm1")
    else:
        above = _powered(context.arithmetic(x, "multiply", exponent), exponent, context)
        above = context.arithmetic(above, "subtract", 1.0)
    if abs(exponent - 2) > SMALL:
        other = 2 - exponent
        below = _powered(context.arithmetic(x, "multiply", -other), other, context)
        below = context.arithmetic(context.arithmetic(below, "multiply", -1.0), "add", 1.0)
    else:
        below = context.map(context.arithmetic(x, "multiply", -1.0), "expm1")
        below = context.arithmetic(below, "multiply", -1.0)
    return context.add(
        "choose", [_compared("greater_equal", x, 0.0, context), above, below], x.columns
    )


def _powered(x: Value, exponent: float, context: Context) -> Value:
    """(x + 1) ^ (1 / exponent)."""
    logarithm = context.map(context.arithmetic(x, "add", 1.0), "log")
    return context.map(context.arithmetic(logarithm, "multiply", 1 / exponent), "exp")


def _quantile(transformer: Any, value: Value, context: Context) -> tuple[Value, float]:
    """sklearn/preprocessing/_data.py, `QuantileTransformer._transform_col`."""
    import numpy

    value = _double(value, context)
    normal = transformer.output_distribution == "normal"
    ranks = value
    if normal:
        erf = context.map(context.arithmetic(value, "multiply", 0.5**0.5), "erf")
        ranks = context.arithmetic(context.arithmetic(erf, "add", 1.0), "multiply", 0.5)
    quantiles = transformer.quantiles_.astype("float64")
    lowest, highest = quantiles[0], quantiles[-1]
    result = context.add(
        "interpolate",
        ranks,
        value.columns,
        points=numpy.tile(transformer.references_.astype("float64"), value.width),
        values=quantiles.T.ravel(),
        ends=len(quantiles) * numpy.arange(1, value.width + 1),
        below=lowest,
        above=highest,
        refuse=False,
        precision="f64",
    )
    if not normal:
        return result, 0.0
    ends = (
        (_compared("less", context.arithmetic(ranks, "subtract", MARGIN), 0.0, context), lowest),
        (_compared("greater", context.arithmetic(ranks, "add", MARGIN), 1.0, context), highest),
    )
    for is_there, numbers in ends:
        end = context.add("constant", [], value.columns, values=numbers)
        result = context.add("choose", [is_there, end, result], value.columns)
    return result, POWER_TOLERANCE


INVERSES: dict[str, Inverse] = {
    "sklearn.preprocessing.MaxAbsScaler": _scaled(lambda scaler: [("multiply", scaler.scale_)]),
    "sklearn.preprocessing.MinMaxScaler": _scaled(
        lambda scaler: [("subtract", scaler.min_), ("divide", scaler.scale_)]
    ),
    "sklearn.preprocessing.PowerTransformer": _power,
    "sklearn.preprocessing.QuantileTransformer": _quantile,
    "sklearn.preprocessing.RobustScaler": _scaled(
        lambda scaler: [
            ("multiply", scaler.scale_ if scaler.with_scaling else None),
            ("add", scaler.center_ if scaler.with_centering else None),
        ]
    ),
    "sklearn.preprocessing.StandardScaler": _standard,
}
