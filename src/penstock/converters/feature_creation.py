"""Transformers of feature-engine that make columns of several: of numbers, and of times."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.converters.composing import pipeline
from penstock.converters.context import Context
from penstock.converters.expressions import Expressions, Term
from penstock.converters.feature_engine import (
    column_positions,
    discretiser,
    ordered,
    plain_numbers,
    replaced,
    selection,
)
from penstock.converters.responses import summed
from penstock.converters.syntax import SYNTAX
from penstock.converters.values import LINEAR_TOLERANCE, Column, Value
from penstock.converters.vocabulary import FUNCTIONS

__all__ = ["CONVERTERS"]


def _finished(
    estimator: Any, value: Value, made: Sequence[Value], dropped: Sequence[Any], context: Context
) -> Value:
    """The columns, those that are dropped left out, and what was made."""
    names = {str(name) for name in dropped} if estimator.drop_original else set()
    kept = [at for at, name in enumerate(value.names) if name not in names]
    return replace(context.concat([context.select(value, kept), *made]), frame="pandas")


def _named(value: Value, names: Sequence[str | None], dtype: str = "float64") -> Value:
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
        _named(context.select(wave, [at]), [f"{name}_{suffix}"])
        for at, name in enumerate(names)
        for suffix, wave in waves.items()
    ]
    return _finished(estimator, value, made, names, context)


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
        _named(replace(OF_ROWS[function](singles, context), tolerance=LINEAR_TOLERANCE), [name])
        for function, name in zip(functions, names, strict=True)
    ]
    return _finished(estimator, value, made, estimator.variables, context)


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
            made.append(_named(result, [f"{one}_{function}_{name}" for one in variables]))
    return _finished(estimator, value, made, variables + references, context)


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


# -- of times --

# Of a time that is missing these are missing; others are not, or pandas raises.
PARTS = {
    "day_of_month": "day(t)",
    "day_of_week": "weekday(t)",
    "day_of_year": "day_of_year(t)",
    "hour": "hour(t)",
    "minute": "minute(t)",
    "month": "month(t)",
    "quarter": "quarter(t)",
    "second": "second(t)",
    "year": "year(t)",
}
_LEAP = "(year(t) % 4 == 0 and year(t) % 100 != 0 or year(t) % 400 == 0)"
_DAYS = f"(30 + (month(t) + (month(t) > 7)) % 2 if month(t) != 2 else 28 + {_LEAP})"
OTHERS = {
    "days_in_month": _DAYS,
    "leap_year": _LEAP,
    "month_end": f"day(t) == {_DAYS}",
    "month_start": "day(t) == 1",
    "quarter_end": f"day(t) == {_DAYS} and month(t) % 3 == 0",
    "quarter_start": "day(t) == 1 and month(t) % 3 == 1",
    "semester": "1 + (month(t) > 6)",
    "week": "week(t)",
    "weekend": "weekday(t) > 4",
    "year_end": "day(t) == 31 and month(t) == 12",
    "year_start": "day(t) == 1 and month(t) == 1",
}


def datetime_features(estimator: Any, value: Value, context: Context) -> Value:
    """The columns, and parts of each time."""
    if isinstance(estimator.variables, str) and estimator.variables == "index":
        context.refuse("the index, which no artifact sees", option="variables")
    value = ordered(estimator, value, context)
    made = []
    for name in estimator.variables_:
        time = _time(estimator, name, value, context)
        expressions = Expressions(context, {"t": Term(time, "time")}, {}, FUNCTIONS, SYNTAX)
        for feature in estimator.features_to_extract_:
            if feature in OTHERS and estimator.missing_values != "raise":
                context.refuse(
                    f"`{feature}` of a time that may be missing; let `missing_values` be `raise`",
                    option="features_to_extract",
                )
            term = expressions.formula(feature, {**PARTS, **OTHERS}[feature])
            expressions.names.pop(feature, None)
            dtype = "int32" if feature in PARTS else "int64"
            number = context.number(term.value)
            made.append(_named(number, [f"{name}_{feature}"], dtype))
    return _finished(estimator, value, made, estimator.variables_, context)


def _time(estimator: Any, name: Any, value: Value, context: Context) -> Value:
    (at,) = column_positions(value, [name])
    column = value.columns[at]
    if column.kind != "timestamp":
        context.refuse(
            f"column `{name}` is {column.kind}, which pandas parses as it sees fit; give times"
        )
    if "," in column.dtype and "UTC" not in column.dtype and not estimator.utc:
        context.refuse(f"column `{name}` is {column.dtype}; give times of UTC or without a zone")
    time = replace(context.select(value, [at]), frame="")
    return time if estimator.missing_values != "raise" else context.require(time)


# In microseconds.
UNITS = {"D": 8.64e10, "W": 6.048e11, "h": 3.6e9, "m": 6e7, "ms": 1e3, "s": 1e6, "us": 1.0}
# Integers of 64 bits, which count nanoseconds, begin anew after so many microseconds.
OVERFLOW = 2.0**64 / 1000
# Of a difference that begins anew f64 does not hold every microsecond.
DIFFERENCE_TOLERANCE = 1e-9


def datetime_subtraction(estimator: Any, value: Value, context: Context) -> Value:
    """The columns, and how much later each time is than each reference.

    numpy divides by nanoseconds, which overflow without a word where times are more than 292 years
    apart.
    """
    unit = UNITS.get(estimator.output_unit)
    if unit is None:
        context.refuse(
            f"`{estimator.output_unit}`; known are {', '.join(UNITS)}", option="output_unit"
        )
    value = ordered(estimator, value, context)
    made = []
    for reference in estimator.reference_:
        for name in estimator.variables_:
            later, earlier = (_coarse(estimator, one, value, context) for one in (name, reference))
            between = _named(context.combine(later, "subtract", earlier), [None])
            turns = context.map(context.arithmetic(between, "divide", OVERFLOW), "rint")
            over = context.arithmetic(turns, "multiply", OVERFLOW)
            result = context.arithmetic(context.combine(between, "subtract", over), "divide", unit)
            result = replace(result, tolerance=DIFFERENCE_TOLERANCE)
            made.append(_named(result, [f"{name}_sub_{reference}"]))
    names = estimator.new_variables_names
    if names is not None:
        made = [_named(one, [name]) for one, name in zip(made, names, strict=True)]
    dropped = [*estimator.variables_, *estimator.reference_]
    return _finished(estimator, value, made, dropped, context)


def _coarse(estimator: Any, name: Any, value: Value, context: Context) -> Value:
    """A time that is counted in microseconds, or more."""
    (at,) = column_positions(value, [name])
    if "[ns" in value.columns[at].dtype:
        context.refuse(f"column `{name}` counts nanoseconds; cast it to `datetime64[us]`")
    return _time(estimator, name, value, context)


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
    "creation.math_features.MathFeatures": math_features,
    "creation.relative_features.RelativeFeatures": relative_features,
    "datetime.datetime.DatetimeFeatures": datetime_features,
    "datetime.datetime_subtraction.DatetimeSubtraction": datetime_subtraction,
    "discretisation.decision_tree.DecisionTreeDiscretiser": tree_discretiser,
    "pipeline.pipeline.Pipeline": pipeline,
    "wrappers.wrappers.SklearnTransformerWrapper": wrapper,
}
CONVERTERS: Mapping[str, Callable[..., Any]] = {
    f"feature_engine.{name}": converter for name, converter in _CONVERTERS.items()
}
