"""`penstock predict`: rows from a file, a pipe or the command line to predictions."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import click

from penstock.cli.options import COLUMNS, TOP, TYPES, tell_bad_lines
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
    types: dict[str, str]
    on_error: str
    threads: int | None
    json: bool
    no_verify: bool
    require_signature: str | None
    explain: int | None
    bad_lines: str
    table: str | None
    key: tuple[str, ...]
    mode: str
    resume: bool
    no_stamp: bool


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
    metavar="FORMAT|TARGET",
    help=f"Format of the predictions, if FILE does not say: {', '.join(WRITTEN)}; or a TARGET.",
)
@click.option("--table", metavar="NAME", help="The table of TARGET that gets the predictions.")
@click.option("--key", type=COLUMNS, default="", help="Columns that tell the rows apart; kept.")
@click.option(
    "--mode",
    type=click.Choice(["replace", "upsert", "append"]),
    default="replace",
    show_default=True,
    help="What becomes of the rows of TARGET: all replaced, those with the same key, none.",
)
@click.option("--resume", is_flag=True, help="Go on where this command, with --resume, stopped.")
@click.option("--no-stamp", is_flag=True, help="Leave out the model, its digest and the time.")
@click.option(
    "--columns", type=COLUMNS, default="", help="Columns of DATA to keep beside the predictions."
)
@click.option(
    "--drop", type=COLUMNS, default="", help="Columns of DATA that are no inputs; left out."
)
@click.option(
    "--types",
    type=TYPES,
    default="",
    help="What kept columns are: number, integer, text, boolean or timestamp; of a database, any.",
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

    TARGET is a database as above, or a folder of Parquet files (`scores/`).
    Nobody sees it change before all rows are there, and then all at once:

    \b
        penstock predict late.penstock --from postgresql://me@db/flights \\
          --query 'SELECT * FROM today' --to sqlite:scores.db --table late --key id

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
    if chosen.target is not None and chosen.target not in WRITTEN:
        if chosen.output != "-":
            known = ", ".join(WRITTEN)
            raise click.UsageError(f"--to is a format beside -o: one of {known}")
        chosen = replace(chosen, target=None, output=chosen.target)
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
    from penstock.data.columns import SaidTypes

    model = _load(artifact, options)
    bulk = Bulk(
        model,
        options.columns,
        options.drop,
        options.on_error,
        options.threads,
        options.explain,
        cast=SaidTypes(tuple(sorted(options.types.items()))),
    )
    table = read(
        data,
        format=options.source,
        query=options.query,
        table=options.from_table,
        types=options.types,
        bad_lines=options.bad_lines,
    )
    _check_types(options, typed=table.origin.typed)
    if _is_target(options.output):
        _store(table, bulk, options)
    else:
        _write(table, bulk, options)
    tell_bad_lines(table)


def _check_types(options: Options, *, typed: bool) -> None:
    kept = {*options.columns, *options.key}
    other = next((name for name in options.types if name not in kept), None)
    if other is not None and not typed:
        raise click.UsageError(
            f"--types: `{other}` is not kept (--columns, --key); the model says what its inputs are"
        )


def _write(table: Any, bulk: Any, options: Options) -> None:
    """Predictions into one file, or to standard output."""
    if options.table or options.key or options.resume or options.mode != "replace":
        raise click.UsageError(
            "--table, --key, --mode and --resume are for a TARGET: a database, or a folder as `x/`"
        )
    with ExitStack() as stack:
        writer = stack.enter_context(open_writer(options.output, options.target))
        advance = stack.enter_context(_progress(table.origin.size, options.output))
        for batch in table.rows():
            writer.write(bulk.predict(batch))
            advance(table.origin.advanced())


def _is_target(output: str) -> bool:
    """Whether predictions go into a table, not into a file."""
    from penstock.data.addresses import parse

    if output == "-":
        return False
    kind = parse(output).kind
    return kind != "file" or output.endswith(("/", os.sep)) or os.path.isdir(output)


def _store(table: Any, bulk: Any, options: Options) -> None:
    """Predictions into a table of a database, or a folder."""
    from penstock.data.addresses import parse
    from penstock.data.delivery import Delivery
    from penstock.data.storing import store

    delivery = Delivery(parse(options.output), options.table, options.mode, options.key)
    with _progress(table.origin.size, options.output) as advance, _counted() as count:

        def advanced(rows: int) -> None:
            advance(table.origin.advanced())
            if table.origin.size is None:
                count(rows)

        done = store(
            table,
            bulk,
            delivery,
            resume=options.resume,
            stamped=not options.no_stamp,
            advance=advanced,
        )
    earlier = f", {done.resumed:,} of them by an earlier run" if done.resumed else ""
    click.echo(f"{delivery.shown}: {done.row_count:,} rows ({options.mode}){earlier}", err=True)
    if done.errors:
        click.echo(f"  {done.errors:,} rows were refused; column `error` says why", err=True)
    for (field, code), count_of in done.warnings.most_common():
        click.echo(f"  warning: column `{field}`: {code}, {count_of:,} times", err=True)


@contextmanager
def _counted() -> Iterator[Callable[[int], None]]:
    """Rows so far on standard error, if that is a terminal; for rows that nobody has counted."""
    if not sys.stderr.isatty():
        yield lambda rows: None
        return
    total = 0

    def count(rows: int) -> None:
        nonlocal total
        total += rows
        click.echo(f"\r{total:,} rows", nl=False, err=True)

    yield count
    if total:
        click.echo(err=True)


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
