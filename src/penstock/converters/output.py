"""`set_output` of scikit-learn: the frames that are made of what transformers give."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from penstock.converters.values import Column, Value

if TYPE_CHECKING:
    from penstock.converters.context import Context

__all__ = ["frame_output", "framed"]

# numpy's numbers, which no library of frames turns into others.
PLAIN = frozenset(
    ("float64", "float32", *(f"{u}int{size}" for u in ("", "u") for size in (8, 16, 32, 64)))
)


def frame_output(estimator: Any) -> str:
    """The library of the frame that scikit-learn makes of what the transformer gives, if any."""
    # sklearn/utils/_set_output.py, `_auto_wrap_is_configured` and `_get_output_config`.
    keys = getattr(estimator, "_sklearn_auto_wrap_output_keys", ())
    if "transform" not in keys or not hasattr(estimator, "get_feature_names_out"):
        return ""
    configured = getattr(estimator, "_sklearn_output_config", {}).get("transform")
    if configured is None:
        from sklearn import get_config

        configured = get_config()["transform_output"]
    return "" if configured == "default" else str(configured)


def framed(value: Value, estimator: Any, context: "Context") -> Value:
    """The value in a frame, under the names that `set_output` gives."""
    library = frame_output(estimator)
    if value.sparse:
        context.refuse("gives a sparse matrix, which `set_output` cannot make a frame of")
    if value.frame not in ("", library) and not _moves(value):
        context.refuse(
            f"`set_output` makes a {library} frame of one of {value.frame}, which changes types; "
            f"set it to {value.frame}"
        )
    if library == "pandas" and not value.frame:
        value = value.with_columns(_typed(column, context) for column in value.columns)
    names = _names(value, estimator)
    columns = zip(value.columns, names, strict=True)
    return replace(
        value,
        columns=tuple(replace(column, name=str(name)) for column, name in columns),
        frame=library,
    )


def _moves(value: Value) -> bool:
    """Whether the columns keep their types in a frame of another library."""
    dtypes = {column.dtype for column in value.columns}
    if not all(column.kind == "number" for column in value.columns) or value.frame == "arrow":
        return False
    # pandas makes one array of a frame of Polars; Polars takes the columns of pandas one by one.
    floats = dtypes in ({"float64"}, {"float32"})
    return floats or (value.frame == "pandas" and dtypes <= PLAIN)


def _typed(column: Column, context: "Context") -> Column:
    """The column as pandas types it: since pandas 3 an array of texts becomes one of `str`."""
    if column.kind != "text" or column.missing in ("nan", "never"):
        return column
    context.refuse(
        "`set_output` makes a pandas frame of texts that may be None, and pandas reads None as NaN "
        "where a text is beside it, as None where not; impute None before "
        "(`SimpleImputer(missing_values=None)`), or leave `set_output`"
    )


def _names(value: Value, estimator: Any) -> Sequence[Any]:
    # sklearn/utils/_set_output.py, `get_columns`: a step inside may have no names to give; then a
    # frame keeps its own, and the columns of an array are counted.
    try:
        names: Sequence[Any] = estimator.get_feature_names_out()
    except AttributeError:
        return value.names if value.frame else range(value.width)
    return names
