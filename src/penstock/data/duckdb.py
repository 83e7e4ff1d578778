"""DuckDB files, by DuckDB."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from penstock.data.addresses import Address
from penstock.errors import PenstockError
from penstock.readers import MOST_ROWS_PER_BATCH, Batch, numbered

__all__ = ["Session", "declared", "read"]

# Bytes of memory for a delivery, and beside them for each row as far as it has a key.
_MEMORY = 512 << 20
_BYTES_OF_KEY = 64
_TYPES = {"number": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP"}


def _connect(path: str, *, read_only: bool) -> Any:
    try:
        import duckdb
    except ModuleNotFoundError:
        raise PenstockError("`duckdb:` needs `duckdb`; pip install 'penstock[duckdb]'") from None
    return duckdb.connect(path, read_only=read_only and path != ":memory:")


def declared(address: Address, sql: str) -> dict[str, Any]:
    """Nothing: the rows come with their types."""
    return {}


def read(address: Address, sql: str) -> Iterator[Batch]:
    """The rows as Arrow record batches."""
    with closing(_connect(address.text, read_only=True)) as connection:
        answer = connection.sql(sql)
        if answer is None:
            raise PenstockError(f"`{address.shown}`: the query answers no rows; write a SELECT")
        reader = answer.to_arrow_reader(MOST_ROWS_PER_BATCH)
        yield from numbered(reader, reader.schema)


class Session:
    """A connection that writes; readers see the table as it was until the end."""

    renames = False
    # It would keep a temporary table in memory.
    stages = False

    def __init__(self, address: Address) -> None:
        self._connection = _connect(address.text, read_only=False)
        self._offered: str | None = None

    def begin(self, row_count: int) -> None:
        # It keeps as much in memory as it may, four fifths of it all, and writes the rest beside
        # the file; but the index of a primary key is always in memory.
        most = _MEMORY + _BYTES_OF_KEY * row_count
        self._connection.execute(f"SET memory_limit = '{most}B'")
        self._connection.execute("BEGIN")

    def execute(self, statement: str) -> None:
        self._connection.execute(statement)

    def first(self, query: str) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._connection.execute(query).fetchone()
        return row

    def columns(self, table: str) -> list[str] | None:
        schema, _, name = table.rpartition(".")
        rows = self._connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = ? "
            "AND table_schema = ? ORDER BY ordinal_position",
            [name, schema or "main"],
        ).fetchall()
        return [row[0] for row in rows] or None

    def type_of(self, type_: Any, *, key: bool) -> str:
        from penstock.data.columns import sql_word

        return _TYPES.get(sql_word(type_), "VARCHAR")

    def lock(self, table: str) -> None:
        """Nothing: DuckDB refuses the second of two transactions that change the same rows."""

    def fill(self, table: str, rows: Any, *, temporary: bool) -> None:
        from penstock.data.databases import quoted_table

        self.offer("penstock_stream", rows)
        place = quoted_table("duckdb", table)
        self._connection.execute(f"INSERT INTO {place} SELECT * FROM penstock_stream")

    def offer(self, name: str, rows: Any) -> None:
        """A stream is read once, so each statement needs one of its own."""
        if self._offered is not None:
            self._connection.unregister(self._offered)
        self._connection.register(name, rows)
        self._offered = name

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        self._connection.execute("ROLLBACK")

    def close(self) -> None:
        if self._offered is not None:
            self._connection.unregister(self._offered)
        self._connection.close()
