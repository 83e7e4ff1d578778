"""scikit-learn's encoders: levels to one-hot numbers or to their positions."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from penstock.converters.context import Context
from penstock.converters.grouping import grouped
from penstock.converters.labels import label_binarizer, label_encoder
from penstock.converters.levels import NONE, REFUSED, Coding, coding, encoded
from penstock.converters.validation import array_dtype, check_version, dense, marker, sized
from penstock.converters.values import Column, Value

__all__ = ["CONVERTERS"]


def one_hot_encoder(estimator: Any, value: Value, context: Context) -> Value:
    """A number for each level of each column; dropped and ignored levels are 0 everywhere."""
    import numpy

    check_version(estimator, "_drop_idx_after_grouping", context)
    layouts = [_layout(estimator, at) for at in range(value.width)]
    codings = [
        _coding(value, at, estimator.categories_[at], positions, unknown, context)
        for at, (positions, unknown, _) in enumerate(layouts)
    ]
    widths = [width for _, _, width in layouts]
    return context.add(
        "one_hot",
        encoded(_finite(value, context), codings, context),
        _columns(sum(widths), estimator.dtype, context),
        sparse=estimator.sparse_output,
        widths=numpy.array(widths, dtype="int32"),
    )


def _layout(estimator: Any, at: int) -> tuple[list[int], int, int]:
    """Positions of the levels of a column, that of an unknown one, and how many there are."""
    grouping = _grouping(estimator, at)
    count = len(estimator.categories_[at])
    positions = list(range(count)) if grouping is None else [int(code) for code in grouping]
    unknown = {"error": REFUSED, "ignore": NONE}.get(estimator.handle_unknown)
    if unknown is None:
        # `infrequent_if_exist` and `warn`: infrequent levels are the last position.
        unknown = NONE if grouping is None else max(positions)
    drops = estimator._drop_idx_after_grouping
    dropped = None if drops is None else drops[at]
    if dropped is None:
        return positions, unknown, max(positions) + 1

    def without(code: int) -> int:
        return NONE if code == dropped else code - int(code > dropped)

    return [without(code) for code in positions], without(unknown), max(positions)


def ordinal_encoder(estimator: Any, value: Value, context: Context) -> Value:
    """The position of each level; infrequent ones share the last, missing and unknown as set."""
    import numpy

    check_version(estimator, "_missing_indices", context)
    unknown = REFUSED if estimator.handle_unknown == "error" else NONE
    codings = [
        _coding(value, at, categories, range(len(categories)), unknown, context)
        for at, categories in enumerate(estimator.categories_)
    ]
    tables = [_positions(estimator, at, context) for at in range(value.width)]
    absent = _cast([estimator.unknown_value or 0], "unknown_value", estimator, context)
    return context.add(
        "lookup",
        encoded(_finite(value, context), codings, context),
        _columns(value.width, estimator.dtype, context),
        values=numpy.concatenate(tables).astype("float64"),
        ends=numpy.cumsum([len(table) for table in tables]),
        absent=numpy.repeat(absent.astype("float64"), value.width),
    )


def target_encoder(estimator: Any, value: Value, context: Context) -> Value:
    """The mean of the target for each level, or of each class; of all rows where it is unknown.

    sklearn/preprocessing/_target_encoder.py, `_transform_X_ordinal`.
    """
    import numpy

    codings = [
        _coding(value, at, categories, range(len(categories)), NONE, context)
        for at, categories in enumerate(estimator.categories_)
    ]
    coded = encoded(_finite(value, context), codings, context)
    means = numpy.atleast_1d(numpy.asarray(estimator.target_mean_, dtype="float64"))
    # Of several classes there is a table for each, column by column.
    several = len(means) if estimator.target_type_ == "multiclass" else 1
    tables = [numpy.asarray(table, dtype="float64") for table in estimator.encodings_]
    return context.add(
        "lookup",
        context.select(coded, [at for at in range(value.width) for _ in range(several)]),
        _columns(len(tables), "float64", context),
        values=numpy.concatenate(tables),
        ends=numpy.cumsum([len(table) for table in tables]),
        absent=numpy.tile(means, value.width),
    )


def _positions(estimator: Any, at: int, context: Context) -> Any:
    """What each level of a column becomes, in the dtype of the encoder."""
    import numpy

    count = len(estimator.categories_[at])
    grouping = _grouping(estimator, at)
    positions = numpy.arange(count)
    if grouping is not None:
        # A missing level is last, and never infrequent.
        positions[: len(grouping)] = grouping
    positions = positions.astype(estimator.dtype)
    if at in estimator._missing_indices:
        missing = _cast(
            [estimator.encoded_missing_value], "encoded_missing_value", estimator, context
        )
        positions[estimator._missing_indices[at]] = missing[0]
    return positions


def _grouping(estimator: Any, at: int) -> Any:
    """The code of each level of a column after infrequent ones became one, if there are such."""
    if not getattr(estimator, "_infrequent_enabled", False):
        return None
    return estimator._default_to_infrequent_mappings[at]


def _coding(
    value: Value,
    at: int,
    categories: Any,
    positions: Iterable[int],
    unknown: int,
    context: Context,
) -> Coding:
    # Frames are encoded column by column, nullable ones as floats.
    column = value.columns[at]
    null = marker(column, frame=value.frame, objects=False)
    return coding(column, categories, positions, unknown, null, context)


def _finite(value: Value, context: Context) -> Value:
    """The columns, where infinities are refused but in columns of objects (`_check_X`).

    A frame that is not of pandas becomes one array first.
    """
    dense(value, context)
    objects = value.arrow and array_dtype(value) == "object"

    def check(finite: bool, columns: Value, _: list[int]) -> Value:
        return context.require(columns, missing=True, infinite=not finite)

    keys = [
        column.kind == "number" and column.dtype != "object" and not objects
        for column in value.columns
    ]
    return grouped(value, keys, context, check)


def _columns(count: int, dtype: Any, context: Context) -> tuple[Column, ...]:
    import numpy

    dtype = numpy.dtype(dtype)
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        context.refuse(f"{dtype} is not supported; use a float or integer dtype", option="dtype")
    return (Column(None, "boolean" if dtype.kind == "b" else "number", str(dtype)),) * count


def _cast(values: list[Any], option: str, estimator: Any, context: Context) -> Any:
    """The numbers in the dtype of the encoder, if it can hold them."""
    import numpy

    array = numpy.zeros(len(values), dtype=estimator.dtype)
    try:
        array[:] = values
    except (OverflowError, ValueError):
        context.refuse(f"{values[0]!r} is no {array.dtype}", option=option)
    return array


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.preprocessing.LabelBinarizer": label_binarizer,
        "sklearn.preprocessing.LabelEncoder": label_encoder,
        "sklearn.preprocessing.OneHotEncoder": one_hot_encoder,
        "sklearn.preprocessing.OrdinalEncoder": ordinal_encoder,
        "sklearn.preprocessing.TargetEncoder": target_encoder,
    }
)
