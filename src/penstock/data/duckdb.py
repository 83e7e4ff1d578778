"""DuckDB files, by DuckDB."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from penstock.data.addresses import Address
from penstock.errors import PenstockError
from penstock.readers import MOST_ROWS_PER_BATCH, Batch, numbered

__all__ = ["Session", "declared", "read"]

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

    def __init__(self, address: Address) -> None:
        self._connection = _connect(address.text, read_only=False)

    def begin(self) -> None:
        self._connection.execute("BEGIN")

    def execute(self, statement: str) -> None:
        self._connection.execute(statement)

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
        self._connection.register("penstock_stream", rows)
        self._connection.execute(f"INSERT INTO {table} SELECT * FROM penstock_stream")
        self._connection.unregister("penstock_stream")

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()
