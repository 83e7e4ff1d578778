"""Functions that `FunctionTransformer` and transformed targets apply: numpy's, on a list."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.values import EXACT, LINK_TOLERANCE, SAME_IN_F32, Column, Value

__all__ = ["apply_function", "function_transformer"]

# Names of ufuncs to names of the operator `map`.
FUNCTIONS: dict[str, str] = {
    "absolute": "abs",
    "arccos": "arccos",
    "arccosh": "arccosh",
    "arcsin": "arcsin",
    "arcsinh": "arcsinh",
    "arctan": "arctan",
    "arctanh": "arctanh",
    "cbrt": "cbrt",
    "ceil": "ceil",
    "cos": "cos",
    "cosh": "cosh",
    "deg2rad": "radians",
    "degrees": "degrees",
    "exp": "exp",
    "exp2": "exp2",
    "expit": "sigmoid",
    "expm1": "expm1",
    "fabs": "abs",
    "floor": "floor",
    "isfinite": "isfinite",
    "isinf": "isinf",
    "isnan": "isnan",
    "log": "log",
    "log10": "log10",
    "log1p": "log1p",
    "log2": "log2",
    "negative": "negative",
    "positive": "identity",
    "rad2deg": "degrees",
    "radians": "radians",
    "reciprocal": "reciprocal",
    "rint": "rint",
    "sign": "sign",
    "sin": "sin",
    "sinh": "sinh",
    "sqrt": "sqrt",
    "square": "square",
    "tan": "tan",
    "tanh": "tanh",
    "trunc": "trunc",
}
TESTS = frozenset(("isfinite", "isinf", "isnan"))
# On integers numpy computes these in integers: `reciprocal` gives 0, `square` overflows.
INTEGER = frozenset(("reciprocal", "square"))
# numpy computes functions of these in float16 or float32.
SMALL = frozenset(("bool", "boolean", "int8", "int16", "uint8", "uint16"))


def function_transformer(estimator: Any, value: Value, context: Context) -> Value:
    """A named function of every element; without a function, the same elements."""
    if estimator.validate:
        value = context.require(context.number(replace(value, frame="")))
    value, _ = apply_function(value, estimator.func, estimator.kw_args, context, "func")
    if value.frame and estimator.feature_names_out is not None:
        # sklearn/preprocessing/_function_transformer.py, `transform`: renames what kept its names.
        names = estimator.get_feature_names_out()
        columns = zip(value.columns, names, strict=True)
        return value.with_columns(replace(column, name=str(name)) for column, name in columns)
    return value


def apply_function(
    value: Value, function: Any, keywords: Mapping[str, Any] | None, context: Context, option: str
) -> tuple[Value, bool]:
    """The function of every element, and whether that is exact to the bit."""
    called = CALLED.get(_numpy_name(function))
    if called is not None:
        return called(value, dict(keywords or {}), context, option), True
    name = _name(function, context, option)
    if keywords:
        known = ", ".join(f"`{key}`" for key in keywords)
        context.refuse(f"keywords are not supported: {known}", option=_KEYWORDS[option])
    if name == "identity":
        return value, True
    for column in value.columns:
        _check(column, name, value, context, option)
    singles = {column.dtype == "float32" for column in value.columns}
    if value.frame and len(singles) > 1 and name not in SAME_IN_F32:
        context.refuse("columns of float32 and others are mixed; cast them first", option=option)
    columns = tuple(_column(column, name) for column in value.columns)
    value = context.add(
        "map",
        value,
        columns,
        sparse=value.sparse,
        frame=value.frame,
        tolerance=0.0 if name in EXACT else LINK_TOLERANCE,
        function=name,
        precision=value.precision,
    )
    return value, name in EXACT


def _numpy_name(function: Any) -> str:
    """The name of a function of numpy that is no ufunc."""
    import numpy

    name = str(getattr(function, "__name__", ""))
    return name if name in CALLED and getattr(numpy, name, None) is function else ""


def _given(
    keywords: dict[str, Any], names: Mapping[str, Any], context: Context, option: str
) -> Any:
    """The keywords in the order of the names, as numbers; those that are left out as they are."""
    others = [name for name in keywords if name not in names]
    if others:
        known = ", ".join(f"`{name}`" for name in others)
        context.refuse(f"keywords are not supported: {known}", option=_KEYWORDS[option])
    given = {**names, **keywords}
    for name, number in given.items():
        if number is not None and type(number) not in (int, float):
            context.refuse(f"`{name}` is no plain number", option=_KEYWORDS[option])
    return [given[name] for name in names]


def _check_doubles(value: Value, name: str, context: Context, option: str) -> None:
    for column in value.columns:
        if column.kind != "number" or column.dtype != "float64":
            context.refuse(
                f"`{name}` of column `{column.name or '?'}` of dtype {column.dtype}: it takes "
                "float64; cast it before",
                option=option,
            )


def _clip(value: Value, keywords: dict[str, Any], context: Context, option: str) -> Value:
    """numpy.clip, whose ends have two names each."""
    import numpy

    _check_doubles(value, "clip", context, option)
    names = dict.fromkeys(("a_min", "a_max", "min", "max"))
    low, high, least, most = _given(keywords, names, context, option)
    low, high = (least if low is None else low), (most if high is None else high)
    low = -numpy.inf if low is None else float(low)
    high = numpy.inf if high is None else float(high)
    if not low <= high:
        context.refuse("the ends are missing or descend", option=_KEYWORDS[option])
    ends: dict[str, Any] = {
        "minimum": numpy.full(value.width, low),
        "maximum": numpy.full(value.width, high),
    }
    return context.add("clip", value, value.columns, frame=value.frame, precision="f64", **ends)


def _round(value: Value, keywords: dict[str, Any], context: Context, option: str) -> Value:
    """numpy.round: times a power of ten, to the nearest even, and back."""
    _check_doubles(value, "round", context, option)
    (decimals,) = _given(keywords, {"decimals": 0}, context, option)
    if type(decimals) is not int or abs(decimals) > MOST_DECIMALS:
        context.refuse(
            f"`decimals` is a whole number up to {MOST_DECIMALS}", option=_KEYWORDS[option]
        )
    there, back = ("multiply", "divide") if decimals > 0 else ("divide", "multiply")
    power = 10.0 ** abs(decimals)
    frame = value.frame
    if decimals:
        value = context.arithmetic(value, there, power, frame=frame)
    value = context.add("map", value, value.columns, frame=frame, function="rint", precision="f64")
    return context.arithmetic(value, back, power, frame=frame) if decimals else value


def _nan_to_num(value: Value, keywords: dict[str, Any], context: Context, option: str) -> Value:
    """numpy.nan_to_num, which makes an array of a frame."""
    import numpy

    _check_doubles(value, "nan_to_num", context, option)
    (filling,) = _given(keywords, {"nan": 0.0}, context, option)
    most = float(numpy.finfo("float64").max)
    columns = tuple(replace(column, name=None) for column in value.columns)
    numbers = numpy.full(value.width, float(filling or 0.0))
    value = context.add("impute", value, columns, missing=None, replacements=numbers)
    ends: dict[str, Any] = {
        "minimum": numpy.full(value.width, -most),
        "maximum": numpy.full(value.width, most),
    }
    return context.add("clip", value, columns, precision="f64", **ends)


# Powers of ten that f64 holds.
MOST_DECIMALS = 22
CALLED: dict[str, Any] = {
    "around": _round,
    "clip": _clip,
    "nan_to_num": _nan_to_num,
    "round": _round,
}
_KEYWORDS = {"func": "kw_args", "inverse_func": "inv_kw_args"}


def _name(function: Any, context: Context, option: str) -> str:
    import numpy

    # sklearn/preprocessing/_function_transformer.py: `_identity` stands for no function.
    if function is None or getattr(function, "__name__", "") == "_identity":
        return "identity"
    name = getattr(function, "__name__", str(function))
    if not isinstance(function, numpy.ufunc) or name not in FUNCTIONS:
        known = "`, `".join(sorted([*FUNCTIONS, *CALLED]))
        context.refuse(
            f"the function `{name}` is not supported: an artifact holds no code. Supported are the "
            f"functions of numpy `{known}`, as they are (`numpy.log1p`, not a function around it); "
            "`penstock.steps.Derive` takes formulas and plain functions of columns",
            option=option,
        )
    return FUNCTIONS[name]


def _column(column: Column, name: str) -> Column:
    if name in TESTS:
        return Column(column.name, "boolean", "bool")
    keeps = column.dtype == "float32" or (name in SAME_IN_F32 and column.kind == "number")
    return Column(column.name, "number", column.dtype if keeps else "float64")


def _check(column: Column, name: str, value: Value, context: Context, option: str) -> None:
    """Refuses columns on which numpy computes in another type than the engine."""
    dtype = column.dtype.lower()
    where = f"`{name}` of column `{column.name or '?'}` of dtype {column.dtype}"
    if column.kind not in ("number", "boolean") or dtype in ("object", "category"):
        context.refuse(f"{where}: it takes numbers", option=option)
    if dtype in SMALL and name not in TESTS:
        context.refuse(f"{where}: numpy computes it in lower precision; cast first", option=option)
    if name in INTEGER and "int" in dtype:
        context.refuse(f"{where}: numpy computes it in integers; cast first", option=option)
    if name == "negative" and dtype.startswith("uint"):
        context.refuse(f"{where}: numpy negates it without a sign; cast first", option=option)
    if value.precision == "f32" and name not in EXACT:
        context.refuse(f"{where}: not exact in float32; cast to float64 first", option=option)
