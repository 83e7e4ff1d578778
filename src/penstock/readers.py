"""Files of rows as a stream of batches; memory does not grow with the file."""

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from penstock.errors import DataError, PenstockError, SchemaError

__all__ = ["FORMATS", "SUFFIXES", "Batch", "Reader", "format_of", "open_reader"]

FORMATS = ("csv", "ndjson", "parquet", "arrow")
SUFFIXES = {
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
# Values in a batch: many enough to keep all cores busy, few enough to fit any machine.
VALUES_PER_BATCH = 1 << 20
MOST_ROWS_PER_BATCH = 1 << 16
BYTES_PER_BLOCK = 2 << 20
# The first field of the row behind a CSV file, which has no others.
_END = "the end of the file"
# How the file format of Arrow IPC begins; the stream format does not.
_ARROW_FILE = b"ARROW1"


def format_of(name: str) -> str | None:
    """The format that the suffix of a file's name says, if it says one."""
    return SUFFIXES.get(Path(name).suffix.lower())


@dataclass(frozen=True)
class Batch:
    """Rows `first` and on of a file: an Arrow record batch, or lists by column name.

    In `lexical` batches texts take the type of their column. In lists a key that a row has not is
    `None`.
    """

    rows: Any
    first: int
    row_count: int
    lexical: bool = False

    @property
    def names(self) -> list[str]:
        return list(self.rows) if isinstance(self.rows, dict) else list(self.rows.schema.names)

    def select(self, names: Sequence[str]) -> Any:
        """A table with only these columns."""
        if isinstance(self.rows, dict):
            return {name: self.rows[name] for name in names}
        import pyarrow

        return pyarrow.Table.from_batches([self.rows]).select(list(names))


class Reader:
    """The batches of a file, and how far into it they have come."""

    def __init__(self, file: IO[bytes], source: str, size: int | None) -> None:
        self.size = size
        self._file = file
        self._source = source
        self._position = 0

    def batches(self) -> Iterator[Batch]:
        """Every batch in order; one without rows if the file has none."""
        return _READERS[self._source](self._file)

    def advanced(self) -> int:
        """Bytes read since the last call; 0 where the file does not tell."""
        try:
            position = self._file.tell()
        except (OSError, ValueError):
            return 0
        step, self._position = position - self._position, position
        return step


@contextmanager
def open_reader(data: str, source: str | None) -> Iterator[Reader]:
    """Opens a file, or standard input for `-`; `source` is one of `FORMATS`, else its name says.

    Raises `PenstockError` where the format is not known.
    """
    source = source or format_of(data)
    if source is None:
        known = "`, `".join(sorted(SUFFIXES))
        raise PenstockError(
            f"the format of `{data}` is not known; name it with --from, or use one of `{known}`"
        )
    if data == "-":
        yield Reader(_standard_input(source), source, None)
        return
    with open(data, "rb") as file:
        yield Reader(file, source, os.fstat(file.fileno()).st_size)


def _standard_input(source: str) -> IO[bytes]:
    file = io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False))
    if source == "arrow":
        whole = file.peek(len(_ARROW_FILE)).startswith(_ARROW_FILE)
    else:
        whole = source == "parquet"
    # These formats have their index at the end, so they are read whole.
    return io.BytesIO(file.read()) if whole else file


# -- CSV --


class _Ended(io.RawIOBase):
    """A CSV file and one more row behind it, which tells whether a quote is still open there.

    PyArrow takes a quote that is never closed for one that ends with the file.
    """

    def __init__(self, file: IO[bytes], width: int) -> None:
        self._file = file
        self._end = b"\n" + _end_row(width).encode() + b"\n"

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if not data:
            size = size if size >= 0 else len(self._end)
            data, self._end = self._end[:size], self._end[size:]
        return data


def _end_row(width: int) -> str:
    return _END + "," * (width - 1)


def _without_end(batches: Iterable[Any]) -> Iterator[Any]:
    """The batches without the last row, which is the one of `_Ended` unless a quote is open."""
    held, first = None, 0
    for batch in batches:
        if batch.num_rows:
            if held is not None:
                yield held
                first += held.num_rows
            held = batch
    if held is None:
        return
    last = held.num_rows - 1
    fields = [column[last].as_py() for column in held.columns]
    if fields != _end_row(len(fields)).split(","):
        raise _unclosed(first + last)
    yield held.slice(0, last)


def _unclosed(row: int) -> DataError:
    return DataError(
        f"row {row} of the CSV file opens a quote that is never closed; close it; in quotes, "
        '`""` is a quote',
        row=row,
    )


def _read_csv(file: IO[bytes]) -> Iterator[Batch]:
    import pyarrow
    from pyarrow import csv as arrow_csv

    names = _csv_header(file)
    _check_names(names)
    ragged: list[Any] = []

    def refuse(row: Any) -> str:
        ragged.append(row)
        return "error"

    try:
        reader = arrow_csv.open_csv(
            _Ended(file, len(names)),
            # Without threads, the number of a wrong row is known.
            read_options=arrow_csv.ReadOptions(
                column_names=names, block_size=BYTES_PER_BLOCK, use_threads=False
            ),
            parse_options=arrow_csv.ParseOptions(
                newlines_in_values=True, invalid_row_handler=refuse
            ),
            # Every value stays text: the schema of the model says what it is.
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pyarrow.string()), strings_can_be_null=False
            ),
        )
        yield from _numbered(_without_end(reader), reader.schema, lexical=True)
    except pyarrow.ArrowInvalid as error:
        raise _csv_error(error, ragged) from None


