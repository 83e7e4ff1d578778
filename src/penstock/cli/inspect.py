"""`penstock inspect`: what an artifact takes, does, answers and comes from."""

import json

import click

__all__ = ["command"]


@click.command("inspect", short_help="Show what an artifact takes, does and comes from.")
@click.argument("artifact", type=click.Path())
@click.option(
    "--json", "view", flag_value="json", help="Print manifest, digest, size and signatures as JSON."
)
@click.option("--card", "view", flag_value="card", help="Print the model card (Markdown).")
@click.option(
    "--plan", "view", flag_value="plan", help="Print what the engine does for a row, in steps."
)
def command(artifact: str, view: str | None) -> None:
    """Show the schema, the steps, the size and the origin of ARTIFACT.

    The artifact is checked, but its examples are not run, and signatures are
    named as they stand there: `penstock verify` does the rest.
    """
    from penstock.model import Model, load

    def facts(model: Model) -> str:
        values = {
            "digest": model.digest,
            "size": model.size,
            "signatures": [{"algorithm": name, "key": key} for name, key in model.signatures],
            "manifest": model.manifest,
        }
        return json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False)

    def summary(model: Model) -> str:
        sizes = f"{model.size:,} bytes, {model.unpacked_size:,} unpacked"
        origin = _origin(model.manifest) + _signatures(model.signatures)
        return f"{model.describe()}\n\n{origin}{sizes}\nSHA-256 {model.digest}"

    views = {
        "json": facts,
        "card": lambda model: model.card.rstrip("\n"),
        "plan": lambda model: "\n".join(model.plan),
        None: summary,
    }
    click.echo(views[view](load(artifact, verify=False)))


def _origin(manifest: dict[str, object]) -> str:
    """What is known of the source, one fact per line."""
    provenance = manifest["provenance"]
    lines = ""
    for name, value in provenance.items() if isinstance(provenance, dict) else ():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {item}" for key, item in value.items())
        lines += f"{name.replace('_', ' ')}: {value}\n"
    return lines


def _signatures(signatures: list[tuple[str, str]]) -> str:
    """Whoever says to have signed, one per line; nothing here has checked it."""
    lines = [f"signature: key {key} ({algorithm}, not checked)\n" for algorithm, key in signatures]
    return "".join(lines) or "signature: none\n"
