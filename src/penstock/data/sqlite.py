"""SQLite files, by Python's own library."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from penstock.data.addresses import Address
from penstock.readers import Batch, rows_per_batch

__all__ = ["Session", "declared", "read"]

# What the declared type of a column begins with, and what it is; others are seen by their values.
_DECLARED = {
    "INT": "int64",
    "BIGINT": "int64",
    "SMALLINT": "int64",
    "TINYINT": "int64",
    "REAL": "float64",
    "DOUBLE": "float64",
    "FLOAT": "float64",
    "NUMERIC": "float64",
    "DECIMAL": "float64",
    "TEXT": "string",
    "VARCHAR": "string",
    "CHAR": "string",
    "CLOB": "string",
    "BOOL": "bool",
    "DATE": "timestamp",
    "TIMESTAMP": "timestamp",
}
_TYPES = {"number": "REAL", "integer": "INTEGER", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP"}
# Seconds to wait for another program that writes.
_PATIENCE = 60.0


def _open(address: Address) -> sqlite3.Connection:
    path = quote(str(Path(address.text).absolute()))
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_PATIENCE)


def declared(address: Address, sql: str) -> dict[str, Any]:
    """Arrow types of the columns that come straight from a table."""
    import pyarrow

    with closing(_open(address)) as connection:
        connection.execute(f"CREATE TEMP VIEW penstock_view AS {sql}")
        rows = connection.execute("PRAGMA table_info(penstock_view)").fetchall()
    types = {}
    for _, name, type_, *_ in rows:
        found = next(
            (_DECLARED[word] for word in _DECLARED if type_.upper().startswith(word)), None
        )
        if found is not None:
            types[name] = (
                pyarrow.timestamp("us") if found == "timestamp" else pyarrow.type_for_alias(found)
            )
    return types


def read(address: Address, sql: str) -> Iterator[Batch]:
    """The rows as lists by column."""
    with closing(_open(address)) as connection:
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description]
        first = 0
        while rows := cursor.fetchmany(rows_per_batch(len(names))):
            yield Batch(
                dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)), first, len(rows)
            )
            first += len(rows)
        if first == 0:
            yield Batch({name: [] for name in names}, 0, 0)


class Session:
    """A connection that writes; readers see the table as it was until the end."""

    renames = False
    stages = True

    def __init__(self, address: Address) -> None:
        self._connection = sqlite3.connect(address.text, isolation_level=None, timeout=_PATIENCE)

    def begin(self, row_count: int) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def execute(self, statement: str) -> None:
        self._connection.execute(statement)

    def first(self, query: str) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._connection.execute(query).fetchone()
        return row

    def columns(self, table: str) -> list[str] | None:
        schema, _, name = table.rpartition(".")
        rows = self._connection.execute(
            "SELECT name FROM pragma_table_info(?, ?)", (name, schema or "main")
        ).fetchall()
        return [row[0] for row in rows] or None

    def type_of(self, type_: Any, *, key: bool) -> str:
        from penstock.data.columns import sql_word

        # SQLite gives a number of its own to a missing key that is declared INTEGER.
        word = sql_word(type_)
        return "BIGINT" if key and word == "integer" else _TYPES.get(word, "TEXT")

    def lock(self, table: str) -> None:
        """Nothing: whoever writes has the whole file."""

    def fill(self, table: str, rows: Any, *, temporary: bool) -> None:
        from penstock.data.databases import quoted_table
        from penstock.data.outgoing import plain_rows

        marks = ", ".join("?" * len(rows.schema))
        statement = f"INSERT INTO {quoted_table('sqlite', table)} VALUES ({marks})"
        for batch in rows:
            self._connection.executemany(statement, plain_rows(batch, times_as_text=True))

    def offer(self, name: str, rows: Any) -> None:
        """Nothing: rows are staged."""

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()
