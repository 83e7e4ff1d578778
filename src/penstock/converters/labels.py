"""scikit-learn's label encoders, as transformers of a table with one column."""

from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.levels import NONE, REFUSED, coding, encoded
from penstock.converters.validation import dense, marker
from penstock.converters.values import (
    Ask,
    Prediction,
    Value,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["label_binarizer", "label_encoder"]

TRANSFORM = Ask("transform")


def label_encoder(estimator: Any, value: Value, context: Context) -> Prediction:
    """The position of the label among the classes; another label is refused."""
    import numpy

    classes = estimator.classes_
    array, null = _cast(_only(value, context), str(classes.dtype), context)
    item = coding(array.columns[0], classes, range(len(classes)), REFUSED, null, context)
    if classes.dtype == "bool" and null != "na":
        # numpy: None is false, NaN is true.
        positions = {bool(label): at for at, label in enumerate(classes)}
        item = replace(item, missing=positions.get(null == "nan", REFUSED))
    position = context.add(
        "lookup",
        encoded(array, [item], context),
        numeric_columns(1, "int64"),
        values=numpy.arange(len(classes), dtype="float64"),
        ends=numpy.array([len(classes)]),
        absent=numpy.zeros(1),
    )
    return Prediction((number("value", position, TRANSFORM),))


def _cast(value: Value, dtype: str, context: Context) -> tuple[Value, str]:
    """The column in the dtype of the classes, and what is missing there.

    sklearn/preprocessing/_label.py, `LabelEncoder.transform`: `column_or_1d(y, dtype=...)`.
    """
    column = value.columns[0]
    if dtype == "object":
        return value, marker(column, frame=value.frame, objects=True)
    if dtype == "bool" and column.kind == "boolean":
        return value, marker(column, frame=value.frame, objects=True)
    if dtype == "float64":
        return context.number(value), "nan"
    if dtype == "float32":
        return context.cast(context.number(value), "f32"), "nan"
    if dtype != "int64":
        context.refuse(
            f"was fitted on labels of {dtype}, to which numpy casts a {column.kind}: texts are cut "
            "short and integers wrap; fit it on labels of int64, float64 or object"
        )
    numbers = context.number(value)
    truncated = context.map(numbers, "trunc", precision="f64")
    return truncated, "nan"


def label_binarizer(estimator: Any, value: Value, context: Context) -> Prediction:
    """The positive label for the class, the negative one elsewhere; one number for two classes."""
    import numpy

    classes = estimator.classes_
    if estimator.y_type_ not in ("binary", "multiclass") or len(classes) < 2:
        context.refuse(
            f"was fitted on {len(classes)} labels of type `{estimator.y_type_}`; two or more "
            "labels in one column are supported"
        )
    array = _labels(_only(value, context), context)
    item = coding(array.columns[0], classes, range(len(classes)), NONE, "na", context)
    code = encoded(array, [replace(item, missing=REFUSED)], context)
    dtype = _dtype(estimator, value, context)
    low, high = float(estimator.neg_label), float(estimator.pos_label)
    if len(classes) == 2:
        single = context.add(
            "lookup",
            code,
            numeric_columns(1, dtype),
            values=numpy.array([low, high]),
            ends=numpy.array([2]),
            absent=numpy.array([low]),
        )
        return Prediction((number("value", single, Ask(function=_one_by_one(estimator))),))
    columns = numeric_columns(len(classes), dtype)
    result = context.add("one_hot", code, columns, widths=numpy.array([len(classes)]))
    for function, operand in (("multiply", high - low), ("add", low)):
        operands = numpy.full(len(classes), operand)
        result = context.add(
            "arithmetic", result, columns, function=function, operands=operands, precision="f64"
        )
    return Prediction((numbers("value", result, classes, TRANSFORM),))


def _labels(value: Value, context: Context) -> Value:
    """The column; numbers that are not whole are refused (`type_of_target`: continuous)."""
    import numpy

    column = value.columns[0]
    if column.kind != "text" and column.dtype == "object":
        context.refuse(f"column `{column.name or '?'}` holds objects; cast it to a dtype")
    if column.kind != "number":
        return value
    numbers = context.number(value)
    whole = context.map(numbers, "trunc", precision="f64")
    # Numbers beyond int64 are continuous as well.
    whole = context.add(
        "clip",
        whole,
        numbers.columns,
        minimum=numpy.array([-(2.0**63)]),
        maximum=numpy.array([2.0**63 - 1024]),
        precision="f64",
    )
    fraction = context.add(
        "linear",
        context.concat([numbers, whole]),
        numeric_columns(1),
        coefficients=numpy.array([[1.0, -1.0]]),
        intercepts=numpy.zeros(1),
    )
    zero = coding(fraction.columns[0], [0.0], [0], REFUSED, "nan", context)
    checked = encoded(fraction, [zero], context)
    # Together with the numbers, so that the row is refused.
    return context.select(context.concat([numbers, checked]), [0])


def _dtype(estimator: Any, value: Value, context: Context) -> str:
    """That of the column if it is a signed integer, else int64; it must hold both labels."""
    import numpy

    own = value.columns[0].dtype
    dtype = own if own in ("int8", "int16", "int32") else "int64"
    limits = numpy.iinfo(dtype)
    for option in ("neg_label", "pos_label"):
        label = getattr(estimator, option)
        if not limits.min <= label <= limits.max:
            context.refuse(f"{label} is no {dtype}, which the column is", option=option)
    return dtype


def _one_by_one(estimator: Any) -> Any:
    """Asks row by row: where a table has more than two labels, `transform` answers two columns."""

    def transform(data: Any) -> Any:
        import numpy

        if hasattr(data, "slice") and hasattr(data, "num_rows"):
            rows = [data.slice(at, 1) for at in range(data.num_rows)]
        elif hasattr(data, "iloc"):
            rows = [data.iloc[at : at + 1] for at in range(len(data))]
        else:
            rows = [data[at : at + 1] for at in range(len(data))]
        answers = [estimator.transform(row) for row in rows]
        dense = [answer.toarray() if hasattr(answer, "toarray") else answer for answer in answers]
        return numpy.vstack(dense)

    return transform


def _only(value: Value, context: Context) -> Value:
    """The value, if it is one column."""
    if value.width != 1:
        context.refuse(f"takes one column; the example has {value.width}")
    return dense(value, context)
