"""`penstock train`: from a table, or a recipe file, to an artifact."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from penstock.cli.options import COLUMNS, reading
from penstock.training.recipe import Setting, settings

__all__ = ["command"]

EXIT_NOT_MET = 1
_TYPES: dict[str, Any] = {"text": str, "integer": int, "number": float, "texts": COLUMNS}


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    """An option for each setting that fits in one."""
    for name, setting in reversed(settings()):
        if setting.kind in _TYPES:
            command = _option(name, setting)(command)
    return command


def _option(name: str, setting: Setting) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    kind = click.Choice(setting.choices) if setting.choices else _TYPES[setting.kind]
    metavar = {"text": "TEXT", "integer": "COUNT", "number": "NUMBER"}.get(setting.kind)
    option = f"--{name.replace('_', '-')}"
    return click.option(
        option, name, type=kind, metavar=None if setting.choices else metavar, help=setting.about
    )


@click.command("train", short_help="Train a model on a table, or by a recipe.")
@click.argument("source", metavar="DATA|RECIPE")
@reading
@click.option("-o", "--output", metavar="FILE", help="The artifact to write.")
@click.option("--report", metavar="FILE", help="The report to write (HTML).")
@click.option(
    "--require",
    multiple=True,
    metavar="METRIC>=NUMBER",
    help="Exit with 1, and write no artifact, if held-out rows do not meet this.",
)
@click.option(
    "--set",
    "lines",
    multiple=True,
    metavar="SETTING=VALUE",
    help="Any setting of a recipe, as in TOML: --set parameters.num_leaves=31",
)
@_options
def command(source: str, *, lines: tuple[str, ...], **given: Any) -> None:
    """Train a model on the rows of DATA, or by RECIPE (.toml), and write an artifact.

    \b
        penstock train flights.parquet --target late -o late.penstock
        penstock train flights.csv --target delay --algorithm glm --drop flight
        penstock train recipe.toml

    DATA is what `penstock profile` takes. Options go before what the recipe
    says; `penstock init` writes one with all settings. What is trained is
    proved to answer the same as an artifact. Metrics are those of held-out
    rows; they go to standard output.
    """
    from penstock.training.recipes import order, parsed, read

    options = {name: value for name, value in given.items() if value not in (None, ())}
    by_recipe = source.lower().endswith(".toml")
    start = read(Path(source)) if by_recipe else {"source": source}
    said = parsed("\n".join(lines), "--set") if lines else {}
    _run(order({**start, **said, **options}))


def _run(wanted: Any) -> None:
    from penstock.training.events import told
    from penstock.training.gates import gates
    from penstock.training.running import trained

    # OpenMP reads this when it is loaded. Its threads spin while they wait for each other, and on a
    # machine that has other work too, training then takes five times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    conditions = gates(wanted.require)
    with told() as tell:
        result = trained(wanted.rows(), wanted.recipe, tell=tell)
    click.echo(result.summary())
    refusals = [text for gate in conditions if (text := gate.refusal(result.metrics))]
    if wanted.report is not None:
        result.report(wanted.report)
        click.echo(f"`{wanted.report}`: the report", err=True)
    if refusals:
        click.echo("\n".join(refusals), err=True)
        raise click.exceptions.Exit(EXIT_NOT_MET)
    if wanted.output is not None:
        result.save(wanted.output)
        click.echo(f"`{wanted.output}`: {result.model.size:,} bytes", err=True)
