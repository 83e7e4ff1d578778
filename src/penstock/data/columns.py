"""Types of columns: proposed by a sample or said by the caller, and values brought into them."""

import datetime
import decimal
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import DataError, SchemaError
from penstock.readers import SPELLED, Batch

__all__ = [
    *("INTEGER", "SaidTypes", "TYPES", "cast", "cast_column", "check_types", "plain_type"),
    *("propose", "said", "sql_word", "text_of", "wider", "word"),
]

# The words that a caller says; those of the schema of a model.
TYPES = ("number", "text", "boolean", "timestamp")
# Beside them, what a database has a type of its own for.
INTEGER = "integer"
# How missing is written in columns that are not text, in small letters: as the engine reads it
# (rust/core/src/load/lexical.rs), so that training and predicting see the same.
_MISSING = ("", "na", "n/a", "nan", "null", "none", "<na>", "nat")


def check_types(types: Mapping[str, str], names: Collection[str] | None) -> None:
    """Raises `SchemaError` for a word that is no type, and for a column that is not in `names`."""
    for name, type_ in types.items():
        if names is not None and name not in names:
            known = "`, `".join(names)
            raise SchemaError(
                f"the data has no column `{name}`, whose type is said; it has: `{known}`"
            )
        if type_ not in (*TYPES, INTEGER):
            raise SchemaError(
                f"column `{name}`: its type is said to be {type_!r}; it must be one of "
                f"`{'`, `'.join((*TYPES, INTEGER))}`"
            )


def said(type_: str) -> Any:
    """The Arrow type for one of the words."""
    import pyarrow

    return {
        "number": pyarrow.float64(),
        INTEGER: pyarrow.int64(),
        "text": pyarrow.string(),
        "boolean": pyarrow.bool_(),
        "timestamp": pyarrow.timestamp("us"),
    }[type_]


def word(type_: Any) -> str:
    """The word for an Arrow type; what has none is named as Arrow does."""
    from pyarrow import types

    if types.is_dictionary(type_):
        return word(type_.value_type)
    if types.is_integer(type_) or types.is_floating(type_) or types.is_decimal(type_):
        return "number"
    if types.is_boolean(type_):
        return "boolean"
    if types.is_timestamp(type_) or types.is_date(type_):
        return "timestamp"
    if types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_):
        return "text"
    return str(type_)


def sql_word(type_: Any) -> str:
    """As `word`, with whole numbers apart: databases have a type of their own for them."""
    from pyarrow import types

    return INTEGER if types.is_integer(type_) else word(type_)


def plain_type(type_: Any) -> Any:
    """The type that values of an Arrow type are brought into, which every library takes."""
    import pyarrow
    from pyarrow import types

    if isinstance(type_, pyarrow.BaseExtensionType):
        return plain_type(type_.storage_type)
    if types.is_decimal(type_) or types.is_null(type_):
        return pyarrow.float64()
    if types.is_date(type_):
        return pyarrow.timestamp("us")
    if types.is_timestamp(type_) and type_.unit == "s":
        return pyarrow.timestamp("us", type_.tz)
    if types.is_large_string(type_) or types.is_string_view(type_) or types.is_time(type_):
        return pyarrow.string()
    return type_


def wider(type_: Any) -> Any | None:
    """The next type that takes more values than this one; `None` where there is none."""
    import pyarrow
    from pyarrow import types

    if types.is_string(type_):
        return None
    return pyarrow.float64() if types.is_integer(type_) else pyarrow.string()


# -- Proposals --


def propose(sample: list[Batch]) -> dict[str, Any]:
    """An Arrow type for each column of the batches."""
    names = {name: None for batch in sample for name in batch.names}
    return {name: _proposed(name, sample) for name in names}


def _proposed(name: str, sample: list[Batch]) -> Any:
    import pyarrow

    parts = [batch.rows[name] for batch in sample if name in batch.names]
    if isinstance(parts[0], list):
        return _of_objects([value for part in parts for value in part])
    if not sample[0].lexical:
        return plain_type(parts[0].type)
    values = _texts_without_missing(pyarrow.chunked_array(parts))
    if values.null_count == len(values):
        return pyarrow.float64()
    naive, zoned = pyarrow.timestamp("us"), pyarrow.timestamp("us", "UTC")
    for type_ in (pyarrow.int64(), pyarrow.float64(), pyarrow.bool_(), naive, zoned):
        try:
            values.cast(type_)
        except pyarrow.ArrowInvalid:
            continue
        return type_
    return pyarrow.string()


def _of_objects(values: list[Any]) -> Any:
    import pyarrow

    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {int} and all(-(1 << 63) <= value < 1 << 63 for value in values if value):
        return pyarrow.int64() if kinds else pyarrow.float64()
    if kinds <= {int, float, decimal.Decimal}:
        return pyarrow.float64()
    if kinds <= {int, float, str} and kinds != {str}:
        texts = {value for value in values if isinstance(value, str)}
        return pyarrow.float64() if texts <= SPELLED.keys() else pyarrow.string()
    if kinds == {bool}:
        return pyarrow.bool_()
    if kinds <= {datetime.datetime, datetime.date}:
        zoned = any(getattr(value, "tzinfo", None) for value in values)
        return pyarrow.timestamp("us", "UTC" if zoned else None)
    return pyarrow.string()


# -- Values --


