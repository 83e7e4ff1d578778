"""The functions that formulas may call, and the nodes that each becomes."""

import ast
import math
from collections.abc import Callable
from typing import Any

from penstock.converters.clocks import changes
from penstock.converters.expressions import NUMERIC, Expressions, Term, array
from penstock.errors import ConvertError

__all__ = ["FUNCTIONS", "UNITS"]

Function = Callable[..., Term]

# Functions of Python's `math` on one number; true: correctly rounded.
MATH: dict[str, bool] = {
    **dict.fromkeys(("abs", "ceil", "degrees", "floor", "radians", "sqrt", "trunc"), True),
    **dict.fromkeys(("acos", "asin", "atan", "cos", "cosh", "exp", "exp2", "expm1"), False),
    **dict.fromkeys(("log10", "log1p", "log2", "sin", "sinh", "tan", "tanh"), False),
}
PARTS = (
    *("year", "quarter", "month", "week", "day", "day_of_year", "weekday"),
    *("hour", "minute", "second", "microsecond"),
)
# What a time is rounded down to, and what differences are counted in; microseconds, where fixed.
UNITS: dict[str, float | None] = {
    "second": 1e6,
    "minute": 6e7,
    "hour": 3.6e9,
    "day": 8.64e10,
    "week": 6.048e11,
    "month": None,
    "quarter": None,
    "year": None,
}
# The mean radius of the Earth in kilometers (IUGG).
EARTH = 6371.0088


def _math(name: str, *, exact: bool) -> Function:
    def function(expressions: Expressions, x: ast.expr) -> Term:
        return expressions.math(name, expressions.number(x), exact=exact)

    return function


def _log(expressions: Expressions, x: ast.expr, base: ast.expr | None = None) -> Term:
    term = expressions.math("log", expressions.number(x), exact=False)
    if base is None:
        return term
    other = expressions.math("log", expressions.number(base), exact=False)
    return expressions.combine("divide", term.value, other.value)


def _round(expressions: Expressions, x: ast.expr, digits: ast.expr | None = None) -> Term:
    count = 0 if digits is None else expressions.literal(digits)
    if not isinstance(count, int) or not 0 <= count <= 22:
        expressions.refuse(x, "is rounded to 0 to 22 digits")
    return expressions.add("round", expressions.number(x), digits=count)


def _pair(function: str) -> Function:
    def pair(expressions: Expressions, x: ast.expr, y: ast.expr) -> Term:
        return expressions.combine(function, expressions.number(x), expressions.number(y))

    return pair


def _extreme(function: str) -> Function:
    def extreme(expressions: Expressions, x: ast.expr, *others: ast.expr) -> Term:
        if not others:
            expressions.refuse(x, f"a {function} is one of two numbers or more")
        value = expressions.number(x)
        for other in others:
            value = expressions.combine(function, value, expressions.number(other)).value
        return Term(value, "number")

    return extreme


def _clip(expressions: Expressions, x: ast.expr, low: ast.expr, high: ast.expr) -> Term:
    value = expressions.number(x)
    if all(expressions.is_literal(end, int, float) for end in (low, high)):
        ends = [array([float(expressions.literal(end))]) for end in (low, high)]
        return expressions.add("clip", value, minimum=ends[0], maximum=ends[1], precision="f64")
    value = expressions.combine("maximum", value, expressions.number(low)).value
    return expressions.combine("minimum", value, expressions.number(high))


def _bucket(expressions: Expressions, x: ast.expr, *edges: ast.expr) -> Term:
    """How many edges are not above the number."""
    given: Any = [expressions.literal(edge) for edge in edges]
    if len(given) == 1 and isinstance(given[0], (list, tuple)):
        given = given[0]
    levels = [float(edge) for edge in given]
    if not levels or levels != sorted(levels):
        expressions.refuse(x, "the edges of buckets ascend, and there is one at least")
    value = expressions.number(x)
    code = expressions.add("digitize", value, edges=array(levels), ends=array([len(levels)]))
    number = expressions.add(
        "lookup",
        code.value,
        values=array([float(at) for at in range(len(levels) + 1)]),
        ends=array([len(levels) + 1]),
        absent=array([math.nan]),
    )
    missing = expressions.is_missing(Term(value, "number"))
    return expressions.choose(missing.value, expressions.constant(None), number, "number")


