"""One way to name a table, for every command and for Python: `penstock.read`."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.data.table import Table
from penstock.errors import PenstockError

__all__ = ["Table", "read"]


def read(
    source: Any,
    *,
    format: str | None = None,
    query: str | None = None,
    table: str | None = None,
    types: Mapping[str, str] | None = None,
    columns: Sequence[str] | None = None,
    bad_lines: str = "skip",
) -> Table:
    """The table that `source` names, as a stream that is read when it is asked for.

    `source`: a file, a pattern (`flights-*.csv.gz`) or a folder of CSV, TSV, NDJSON, Parquet,
    Arrow IPC, Avro or Excel files, `-` for standard input; the same behind `https://`, `s3://`,
    `gs://` or `hdfs://`; a database, `sqlite:PATH`, `duckdb:PATH`, `postgresql://…`, `mysql://…`;
    a frame, or whatever has `__arrow_c_stream__`.

    `format`: where the name of a file does not say it. `query` or `table`: what of a database;
    `table` is the sheet of an Excel file too.
    `types`: `number`, `text`, `boolean` or `timestamp` by column, where what is proposed is wrong.
    `columns`: only these, in this order. `bad_lines`: `"skip"` leaves lines out that are no rows
    and counts them in `Table.bad_lines`, `"raise"` stops at the first.

    Raises `PenstockError` for what cannot be found or read; no message has a password in it.
    """
    origin = _origin(source, format, query, table)
    return Table(origin, types=types, columns=columns, bad_lines=bad_lines)


def _origin(source: Any, format: str | None, query: str | None, table: str | None) -> Any:
    if isinstance(source, Table):
        return source.origin
    if not isinstance(source, str | os.PathLike):
        from penstock.data.frames import Frame

        _refuse(f"a `{type(source).__name__}`", format=format, query=query, table=table)
        return Frame(source)
    from penstock.data.addresses import parse

    address = parse(os.fspath(source))
    if address.kind not in ("file", "remote"):
        from penstock.data.databases import query_of

        _refuse(f"`{address.shown}`", format=format)
        return query_of(address, query, table)
    from penstock.data.files import find

    _refuse(f"`{address.shown}`", query=query)
    return find(address, format, table)


def _refuse(what: str, **options: str | None) -> None:
    given = next((name for name, value in options.items() if value is not None), None)
    if given is not None:
        raise PenstockError(f"{what} takes no `{given}`; leave it out")
