"""Rows into a table of a database, or into a folder, so that nobody ever sees half of them."""

import os
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.data.addresses import Address
from penstock.data.columns import sql_rows
from penstock.data.databases import Session, open_session, quoted
from penstock.data.parts import Parts
from penstock.errors import PenstockError, SchemaError

__all__ = ["MODES", "Delivery", "check_columns", "columns_there", "deliver"]

MODES = ("replace", "upsert", "append")
_STAGING = "penstock_rows"
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
    """Names of the columns of the target's table; `None` if there is none yet.

    Raises `PenstockError` for a target that cannot be reached, before any work is done.
    """
    address = delivery.address
    if address.kind == "file":
        return None
    if address.kind in ("sqlite", "duckdb") and not Path(address.text).exists():
        return None
    with address.reading(_ADVICE), closing(open_session(address)) as session:
        return session.columns(str(delivery.table))


def deliver(delivery: Delivery, parts: Parts) -> None:
    """Brings all rows of the parts to where they go, all at once."""
    if delivery.address.kind == "file":
        _to_folder(Path(delivery.address.text), parts, delivery.mode)
        return
    with delivery.address.reading(_ADVICE), closing(open_session(delivery.address)) as session:
        _to_table(session, delivery, parts)


# -- Databases --


def _to_table(session: Session, delivery: Delivery, parts: Parts) -> None:
    kind, name = delivery.address.kind, str(delivery.table)
    names = parts.schema.names
    there = session.columns(name)
    anew = there is None or (delivery.mode == "replace" and not set(names) <= set(there))
    if not anew:
        check_columns(delivery, names, there or ())
    made = f"{name}_penstock_{os.urandom(3).hex()}" if session.renames else name
    session.begin()
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
            session.execute(f"DROP TABLE IF EXISTS {quoted(kind, made)}")
        raise


def _make(session: Session, delivery: Delivery, parts: Parts, made: str, replaces: bool) -> None:
    """A new table with the rows, in the place of the old one."""
    kind, name = delivery.address.kind, str(delivery.table)
    old = quoted(kind, name)
    if replaces and not session.renames:
        session.execute(f"DROP TABLE {old}")
    session.execute(f"CREATE TABLE {quoted(kind, made)} ({_columns(session, delivery, parts)})")
    session.fill(quoted(kind, made), _rows(parts), temporary=False)
    if not session.renames:
        return
    if kind == "mysql":
        # One statement, so that there is a table of this name at any time.
        session.commit()
        away = f"{made}_old"
        steps = [f"{old} TO {quoted(kind, away)}"] if replaces else []
        steps += [f"{quoted(kind, made)} TO {old}"]
        session.execute(f"RENAME TABLE {', '.join(steps)}")
        if replaces:
            session.execute(f"DROP TABLE {quoted(kind, away)}")
        return
    if replaces:
        session.execute(f"DROP TABLE {old}")
    bare = quoted(kind, name.rpartition(".")[2])
    session.execute(f"ALTER TABLE {quoted(kind, made)} RENAME TO {bare}")


def _merge(session: Session, delivery: Delivery, parts: Parts) -> None:
    """The rows into a table that stays, with its indices, rights and views."""
    kind = delivery.address.kind
    table = quoted(kind, str(delivery.table))
    names = ", ".join(quoted(kind, name) for name in parts.schema.names)
    columns = _columns(session, delivery, parts)
    session.execute(f"CREATE TEMPORARY TABLE {_STAGING} ({columns})")
    session.fill(_STAGING, _rows(parts), temporary=True)
    session.lock(table)
    if delivery.mode == "replace":
        session.execute(f"DELETE FROM {table}")
    elif delivery.mode == "upsert":
        keys = ", ".join(quoted(kind, key) for key in delivery.keys)
        session.execute(f"DELETE FROM {table} WHERE ({keys}) IN (SELECT {keys} FROM {_STAGING})")
    session.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {_STAGING}")
    drop = "DROP TEMPORARY TABLE" if kind == "mysql" else "DROP TABLE"
    session.execute(f"{drop} {_STAGING}")


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


# -- Folders --


def _to_folder(folder: Path, parts: Parts, mode: str) -> None:
    if mode == "append" and folder.exists():
        mark = os.urandom(4).hex()
        for at, path in enumerate(parts.paths):
            os.replace(path, folder / f"part-{mark}-{at:05d}.parquet")
        return
    (parts.folder / "lock").unlink(missing_ok=True)
    os.chmod(parts.folder, 0o777 & ~_umask())
    if folder.exists():
        foreign = [path.name for path in folder.iterdir() if path.suffix != ".parquet"]
        if foreign:
            raise PenstockError(
                f"`{folder}` has other things than Parquet files, as `{foreign[0]}`; it stays"
            )
        _exchange(parts.folder, folder)
    else:
        os.rename(parts.folder, folder)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _exchange(new: Path, old: Path) -> None:
    """Swaps two folders in one step where the system can (Linux: renameat2), else in two."""
    import ctypes

    here, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of linux/fcntl.h and linux/fs.h
    call = (
        getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
        if os.name == "posix"
        else None
    )
    if call is not None and call(here, os.fsencode(new), here, os.fsencode(old), exchange) == 0:
        return
    away = old.with_name(f".{old.name}.{os.urandom(4).hex()}.old")
    os.rename(old, away)
    os.rename(new, old)
    shutil.rmtree(away)