def cast(batch: Batch, types: Mapping[str, Any]) -> Any:
    """The batch as an Arrow record batch with these columns and types.

    Raises `DataError` with the row and the column of a value that does not fit, and `SchemaError`
    for a column that is not among them.
    """
    import pyarrow

    more = next((name for name in batch.names if name not in types), None)
    if more is not None:
        raise DataError(
            f"row {batch.first} or one soon after has a column `{more}` that no row before has; "
            f"say its type first, as in `{more}=text`",
            row=batch.first,
            field=more,
        )
    arrays = []
    for name, type_ in types.items():
        if name not in batch.names:
            arrays.append(pyarrow.nulls(batch.row_count, type_))
            continue
        arrays.append(cast_column(batch, name, type_))
    fields = [pyarrow.field(name, type_) for name, type_ in types.items()]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=pyarrow.schema(fields))


def cast_column(batch: Batch, name: str, type_: Any) -> Any:
    """One column of the batch as an Arrow array of this type; raises `DataError` as `cast`."""
    import pyarrow

    try:
        return _cast(batch.rows[name], type_, lexical=batch.lexical)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
        raise _misfit(batch, name, type_) from None


@dataclass(frozen=True)
class SaidTypes:
    """Gives columns of a batch the types that the caller says, by their names; `None` to others."""

    types: tuple[tuple[str, str], ...]

    def __call__(self, batch: Batch, name: str) -> Any | None:
        type_ = dict(self.types).get(name)
        return None if type_ is None else cast_column(batch, name, said(type_))


def _cast(values: Any, type_: Any, *, lexical: bool) -> Any:
    import pyarrow
    from pyarrow import types

    if isinstance(values, list):
        return _array(values, type_)
    if not lexical:
        return _between(values, type_)
    if types.is_string(type_):
        return _null_where(values, "")
    plain = _texts_without_missing(values)
    try:
        return plain.cast(type_)
    except pyarrow.ArrowInvalid:
        if types.is_timestamp(type_) and type_.tz is None:
            return plain.cast(pyarrow.timestamp("us", "UTC")).cast(type_)
        if types.is_boolean(type_):
            return _between(plain.cast(pyarrow.float64()), type_)
        raise


def _between(values: Any, type_: Any) -> Any:
    """Values of one Arrow type in another."""
    import pyarrow
    from pyarrow import types

    if isinstance(values, pyarrow.ExtensionArray):
        values = values.storage
    if values.type == type_:
        return values
    if types.is_floating(type_) and types.is_timestamp(values.type):
        raise ValueError("a time is no number")
    if types.is_boolean(type_) and word(values.type) == "number":
        from pyarrow import compute

        if not compute.all(compute.is_in(values.cast(pyarrow.float64()), _truths())).as_py():
            raise ValueError("a number that is neither 0 nor 1 is no boolean")
    if word(values.type) == "text" and not types.is_string(type_):
        return _cast(values.cast(pyarrow.string()), type_, lexical=True)
    return values.cast(type_)


def _truths() -> Any:
    import pyarrow

    return pyarrow.array([0.0, 1.0, None])


def _array(values: list[Any], type_: Any) -> Any:
    """Python's values as an Arrow array."""
    import pyarrow
    from pyarrow import types

    if types.is_string(type_):
        return pyarrow.array(map(text_of, values), type_)
    if types.is_floating(type_) or types.is_integer(type_):
        if any(isinstance(value, bool) for value in values):
            raise TypeError("a boolean is no number")
        if any(isinstance(value, (str, decimal.Decimal)) for value in values):
            values = [None if _missing(value) else float(value) for value in values]
    elif types.is_timestamp(type_):
        values = [_time(value) for value in values]
    elif types.is_boolean(type_):
        values = [bool(value) if value in (0, 1) else value for value in values]
    return pyarrow.array(values, type_)


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in _MISSING)


def text_of(value: Any) -> str | None:
    """A value as a column of texts has it: JSON, but for texts and times."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if isinstance(value, bool | int | float | list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _time(value: Any) -> Any:
    if _missing(value) or isinstance(value, datetime.datetime):
        return None if _missing(value) else value
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        return datetime.datetime.fromisoformat(value)
    raise TypeError("a number is no time")


def _texts_without_missing(values: Any) -> Any:
    """Trimmed texts, null where one of them says missing."""
    import pyarrow
    from pyarrow import compute

    plain = compute.utf8_trim_whitespace(values)
    missing = compute.is_in(compute.ascii_lower(plain), pyarrow.array(_MISSING))
    return compute.if_else(missing, pyarrow.scalar(None, pyarrow.string()), plain)


def _null_where(values: Any, text: str) -> Any:
    import pyarrow
    from pyarrow import compute

    empty = compute.equal(values, text)
    if not compute.any(empty).as_py():
        return values
    return compute.if_else(empty, pyarrow.scalar(None, pyarrow.string()), values)


def _misfit(batch: Batch, name: str, type_: Any) -> DataError:
    """The error that names the first row whose value does not fit."""
    values = batch.rows[name]
    low, high = 0, batch.row_count
    # Halving, as values are converted many at a time.
    while high - low > 1:
        middle = (low + high) // 2
        if _fits(values[low:middle], type_, lexical=batch.lexical):
            low = middle
        else:
            high = middle
    value = values[low] if isinstance(values, list) else values[low].as_py()
    row = batch.first + low
    next_type = wider(type_)
    hint = word(next_type) if next_type is not None else "text"
    return DataError(
        f"row {row}: column `{name}` is taken for {_article(type_)}, and is "
        f"{_shown(value)} here; say its type, as in `{name}={hint}`, or mend the row",
        row=row,
        field=name,
        code="type",
    )


def _fits(values: Any, type_: Any, *, lexical: bool) -> bool:
    import pyarrow

    try:
        _cast(values, type_, lexical=lexical)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
        return False
    return True


def _article(type_: Any) -> str:
    from pyarrow import types

    return "a whole number" if types.is_integer(type_) else f"a {word(type_)}"


def _shown(value: Any) -> str:
    text = str(value)
    return f"`{text if len(text) <= 40 else text[:39] + '…'}`"
