"""What several commands have in common: types of options, what is told of data."""

import csv
from collections.abc import Callable
from typing import Any

import click

from penstock.formats import FORMATS

__all__ = ["COLUMNS", "TOP", "TYPES", "reading", "tell_bad_lines"]


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


class _Types(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """Names of columns and their types."""

    name = "types"

    def get_metavar(self, *_: Any, **__: Any) -> str:
        return "NAME=TYPE,..."

    def convert(self, value: Any, param: Any, ctx: Any) -> dict[str, str]:
        if isinstance(value, dict):
            return value
        from penstock.data.columns import check_types
        from penstock.errors import SchemaError

        pairs = [pair.rpartition("=") for pair in COLUMNS.convert(value, param, ctx)]
        if not all(name and type_ for name, _, type_ in pairs):
            self.fail(f"takes pairs as `zip=text,id=integer`; got `{value}`", param, ctx)
        types = {name: type_ for name, _, type_ in pairs}
        try:
            check_types(types, None)
        except SchemaError as error:
            self.fail(str(error), param, ctx)
        return types


class _Top(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A number of reasons; left out, what follows the option is taken for it."""

    name = "top"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        try:
            top = int(value)
        except ValueError:
            self.fail(
                f"`{value}` is not a number of reasons; if it is DATA, put it before --explain",
                param,
                ctx,
            )
        if top < 0:
            self.fail(f"takes 0 or more reasons; got {top}", param, ctx)
        return top


COLUMNS = _Columns()
TYPES = _Types()
TOP = _Top()


def reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """What the name of a table may leave open: options `format`, `query`, `table` and `types`."""
    for option in (
        click.option(
            "--types", type=TYPES, help="Types of columns, where those proposed are wrong."
        ),
        click.option(
            "--table", metavar="NAME", help="The table of a database; the sheet of a file."
        ),
        click.option("--query", metavar="SQL", help="What of a database."),
        click.option(
            "--from", "format", type=click.Choice(FORMATS), help="Format, if DATA does not say."
        ),
    ):
        command = option(command)
    return command


def tell_bad_lines(table: Any) -> None:
    """Says how many lines were left out of what was read, and what the first ones are."""
    bad_lines = table.bad_lines
    if bad_lines.count:
        lines = "line" if bad_lines.count == 1 else "lines"
        click.echo(f"`{table.name}`: {bad_lines.count:,} bad {lines} left out:", err=True)
        for reason in bad_lines.shown:
            click.echo(f"  {reason}", err=True)
