"""Tables of predictions to files, which appear whole or not at all."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from penstock.errors import PenstockError
from penstock.readers import format_of

__all__ = ["Writer", "open_writer"]


class Writer:
    """Writes tables of predictions, all with the same columns."""

    def __init__(self, file: IO[bytes], target: str) -> None:
        self._file = file
        self._target = target
        self._sink: Any = None
        self._schema: Any = None

    def write(self, table: Any) -> None:
        """Appends a table."""
        table = _with_plain_text(table)
        if self._target == "ndjson":
            for row in table.to_pylist():
                self._file.write(json.dumps(_json_numbers(row), ensure_ascii=False).encode())
                self._file.write(b"\n")
            return
        if self._sink is None:
            self._schema = table.schema
            self._sink = _SINKS[self._target](self._file, table.schema)
        self._sink.write_table(table.cast(self._schema))

    def close(self) -> None:
        if self._sink is not None:
            self._sink.close()


def _csv_sink(file: IO[bytes], schema: Any) -> Any:
    from pyarrow import csv as arrow_csv

    return arrow_csv.CSVWriter(file, schema)


def _parquet_sink(file: IO[bytes], schema: Any) -> Any:
    from pyarrow import parquet

    return parquet.ParquetWriter(file, schema)


def _arrow_sink(file: IO[bytes], schema: Any) -> Any:
    from pyarrow import ipc

    return ipc.new_stream(file, schema)


_SINKS = {"csv": _csv_sink, "parquet": _parquet_sink, "arrow": _arrow_sink}


def _with_plain_text(table: Any) -> Any:
    """Dictionaries as texts: each batch has a dictionary of its own, and CSV has none."""
    import pyarrow

    for at, field in enumerate(table.schema):
        if pyarrow.types.is_dictionary(field.type):
            table = table.set_column(at, field.name, table.column(at).cast(field.type.value_type))
    return table


def _json_numbers(row: dict[str, Any]) -> dict[str, Any]:
    """JSON has neither NaN nor infinities: missing is null, infinities are spelled."""
    names = {float("inf"): "Infinity", float("-inf"): "-Infinity"}
    plain: dict[str, Any] = {}
    for name, value in row.items():
        missing = isinstance(value, float) and value != value
        plain[name] = (
            None if missing else names.get(value, value) if isinstance(value, float) else value
        )
    return plain


@contextmanager
def open_writer(output: str, target: str | None) -> Iterator[Writer]:
    """Opens a file, or standard output for `-`; a file appears when it is whole, or not at all."""
    target = target or format_of(output)
    if target is None and output != "-":
        raise PenstockError(f"the format of `{output}` is not known; name it with --to")
    if output == "-":
        writer = Writer(sys.stdout.buffer, target or "csv")
        yield writer
        writer.close()
        sys.stdout.buffer.flush()
        return
    beside = Path(output).with_name(f".{Path(output).name}.{os.getpid()}")
    try:
        with open(beside, "wb") as file:
            writer = Writer(file, target or "csv")
            yield writer
            writer.close()
        os.replace(beside, output)
    finally:
        beside.unlink(missing_ok=True)
