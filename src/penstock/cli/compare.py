"""`penstock compare`: two artifacts on the same rows, and whether one may replace the other."""

from typing import Any

import click

from penstock.cli.options import reading

__all__ = ["command"]

EXIT_NOT_MET = 1


@click.command("compare", short_help="Compare two artifacts on the same rows.")
@click.argument("first", type=click.Path(), metavar="A")
@click.argument("second", type=click.Path(), metavar="B")
@click.argument("data")
@reading
@click.option("--target", metavar="COLUMN", required=True, help="Column with the truth.")
@click.option("--positive", metavar="CLASS", help="Class that metrics of two classes are about.")
@click.option(
    "--require",
    multiple=True,
    metavar="METRIC>=NUMBER",
    help="Exit with 1 if B does not meet this.",
)
@click.option(
    "--no-worse-than",
    "reference",
    metavar="A",
    help="Exit with 1 if B is worse than A by the first metric, in 95 % of resamples.",
)
def command(
    first: str,
    second: str,
    data: str,
    *,
    require: tuple[str, ...],
    reference: str | None,
    **options: Any,
) -> None:
    """Compare the artifacts A and B on the rows of DATA.

    Metrics side by side, how they differ on resampled rows, how often they
    disagree, and where B does worst against A. Columns of DATA that a model
    does not know are left out.

    \b
        penstock compare late.penstock new.penstock flights.parquet \\
            --target late --require 'auc>=0.79' --no-worse-than late.penstock
    """
    from penstock.data import read
    from penstock.training.comparing import compare
    from penstock.training.gates import gates

    if reference not in (None, first):
        raise click.UsageError(f"--no-worse-than takes the first artifact, `{first}`")
    conditions = gates(require)
    target, positive = options.pop("target"), options.pop("positive")
    found = compare(first, second, read(data, **options), target, positive=positive)
    metrics = found.metrics(1)
    refusals = [text for gate in conditions if (text := gate.refusal(metrics))]
    click.echo(found.summary())
    if reference is not None and found.primary.worse:
        change = found.primary
        refusals.append(
            f"`{second}` is worse than `{first}`: {change.metric} {change.second:.4f} instead of "
            f"{change.first:.4f}"
        )
    if refusals:
        click.echo("\n".join(refusals), err=True)
        raise click.exceptions.Exit(EXIT_NOT_MET)
