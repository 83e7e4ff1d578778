"""Rows into a table of a database, or into a folder, so that nobody ever sees half of them."""

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.data.addresses import Address
from penstock.data.databases import Session, open_session, quoted, quoted_table
from penstock.data.folders import columns_of_folder, to_folder
from penstock.data.outgoing import sql_rows
from penstock.data.parts import Parts
from penstock.errors import DataError, PenstockError, SchemaError

__all__ = ["MODES", "Delivery", "check_columns", "columns_there", "deliver"]

MODES = ("replace", "upsert", "append")
_STAGING = "penstock_rows"
# The default of a server may have no transactions.
_OPTIONS = {"mysql": " ENGINE=InnoDB"}
_ADVICE = (
    "nothing was changed; check the columns, the keys (each once, none missing) and the rights"
)


@dataclass(frozen=True)
class Delivery:
    """Where rows go and how; `keys` are unique among them."""

    address: Address
    table: str | None
    mode: str
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise PenstockError(f"the mode is {self.mode!r}; it must be one of {', '.join(MODES)}")
        if self.mode == "upsert" and not self.keys:
            raise PenstockError("upsert replaces rows by their key; name its columns with --key")
        if self.address.kind == "remote":
            raise PenstockError(
                f"`{self.address.shown}` is far; write to a folder here, and copy it"
            )
        if self.address.kind == "file":
            if self.table is not None:
                raise PenstockError(f"`{self.address.shown}` is a folder and has no table")
            if self.mode == "upsert":
                raise PenstockError("rows of a folder have no keys; upsert into a database")
        elif self.table is None:
            raise PenstockError(
                f"`{self.address.shown}` is a database; name the table with --table"
            )

    @property
    def shown(self) -> str:
        """The target in messages."""
        return f"`{self.address.shown}`" + (f" table `{self.table}`" if self.table else "")


def columns_there(delivery: Delivery) -> list[str] | None:
    """Names of the columns that are there already; `None` if there are none yet.

    Raises `PenstockError` for a target that cannot be reached, or that holds other things, before
    any work is done.
    """
    address = delivery.address
    if address.kind == "file":
        return columns_of_folder(Path(address.text), delivery.mode)
    if address.kind in ("sqlite", "duckdb") and not Path(address.text).exists():
        return None
    with address.reading(_ADVICE), closing(open_session(address)) as session:
        return session.columns(str(delivery.table))


def deliver(delivery: Delivery, parts: Parts) -> None:
    """Brings all rows of the parts to where they go, all at once."""
    address = delivery.address
    if address.kind == "file":
        to_folder(Path(address.text), parts, delivery.mode)
        return
    embedded = address.kind in ("sqlite", "duckdb")
    file = Path(address.text) if embedded and not Path(address.text).exists() else None
    try:
        with address.reading(_ADVICE), closing(open_session(address)) as session:
            _to_table(session, delivery, parts)
    except BaseException:
        if file is not None:
            # It was made for these rows only.
            file.unlink(missing_ok=True)
        raise


def _to_table(session: Session, delivery: Delivery, parts: Parts) -> None:
    kind, name = delivery.address.kind, str(delivery.table)
    names = parts.schema.names
    there = session.columns(name)
    anew = there is None or (delivery.mode == "replace" and not set(names) <= set(there))
    if not anew:
        check_columns(delivery, names, there or ())
    schema = name.rpartition(".")[0]
    # Of its own length: databases cut names off, or refuse them.
    made = f"{schema}{'.' if schema else ''}{_STAGING}_{os.urandom(6).hex()}"
    made = made if session.renames else name
    session.begin(parts.row_count)
    try:
        if anew:
            _make(session, delivery, parts, made, there is not None)
        else:
            _merge(session, delivery, parts)
        session.commit()
    except BaseException:
        session.rollback()
        if anew and kind == "mysql":
            # It does not take back what makes a table.
            session.execute(f"DROP TABLE IF EXISTS {quoted_table(kind, made)}")
        raise


