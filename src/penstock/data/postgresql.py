"""PostgreSQL, by Arrow's own driver (ADBC), which reads and writes by COPY."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from penstock.data.addresses import Address
from penstock.errors import PenstockError, SchemaError
from penstock.readers import Batch, numbered

__all__ = ["Session", "declared", "read"]

_TYPES = {
    "number": "double precision",
    "integer": "bigint",
    "boolean": "boolean",
    "timestamp": "timestamptz",
}


def _connect(address: Address) -> Any:
    try:
        from adbc_driver_postgresql import dbapi
    except ModuleNotFoundError:
        raise PenstockError(
            "`postgresql:` needs `adbc-driver-postgresql`; pip install 'penstock[postgresql]'"
        ) from None
    return dbapi.connect(address.text)


def declared(address: Address, sql: str) -> dict[str, Any]:
    """Nothing: the rows come with their types."""
    return {}


def read(address: Address, sql: str) -> Iterator[Batch]:
    """The rows as Arrow record batches, in a transaction that cannot change anything."""
    with closing(_connect(address)) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        # The driver writes `COPY (…)` around it; it may end with a comment.
        cursor.execute(f"{sql}\n")
        reader = cursor.fetch_record_batch()
        schema = _plain_schema(reader.schema)
        yield from numbered((_plain(batch, schema) for batch in reader), schema)


def _plain_schema(schema: Any) -> Any:
    import pyarrow

    fields = []
    for field in schema:
        type_ = field.type
        if isinstance(type_, pyarrow.BaseExtensionType):
            foreign = getattr(type_, "type_name", "")
            if pyarrow.types.is_binary(type_.storage_type):
                raise SchemaError(
                    f"column `{field.name}` is of the type `{foreign}`, which Arrow does not have; "
                    f"cast it in the query, as in `{field.name}::text`"
                )
            type_ = pyarrow.float64() if foreign == "numeric" else pyarrow.string()
        fields.append(pyarrow.field(field.name, type_))
    return pyarrow.schema(fields)


def _plain(batch: Any, schema: Any) -> Any:
    """The batch without types of extensions: decimals are numbers, ids and JSON are texts."""
    import pyarrow

    columns = []
    for column, field in zip(batch.columns, schema, strict=True):
        if isinstance(column, pyarrow.ExtensionArray):
            column = column.storage
            if pyarrow.types.is_fixed_size_binary(column.type):
                texts = [value and str(uuid.UUID(bytes=value)) for value in column.to_pylist()]
                column = pyarrow.array(texts, pyarrow.string())
        columns.append(column.cast(field.type))
    return pyarrow.RecordBatch.from_arrays(columns, schema=schema)


class Session:
    """A connection that writes; readers see the table as it was until the end."""

    renames = True
    stages = True

    def __init__(self, address: Address) -> None:
        self._connection = _connect(address)
        self._cursor = self._connection.cursor()

    def begin(self, row_count: int) -> None:
        """Nothing: a statement begins a transaction."""

    def execute(self, statement: str) -> None:
        self._cursor.execute(statement)

    def first(self, query: str) -> tuple[Any, ...] | None:
        self._cursor.execute(query)
        row: tuple[Any, ...] | None = self._cursor.fetchone()
        return row

    def columns(self, table: str) -> list[str] | None:
        from penstock.data.databases import quoted_table

        name = quoted_table("postgresql", table).replace("'", "''")
        self._cursor.execute(
            f"SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('{name}') "
            "AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
        return [row[0] for row in self._cursor.fetchall()] or None

    def type_of(self, type_: Any, *, key: bool) -> str:
        from penstock.data.columns import sql_word

        return _TYPES.get(sql_word(type_), "text")

    def lock(self, table: str) -> None:
        self._cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")

    def fill(self, table: str, rows: Any, *, temporary: bool) -> None:
        schema, _, name = table.rpartition(".")
        place = {"db_schema_name": schema} if schema else {}
        self._cursor.adbc_ingest(name, rows, mode="append", temporary=temporary, **place)

    def offer(self, name: str, rows: Any) -> None:
        """Nothing: rows are staged."""

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        self._connection.rollback()

    def close(self) -> None:
        self._cursor.close()
        self._connection.close()
