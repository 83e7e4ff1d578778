"""Transformers of feature-engine that make numbers of times."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.expressions import Expressions, Term
from penstock.converters.feature_creation import finished, named
from penstock.converters.feature_engine import column_positions, ordered
from penstock.converters.syntax import SYNTAX
from penstock.converters.values import Value
from penstock.converters.vocabulary import FUNCTIONS

__all__ = ["CONVERTERS"]

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
            made.append(named(number, [f"{name}_{feature}"], dtype))
    return finished(estimator, value, made, estimator.variables_, context)


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
            between = named(context.combine(later, "subtract", earlier), [None])
            turns = context.map(context.arithmetic(between, "divide", OVERFLOW), "rint")
            over = context.arithmetic(turns, "multiply", OVERFLOW)
            result = context.arithmetic(context.combine(between, "subtract", over), "divide", unit)
            result = replace(result, tolerance=DIFFERENCE_TOLERANCE)
            made.append(named(result, [f"{name}_sub_{reference}"]))
    names = estimator.new_variables_names
    if names is not None:
        made = [named(one, [name]) for one, name in zip(made, names, strict=True)]
    dropped = [*estimator.variables_, *estimator.reference_]
    return finished(estimator, value, made, dropped, context)


def _coarse(estimator: Any, name: Any, value: Value, context: Context) -> Value:
    """A time that is counted in microseconds, or more."""
    (at,) = column_positions(value, [name])
    if "[ns" in value.columns[at].dtype:
        context.refuse(f"column `{name}` counts nanoseconds; cast it to `datetime64[us]`")
    return _time(estimator, name, value, context)


# Days from the first one of year 1 to the one that times are counted from (`date.toordinal`).
FIRST_DAY = 719163


def datetime_ordinal(estimator: Any, value: Value, context: Context) -> Value:
    """The columns, and the number of the day of each time."""
    if estimator.missing_values != "raise":
        context.refuse("gives `NA` for times that are missing; impute", option="missing_values")
    value = ordered(estimator, value, context)
    start = estimator.start_date_ordinal_
    first = FIRST_DAY if start is None else FIRST_DAY - start + 1
    made = []
    for name in estimator.variables_:
        time = Term(_time(estimator, name, value, context), "time")
        expressions = Expressions(context, {"t": time}, {}, FUNCTIONS, SYNTAX)
        days = context.number(expressions.formula("day", "floor_time(t, 'day')").value)
        days = context.arithmetic(days, "divide", UNITS["D"], precision="f64")
        days = context.arithmetic(days, "add", float(first), precision="f64")
        made.append(named(days, [f"{name}_ordinal"], "int64"))
    return finished(estimator, value, made, estimator.variables_, context)


_CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "datetime.DatetimeFeatures": datetime_features,
    "datetime_ordinal.DatetimeOrdinal": datetime_ordinal,
    "datetime_subtraction.DatetimeSubtraction": datetime_subtraction,
}
CONVERTERS: Mapping[str, Callable[..., Any]] = {
    f"feature_engine.datetime.{name}": converter for name, converter in _CONVERTERS.items()
}