def _csv_error(error: Exception, ragged: list[Any]) -> PenstockError:
    if ragged:
        row = ragged[0].number - 1
        if ragged[0].text.rstrip("\n").endswith("\n" + _end_row(ragged[0].expected_columns)):
            return _unclosed(row)
        return DataError(
            f"row {row} of the CSV file has {ragged[0].actual_columns} fields, its header "
            f"{ragged[0].expected_columns}; a field with a comma or a line break needs quotes",
            row=row,
        )
    if "UTF8" in str(error):
        return SchemaError(f"the CSV file is not UTF-8, convert it: {error}")
    if "straddling" in str(error):
        return SchemaError(
            f"a row of the CSV file is longer than {BYTES_PER_BLOCK} bytes, or opens a quote that "
            "is never closed"
        )
    return SchemaError(f"the CSV file cannot be read: {error}")


def _csv_header(file: IO[bytes]) -> list[str]:
    """The names in the first record that is not blank; it may span lines."""
    try:
        lines = _csv_lines(file)
        names = next((record for record in csv.reader(lines, strict=True) if record), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise SchemaError(
            f"the header of the CSV file cannot be read, is it CSV in UTF-8? {error}"
        ) from None
    if not names:
        raise SchemaError("the CSV file is empty; its first line must name the columns")
    return names


def _csv_lines(file: IO[bytes]) -> Iterator[str]:
    encoding = "utf-8-sig"
    for line in iter(file.readline, b""):
        yield line.decode(encoding)
        encoding = "utf-8"


# -- NDJSON --


def _read_ndjson(file: IO[bytes]) -> Iterator[Batch]:
    rows_read = _json_rows(file)
    names: dict[str, None] = {}
    first = 0
    rows = list(islice(rows_read, MOST_ROWS_PER_BATCH // 64))
    while rows or first == 0:
        names.update(dict.fromkeys(name for row in rows for name in row))
        columns = {name: [row.get(name) for row in rows] for name in names}
        yield Batch(columns, first, len(rows))
        if not rows:
            return
        first += len(rows)
        rows = list(islice(rows_read, _rows_per_batch(len(names))))


def _json_rows(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    row = 0
    for number, line in enumerate(iter(file.readline, b""), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"line {number} is not JSON: {error}", row=row) from None
        if not isinstance(value, dict):
            raise DataError(f"line {number} is not a JSON object; write one row per line", row=row)
        yield value
        row += 1


# -- Parquet and Arrow --


def _read_parquet(file: IO[bytes]) -> Iterator[Batch]:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(file)
        schema = table.schema_arrow
        batches = table.iter_batches(batch_size=_rows_per_batch(len(schema)))
        yield from _numbered(batches, schema)
    except (pyarrow.ArrowException, OSError) as error:
        raise SchemaError(f"the Parquet file cannot be read: {error}") from None


def _read_arrow(file: IO[bytes]) -> Iterator[Batch]:
    import pyarrow
    from pyarrow import ipc

    try:
        if file.seekable() and _starts_as_arrow_file(file):
            reader = ipc.open_file(file)
            batches = (reader.get_batch(at) for at in range(reader.num_record_batches))
        else:
            batches = reader = ipc.open_stream(file)
        yield from _numbered(batches, reader.schema)
    except (pyarrow.ArrowException, OSError) as error:
        raise SchemaError(f"the Arrow file cannot be read: {error}") from None


def _starts_as_arrow_file(file: IO[bytes]) -> bool:
    start = file.read(len(_ARROW_FILE))
    file.seek(0)
    return start == _ARROW_FILE


def _numbered(batches: Any, schema: Any, *, lexical: bool = False) -> Iterator[Batch]:
    """The batches in parts of a size that fits; one without rows if there are none."""
    import pyarrow

    _check_names(schema.names)
    most = _rows_per_batch(len(schema))
    first = 0
    for batch in batches:
        for start in range(0, batch.num_rows, most):
            part = batch.slice(start, most)
            yield Batch(part, first + start, part.num_rows, lexical)
        first += batch.num_rows
    if first == 0:
        yield Batch(pyarrow.RecordBatch.from_pylist([], schema=schema), 0, 0, lexical)


def _rows_per_batch(column_count: int) -> int:
    return max(1, min(MOST_ROWS_PER_BATCH, VALUES_PER_BATCH // max(column_count, 1)))


def _check_names(names: Sequence[str]) -> None:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise SchemaError(f"column `{twice[0]}` comes twice; send each column once")


_READERS: dict[str, Callable[[IO[bytes]], Iterator[Batch]]] = {
    "csv": _read_csv,
    "ndjson": _read_ndjson,
    "parquet": _read_parquet,
    "arrow": _read_arrow,
}
