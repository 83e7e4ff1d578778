"""Rows to train on as a pandas frame, from whatever `penstock.read` takes."""

from collections.abc import Mapping
from typing import Any

from penstock.data import Table, read
from penstock.errors import PenstockError

__all__ = ["frame"]


def frame(data: Any, types: Mapping[str, str] | None = None) -> tuple[Any, tuple[str, ...]]:
    """A pandas frame of the data, and what was odd while it was read.

    `types`: `number`, `text`, `boolean` or `timestamp` by column, against what is proposed.
    Raises `PenstockError` for what is no table, or has columns without names.
    """
    if isinstance(data, Table):
        table = data.of(data.origin, types) if types else data
    else:
        table = read(data, types=types)
    made = table.to_pandas()
    for name in made.columns:
        if not isinstance(name, str):
            raise PenstockError(f"the column name {name!r} is no text; name the columns")
    if made.columns.has_duplicates:
        twice = made.columns[made.columns.duplicated()][0]
        raise PenstockError(f"two columns have the name `{twice}`; rename one")
    return made.reset_index(drop=True), tuple(_told(table))


def _told(table: Table) -> list[str]:
    """Lines that were left out, and columns whose type was made wider further down."""
    told = [
        f"column `{name}` has another type than its first rows had ({reason})"
        for name, reason in table.widened.items()
    ]
    count = table.bad_lines.count
    if count:
        first = "; ".join(table.bad_lines.shown)
        lines = "line" if count == 1 else "lines"
        told.append(f"{count:,} bad {lines} left out: {first}")
    return told
