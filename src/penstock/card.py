"""The model card: what a model takes, answers and comes from, as Markdown for people."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.description import steps
from penstock.schema import Field, Schema, describe_field

__all__ = ["card"]

# Whatever Markdown or HTML might take for markup when a column or a level is named so.
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~>$])")
_SHOWN_LEVELS = 8
_SHOWN_COLUMNS = 200
_SHOWN_STEPS = 200


def card(manifest: Mapping[str, Any]) -> str:
    """The card of a model by its manifest."""
    schema = Schema.from_json(manifest["schema"])
    sections = [
        f"# {_text(manifest['name'])}, version {_text(manifest['version'])}",
        _summary(manifest, schema),
        "## Inputs\n\n" + _inputs(schema, manifest["baseline"]),
        "## Outputs\n\n" + _outputs(schema),
        "## Steps\n\n" + _fenced(_shortened(steps(manifest))),
        "## Where it comes from\n\n" + _provenance(manifest["provenance"]),
        "## Limits\n\n" + _limits(schema),
    ]
    return "\n\n".join(sections) + "\n"


def _summary(manifest: Mapping[str, Any], schema: Schema) -> str:
    provenance = manifest["provenance"]
    used = [field for field in schema.inputs if field.type != "ignored"]
    outputs = ", ".join(f"`{output.name}`" for output in schema.outputs)
    source = _text(provenance.get("class", "model"))
    return (
        f"Predicts {outputs} from {len(used)} column{'s' * (len(used) != 1)}, as the {source} does "
        "that it was converted from. The examples inside the artifact hold what that model "
        "answered; they are run whenever the artifact is loaded."
    )


def _inputs(schema: Schema, baseline: Mapping[str, Any]) -> str:
    rows = [
        (_text(field.name), str(field.type), _text(describe_field(field)), _seen(field, baseline))
        for field in schema.inputs[:_SHOWN_COLUMNS]
    ]
    table = _table(("column", "type", "policy", "in the example data"), rows)
    more = len(schema.inputs) - len(rows)
    return f"{table}\n\nand {more} more columns" if more > 0 else table


def _seen(field: Field, baseline: Mapping[str, Any]) -> str:
    statistics = baseline.get(str(field.name))
    if not statistics:
        return ""
    missing = f", {statistics['missing']} missing" if statistics.get("missing") else ""
    if "levels" in statistics:
        levels = [level for level, _ in statistics["levels"][:_SHOWN_LEVELS]]
        more = "…" if statistics["distinct"] > len(levels) else ""
        return _text(", ".join(map(str, levels))) + more + missing
    if statistics.get("minimum") is None:
        return missing.lstrip(", ")
    return f"{_number(statistics['minimum'])} to {_number(statistics['maximum'])}{missing}"


def _outputs(schema: Schema) -> str:
    rows = []
    for output in schema.outputs:
        names = output.levels if output.names is None else output.names
        shown = [_text(name) for name in (names or ())[:_SHOWN_LEVELS]]
        shown += [f"… {len(names)} in all"] if names and len(names) > len(shown) else []
        same = (
            "the same bits" if output.tolerance == 0 else f"within {output.tolerance:g}, relative"
        )
        rows.append((_text(output.name), output.kind, ", ".join(shown), same))
    return _table(("output", "kind", "of", "beside the source library"), rows)


def _provenance(provenance: Mapping[str, Any]) -> str:
    lines = []
    for key, value in provenance.items():
        if isinstance(value, Mapping):
            value = ", ".join(f"{name} {number}" for name, number in value.items())
        lines.append(f"- {_text(key)}: {_text(value)}")
    return "\n".join(lines)


def _limits(schema: Schema) -> str:
    refusing = [field for field in schema.inputs if field.on_missing == "refuse"]
    lines = [
        "- It answers as the source model does, right or wrong: judge it on data of your own.",
        "- Rows that differ from the example data above are answered with the same confidence.",
        "- Integers beyond 2^53 are refused rather than rounded.",
    ]
    if refusing:
        names = ", ".join(_text(field.name) for field in refusing[:_SHOWN_LEVELS])
        more = "…" if len(refusing) > _SHOWN_LEVELS else ""
        lines.append(f"- A missing value is refused in: {names}{more}")
    return "\n".join(lines)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(value: Any) -> str:
    """The text as Markdown shows it, whatever it holds, on one line."""
    line = " ".join(str(value).split())
    return _MARKUP.sub(r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;"))


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def _shortened(text: str) -> str:
    lines = text.splitlines()
    more = len(lines) - _SHOWN_STEPS
    return text if more <= 0 else "\n".join([*lines[:_SHOWN_STEPS], f"… and {more} more lines"])


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
