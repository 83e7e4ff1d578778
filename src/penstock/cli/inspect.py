"""`penstock inspect`: what an artifact takes, does, answers and comes from."""

import json

import click

__all__ = ["command"]


@click.command("inspect")
@click.argument("artifact", type=click.Path())
@click.option(
    "--json", "as_json", is_flag=True, help="Print the manifest, digest and size as JSON."
)
@click.option("--card", is_flag=True, help="Print the model card (Markdown).")
@click.option("--plan", is_flag=True, help="Print what the engine does for a row, step by step.")
def command(artifact: str, *, as_json: bool, card: bool, plan: bool) -> None:
    """Show the schema, the steps, the size and the origin of ARTIFACT.

    The artifact is checked, but its examples are not run: `penstock verify` does that.
    """
    from penstock.model import load

    model = load(artifact, verify=False)
    if as_json:
        facts = {"digest": model.digest, "size": model.size, "manifest": model.manifest}
        click.echo(json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False))
    elif card:
        click.echo(model.card, nl=False)
    elif plan:
        click.echo("\n".join(model.plan))
    else:
        click.echo(model.describe())
        click.echo(f"\n{model.size:,} bytes, {model.unpacked_size:,} unpacked, {model.digest}")
