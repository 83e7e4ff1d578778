"""`penstock profile`: what is in a table, and what training on it will need."""

from pathlib import Path
from typing import Any

import click

from penstock.cli.options import reading, tell_bad_lines

__all__ = ["command"]


@click.command("profile", short_help="Show what is in a table, and what training on it needs.")
@click.argument("data")
@reading
@click.option("--target", metavar="NAME", help="The column to be predicted: warn of leaks of it.")
@click.option("--html", metavar="FILE", help="Write a page too, which needs nothing else.")
def command(data: str, html: str | None, target: str | None, **options: Any) -> None:
    """Show types, missing values, levels, distributions and oddities of DATA.

    DATA is what `penstock predict` takes. All rows are counted, in constant
    memory; levels, quantiles and histograms are of a fair sample of 200,000.
    At the end: the memory that training each algorithm will need, estimated.

    \b
        penstock profile flights.csv.gz --target late --html flights.html
        penstock profile postgresql://me@db/flights --table today
    """
    from penstock.data import read
    from penstock.data.profile import profile
    from penstock.data.sheets import page, text
    from penstock.files import write_bytes

    table = read(data, **options)
    found = profile(table, target=target)
    click.echo(text(found), nl=False)
    if html is not None:
        write_bytes(Path(html), page(found).encode())
    tell_bad_lines(table)
