"""Types of options that several commands have."""

import csv
from typing import Any

import click

__all__ = ["COLUMNS"]


class _Columns(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """Names separated by commas."""

    name = "names"

    def get_metavar(self, *_: Any, **__: Any) -> str:
        return "NAME,NAME"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        # As in CSV, a name with a comma can be quoted.
        names = next(csv.reader([value]), [])
        return tuple(name for name in names if name)


COLUMNS = _Columns()
