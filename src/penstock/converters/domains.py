"""Domains of sklearn2pmml, by their class names alone: what is missing, invalid or too far out.

Known from the public description of their parameters; the proof compares with the classes of who
converts.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.validation import dense
from penstock.converters.values import Column, Value, codes
from penstock.schema import Field

__all__ = ["CONVERTERS"]

REPLACED = ("as_mean", "as_median", "as_mode", "as_value")


def continuous_domain(estimator: Any, value: Value, context: Context) -> Value:
    """The numbers: missing ones replaced, invalid ones refused, outliers clipped or missing."""
    import numpy

    _check(estimator, dense(value, context), context)
    for column in value.columns:
        if column.kind != "number" or column.dtype in ("object", "category", "float32", "float16"):
            context.refuse(f"column `{column.name or '?'}` is {column.dtype}; cast it to float64")
    ranges = _ranges(estimator, value.width, context)
    value = _without_invalid(estimator, value, ranges, context)
    if estimator.missing_value_treatment == "return_invalid":
        value = context.require(value, infinite=True)
    value = _without_outliers(estimator, value, context)
    if estimator.missing_value_treatment not in REPLACED:
        return value
    filling = numpy.full(value.width, float(estimator.missing_value_replacement))
    columns = _doubles(value)
    return context.add(
        "impute", value, columns, frame=value.frame, missing=None, replacements=filling
    )


def _doubles(value: Value) -> tuple[Column, ...]:
    return tuple(replace(column, dtype="float64") for column in value.columns)


def _check(estimator: Any, value: Value, context: Context) -> None:
    """Refuses options of which the description does not say enough."""
    if getattr(estimator, "missing_values", None) is not None:
        context.refuse("a mark for missing values; replace it by NaN", option="missing_values")
    if getattr(estimator, "dtype", None) is not None:
        context.refuse("casts; cast in a step of scikit-learn", option="dtype")
    if estimator.missing_value_treatment not in ("as_is", "return_invalid", *REPLACED):
        context.refuse(
            f"`{estimator.missing_value_treatment}` is not known", option="missing_value_treatment"
        )
    is_given = estimator.missing_value_replacement is not None
    if is_given != (estimator.missing_value_treatment in REPLACED):
        context.refuse(
            f"does not go with `{estimator.missing_value_treatment}`",
            option="missing_value_replacement",
        )
    known = ("as_is", "as_missing", "as_value", "return_invalid")
    if estimator.invalid_value_treatment not in known:
        context.refuse(
            f"`{estimator.invalid_value_treatment}` is not known", option="invalid_value_treatment"
        )
    is_given = estimator.invalid_value_replacement is not None
    if is_given != (estimator.invalid_value_treatment == "as_value"):
        context.refuse(
            f"does not go with `{estimator.invalid_value_treatment}`",
            option="invalid_value_replacement",
        )
    for option in ("invalid_value_treatment", "outlier_treatment"):
        made_missing = str(getattr(estimator, option, "")).startswith("as_missing")
        if made_missing and estimator.missing_value_treatment != "as_is":
            context.refuse(
                "makes values missing, and it is not said whether those are replaced or refused "
                "as others; replace missing values in a step of scikit-learn",
                option=option,
            )


Ranges = list[tuple[float, float]]


def _ranges(estimator: Any, width: int, context: Context) -> Ranges | None:
    """The least and the largest number of training of each column; `None`: all are valid."""
    import numpy

    if not getattr(estimator, "with_data", True):
        return None
    ends = []
    for name in ("data_min_", "data_max_"):
        if not hasattr(estimator, name):
            context.refuse(f"has no attribute `{name}`, as the versions that are known have")
        numbers = numpy.ravel(numpy.asarray(getattr(estimator, name), dtype="float64"))
        if len(numbers) != width or not numpy.isfinite(numbers).all():
            context.refuse(f"has an attribute `{name}` that is no finite number for each column")
        ends.append(numbers.tolist())
    return list(zip(*ends, strict=True))


def _told(value: Value, function: str, context: Context) -> Value:
    columns = (Column(None, "number"),) * value.width
    return context.add("map", context.number(value), columns, function=function, precision="f64")


def _choose(condition: Value, number: float, value: Value, context: Context) -> Value:
    """The number where that is so, else the value; the columns stay those of the value."""
    import numpy

    columns = _doubles(value)
    constant = context.add("constant", [], columns, values=numpy.full(value.width, number))
    inputs = [condition, constant, value]
    return context.add("choose", inputs, columns, frame=value.frame)


def _outside(value: Value, ranges: Ranges, context: Context) -> Value:
    """1 for each number outside of its range, 0 for a missing one."""
    import numpy

    edges = [(low, math.nextafter(high, math.inf)) for low, high in ranges]
    coded = context.add(
        "digitize",
        context.number(value),
        codes(value.width),
        edges=numpy.array(edges).ravel(),
        ends=2 * numpy.arange(1, value.width + 1),
    )
    columns = (Column(None, "number"),) * value.width
    outside = context.add(
        "lookup",
        coded,
        columns,
        values=numpy.tile([1.0, 0.0, 1.0], value.width),
        ends=3 * numpy.arange(1, value.width + 1),
        absent=numpy.ones(value.width),
    )
    zeros = context.add("constant", [], columns, values=numpy.zeros(value.width))
    return context.add("choose", [_told(value, "isnan", context), zeros, outside], columns)


def _without_invalid(
    estimator: Any, value: Value, ranges: Ranges | None, context: Context
) -> Value:
    treatment = estimator.invalid_value_treatment
    if ranges is None or treatment == "as_is":
        return value
    if treatment == "return_invalid":
        policies = [Field(minimum=low, maximum=high, on_range="refuse") for low, high in ranges]
        return _declared(value, policies, context)
    number = math.nan if treatment == "as_missing" else float(estimator.invalid_value_replacement)
    return _choose(_outside(value, ranges, context), number, value, context)


def _declared(value: Value, policies: Sequence[Field], context: Context) -> Value:
    """The value, of which the schema refuses what is invalid."""
    for at, policy in enumerate(policies):
        if context.declare(value, at, policy) is None:
            context.refuse(
                "refuses what a step before has computed; let the domain come first",
                option="invalid_value_treatment",
            )
    return value


def _without_outliers(estimator: Any, value: Value, context: Context) -> Value:
    import numpy

    treatment = getattr(estimator, "outlier_treatment", "as_is") or "as_is"
    if treatment == "as_is":
        return value
    low, high = (getattr(estimator, name) for name in ("low_value", "high_value"))
    if low is None or high is None:
        context.refuse("needs `low_value` and `high_value`", option="outlier_treatment")
    if treatment == "as_extreme_values":
        columns = _doubles(value)
        lows, highs = (numpy.full(value.width, float(end)) for end in (low, high))
        return context.add(
            "clip", value, columns, frame=value.frame, minimum=lows, maximum=highs, precision="f64"
        )
    if treatment != "as_missing_values":
        context.refuse(f"`{treatment}` is not known", option="outlier_treatment")
    outside = _outside(value, [(float(low), float(high))] * value.width, context)
    return _choose(outside, math.nan, value, context)


def categorical_domain(estimator: Any, value: Value, context: Context) -> Value:
    """The levels: missing ones replaced, those that were not in training refused or replaced."""
    _check(estimator, dense(value, context), context)
    valid = _valid(estimator, value.width, context)
    parts = [
        _categories(estimator, context.select(value, [at]), valid and valid[at], context)
        for at in range(value.width)
    ]
    return context.concat(parts, frame=value.frame)


def _valid(estimator: Any, width: int, context: Context) -> list[list[Any]] | None:
    """The levels of training of each column; `None`: all are valid."""
    import numpy

    if not getattr(estimator, "with_data", True):
        return None
    if not hasattr(estimator, "data_values_"):
        context.refuse("has no attribute `data_values_`, as the versions that are known have")
    found = estimator.data_values_
    several = [isinstance(one, (list, tuple, numpy.ndarray)) for one in found]
    columns = list(found) if all(several) else [found]
    if any(several) != all(several) or len(columns) != width:
        context.refuse("has an attribute `data_values_` that is no list of levels for each column")
    return [[getattr(level, "tolist", lambda one=level: one)() for level in one] for one in columns]


def _categories(estimator: Any, value: Value, levels: list[Any] | None, context: Context) -> Value:

    (column,) = value.columns
    if column.kind != "text" or column.dtype == "category":
        context.refuse(
            f"column `{column.name or '?'}` is {column.dtype}; domains of texts that are no pandas "
            "categories convert"
        )
    missing = estimator.missing_value_treatment
    filling = str(estimator.missing_value_replacement) if missing in REPLACED else None
    treatment = estimator.invalid_value_treatment
    if levels is not None and treatment != "as_is":
        levels = [level for level in levels if isinstance(level, str)]
        if treatment == "return_invalid":
            _declared(value, [Field(levels=levels, on_unseen="refuse")], context)
        else:
            other = estimator.invalid_value_replacement if treatment == "as_value" else None
            value = _known(value, levels, other, context)
    if missing == "return_invalid":
        value = context.require(value)
    if filling is None:
        return value
    filled = [replace(column, missing="never")]
    return context.add("impute_text", value, filled, missing=None, replacements=[filling])


def _known(value: Value, levels: list[str], other: Any, context: Context) -> Value:
    """The texts that are levels, another one in place of others."""
    import numpy

    count = len(levels)
    coded = context.add(
        "encode_text",
        value,
        codes(1),
        levels=levels,
        ends=numpy.array([count]),
        codes=numpy.arange(count),
        missing_codes=numpy.array([-1]),
        unseen_codes=numpy.array([count]),
    )
    return context.add(
        "lookup_text",
        coded,
        value.columns,
        values=[*levels, "" if other is None else str(other)],
        present=numpy.array([1] * count + [int(other is not None)], dtype="int32"),
        absent=None,
    )


def multi_domain(estimator: Any, value: Value, context: Context) -> Value:
    """Each domain on the column at its place; without one a column stays."""
    domains = list(estimator.domains)
    if len(domains) != value.width:
        context.refuse(f"has {len(domains)} domains, and gets {value.width} columns")
    parts = []
    for at, domain in enumerate(domains):
        part = context.select(value, [at])
        parts.append(part if domain is None else context.transform(domain, part, str(at)))
    return context.concat(parts, frame=value.frame)


def alias(estimator: Any, value: Value, context: Context) -> Value:
    """What the transformer inside makes; the name is for PMML."""
    return context.transform(getattr(estimator, "transformer_", estimator.transformer), value)


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "sklearn2pmml.decoration.Alias": alias,
    "sklearn2pmml.decoration.CategoricalDomain": categorical_domain,
    "sklearn2pmml.decoration.ContinuousDomain": continuous_domain,
    "sklearn2pmml.decoration.MultiDomain": multi_domain,
    "sklearn2pmml.decoration.OrdinalDomain": categorical_domain,
}
