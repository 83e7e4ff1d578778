"""The report of a training: one HTML file, for a manager to read and a statistician to accept."""

import html
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from penstock.files import write_bytes
from penstock.training import drawing, figures, importance
from penstock.training.metrics import PRIMARY
from penstock.training.result import Result
from penstock.training.segments import segments

__all__ = ["page", "write"]

SHOWN_INPUTS, SHOWN_DEPENDENCES, SHOWN_SEGMENTS, SHOWN_ENTRIES = 20, 6, 12, 30

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #8a93a3; --line: #d9dee7; --page: #fff;
  --first: #1f6feb; --second: #d9730d; --warn: #9a5b00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e8f0; --soft: #8d97a8; --line: #333b49;
  --page: #12161d; --first: #6ea8ff; --second: #ffab5e; --warn: #f0b45a; } }
@media print { :root { --ink: #000; --soft: #666; --line: #ccc; --page: #fff; --first: #1f6feb;
  --second: #d9730d; --warn: #7a4a00; }
  svg, tr { break-inside: avoid-page; } h2 { break-after: avoid-page; } }
body { margin: 0 auto; padding: 2rem 1.25rem; max-width: 62rem; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
p { max-width: 46rem; margin: .4rem 0; } .soft { color: var(--soft); } .warn { color: var(--warn); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(18.5rem, 1fr)); gap: 1rem; }
.plots svg { width: 100%; height: auto; }
.tiles { display: flex; flex-wrap: wrap; gap: 1rem 2.2rem; margin: 1.2rem 0; }
.tiles b { display: block; font-size: 1.5rem; font-weight: 600; }
"""


def write(result: Result, path: str | os.PathLike[str]) -> None:
    """Writes the page; a file is replaced whole or not at all."""
    write_bytes(Path(path), page(result).encode())


def page(result: Result) -> str:
    """The page as HTML; it loads nothing, and has no scripts."""
    title = _text(f"{result.model.name}, version {result.model.version}")
    contributions = importance.contributed(result)
    permuted = importance.permuted(result)
    body = "".join(
        (
            _head(result, title),
            _section("Data", _data(result)),
            _section("Leaderboard", _leaderboard(result)),
            _section("How good it is", _quality(result)),
            _section("Thresholds", _thresholds(result)),
            _section("What matters", _importance(contributions, permuted)),
            _section("What each input does", _dependences(result, contributions or permuted)),
            _section("Where it does worst", _worst(result)),
            _section("How it was made", _origin(result)),
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def _head(result: Result, title: str) -> str:
    rows = len(result.holdout.truth)
    tiles = "".join(
        f"<div><b>{value:.4f}</b>{_text(name.replace('_', ' '))}</div>"
        for name, value in result.metrics.items()
    )
    return (
        f"<h1>{title}</h1><p>Predicts <b>{_text(result.recipe.target)}</b> ({result.task}) with "
        f"{_text(result.recipe.algorithm)}. Measured on {rows:,} rows that were held out "
        f"({result.prepared.parts.kind} split): neither the model nor any choice has seen them.</p>"
        f'<div class="tiles">{tiles}</div>'
    )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def _data(result: Result) -> str:
    parts = result.prepared.parts
    text = (
        f"<p>{len(result.prepared.rows):,} rows: {len(parts.learning):,} to learn from, "
        f"{len(parts.validation):,} to stop and to choose by, {len(parts.holdout):,} held out.</p>"
    )
    if result.prepared.task.classifies:
        shares = result.prepared.target.value_counts(normalize=True)
        told = ", ".join(f"{_text(level)} {share:.1%}" for level, share in shares.items())
        text += f"<p>Classes: {told}.</p>"
    text += "".join(f'<p class="warn">{_text(warning)}</p>' for warning in result.warnings)
    rows = [
        (
            each.name,
            each.type,
            {"drop": "left out"}.get(each.treatment, each.treatment),
            each.reason,
            f"{each.levels:,}",
            f"{each.missing:.1%}",
        )
        for each in result.features
    ]
    titles = ("column", "type", "taken as", "why", "values", "missing")
    return text + _table(titles, rows, numbers=2)


def _leaderboard(result: Result) -> str:
    if not result.leaderboard:
        return ""
    rows = [
        (
            str(place),
            each.algorithm,
            f"{each.score:.4f}",
            f"{each.seconds:.1f}",
            "by default" if each.baseline else _parameters(each.parameters),
        )
        for place, each in enumerate(result.leaderboard[:SHOWN_ENTRIES])
    ]
    metric = result.leaderboard[0].metric.replace("_", " ")
    note = "<p class='soft'>On the rows to choose by, not on the held-out ones.</p>"
    return _table(("place", "algorithm", metric, "seconds", "parameters"), rows) + note


def _parameters(parameters: Any) -> str:
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in parameters.items()
    )


def _quality(result: Result) -> str:
    folds = ""
    if result.folds:
        name = PRIMARY[result.task]
        values = [fold[name] for fold in result.folds]
        mean = sum(values) / len(values)
        told = ", ".join(f"{value:.4f}" for value in values)
        folds = f"<p>{len(values)} folds, {name.replace('_', ' ')}: mean {mean:.4f} ({told}).</p>"
    return folds + _plots(figures.quality(result))


def _thresholds(result: Result) -> str:
    if result.task != "binary":
        return ""
    rows = []
    for name, (hits, alarms, misses, rest) in figures.confusion(result):
        counts = (f"{hits:,}", f"{alarms:,}", f"{misses:,}", f"{rest:,}")
        rows.append((name, *counts, _share(hits, hits + alarms), _share(hits, hits + misses)))
    titles = ("from", "true yes", "false yes", "false no", "true no", "precision", "recall")
    positive = _text(result.prepared.task.positive)
    note = (
        f"<p>Yes is {positive}. The chosen threshold is the best on rows to choose by; the "
        "artifact says yes from there on.</p>"
    )
    return note + _table(titles, rows, numbers=6)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "none"


def _importance(contributions: Sequence[Any], permuted: Sequence[Any]) -> str:
    plots = []
    if contributions:
        names, values = zip(*contributions[:SHOWN_INPUTS], strict=True)
        plots.append(drawing.bars("Mean contribution (SHAP)", "to the raw score", names, values))
    names, values = zip(*permuted[:SHOWN_INPUTS], strict=True)
    plots.append(drawing.bars("Loss when shuffled", "of the first metric", names, values))
    return _plots(plots)


def _dependences(result: Result, ranked: Sequence[Any]) -> str:
    names = [name for name, _ in ranked[:SHOWN_DEPENDENCES]]
    label = "mean prediction"
    if result.task == "binary":
        label = f"mean probability of {result.prepared.task.positive}"
    elif result.task == "multiclass":
        label = f"mean probability of {result.prepared.task.classes[-1]}"
    made = importance.dependences(result, names)
    note = (
        "<p class='soft'>The mean prediction if all rows had the value; behind it, how many do.</p>"
    )
    return note + _plots(
        drawing.partial(each.name, label, each.values, each.means, each.counts) for each in made
    )


def _worst(result: Result) -> str:
    rows = result.prepared.rows.iloc[result.prepared.parts.holdout]
    found = segments(rows, result.holdout, result.prepared.task)[:SHOWN_SEGMENTS]
    if not found:
        return ""
    metric = PRIMARY[result.task].replace("_", " ")
    cells = [(each.name, f"{each.value:.4f}", f"{each.rows:,}") for each in found]
    return _table(("rows with", metric, "rows"), cells, numbers=2)


def _origin(result: Result) -> str:
    provenance = result.model.manifest["provenance"]
    versions = ", ".join(f"{name} {each}" for name, each in provenance["versions"].items())
    told = [
        ("artifact", result.model.digest),
        ("recipe", f"{result.recipe.digest}: {_parameters(result.recipe.to_json())}"),
        ("seed", str(result.recipe.seed)),
        ("trees", "" if result.trees is None else str(result.trees)),
        ("seconds", f"{result.seconds:.1f}"),
        ("versions", versions),
    ]
    return _table(("what", ""), [pair for pair in told if pair[1]])


def _plots(plots: Iterable[str]) -> str:
    return f'<div class="plots">{"".join(f"<div>{plot}</div>" for plot in plots)}</div>'


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0) -> str:
    """The last `numbers` columns are aligned to the right."""
    first = len(titles) - numbers

    def line(cells: Sequence[str], tag: str) -> str:
        made = (
            f"<{tag}{' class=number' if at >= first else ''}>{_text(cell)}</{tag}>"
            for at, cell in enumerate(cells)
        )
        return f"<tr>{''.join(made)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f'<div class="scroll"><table>{line(titles, "th")}{body}</table></div>'


def _text(value: Any) -> str:
    return html.escape(str(value), quote=True)