def _make(session: Session, delivery: Delivery, parts: Parts, made: str, replaces: bool) -> None:
    """A new table with the rows, in the place of the old one."""
    kind, name = delivery.address.kind, str(delivery.table)
    old, new = quoted_table(kind, name), quoted_table(kind, made)
    if replaces and not session.renames:
        session.execute(f"DROP TABLE {old}")
    columns = _columns(session, delivery, parts)
    session.execute(f"CREATE TABLE {new} ({columns}){_OPTIONS.get(kind, '')}")
    session.fill(made, _rows(parts), temporary=False)
    if not session.renames:
        return
    if kind == "mysql":
        # One statement, so that there is a table of this name at any time.
        session.commit()
        away = quoted_table(kind, f"{made}_old")
        steps = [f"{old} TO {away}"] if replaces else []
        session.execute(f"RENAME TABLE {', '.join([*steps, f'{new} TO {old}'])}")
        if replaces:
            session.execute(f"DROP TABLE {away}")
        return
    if replaces:
        session.execute(f"DROP TABLE {old}")
    bare = quoted(kind, name.rpartition(".")[2])
    session.execute(f"ALTER TABLE {new} RENAME TO {bare}")


def _merge(session: Session, delivery: Delivery, parts: Parts) -> None:
    """The rows into a table that stays, with its indices, rights and views."""
    kind = delivery.address.kind
    table = quoted_table(kind, str(delivery.table))
    names = ", ".join(quoted(kind, name) for name in parts.schema.names)
    keys = ", ".join(quoted(kind, key) for key in delivery.keys)
    if session.stages:
        columns = _columns(session, delivery, parts)
        session.execute(f"CREATE TEMPORARY TABLE {_STAGING} ({columns}){_OPTIONS.get(kind, '')}")
        session.fill(_STAGING, _rows(parts), temporary=True)
    elif keys:
        session.offer(_STAGING, _rows(parts))
        _refuse(
            session.first(f"SELECT {keys} FROM {_STAGING} GROUP BY {keys} HAVING count(*) > 1"),
            delivery,
            "comes twice among the rows",
        )
    session.lock(table)
    if delivery.mode == "replace":
        session.execute(f"DELETE FROM {table}")
    elif keys:
        session.offer(_STAGING, _rows(parts))
        same = f"FROM {table} WHERE ({keys}) IN (SELECT {keys} FROM {_STAGING})"
        if delivery.mode == "upsert":
            session.execute(f"DELETE {same}")
        else:
            _refuse(session.first(f"SELECT {keys} {same} LIMIT 1"), delivery, "is there already")
    session.offer(_STAGING, _rows(parts))
    session.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {_STAGING}")
    if session.stages:
        drop = "DROP TEMPORARY TABLE" if kind == "mysql" else "DROP TABLE"
        session.execute(f"{drop} {_STAGING}")


def _refuse(values: Sequence[Any] | None, delivery: Delivery, reason: str) -> None:
    """Raises `DataError` for the values of a key, if there are any."""
    if values is not None:
        pairs = zip(delivery.keys, values, strict=True)
        shown = ", ".join(f"`{key}` {value}" for key, value in pairs)
        raise DataError(
            f"{delivery.shown}: the key {shown} {reason}; nothing was changed; each key must be "
            "there once"
        )


def _rows(parts: Parts) -> Any:
    return sql_rows(parts.reader(), parts.schema)


def _columns(session: Session, delivery: Delivery, parts: Parts) -> str:
    """The columns of the parts as SQL declares them."""
    kind = delivery.address.kind
    declared = []
    for field in parts.schema:
        key = field.name in delivery.keys
        type_ = session.type_of(field.type, key=key)
        name = quoted(kind, field.name)
        declared.append(f"{name} {type_}{' NOT NULL' if key else ''}")
    if delivery.keys:
        keys = ", ".join(quoted(kind, key) for key in delivery.keys)
        declared.append(f"PRIMARY KEY ({keys})")
    return ", ".join(declared)


def check_columns(delivery: Delivery, names: Sequence[str], there: Sequence[str]) -> None:
    """Raises `SchemaError` where rows are to go into a table that lacks a column of theirs."""
    absent = [name for name in names if name not in there]
    if absent and delivery.mode != "replace":
        raise SchemaError(
            f"{delivery.shown} has no column `{absent[0]}`, which the rows have; "
            f"add it, or use the mode replace; it has: `{'`, `'.join(there)}`"
        )
    more = next((name for name in there if name not in names), None)
    if delivery.address.kind == "file" and delivery.mode == "append" and more is not None:
        raise SchemaError(
            f"{delivery.shown} has a column `{more}`, which the rows have not; keep it with "
            "--columns, or use the mode replace"
        )