def _haversine(
    expressions: Expressions, lat1: ast.expr, lon1: ast.expr, lat2: ast.expr, lon2: ast.expr
) -> Term:
    """Kilometers between two points in degrees, on a sphere."""
    latitude, longitude, other_latitude, other_longitude = (
        expressions.math("radians", expressions.number(angle)).value
        for angle in (lat1, lon1, lat2, lon2)
    )

    def half_sine_squared(first: Any, second: Any) -> Any:
        difference = expressions.combine("subtract", second, first).value
        half = expressions.combine("divide", difference, expressions.constant(2.0).value).value
        sine = expressions.math("sin", half, exact=False).value
        return expressions.combine("multiply", sine, sine).value

    cosines = [
        expressions.math("cos", angle, exact=False).value for angle in (latitude, other_latitude)
    ]
    product = expressions.combine("multiply", cosines[0], cosines[1]).value
    turned = half_sine_squared(longitude, other_longitude)
    product = expressions.combine("multiply", product, turned).value
    total = expressions.combine("add", half_sine_squared(latitude, other_latitude), product).value
    root = expressions.math("sqrt", total).value
    root = expressions.combine("minimum", root, expressions.constant(1.0).value).value
    angle = expressions.math("asin", root, exact=False).value
    return expressions.combine("multiply", expressions.constant(2 * EARTH).value, angle)


def _cyclic(function: str) -> Function:
    def cyclic(expressions: Expressions, x: ast.expr, period: ast.expr) -> Term:
        turn = expressions.combine("divide", expressions.number(x), expressions.number(period))
        whole = expressions.constant(2 * math.pi).value
        angle = expressions.combine("multiply", turn.value, whole).value
        return expressions.math(function, angle, exact=False)

    return cyclic


def _missing(expressions: Expressions, x: ast.expr) -> Term:
    return expressions.is_missing(expressions.term(x))


def _default(expressions: Expressions, x: ast.expr, value: ast.expr) -> Term:
    """The value in place of a missing one."""
    term, other = expressions.term(x), expressions.of(value, *_alike(expressions, x))
    kind = "number" if term.kind == "boolean" else term.kind
    return expressions.choose(expressions.is_missing(term).value, other, term, kind)


def _alike(expressions: Expressions, x: ast.expr) -> tuple[str, ...]:
    kind = expressions.term(x).kind
    return NUMERIC if kind in NUMERIC else (kind,)


# -- texts --


def _measure(function: str) -> Function:
    def measure(expressions: Expressions, text: ast.expr) -> Term:
        exact = function != "entropy"
        value = expressions.text(text)
        return expressions.add("measure_text", value, exact=exact, function=function)

    return measure


def _float(expressions: Expressions, x: ast.expr) -> Term:
    term = expressions.of(x, *NUMERIC, "text")
    if term.kind == "text":
        return expressions.add("measure_text", term.value, function="number")
    return Term(term.value, "number")


def _find(function: str, kind: str = "boolean") -> Function:
    def find(expressions: Expressions, text: ast.expr, part: ast.expr) -> Term:
        wanted = _text(expressions, part)
        if function == "count" and not wanted:
            expressions.refuse(part, "there is no end of empty texts to count")
        value = expressions.text(text)
        return expressions.add("find_text", value, kind, function=function, text=wanted)

    return find


def _case(to: str) -> Function:
    def case(expressions: Expressions, text: ast.expr) -> Term:
        return expressions.add("change_case", expressions.text(text), "text", to=to)

    return case


def _strip(side: str) -> Function:
    def strip(expressions: Expressions, text: ast.expr, characters: ast.expr | None = None) -> Term:
        given = None if characters is None else _text(expressions, characters)
        value = expressions.text(text)
        return expressions.add("strip_text", value, "text", side=side, characters=given)

    return strip


def _text(expressions: Expressions, node: ast.expr) -> str:
    text = expressions.literal(node)
    if not isinstance(text, str):
        expressions.refuse(node, "a constant text is due")
    return text


def _replace(expressions: Expressions, text: ast.expr, old: ast.expr, new: ast.expr) -> Term:
    before, after = _text(expressions, old), _text(expressions, new)
    if not before:
        expressions.refuse(old, "an empty text is not replaced")
    value = expressions.text(text)
    return expressions.add("replace_text", value, "text", old=before, new=after)


def _part(expressions: Expressions, text: ast.expr, separator: ast.expr, index: ast.expr) -> Term:
    at, between = expressions.literal(index), _text(expressions, separator)
    if not isinstance(at, int) or not between:
        expressions.refuse(index, "a part has a separator and a whole number")
    value = expressions.text(text)
    return expressions.add("part_text", value, "text", separator=between, index=at)


def _concat(expressions: Expressions, text: ast.expr, *others: ast.expr) -> Term:
    term = expressions.of(text, "text")
    for other in others:
        value = expressions.text(other)
        term = expressions.add("join_text", [term.value, value], "text")
    return term


