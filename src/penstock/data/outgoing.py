"""Rows as databases take them: of the five types that all have, as Arrow or as tuples."""

from collections.abc import Iterable, Iterator
from typing import Any

from penstock.data.columns import INTEGER, sql_word, text_of, word

__all__ = ["plain_rows", "sql_rows"]


def sql_rows(batches: Iterable[Any], schema: Any) -> Any:
    """The batches as a `RecordBatchReader` of the five types that every database has."""
    import pyarrow

    known = {
        INTEGER: pyarrow.int64(),
        "number": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
        "timestamp": pyarrow.timestamp("us", "UTC"),
    }
    types = [known.get(sql_word(field.type), pyarrow.string()) for field in schema]
    plain = pyarrow.schema(list(zip(schema.names, types, strict=True)))

    def rows() -> Iterator[Any]:
        for batch in batches:
            columns = [
                pyarrow.array(map(text_of, column.to_pylist()), type_)
                if type_ == pyarrow.string() and word(column.type) != "text"
                # What is finer than a microsecond is cut off.
                else column.cast(type_, safe=not pyarrow.types.is_timestamp(type_))
                for column, type_ in zip(batch.columns, types, strict=True)
            ]
            yield pyarrow.RecordBatch.from_arrays(columns, schema=plain)

    return pyarrow.RecordBatchReader.from_batches(plain, rows())


def plain_rows(batch: Any, *, times_as_text: bool) -> Iterator[tuple[Any, ...]]:
    """The rows of a record batch as tuples of what drivers of databases take."""
    columns = []
    for column in batch.columns:
        if times_as_text and word(column.type) == "timestamp":
            # As in `2026-11-21 15:00:00.000000Z`.
            column = column.cast("string")
        columns.append(column.to_pylist())
    return zip(*columns, strict=True)
