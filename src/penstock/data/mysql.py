"""MySQL and MariaDB, by PyMySQL, row after row from the server."""

import getpass
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from penstock.data.addresses import Address
from penstock.errors import PenstockError
from penstock.readers import Batch, rows_per_batch

__all__ = ["Session", "declared", "read"]

# Codes of the protocol (include/field_types.h) to Arrow's types; others are texts.
_DECLARED = {
    **dict.fromkeys((1, 2, 3, 8, 9, 13), "int64"),
    **dict.fromkeys((0, 4, 5, 246), "float64"),
    **dict.fromkeys((7, 10, 12, 14), "timestamp"),
}
_TYPES = {"number": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN", "timestamp": "DATETIME(6)"}
# A key must have a length, and `a` is not `A`.
_KEY = "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
_ROWS_PER_INSERT = 1000
_TRANSACTIONAL = ("InnoDB", "ROCKSDB", "TokuDB")


def _connect(address: Address, **options: Any) -> Any:
    try:
        import pymysql
    except ModuleNotFoundError:
        raise PenstockError("`mysql:` needs `pymysql`; pip install 'penstock[mysql]'") from None
    parts = urlsplit(address.text)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    option_file = Path("~/.my.cnf").expanduser()
    given: dict[str, Any] = {
        "host": parts.hostname or os.environ.get("MYSQL_HOST"),
        "port": parts.port or int(os.environ.get("MYSQL_TCP_PORT", "0")),
        "user": unquote(parts.username or "") or query.get("user"),
        "password": unquote(parts.password or "")
        or query.get("password")
        or os.environ.get("MYSQL_PWD"),
        "database": unquote(parts.path.strip("/")),
        "unix_socket": query.get("unix_socket"),
        "ssl_ca": query.get("ssl-ca"),
        # A TIMESTAMP is shown, and taken, in the zone of the session.
        "init_command": "SET time_zone = '+00:00'",
        "read_default_file": str(option_file) if option_file.is_file() else None,
    }
    given = {key: value for key, value in given.items() if value}
    if "password" in given:
        # PyMySQL would take a text for Latin-1 (connections.py), and servers compare UTF-8.
        given["password"] = given["password"].encode()
    if "user" not in given and "read_default_file" not in given:
        given["user"] = getpass.getuser()
    return pymysql.connect(charset="utf8mb4", **given, **options)


def _reading(address: Address) -> Any:
    from pymysql.cursors import SSCursor

    connection = _connect(address, cursorclass=SSCursor)
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION READ ONLY")
    return connection


def declared(address: Address, sql: str) -> dict[str, Any]:
    """Arrow types of the columns."""
    import pyarrow

    with closing(_reading(address)) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM (\n{sql}\n) AS q LIMIT 0")
        words = {column[0]: _DECLARED.get(column[1], "string") for column in cursor.description}
    return {
        name: pyarrow.timestamp("us") if word == "timestamp" else pyarrow.type_for_alias(word)
        for name, word in words.items()
    }


def read(address: Address, sql: str) -> Iterator[Batch]:
    """The rows as lists by column, in a transaction that cannot change anything."""
    with closing(_reading(address)) as connection, _stopping(connection.cursor()) as cursor:
        cursor.execute(sql)
        names = [column[0] for column in cursor.description]
        first = 0
        while rows := cursor.fetchmany(rows_per_batch(len(names))):
            columns = map(list, zip(*rows, strict=True))
            yield Batch(dict(zip(names, columns, strict=True)), first, len(rows))
            first += len(rows)
        if first == 0:
            yield Batch({name: [] for name in names}, 0, 0)


@contextmanager
def _stopping(cursor: Any) -> Iterator[Any]:
    """A cursor that does not read the rest of the rows when nobody wants it."""
    try:
        yield cursor
    finally:
        result = cursor._result
        if result is not None and result.unbuffered_active:
            # PyMySQL would read on to the last row (cursors.py); the connection ends here.
            result.unbuffered_active = False
            cursor.connection._force_close()


class Session:
    """A connection that writes; readers see the table as it was until the end."""

    renames = True
    stages = True

    def __init__(self, address: Address) -> None:
        self._connection = _connect(address, autocommit=False)

    def begin(self, row_count: int) -> None:
        self._connection.begin()

    def execute(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)

    def first(self, query: str) -> tuple[Any, ...] | None:
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row

    def columns(self, table: str) -> list[str] | None:
        schema, _, name = table.rpartition(".")
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT column_name, engine FROM information_schema.columns "
                "JOIN information_schema.tables USING (table_schema, table_name) "
                "WHERE table_name = %s AND table_schema = COALESCE(%s, DATABASE()) "
                "ORDER BY ordinal_position",
                (name, schema or None),
            )
            rows = cursor.fetchall()
        if rows and rows[0][1] not in (*_TRANSACTIONAL, None):
            raise PenstockError(
                f"table `{table}` is of the engine {rows[0][1]}, which has no transactions: others "
                f"would see half of the rows; ALTER TABLE {table} ENGINE=InnoDB, or drop it"
            )
        return [row[0] for row in rows] or None

    def type_of(self, type_: Any, *, key: bool) -> str:
        from penstock.data.columns import sql_word

        return _TYPES.get(sql_word(type_), _KEY if key else "LONGTEXT CHARACTER SET utf8mb4")

    def lock(self, table: str) -> None:
        """Nothing: rows that another transaction deletes or adds wait for it."""

    def fill(self, table: str, rows: Any, *, temporary: bool) -> None:
        from penstock.data.databases import quoted_table
        from penstock.data.outgoing import plain_rows

        marks = ", ".join(["%s"] * len(rows.schema))
        place = quoted_table("mysql", table).replace("%", "%%")
        with self._connection.cursor() as cursor:
            for batch in rows:
                given = plain_rows(batch, times_as_text=False)
                while part := list(islice(given, _ROWS_PER_INSERT)):
                    cursor.executemany(f"INSERT INTO {place} VALUES ({marks})", part)

    def offer(self, name: str, rows: Any) -> None:
        """Nothing: rows are staged."""

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        self._connection.rollback()

    def close(self) -> None:
        self._connection.close()
