"""Avro files as batches; the types of their columns are those of the file."""

from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

from penstock.errors import PenstockError, SchemaError
from penstock.readers import BadLines, Batch, rows_per_batch

__all__ = ["read"]


def read(file: IO[bytes], bad_lines: BadLines | None = None) -> Iterator[Batch]:
    """Every batch in order; one without rows if there are none."""
    try:
        import fastavro
    except ModuleNotFoundError:
        raise PenstockError("Avro needs `fastavro`; pip install 'penstock[avro]'") from None
    try:
        reader = fastavro.reader(file)
        schema: Any = reader.writer_schema
        names = [str(field["name"]) for field in schema["fields"]]
        first = 0
        while rows := list(islice(reader, rows_per_batch(len(names)))):
            yield Batch(_columns(names, rows), first, len(rows))
            first += len(rows)
    except PenstockError:
        raise
    except Exception as error:
        # fastavro raises what comes: ValueError, EOFError, KeyError, zlib.error.
        raise SchemaError(f"the Avro file cannot be read: {error}") from None
    if first == 0:
        yield Batch({name: [] for name in names}, 0, 0)


def _columns(names: list[str], rows: list[Any]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in names}
