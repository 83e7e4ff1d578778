"""Files of rows as a stream of batches; memory does not grow with the file."""

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from penstock.errors import DataError, PenstockError, SchemaError

__all__ = ["FORMATS", "Batch", "Reader", "format_of", "open_reader"]

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
# Large enough that a batch costs more than its overhead, small enough to stay in the caches.
ROWS_PER_BATCH = 16_384
BYTES_PER_BLOCK = 4 << 20


def format_of(name: str) -> str | None:
    """The format that the suffix of a file's name says, if it says one."""
    return SUFFIXES.get(Path(name).suffix.lower())


@dataclass(frozen=True)
class Batch:
    """Rows `first` and on of a file: an Arrow record batch, or lists by column name."""

    rows: Any
    first: int
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
        # Parquet and Arrow files have their index at the end, so they are read whole.
        whole = source == "parquet"
        yield Reader(
            io.BytesIO(sys.stdin.buffer.read()) if whole else sys.stdin.buffer, source, None
        )
        return
    with open(data, "rb") as file:
        yield Reader(file, source, os.fstat(file.fileno()).st_size)


def _read_csv(file: IO[bytes]) -> Iterator[Batch]:
    import pyarrow
    from pyarrow import csv as arrow_csv

    names = _csv_header(file)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SchemaError(f"column `{twice[0]}` comes twice; send each column once")
    try:
        reader = arrow_csv.open_csv(
            file,
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=BYTES_PER_BLOCK),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            # Every value stays text: the schema of the model says what it is.
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pyarrow.string()), strings_can_be_null=False
            ),
        )
        yield from _numbered(reader, lexical=True)
    except pyarrow.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            yield Batch({name: [] for name in names}, 0, lexical=True)
            return
        raise SchemaError(f"the CSV file cannot be read: {error}") from None


def _csv_header(file: IO[bytes]) -> list[str]:
    """The names in the first record, which may span lines."""
    lines = (line.decode("utf-8-sig") for line in iter(file.readline, b""))
    try:
        names = next(csv.reader(lines), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise SchemaError(f"the header of the CSV file cannot be read: {error}") from None
    if not names:
        raise SchemaError("the CSV file is empty; its first line must name the columns")
    return names


def _read_ndjson(file: IO[bytes]) -> Iterator[Batch]:
    first = 0
    lines = iter(file.readline, b"")
    while True:
        rows = [
            _json_row(line, first + at) for at, line in enumerate(islice(lines, ROWS_PER_BATCH))
        ]
        present = [row for row in rows if row is not None]
        if first and not present:
            return
        names = dict.fromkeys(name for row in present for name in row)
        yield Batch({name: [row.get(name) for row in present] for name in names}, first)
        if len(rows) < ROWS_PER_BATCH:
            return
        first += len(rows)


def _json_row(line: bytes, row: int) -> dict[str, Any] | None:
    """The object on one line; `None` for a blank line."""
    if not line.strip():
        return None
    try:
        value = json.loads(line)
    except ValueError as error:
        raise DataError(f"line {row + 1} is not JSON: {error}", row=row) from None
    if not isinstance(value, dict):
        raise DataError(f"line {row + 1} is not a JSON object; write one row per line", row=row)
    return value


def _read_parquet(file: IO[bytes]) -> Iterator[Batch]:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(file)
        batches = table.iter_batches(batch_size=ROWS_PER_BATCH)
        yield from _numbered(batches, empty=table.schema_arrow)
    except pyarrow.ArrowInvalid as error:
        raise SchemaError(f"the Parquet file cannot be read: {error}") from None


def _read_arrow(file: IO[bytes]) -> Iterator[Batch]:
    import pyarrow
    from pyarrow import ipc

    try:
        if file.seekable() and file.read(6) == b"ARROW1":
            reader = ipc.open_file(file)
            batches = (reader.get_batch(at) for at in range(reader.num_record_batches))
        else:
            if file.seekable():
                file.seek(0)
            batches = reader = ipc.open_stream(file)
        yield from _numbered(batches, empty=reader.schema)
    except pyarrow.ArrowInvalid as error:
        raise SchemaError(f"the Arrow file cannot be read: {error}") from None


def _numbered(batches: Any, *, lexical: bool = False, empty: Any = None) -> Iterator[Batch]:
    import pyarrow

    first = 0
    count = 0
    for batch in batches:
        yield Batch(batch, first, lexical)
        first += batch.num_rows
        count += 1
    if count == 0 and empty is not None:
        yield Batch(pyarrow.RecordBatch.from_pylist([], schema=empty), 0, lexical)


_READERS: dict[str, Callable[[IO[bytes]], Iterator[Batch]]] = {
    "csv": _read_csv,
    "ndjson": _read_ndjson,
    "parquet": _read_parquet,
    "arrow": _read_arrow,
}
