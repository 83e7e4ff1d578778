"""Files of rows as a stream of batches; memory does not grow with the file."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any

from penstock.errors import DataError, PenstockError, SchemaError

__all__ = ["ARROW_FILE", "READERS", "SPELLED", "BadLines", "Batch", "numbered", "rows_per_batch"]

# Values in a batch: many enough to keep all cores busy, few enough to fit any machine.
VALUES_PER_BATCH = 1 << 20
MOST_ROWS_PER_BATCH = 1 << 16
BYTES_PER_BLOCK = 2 << 20
# The first field of the row behind a CSV file, which has no others.
_END = "the end of the file"
# The mark that some programs write before UTF-8.
_MARK = b"\xef\xbb\xbf"
_INFINITY = float("inf")
# What stands for a number that JSON cannot write.
SPELLED = {"Infinity": _INFINITY, "-Infinity": -_INFINITY, "NaN": None}
# How the file format of Arrow IPC begins; the stream format does not.
ARROW_FILE = b"ARROW1"
# What may stand between the fields of a CSV file whose header has no comma.
_OTHER_DELIMITERS = (";", "\t", "|")
_BAD_LINES_SHOWN = 5


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


@dataclass
class BadLines:
    """Lines that were left out because they are no rows: how many, and what the first ones are."""

    count: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, reason: str) -> None:
        self.count += 1
        if len(self.shown) < _BAD_LINES_SHOWN:
            self.shown.append(reason)


# A file to its batches, in order; one without rows if it has none. Lines that are no rows raise
# `DataError`, or are left out and counted.
Read = Callable[[IO[bytes], BadLines | None], Iterator[Batch]]


# -- CSV --


class _Ended(io.RawIOBase):
    """A CSV file and one more row behind it, which tells whether a quote is still open there.

    PyArrow takes a quote that is never closed for one that ends with the file.
    """

    def __init__(self, file: IO[bytes], end: str) -> None:
        self._file = file
        self._end = f"{end}\n".encode()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if not data:
            size = size if size >= 0 else len(self._end)
            data, self._end = self._end[:size], self._end[size:]
        return data


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
    if fields != [_END] + [""] * (len(fields) - 1):
        raise _unclosed(first + last)
    yield held.slice(0, last)


def _unclosed(row: int) -> DataError:
    return DataError(
        f"row {row} of the CSV file opens a quote that is never closed; close it; in quotes, "
        '`""` is a quote',
        row=row,
    )


def _read_csv(file: IO[bytes], bad_lines: BadLines | None = None) -> Iterator[Batch]:
    return _read_delimited(file, bad_lines, None)


def _read_tsv(file: IO[bytes], bad_lines: BadLines | None = None) -> Iterator[Batch]:
    return _read_delimited(file, bad_lines, "\t")


def _read_delimited(
    file: IO[bytes], bad_lines: BadLines | None, delimiter: str | None
) -> Iterator[Batch]:
    import pyarrow
    from pyarrow import csv as arrow_csv

    names, delimiter = _csv_header(file, delimiter)
    _check_names(names)
    end = f"\n{_END}{delimiter * (len(names) - 1)}"
    ragged: list[Any] = []
    swallowed: list[Any] = []

    def refuse(row: Any) -> str:
        if row.text.rstrip("\n").endswith(end):
            swallowed.append(row)
            return "error"
        if bad_lines is not None:
            bad_lines.add(_ragged(row))
            return "skip"
        ragged.append(row)
        return "error"

    try:
        reader = arrow_csv.open_csv(
            _Ended(file, end),
            # Without threads, the number of a wrong row is known.
            read_options=arrow_csv.ReadOptions(
                column_names=names, block_size=BYTES_PER_BLOCK, use_threads=False
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse
            ),
            # Every value stays text: the schema of the model says what it is.
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pyarrow.string()), strings_can_be_null=False
            ),
        )
        yield from numbered(_without_end(reader), reader.schema, lexical=True)
    except pyarrow.ArrowInvalid as error:
        if swallowed:
            raise _unclosed(swallowed[0].number - 1) from None
        raise _csv_error(error, ragged) from None


def _csv_error(error: Exception, ragged: list[Any]) -> PenstockError:
    if ragged:
        return DataError(
            f"{_ragged(ragged[0])}; a field with a comma or a line break needs quotes",
            row=ragged[0].number - 1,
        )
    if "UTF8" in str(error):
        return SchemaError(f"the CSV file is not UTF-8, convert it: {error}")
    if "straddling" in str(error):
        return SchemaError(
            f"a row of the CSV file is longer than {BYTES_PER_BLOCK} bytes, or opens a quote that "
            "is never closed"
        )
    return SchemaError(f"the CSV file cannot be read: {error}")


def _ragged(row: Any) -> str:
    return (
        f"row {row.number - 1} of the CSV file has {row.actual_columns} fields, its header "
        f"{row.expected_columns}"
    )


def _csv_header(file: IO[bytes], delimiter: str | None) -> tuple[list[str], str]:
    """The names in the first record that is not blank, which may span lines; the delimiter."""
    try:
        lines = _csv_lines(file)
        records = csv.reader(lines, strict=True, delimiter=delimiter or ",")
        names = next((record for record in records if record), [])
        if delimiter is None and len(names) == 1:
            # No comma: the file of a program that takes it for the decimal point, perhaps.
            delimiter = next((one for one in _OTHER_DELIMITERS if one in names[0]), None)
            names = next(csv.reader(names, delimiter=delimiter or ","))
    except (UnicodeDecodeError, csv.Error) as error:
        raise SchemaError(
            f"the header of the CSV file cannot be read, is it CSV in UTF-8? {error}"
        ) from None
    if not names:
        raise SchemaError("the CSV file is empty; its first line must name the columns")
    return names, delimiter or ","


def _csv_lines(file: IO[bytes]) -> Iterator[str]:
    encoding = "utf-8-sig"
    for line in iter(file.readline, b""):
        yield line.decode(encoding)
        encoding = "utf-8"


# -- NDJSON --


def _read_ndjson(file: IO[bytes], bad_lines: BadLines | None = None) -> Iterator[Batch]:
    rows_read = _json_rows(file, bad_lines)
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
        rows = list(islice(rows_read, rows_per_batch(len(names))))


def _json_rows(file: IO[bytes], bad_lines: BadLines | None) -> Iterator[dict[str, Any]]:
    row = 0
    for number, line in enumerate(iter(file.readline, b""), start=1):
        line = line.removeprefix(_MARK) if number == 1 else line
        if not line.strip():
            continue
        try:
            value = _json_row(line)
            wrong = None if isinstance(value, dict) else "is not a JSON object"
        except (ValueError, RecursionError) as error:
            wrong = f"is not JSON: {error}"
        if wrong is None:
            yield value
            row += 1
        elif bad_lines is None:
            hint = "" if ":" in wrong else "; write one row per line"
            raise DataError(f"line {number} {wrong}{hint}", row=row)
        else:
            bad_lines.add(f"line {number} {wrong}")


def _json_row(line: bytes) -> Any:
    """What a line is as the engine reads it (rust/core/src/rows), which Python is laxer than."""
    text = line.decode()
    value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    if isinstance(value, dict):
        if _INFINITY in value.values() or -_INFINITY in value.values():
            raise ValueError("number out of range")
        if "\\u" in text:
            # Half of a pair is no character.
            json.dumps(value, ensure_ascii=False).encode()
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key `{twice}` is there twice; send it once")
    return value


def _no_constant(word: str) -> Any:
    raise ValueError(
        f'JSON has no {word}: send null, or the texts "NaN", "Infinity" and "-Infinity"'
    )


# -- Parquet and Arrow --


def _read_parquet(file: IO[bytes], bad_lines: BadLines | None = None) -> Iterator[Batch]:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(file)
        schema = table.schema_arrow
        batches = table.iter_batches(batch_size=rows_per_batch(len(schema)))
        yield from numbered(batches, schema)
    except (pyarrow.ArrowException, OSError) as error:
        raise SchemaError(f"the Parquet file cannot be read: {error}") from None


def _read_arrow(file: IO[bytes], bad_lines: BadLines | None = None) -> Iterator[Batch]:
    import pyarrow
    from pyarrow import ipc

    try:
        if file.seekable() and _starts_as_arrow_file(file):
            reader = ipc.open_file(file)
            batches = (reader.get_batch(at) for at in range(reader.num_record_batches))
        else:
            batches = reader = ipc.open_stream(file)
        yield from numbered(batches, reader.schema)
    except (pyarrow.ArrowException, OSError) as error:
        raise SchemaError(f"the Arrow file cannot be read: {error}") from None


def _starts_as_arrow_file(file: IO[bytes]) -> bool:
    start = file.read(len(ARROW_FILE))
    file.seek(0)
    return start == ARROW_FILE


def numbered(batches: Any, schema: Any, *, lexical: bool = False) -> Iterator[Batch]:
    """The batches in parts of a size that fits; one without rows if there are none."""
    import pyarrow

    _check_names(schema.names)
    most = rows_per_batch(len(schema))
    first = 0
    for batch in batches:
        for start in range(0, batch.num_rows, most):
            part = batch.slice(start, most)
            yield Batch(part, first + start, part.num_rows, lexical)
        first += batch.num_rows
    if first == 0:
        yield Batch(pyarrow.RecordBatch.from_pylist([], schema=schema), 0, 0, lexical)


def rows_per_batch(column_count: int) -> int:
    """How many rows of so many columns make a batch."""
    return max(1, min(MOST_ROWS_PER_BATCH, VALUES_PER_BATCH // max(column_count, 1)))


def _check_names(names: Sequence[str]) -> None:
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise SchemaError(f"column `{twice[0]}` comes twice; send each column once")


READERS: dict[str, Callable[..., Iterator[Batch]]] = {
    "csv": _read_csv,
    "tsv": _read_tsv,
    "ndjson": _read_ndjson,
    "parquet": _read_parquet,
    "arrow": _read_arrow,
}
