"""What scikit-learn's `check_array` makes of a value: dtypes, and what it refuses."""

from dataclasses import replace

from penstock.converters.context import Context
from penstock.converters.values import Column, Value, numeric_columns

__all__ = ["array_dtype", "dense", "floats", "marker"]


def dense(value: Value, context: Context) -> Value:
    """The value, where the estimator takes no sparse matrix."""
    if value.sparse:
        context.refuse("takes no sparse matrix; let the step before give a dense one")
    return value


def floats(value: Value, context: Context, *, missing: bool = False) -> Value:
    """An array of float64, or of float32 where the value is that; a row with infinities is refused.

    As `check_array(X, dtype=FLOAT_DTYPES)`; `missing` is `ensure_all_finite="allow-nan"`.
    """
    precision, dtype = value.precision, value.dtype
    value = context.number(value)
    if any(column.dtype == "float16" for column in value.columns):
        context.refuse("computes in float16, which the engine does not; cast to float32 before")
    value = context.require(value, missing=missing, precision=precision)
    return replace(value, columns=numeric_columns(value.width, dtype), frame=False)


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


def marker(column: Column, *, frame: bool, objects: bool) -> str:
    """What stands for a missing value in the array: `nan`, `none` or `na` (pandas.NA).

    `objects`: the array is one of objects; else nullable columns were turned into floats.
    """
    if column.dtype == "bool" and frame:
        # A frame with a missing boolean has a column of objects.
        return "none"
    if column.kind in ("number", "boolean") and column.dtype != "object" and not objects:
        return "nan"
    return column.missing
