"""Tables of predictions to files, which appear whole or not at all."""

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from penstock.errors import PenstockError
from penstock.files import unwritable, whole_file
from penstock.formats import SUFFIXES, WRITTEN, format_of

__all__ = ["Writer", "json_line", "open_writer", "plain_columns", "same_types"]

# A text with one of these, or an empty one (missing is not quoted), is quoted in CSV.
_QUOTED = r'^$|[",\r\n]'
_INFINITIES = {math.inf: "Infinity", -math.inf: "-Infinity"}


class Writer:
    """Writes tables of predictions, all with the same columns."""

    def __init__(self, file: IO[bytes], target: str, name: str) -> None:
        self._file = file
        self._target = target
        self._name = name
        self._sink: Any = None
        self._schema: Any = None

    def write(self, table: Any) -> None:
        """Appends a table."""
        import pyarrow

        table = plain_columns(table)
        if self._sink is None:
            self._schema = table.schema
            self._sink = _SINKS[self._target](self._file, table.schema, self._name)
        if self._target != "ndjson":
            table = same_types(table, self._schema)
        try:
            self._sink.write_table(table)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise unwritable(self._name, error) from error
        except pyarrow.ArrowException as error:
            raise PenstockError(
                f"`{self._name}` cannot be written as {self._target}: {error}; "
                "leave that column out, or write another format with --to"
            ) from None

    def close(self) -> None:
        if self._sink is not None:
            self._sink.close()


class _JsonSink:
    """One JSON object per line."""

    def __init__(self, file: IO[bytes], schema: Any, name: str) -> None:
        self._file = file

    def write_table(self, table: Any) -> None:
        lines = [json_line(row) for row in table.to_pylist()]
        self._file.write("".join(lines).encode())

    def close(self) -> None:
        pass


class _CsvSink:
    """CSV with quotes only where a value needs them, whatever batch it is in."""

    def __init__(self, file: IO[bytes], schema: Any, name: str) -> None:
        import pyarrow

        self._file = file
        self._header: Any = pyarrow.table([[name] for name in schema.names], schema.names)

    def write_table(self, table: Any) -> None:
        from pyarrow import compute

        lines = []
        for part in (self._header, table):
            if part is not None and part.num_rows:
                # Null is nothing between two commas; an empty text has quotes.
                fields = compute.binary_join_element_wise(
                    *map(_csv_fields, part.columns),
                    ",",
                    null_handling="replace",
                    null_replacement="",
                )
                lines.append(compute.binary_join_element_wise(fields, "", "\n"))
        self._header = None
        for chunk in (chunk for line in lines for chunk in line.chunks):
            # What an Arrow array of texts keeps is all of them, one after the other.
            self._file.write(memoryview(chunk.buffers()[2]))

    def close(self) -> None:
        pass


def _csv_fields(column: Any) -> Any:
    from pyarrow import compute, string, types

    if not types.is_string(column.type):
        return column.cast(string())
    quoted = compute.match_substring_regex(column, _QUOTED)
    if not compute.any(quoted).as_py():
        return column
    doubled = compute.replace_substring(column, '"', '""')
    return compute.if_else(quoted, compute.binary_join_element_wise('"', doubled, '"', ""), column)


def _parquet_sink(file: IO[bytes], schema: Any, name: str) -> Any:
    from pyarrow import parquet

    return parquet.ParquetWriter(file, schema)


def _arrow_sink(file: IO[bytes], schema: Any, name: str) -> Any:
    from pyarrow import ipc

    stream = name == "-" or name.endswith(".arrows")
    return (ipc.new_stream if stream else ipc.new_file)(file, schema)


_SINKS: dict[str, Callable[[IO[bytes], Any, str], Any]] = {
    "csv": _CsvSink,
    "ndjson": _JsonSink,
    "parquet": _parquet_sink,
    "arrow": _arrow_sink,
}


def plain_columns(table: Any) -> Any:
    """Dictionaries and nulls as texts: each batch has a dictionary of its own, CSV has none."""
    import pyarrow
    from pyarrow import types

    for at, field in enumerate(table.schema):
        plain = field.type
        if types.is_dictionary(plain):
            plain = plain.value_type
        if any(
            is_a(plain) for is_a in (types.is_null, types.is_large_string, types.is_string_view)
        ):
            plain = pyarrow.string()
        if plain != field.type:
            table = table.set_column(at, field.name, table.column(at).cast(plain))
    return table


def same_types(table: Any, schema: Any) -> Any:
    """The table with the types of the first one."""
    import pyarrow

    for at, field in enumerate(schema):
        is_now = table.schema.field(at).type
        try:
            if is_now != field.type:
                table = table.set_column(at, field, table.column(at).cast(field.type))
        except pyarrow.ArrowInvalid:
            raise PenstockError(
                f"column `{field.name}` was {field.type} and becomes {is_now} further down; "
                "write it with --to ndjson"
            ) from None
    return table


def json_line(row: Mapping[str, Any]) -> str:
    """The row as one line of JSON; missing is null, infinities are spelled."""
    return json.dumps(_plain(row), ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else _INFINITIES.get(value, value)
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    # Dates, times and decimals in columns that are kept.
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


@contextmanager
def open_writer(output: str, target: str | None) -> Iterator[Writer]:
    """Opens a file, or standard output for `-`; a file appears when it is whole, or not at all."""
    target = target or ("csv" if output == "-" else format_of(output))
    if target not in WRITTEN:
        known = "`, `".join(sorted(name for name in SUFFIXES if SUFFIXES[name] in WRITTEN))
        raise PenstockError(
            f"the format of `{output}` is not known; name it with --to, or use one of `{known}`"
        )
    if output == "-":
        writer = Writer(sys.stdout.buffer, target, output)
        yield writer
        writer.close()
        sys.stdout.buffer.flush()
        return
    with whole_file(Path(output)) as file:
        writer = Writer(file, target, output)
        yield writer
        writer.close()
