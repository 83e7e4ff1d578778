"""Transformers of feature-engine that make columns of several, by formulas and by estimators."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.converters.composing import pipeline
from penstock.converters.context import Context
from penstock.converters.feature_engine import (
    column_positions,
    discretiser,
    ordered,
    plain_numbers,
    replaced,
    selection,
)
from penstock.converters.functions import apply_function
from penstock.converters.responses import summed
from penstock.converters.values import LINEAR_TOLERANCE, Column, Value

__all__ = ["CONVERTERS", "finished", "named"]


def finished(
    estimator: Any, value: Value, made: Sequence[Value], dropped: Sequence[Any], context: Context
) -> Value:
    """The columns, those that are dropped left out, and what was made."""
    names = {str(name) for name in dropped} if estimator.drop_original else set()
    kept = [at for at, name in enumerate(value.names) if name not in names]
    return replace(context.concat([context.select(value, kept), *made]), frame="pandas")


def named(value: Value, names: Sequence[str | None], dtype: str = "float64") -> Value:
    """The numbers as columns of these names."""
    return value.with_columns(Column(name, "number", dtype) for name in names)


def cyclical_features(estimator: Any, value: Value, context: Context) -> Value:
    """The columns, with sine and cosine of each variable as parts of its largest value."""
    value = ordered(estimator, value, context)
    names = list(estimator.variables_)
    part = plain_numbers(value, column_positions(value, names), context, finite=True)
    factors = [2.0 * math.pi / float(estimator.max_values_[name]) for name in names]
    angles = context.arithmetic(part, "multiply", factors, precision="f64")
    waves = {"sin": context.map(angles, "sin"), "cos": context.map(angles, "cos")}
    made = [
        named(context.select(wave, [at]), [f"{name}_{suffix}"])
        for at, name in enumerate(names)
        for suffix, wave in waves.items()
    ]
    return finished(estimator, value, made, names, context)


# -- of numbers --


def math_features(estimator: Any, value: Value, context: Context) -> Value:
    """The columns, and the sum, the mean, the least, ... of the variables in each row."""
    if estimator.missing_values != "raise":
        context.refuse("leaves out what is missing in a row; impute it", option="missing_values")
    value = ordered(estimator, value, context)
    functions = estimator.func if isinstance(estimator.func, list) else [estimator.func]
    for function in functions:
        if not isinstance(function, str) or function not in OF_ROWS:
            known = "`, `".join(OF_ROWS)
            context.refuse(f"other functions than the names `{known}`", option="func")
    positions = column_positions(value, estimator.variables)
    part = plain_numbers(value, positions, context, finite=True)
    whole = ["int" in value.columns[at].dtype for at in positions]
    if any(whole) and "prod" in functions:
        context.refuse("products of integers overflow; cast them to float64", option="func")
    singles = [context.select(part, [at]) for at in range(part.width)]
    names = estimator._get_new_features_name()
    made = [
        named(replace(OF_ROWS[function](singles, context), tolerance=LINEAR_TOLERANCE), [name])
        for function, name in zip(functions, names, strict=True)
    ]
    return finished(estimator, value, made, estimator.variables, context)


Singles = Sequence[Value]


def _folded(function: str) -> Callable[[Singles, Context], Value]:
    def fold(singles: Singles, context: Context) -> Value:
        result = singles[0]
        for single in singles[1:]:
            result = context.combine(result, function, single)
        return result

    return fold


def _mean(singles: Singles, context: Context) -> Value:
    return context.arithmetic(summed(list(singles), context), "divide", float(len(singles)))


def _variance(singles: Singles, context: Context) -> Value:
    mean = _mean(singles, context)
    apart = [context.combine(mean, "subtract", single) for single in singles]
    squares = [context.combine(one, "multiply", one) for one in apart]
    count = float(len(singles) - 1) or math.nan
    total = summed(squares, context)
    if count != count:
        context.refuse("the deviation of one variable is missing", option="func")
    return context.arithmetic(total, "divide", count)


def _deviation(singles: Singles, context: Context) -> Value:
    return context.map(_variance(singles, context), "sqrt")


def _total(singles: Singles, context: Context) -> Value:
    return summed(list(singles), context)


OF_ROWS: dict[str, Callable[[Singles, Context], Value]] = {
    "max": _folded("maximum"),
    "mean": _mean,
    "min": _folded("minimum"),
    "prod": _folded("multiply"),
    "std": _deviation,
    "sum": _total,
    "var": _variance,
}


PAIRS = {
    "add": "add",
    "div": "divide",
    "floordiv": "floor_divide",
    "mod": "modulo",
    "mul": "multiply",
    "sub": "subtract",
    "truediv": "divide",
}
DIVIDING = frozenset(("div", "floordiv", "mod", "truediv"))
# Of integers in integers.
WHOLE = frozenset(("floordiv", "mod", "mul"))


def relative_features(estimator: Any, value: Value, context: Context) -> Value:
    """The columns, and each variable combined with each reference."""
    finite = estimator.missing_values == "raise"
    value = ordered(estimator, value, context)
    variables, references = list(estimator.variables), list(estimator.reference)
    made = []
    for function in estimator.func:
        if function not in PAIRS:
            context.refuse(f"`{function}`, which overflows otherwise", option="func")
        for name in references:
            (at,) = column_positions(value, [name])
            places = column_positions(value, variables)
            dtypes = [value.columns[place].dtype for place in [at, *places]]
            if function in WHOLE and any("int" in dtype for dtype in dtypes):
                context.refuse(f"`{function}` of integers; cast them to float64", option="func")
            lefts = plain_numbers(value, places, context, finite=finite)
            right = plain_numbers(value, [at], context, finite=finite)
            rights = context.select(right, [0] * len(places))
            result = _related(estimator, function, lefts, rights, context)
            made.append(named(result, [f"{one}_{function}_{name}" for one in variables]))
    return finished(estimator, value, made, variables + references, context)


def _related(estimator: Any, function: str, left: Value, right: Value, context: Context) -> Value:
    import numpy

    if function not in DIVIDING:
        return context.combine(left, PAIRS[function], right)
    zeros = context.add("constant", [], right.columns, values=numpy.zeros(right.width))
    is_zero = context.combine(right, "equal", zeros)
    if estimator.fill_value is None:
        # Where the reference is 0 this is 1 / 0, and the row is refused.
        inverse = context.map(context.arithmetic(is_zero, "subtract", 1.0), "reciprocal")
        checked = context.require(inverse)
        right = context.add("choose", [checked, right, right], right.columns)
        return context.combine(left, PAIRS[function], right)
    filling = numpy.full(right.width, float(estimator.fill_value))
    filled = context.add("constant", [], right.columns, values=filling)
    result = context.combine(left, PAIRS[function], right)
    return context.add("choose", [is_zero, filled, result], right.columns)


GEOGRAPHY_TOLERANCE = 1e-7
KILOMETERS_PER_DEGREE = 111.0


def geo_distance(estimator: Any, value: Value, context: Context) -> Value:
    """The columns, and how far one place is from another (`EARTH_RADIUS`: feature-engine's)."""
    from feature_engine.creation.geo_features import EARTH_RADIUS

    value = ordered(estimator, value, context)
    positions = column_positions(value, estimator.variables_)
    for at in positions:
        if value.columns[at].dtype not in ("float64", "int64"):
            context.refuse(f"column `{value.names[at]}` is not of float64; cast it")
    places = context.require(context.select(value, positions), infinite=True)
    latitude, longitude, other_latitude, other_longitude = (
        context.select(places.with_columns([Column(None, "number")] * 4), [at]) for at in range(4)
    )
    radius = float(EARTH_RADIUS[estimator.output_unit])
    if estimator.method == "haversine":
        angle = _angle(latitude, longitude, other_latitude, other_longitude, context)
        distance = context.arithmetic(
            context.arithmetic(angle, "multiply", 2.0), "multiply", radius
        )
        distance = replace(distance, tolerance=GEOGRAPHY_TOLERANCE)
    else:
        north = context.combine(other_latitude, "subtract", latitude)
        east = context.combine(other_longitude, "subtract", longitude)
        is_euclidean = estimator.method == "euclidean"
        distance = (_hypotenuse if is_euclidean else _detour)(north, east, context)
        distance = context.arithmetic(distance, "multiply", radius / EARTH_RADIUS["km"])
    made = named(distance, [estimator.output_col])
    return finished(estimator, value, [made], estimator.variables_, context)


def _angle(
    latitude: Value,
    longitude: Value,
    other_latitude: Value,
    other_longitude: Value,
    context: Context,
) -> Value:
    """Half of the angle between two places, whose sine is the root of the haversine.

    Near the opposite side of the Earth half of the digits are lost.
    """

    def half_sine_squared(first: Value, second: Value) -> Value:
        half = context.arithmetic(context.combine(second, "subtract", first), "divide", 2.0)
        return context.map(context.map(half, "sin"), "square")

    here, there = (context.map(place, "radians") for place in (latitude, other_latitude))
    west, east = (context.map(place, "radians") for place in (longitude, other_longitude))
    cosines = context.combine(context.map(here, "cos"), "multiply", context.map(there, "cos"))
    across = context.combine(cosines, "multiply", half_sine_squared(west, east))
    total = context.combine(half_sine_squared(here, there), "add", across)
    return context.map(context.map(total, "sqrt"), "arcsin")


def _hypotenuse(north: Value, east: Value, context: Context) -> Value:
    squares = [
        context.map(context.arithmetic(side, "multiply", KILOMETERS_PER_DEGREE), "square")
        for side in (north, east)
    ]
    return context.map(context.combine(squares[0], "add", squares[1]), "sqrt")


def _detour(north: Value, east: Value, context: Context) -> Value:
    sides = [context.map(side, "abs") for side in (north, east)]
    both = context.combine(sides[0], "add", sides[1])
    return context.arithmetic(both, "multiply", KILOMETERS_PER_DEGREE)


# -- of other estimators --


def wrapper(estimator: Any, value: Value, context: Context) -> Value:
    """A transformer of scikit-learn on some columns."""
    if hasattr(estimator, "features_to_drop_"):
        return selection(estimator, value, context)
    value = ordered(estimator, value, context)
    inner = estimator.transformer_
    positions = column_positions(value, estimator.variables_)
    made = context.transform(inner, context.select(value, positions), "transformer")
    if type(inner).__name__ in ("OneHotEncoder", "PolynomialFeatures"):
        names = [str(name) for name in inner.get_feature_names_out(estimator.variables_)]
        made = made.with_columns(
            replace(column, name=name) for column, name in zip(made.columns, names, strict=True)
        )
        kept = [at for at in range(value.width) if at not in positions]
        return replace(context.concat([context.select(value, kept), made]), frame="pandas")
    if made.sparse or made.width != len(positions):
        context.refuse("makes another number of columns than it gets", option="transformer")
    return replaced(value, positions, made, context)


def match_variables(estimator: Any, value: Value, context: Context) -> Value:
    """The columns as they were in training, in that order; others are dropped."""
    names = [str(name) for name in estimator.feature_names_in_]
    if value.frame != "pandas":
        context.refuse("takes pandas frames; give one as the example")
    absent = [name for name in names if name not in value.names]
    if absent:
        context.refuse(f"the example lacks column `{absent[0]}`; give it all columns of training")
    value = context.select(value, column_positions(value, names))
    for column, dtype in getattr(estimator, "dtype_dict_", {}).items():
        if str(dtype) != "float64":
            context.refuse(f"casts column `{column}` to {dtype}", option="match_dtypes")
    if estimator.missing_values == "raise":
        if any(column.kind not in ("number", "boolean") for column in value.columns):
            context.refuse("refuses rows without a text; let it `ignore`", option="missing_values")
        value = replace(context.require(value, infinite=True), frame="pandas")
    return value


def tree_discretiser(estimator: Any, value: Value, context: Context) -> Value:
    """The numbers of intervals, or what a tree predicts of each variable."""
    if estimator.bin_output == "bin_number":
        return discretiser(estimator, value, context)
    if estimator.bin_output != "prediction":
        context.refuse("intervals as texts", option="bin_output")
    if estimator.precision is not None:
        context.refuse("rounds to decimals in another way than the engine", option="precision")
    value = ordered(estimator, value, context)
    names = list(estimator.variables_)
    positions = column_positions(value, names)
    numbers = plain_numbers(value, positions, context, finite=True)
    made = [
        _predicted(
            estimator.binner_dict_[name],
            replace(context.select(numbers, [at]), frame="pandas"),
            is_share=not estimator.regression,
            context=context,
        )
        for at, name in enumerate(names)
    ]
    return replaced(value, positions, context.concat(made), context)


def tree_features(estimator: Any, value: Value, context: Context) -> Value:
    """The columns, and what trees of one or several of them predict."""
    import numpy

    is_share = not estimator.regression
    if is_share and estimator._is_binary != "binary":
        context.refuse("trees of more than two classes give labels", option="regression")
    value = ordered(estimator, value, context)
    numbers = plain_numbers(
        value, column_positions(value, estimator.variables_), context, finite=True
    )
    made = []
    for names, tree in zip(estimator.input_features_, estimator.estimators_, strict=True):
        positions = column_positions(numbers, [names] if isinstance(names, str) else names)
        part = replace(context.select(numbers, positions), frame="pandas")
        result = _predicted(tree, part, is_share=is_share, context=context)
        if estimator.precision is not None:
            result, _ = apply_function(
                replace(result, frame=""),
                numpy.round,
                {"decimals": estimator.precision},
                context,
                "precision",
            )
        made.append(named(result, [f"tree({names})"]))
    return finished(estimator, value, made, estimator.variables_, context)


def _predicted(tree: Any, value: Value, *, is_share: bool, context: Context) -> Value:
    """What a tree predicts, or how likely its second class is."""
    answers = context.predict(tree, value, "tree").answers
    wanted = "probability" if is_share else "value"
    found = [answer.value for answer in answers if answer.name == wanted]
    if not found:
        context.refuse(f"the tree has no `{wanted}`")
    return context.select(found[0], [1]) if is_share else found[0]


_CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "creation.cyclical_features.CyclicalFeatures": cyclical_features,
    "creation.decision_tree_features.DecisionTreeFeatures": tree_features,
    "creation.geo_features.GeoDistanceFeatures": geo_distance,
    "creation.math_features.MathFeatures": math_features,
    "creation.relative_features.RelativeFeatures": relative_features,
    "discretisation.decision_tree.DecisionTreeDiscretiser": tree_discretiser,
    "pipeline.pipeline.Pipeline": pipeline,
    "preprocessing.match_columns.MatchVariables": match_variables,
    "wrappers.wrappers.SklearnTransformerWrapper": wrapper,
}
CONVERTERS: Mapping[str, Callable[..., Any]] = {
    f"feature_engine.{name}": converter for name, converter in _CONVERTERS.items()
}
