"""`penstock predict`: rows from a file, a pipe or the command line to predictions."""

import json
import sys
from contextlib import ExitStack

import click

from penstock.readers import FORMATS, open_reader
from penstock.writers import open_writer

__all__ = ["command"]


@click.command("predict")
@click.argument("artifact", type=click.Path())
@click.argument("data")
@click.option("-o", "--output", default="-", help="Where predictions go; `-` is standard output.")
@click.option(
    "--from", "source", type=click.Choice(FORMATS), help="Format of DATA, if its name does not say."
)
@click.option(
    "--to",
    "target",
    type=click.Choice(FORMATS),
    help="Format of the output, likewise; CSV if nothing says.",
)
@click.option(
    "--columns", default="", help="Columns of DATA to keep in the output, separated by commas."
)
@click.option(
    "--on-error",
    type=click.Choice(["raise", "return"]),
    default="raise",
    show_default=True,
    help="Stop at the first row that is refused, or answer it by its error.",
)
@click.option(
    "--threads", type=click.IntRange(min=1), help="At most so many; all cores by default."
)
@click.option("--no-verify", is_flag=True, help="Do not run the examples of the artifact first.")
def command(
    artifact: str,
    data: str,
    *,
    output: str,
    source: str | None,
    target: str | None,
    columns: str,
    on_error: str,
    threads: int | None,
    no_verify: bool,
) -> None:
    """Predict the rows of DATA with the model in ARTIFACT.

    DATA is a file (CSV, NDJSON, Parquet, Arrow IPC), `-` for standard input, or one row as a JSON
    object: penstock predict late.penstock '{"carrier": "UA"}'. Files larger than memory are fine.

    In CSV files an empty field is missing, and so are NA, NaN, null and None in columns of numbers.
    """
    from penstock.bulk import predictions
    from penstock.model import load

    model = load(artifact, verify=not no_verify)
    if data.lstrip().startswith("{"):
        answer = model.predict_json(data)
        click.echo(json.dumps(answer, ensure_ascii=False, default=str))
        return
    kept = tuple(name for name in columns.split(",") if name)
    with ExitStack() as stack:
        reader = stack.enter_context(open_reader(data, source))
        writer = stack.enter_context(open_writer(output, target))
        with _progress(reader.size) as bar:
            for batch in reader.batches():
                writer.write(predictions(model, batch, kept, on_error, threads))
                bar.update(reader.advanced())


def _progress(size: int | None):  # type: ignore[no-untyped-def]
    """A bar on standard error, on a terminal only."""
    return click.progressbar(
        length=size or 0, label="predicting", file=sys.stderr, hidden=not sys.stderr.isatty()
    )
