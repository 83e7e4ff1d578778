"""What scikit-learn's `check_array` makes of a value: dtypes, and what it refuses."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.values import Column, Value, numeric_columns

__all__ = [
    "array_dtype",
    "check_version",
    "dense",
    "finite_array",
    "finite_rows",
    "float_dtype",
    "floats",
    "full",
    "marker",
    "sized",
]


def sized(converters: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The converters, each after a check that there are as many columns as were fitted."""

    def checked(converter: Callable[..., Any]) -> Callable[..., Any]:
        def convert(estimator: Any, value: Value, context: Context) -> Any:
            fitted = getattr(estimator, "n_features_in_", value.width)
            if fitted != value.width:
                context.refuse(f"was fitted on {fitted} columns and gets {value.width}")
            if not value.width:
                # Encoders take no columns, and give none.
                return replace(value, frame="")
            return converter(estimator, value, context)

        return convert

    return {name: checked(converter) for name, converter in converters.items()}


def check_version(estimator: Any, attribute: str, context: Context) -> None:
    """Refuses a model that was fitted before the library had this attribute."""
    if not hasattr(estimator, attribute):
        context.refuse("was fitted by another version of scikit-learn; fit it again")


def dense(value: Value, context: Context) -> Value:
    """The value, where the estimator takes no sparse matrix."""
    if value.sparse:
        context.refuse("takes no sparse matrix; let the step before give a dense one")
    return value


def full(matrix: Any) -> Any:
    """The matrix, which is sparse where the data of training was, as an array."""
    return matrix.toarray() if hasattr(matrix, "toarray") else matrix


def floats(
    value: Value, context: Context, *, missing: bool = False, dtype: str | None = None
) -> Value:
    """An array of float64 or float32; a row with infinities is refused.

    As `check_array(X, dtype=FLOAT_DTYPES)`; `missing` is `ensure_all_finite="allow-nan"`, `dtype`
    another dtype than `float_dtype`.
    """
    dtype = dtype or float_dtype(value, context)
    if value.frame and dtype == "float32" and missing:
        _check_stable(value, context)
    numbers = context.number(value)
    if any(column.dtype == "float16" for column in numbers.columns):
        context.refuse("computes in float16, which the engine does not; cast to float32 before")
    precision = {"float32": "f32", "float64": "f64"}[dtype]
    numbers = context.require(numbers, missing=missing, precision=precision)
    return replace(numbers, columns=numeric_columns(value.width, dtype), frame="")


def finite_rows(value: Value, context: Context) -> Value:
    """An array of finite numbers without names, checked in the precision that the value has."""
    rows = context.require(context.number(dense(value, context)), precision=value.precision)
    return replace(rows, frame="").with_columns(numeric_columns(rows.width))


def finite_array(value: Value, context: Context, *, missing: bool = False) -> Value:
    """The value as `check_array(X, dtype=None)` makes an array of it: in the dtype that it has.

    `missing` is `ensure_all_finite=False`. An array of objects is checked in another way.
    """
    if value.frame and any(column.dtype == "bool" for column in value.columns):
        context.refuse(
            "gets a frame with booleans, which becomes an array of objects as one is missing; cast "
            "them to numbers before fitting"
        )
    if array_dtype(value) == "object":
        context.refuse("gets an array of objects; encode texts in a step before")
    dtype = array_dtype(value)
    kind = "boolean" if dtype == "bool" else "number"
    plain = replace(value, frame="", columns=(Column(None, kind, dtype),) * value.width)
    return context.require(plain, missing=missing, infinite=missing, precision=plain.precision)


def float_dtype(value: Value, context: Context) -> str:
    """`float32` where all columns are that or smaller, else `float64`.

    `check_array` asks only pandas frames and arrays for their dtype, so others become float64.
    """
    return "float64" if value.arrow else value.dtype


def _check_stable(value: Value, context: Context) -> None:
    """Refuses booleans beside float32, where a missing one makes objects of its column."""
    if any(column.dtype == "bool" for column in value.columns):
        context.refuse(
            "columns of float32 and of bool together are computed in float32 or float64, as a "
            "value is missing or not; cast them to one dtype before fitting"
        )


def array_dtype(value: Value) -> str:
    """The dtype of the array that `check_array(X, dtype=None)` makes of the value."""
    import numpy

    dtypes = {_plain(column) for column in value.columns}
    return "object" if "object" in dtypes else str(numpy.result_type(*sorted(dtypes)))


def _plain(column: Column) -> str:
    """The dtype of a column by itself, as numpy has it."""
    if column.kind not in ("number", "boolean"):
        return "object"
    if column.dtype == "category":
        whole = all(type(level) is int for level in column.categories or ())
        return "int64" if whole else "float64"
    nullable = column.dtype != column.dtype.lower() or column.dtype == "boolean"
    return "float64" if nullable else column.dtype


def marker(column: Column, *, frame: str, objects: bool) -> str:
    """What stands for a missing value in the array: `nan`, `none`, `na` (pandas.NA) or `never`.

    `objects`: the array is one of objects; else nullable columns were turned into floats.
    """
    if column.dtype == "bool" and frame:
        # A frame with a missing boolean has a column of objects.
        return "none"
    if column.kind in ("number", "boolean") and column.dtype != "object" and not objects:
        return "nan"
    return column.missing
