"""`penstock predict`: rows from a file, a pipe or the command line to predictions."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import click

from penstock.cli.options import COLUMNS, TOP, tell_bad_lines
from penstock.formats import FORMATS, WRITTEN
from penstock.writers import json_line, open_writer

__all__ = ["command"]


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    output: str
    source: str | None
    query: str | None
    from_table: str | None
    target: str | None
    columns: tuple[str, ...]
    drop: tuple[str, ...]
    on_error: str
    threads: int | None
    json: bool
    no_verify: bool
    require_signature: str | None
    explain: int | None
    bad_lines: str


@click.command("predict", short_help="Predict the rows of a file, or one row.")
@click.argument("artifact", type=click.Path())
@click.argument("data", required=False)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default="-",
    help="Where predictions go; standard output if not given. The file appears when it is whole.",
)
@click.option(
    "--from",
    "source",
    metavar="FORMAT|DATA",
    help=f"Format of DATA, if its name does not say: {', '.join(FORMATS)}; or DATA itself.",
)
@click.option("--query", metavar="SQL", help="What of a database is predicted.")
@click.option("--from-table", metavar="NAME", help="The table, if all of it; the sheet of a file.")
@click.option(
    "--bad-lines",
    type=click.Choice(["raise", "skip"]),
    default="raise",
    show_default=True,
    help="Stop at a line that is no row, or leave it out, count it and tell.",
)
@click.option(
    "--to",
    "target",
    type=click.Choice(WRITTEN),
    help="Format of the predictions, if the name of FILE does not say; CSV on standard output.",
)
@click.option(
    "--columns", type=COLUMNS, default="", help="Columns of DATA to keep beside the predictions."
)
@click.option(
    "--drop", type=COLUMNS, default="", help="Columns of DATA that are no inputs; left out."
)
@click.option(
    "--on-error",
    type=click.Choice(["raise", "return"]),
    default="raise",
    show_default=True,
    help="Stop at the first row that is refused, or answer it with a column `error`.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="COUNT",
    help="At most so many; all cores if not given.",
)
@click.option(
    "--explain",
    type=TOP,
    metavar="[TOP]",
    is_flag=False,
    flag_value=0,
    help="Add what each input brings to the raw score, and the TOP inputs that bring most.",
)
@click.option("--json", is_flag=True, help='DATA is one row as a JSON object; so is any "{...}".')
@click.option("--no-verify", is_flag=True, help="Do not run the examples of the artifact first.")
@click.option(
    "--require-signature",
    metavar="FILE",
    help="Refuse an artifact that this public key (NAME.pub) has not signed.",
)
def command(artifact: str, data: str | None, **options: object) -> None:
    """Predict the rows of DATA with the model in ARTIFACT.

    DATA is a file, a pattern or a folder of CSV, TSV, NDJSON, Parquet, Arrow
    IPC, Avro or Excel files, here or behind https://, s3://, gs:// or hdfs://;
    a database (sqlite:PATH, duckdb:PATH, postgresql://..., mysql://...) with
    --query or --from-table; `-` for standard input; or one row as a JSON object:

    \b
        penstock predict late.penstock flights.parquet -o late.csv
        penstock predict late.penstock '{"carrier": "UA", "distance": 1400}'
        penstock predict late.penstock flights.csv --explain 3 -o reasons.csv
        penstock predict late.penstock 's3://flights/2024-*.csv.gz' -o late.csv

    Files larger than memory are fine. In CSV an empty field is missing, and so
    are NA, NaN, null and None in columns that are not text. Messages count rows
    from 0.
    """
    chosen = Options(**options)  # type: ignore[arg-type]
    if chosen.source is not None and chosen.source not in FORMATS:
        if data is not None:
            known = ", ".join(FORMATS)
            raise click.UsageError(f"--from is a format beside DATA: one of {known}")
        data, chosen = chosen.source, replace(chosen, source=None)
    if data is None:
        raise click.UsageError("Missing argument 'DATA'.")
    if chosen.json or data.lstrip().startswith("{"):
        _predict_one(artifact, data, chosen)
    else:
        _predict_file(artifact, data, chosen)


def _predict_one(artifact: str, row: str, options: Options) -> None:
    if options.output != "-" or options.source or options.target or options.columns:
        raise click.UsageError("one row is answered on standard output as JSON, without options")
    model = _load(artifact, options)
    answer = model.predict_json(row)
    if options.explain is not None:
        answer["explanation"] = model.explain_json(row, options.explain or None)
    click.echo(json_line(answer), nl=False)


def _predict_file(artifact: str, data: str, options: Options) -> None:
    from penstock.bulk import Bulk
    from penstock.data import read

    model = _load(artifact, options)
    bulk = Bulk(
        model, options.columns, options.drop, options.on_error, options.threads, options.explain
    )
    table = read(
        data,
        format=options.source,
        query=options.query,
        table=options.from_table,
        bad_lines=options.bad_lines,
    )
    with ExitStack() as stack:
        writer = stack.enter_context(open_writer(options.output, options.target))
        advance = stack.enter_context(_progress(table.origin.size, options.output))
        for batch in table.rows():
            writer.write(bulk.predict(batch))
            advance(table.origin.advanced())
    tell_bad_lines(table)


def _load(artifact: str, options: Options) -> Any:
    from penstock.model import load

    return load(artifact, verify=not options.no_verify, require_signature=options.require_signature)


@contextmanager
def _progress(size: int | None, output: str) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, if that is a terminal; none where predictions go into a pipe."""
    # A terminal would show both, and so does a pipe into a pager.
    to_file = output != "-" or stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    if size is None or not to_file or not sys.stderr.isatty():
        yield lambda step: None
        return
    with click.progressbar(length=size, label="predicting", file=sys.stderr) as bar:
        yield bar.update
        bar.update(size - bar.pos)
