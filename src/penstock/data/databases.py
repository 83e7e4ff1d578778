"""Databases as origins of a table, and as places for one; each is a module of its own."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import Any, Protocol

from penstock.data.addresses import Address
from penstock.errors import PenstockError
from penstock.readers import BadLines, Batch

__all__ = ["Query", "Session", "open_session", "query_of", "quoted", "quoted_table"]

_READING = "check the address, the query and the credentials"
_WRITING = "nothing was changed in the table; check the address, the columns and the rights"


class Session(Protocol):
    """A connection that writes, in one transaction at a time."""

    # A new table is filled under another name and then renamed; else it is made where it belongs.
    renames: bool
    # Rows go into a temporary table, from where they are merged; else statements read them as they
    # are, under the name that `offer` gives them.
    stages: bool

    def begin(self, row_count: int) -> None:
        """Begins a transaction that is to take so many rows."""

    def execute(self, statement: str) -> None: ...
    def first(self, query: str) -> tuple[Any, ...] | None:
        """The first row that a query answers, if there is one."""

    def columns(self, table: str) -> list[str] | None:
        """Names of the columns of a table; `None` if there is no such table."""

    def type_of(self, type_: Any, *, key: bool) -> str:
        """The database's name for an Arrow type."""

    def lock(self, table: str) -> None:
        """Lets nobody else write to the table until the transaction ends; reading goes on."""

    def fill(self, table: str, rows: Any, *, temporary: bool) -> None:
        """Adds the rows of a `RecordBatchReader` to a table, which is named as a person does."""

    def offer(self, name: str, rows: Any) -> None:
        """Lets the next statement read the rows by this name, where nothing `stages`."""

    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


class Query:
    """The rows that a database answers a query with."""

    size: int | None = None
    rereadable = True
    typed = True

    def __init__(self, address: Address, sql: str) -> None:
        self.address = address
        self.name = address.shown
        self.sql = sql

    @cached_property
    def declared(self) -> Mapping[str, Any]:
        """Types of the columns as far as the database says them before the first row."""
        with self.address.reading(_READING):
            types: Mapping[str, Any] = _module(self.address).declared(self.address, self.sql)
            return types

    def stamp(self) -> list[str]:
        """The database and the query: whether its rows have changed, nobody says."""
        return [self.name, self.sql]

    def advanced(self) -> int:
        """Nothing: how many rows are to come is not known."""
        return 0

    def batches(self, bad_lines: BadLines | None) -> Iterator[Batch]:
        """Every batch in order; one without rows if there are none."""
        with self.address.reading(_READING):
            yield from _module(self.address).read(self.address, self.sql)

    def after(self, keys: Sequence[str], last: Sequence[Any] | None) -> "Query":
        """The same rows in order of these columns, from a row on whose values are known.

        That row comes again, and so do all whose key is missing: where a key is to be unique,
        neither those nor a key that comes twice are lost.
        """
        terms = [self._ordered(key) for key in keys]
        where = ""
        if last is not None:
            values = [_literal(self.address.kind, value) for value in last]
            beyond = f"({', '.join(terms)}) >= ({', '.join(values)})"
            absent = [f"{quoted(self.address.kind, key)} IS NULL" for key in keys]
            where = f" WHERE {' OR '.join([beyond, *absent])}"
        order = ", ".join(terms)
        return Query(self.address, f"SELECT * FROM (\n{self.sql}\n) AS q{where} ORDER BY {order}")

    def _ordered(self, key: str) -> str:
        """A key as it is compared: byte by byte, as keys that differ by case are two."""
        name = quoted(self.address.kind, key)
        if self.address.kind == "sqlite":
            return f"{name} COLLATE BINARY"
        if self.address.kind == "mysql" and str(self.declared.get(key)) == "string":
            return f"CONVERT({name} USING utf8mb4) COLLATE utf8mb4_bin"
        return name


def query_of(address: Address, query: str | None, table: str | None) -> Query:
    """The origin for a query, or for a whole table; one of the two must be given."""
    if (query is None) == (table is None):
        what = "a `query` or a `table`" if query is None else "a `query` or a `table`, not both"
        raise PenstockError(f"`{address.shown}` is a database; name {what}")
    if table is not None:
        query = f"SELECT * FROM {quoted_table(address.kind, table)}"
    return Query(address, str(query).strip().rstrip(";").rstrip())


def open_session(address: Address) -> Session:
    """A connection that writes; raises `PenstockError` where there is none to be had."""
    with address.reading(_WRITING):
        session: Session = _module(address).Session(address)
        return session


def quoted(kind: str, name: str) -> str:
    """The name of a column in SQL."""
    mark = "`" if kind == "mysql" else '"'
    return f"{mark}{name.replace(mark, mark * 2)}{mark}"


def quoted_table(kind: str, name: str) -> str:
    """The name of a table in SQL, perhaps with its schema before a dot."""
    return ".".join(quoted(kind, part) for part in name.split("."))


def _literal(kind: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        text = value.replace("\\", "\\\\") if kind == "mysql" else value
        return "'" + text.replace("'", "''") + "'"
    raise PenstockError(
        f"a key is {value!r}; --resume goes on after a key that is a whole number or a text"
    )


def _module(address: Address) -> Any:
    return import_module(f"penstock.data.{address.kind}")