def _matches(expressions: Expressions, text: ast.expr, pattern: ast.expr) -> Term:
    value, given = expressions.text(text), _pattern(expressions, pattern)
    return expressions.add("match_text", value, "boolean", pattern=given)


def _extract(expressions: Expressions, text: ast.expr, pattern: ast.expr) -> Term:
    value, given = expressions.text(text), _pattern(expressions, pattern)
    return expressions.add("extract_text", value, "text", pattern=given)


def _pattern(expressions: Expressions, node: ast.expr) -> str:
    import re

    pattern = _text(expressions, node)
    try:
        re.compile(pattern)
    except re.error as error:
        expressions.refuse(node, f"is no regular expression: {error}")
    return pattern


def _count_words(expressions: Expressions, text: ast.expr, words: ast.expr) -> Term:
    given = expressions.literal(words)
    if isinstance(given, str) or not all(isinstance(word, str) and word for word in given):
        expressions.refuse(words, "a list of words is due, none of them empty")
    value = expressions.text(text)
    return expressions.add("count_words", value, words=sorted(set(given)))


def _hash_bucket(expressions: Expressions, text: ast.expr, buckets: ast.expr) -> Term:
    count = expressions.literal(buckets)
    if not isinstance(count, int) or not 0 < count < 2**31:
        expressions.refuse(buckets, "the number of buckets is 1 to 2147483647")
    return expressions.add("hash_bucket", expressions.text(text), buckets=count)


# -- times --


def _time_part(part: str) -> Function:
    def time_part(expressions: Expressions, time: ast.expr) -> Term:
        return expressions.add("time_part", expressions.of(time, "time").value, part=part)

    return time_part


def _parse_time(expressions: Expressions, text: ast.expr, format: ast.expr) -> Term:
    value = expressions.text(text)
    return expressions.add("parse_time", value, "time", format=_text(expressions, format))


def _floor_time(expressions: Expressions, time: ast.expr, unit: ast.expr) -> Term:
    value = expressions.of(time, "time").value
    return expressions.add("floor_time", value, "time", unit=_unit(expressions, unit))


def _unit(expressions: Expressions, node: ast.expr) -> str:
    unit = _text(expressions, node).removesuffix("s")
    if unit not in UNITS:
        expressions.refuse(node, f"a unit is one of `{'`, `'.join(UNITS)}`")
    return unit


def _difference(
    expressions: Expressions, later: ast.expr, earlier: ast.expr, unit: ast.expr
) -> Term:
    name = _unit(expressions, unit)
    if UNITS[name] is None:
        expressions.refuse(unit, "is no fixed time; count in days or weeks")
    times = [expressions.of(time, "time").value for time in (later, earlier)]
    between = expressions.combine("subtract", times[0], times[1]).value
    return expressions.combine("divide", between, expressions.constant(UNITS[name]).value)


def _at_zone(expressions: Expressions, time: ast.expr, zone: ast.expr) -> Term:
    """What clocks show in a time zone."""
    try:
        transitions, offsets = changes(_text(expressions, zone))
    except ConvertError as error:
        expressions.refuse(zone, str(error))
    value = expressions.of(time, "time").value
    return expressions.add(
        "zone_time",
        value,
        "time",
        transitions=array([float(second) for second in transitions]).astype("float64"),
        offsets=array(offsets),
    )


FUNCTIONS: dict[str, Function] = {
    **{name: _math(name, exact=exact) for name, exact in MATH.items()},
    "int": _math("trunc", exact=True),
    **{name: _time_part(name) for name in PARTS},
    "at_zone": _at_zone,
    "atan2": _pair("arctan2"),
    "bucket": _bucket,
    "clip": _clip,
    "concat": _concat,
    "contains": _find("contains"),
    "count": _find("count", "number"),
    "count_words": _count_words,
    "cyclic_cos": _cyclic("cos"),
    "cyclic_sin": _cyclic("sin"),
    "default": _default,
    "difference": _difference,
    "endswith": _find("ends_with"),
    "entropy": _measure("entropy"),
    "extract": _extract,
    "float": _float,
    "floor_time": _floor_time,
    "hash_bucket": _hash_bucket,
    "haversine": _haversine,
    "len": _measure("length"),
    "length": _measure("length"),
    "log": _log,
    "lower": _case("lower"),
    "lstrip": _strip("start"),
    "matches": _matches,
    "max": _extreme("maximum"),
    "min": _extreme("minimum"),
    "missing": _missing,
    "parse_time": _parse_time,
    "part": _part,
    "pow": _pair("power"),
    "replace": _replace,
    "round": _round,
    "rstrip": _strip("end"),
    "share": _find("share", "number"),
    "startswith": _find("starts_with"),
    "strip": _strip("both"),
    "upper": _case("upper"),
}
