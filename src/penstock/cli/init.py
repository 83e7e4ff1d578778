"""`penstock init`: a recipe file to begin with."""

import os
from pathlib import Path

import click

__all__ = ["command"]


@click.command("init", short_help="Write a recipe file for `train`.")
@click.argument("data")
@click.option("--target", metavar="COLUMN", required=True, help="Column to predict.")
@click.option(
    "-o", "--output", metavar="FILE", default="recipe.toml", show_default=True, help="The recipe."
)
def command(data: str, target: str, output: str) -> None:
    """Write a recipe for `penstock train` with every setting and what it means.

    A file that is there is not overwritten.
    """
    from penstock.files import write_new
    from penstock.training.recipes import commented, moved

    # Paths in a recipe are relative to it.
    source = moved(data, lambda path: os.path.relpath(path, Path(output).parent))
    write_new(Path(output), commented(source, target).encode(), 0o644)
    click.echo(f"`{output}`: edit it, then `penstock train {output}`", err=True)
