"""Sheets of Excel and OpenDocument files as batches: a sheet is read whole."""

import datetime
from collections.abc import Iterator
from typing import IO, Any

from penstock.errors import PenstockError, SchemaError
from penstock.readers import Batch, rows_per_batch

__all__ = ["read"]


def read(file: IO[bytes], sheet: str | None = None) -> Iterator[Batch]:
    """The rows below the first one that is not empty, which names the columns.

    `sheet` is the first one if not named. An empty cell is missing, and so is one with an error.
    """
    rows = _rows(file, sheet)
    names = [] if not rows else [_name(value, at) for at, value in enumerate(rows[0])]
    if not names:
        raise SchemaError("the sheet is empty; its first row must name the columns")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SchemaError(f"column `{twice}` comes twice; rename one in the sheet")
    most = rows_per_batch(len(names))
    for start in range(1, max(len(rows), 2), most):
        part = rows[start : start + most]
        columns = {name: [_plain(row[at]) for row in part] for at, name in enumerate(names)}
        yield Batch(columns, start - 1, len(part))


def _rows(file: IO[bytes], sheet: str | None) -> list[list[Any]]:
    try:
        import python_calamine
    except ModuleNotFoundError:
        raise PenstockError(
            "Excel needs `python-calamine`; pip install 'penstock[excel]'"
        ) from None
    try:
        book = python_calamine.load_workbook(file)
    except Exception as error:
        raise SchemaError(f"the Excel file cannot be read: {error}") from None
    names = book.sheet_names
    if sheet is not None and sheet not in names:
        raise SchemaError(f"there is no sheet `{sheet}`; there are: `{'`, `'.join(names)}`")
    found = book.get_sheet_by_name(sheet if sheet is not None else names[0])
    rows: list[list[Any]] = found.to_python(skip_empty_area=True)
    return rows


def _name(value: Any, at: int) -> str:
    if value in ("", None):
        raise SchemaError(f"the column at position {at} of the sheet has no name; give it one")
    # calamine gives every number as a float.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _plain(value: Any) -> Any:
    if value == "":
        return None
    if isinstance(value, datetime.datetime | datetime.date | str | bool | float | int):
        return value
    return str(value)
