"""The report of a training: one HTML file, for a manager to read and a statistician to accept."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penstock.files import write_bytes
from penstock.training import drawing, figures, importance, portraits
from penstock.training.learning import learned
from penstock.training.markup import STYLE, plots, section, table, text
from penstock.training.metrics import PRIMARY
from penstock.training.result import Result
from penstock.training.segments import segments

__all__ = ["page", "write"]

SHOWN_INPUTS, SHOWN_DEPENDENCES, SHOWN_SEGMENTS, SHOWN_ENTRIES = 20, 6, 12, 30


def write(result: Result, path: str | os.PathLike[str]) -> None:
    """Writes the page; a file is replaced whole or not at all."""
    write_bytes(Path(path), page(result).encode())


def page(result: Result) -> str:
    """The page as HTML; it loads nothing, and has no scripts."""
    title = text(f"{result.model.name}, version {result.model.version}")
    contributions = importance.contributed(result)
    permuted = importance.permuted(result)
    matter = contributions or permuted
    sections = {
        "Data": _data(result),
        "Leaderboard": _leaderboard(result),
        **portraits.sections(result, [name for name, _ in matter]),
        "How good it is": _quality(result),
        "Thresholds": _thresholds(result),
        "Learning curves": _learning(result),
        "What matters": _importance(result, contributions, permuted),
        "What each input does": _dependences(result, matter),
        _WORST.get(result.task, "Where it does worst"): _worst(result),
        "How it was made": _origin(result),
    }
    body = _head(result, title) + "".join(section(*each) for each in sections.items())
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )


_WORST = {"anomaly": "Where most anomalies are"}


def _head(result: Result, title: str) -> str:
    rows = result.holdout.count
    what = {
        "clustering": "Puts rows that are alike into clusters",
        "anomaly": "Tells rows that are unlike the others",
    }.get(result.task, f"Predicts <b>{text(result.recipe.target)}</b> ({result.task})")
    tiles = "".join(
        f"<div><b>{value:.4f}</b>{text(name.replace('_', ' '))}</div>"
        for name, value in result.metrics.items()
    )
    return (
        f"<h1>{title}</h1><p>{what} with "
        f"{text(result.recipe.algorithm)}. Measured on {rows:,} rows that were held out "
        f"({result.prepared.parts.kind} split): neither the model nor any choice has seen them.</p>"
        f'<div class="tiles">{tiles}</div>'
    )


def _data(result: Result) -> str:
    parts = result.prepared.parts
    choosing = f"{len(parts.validation):,} to stop and to choose by, "
    said = (
        f"<p>{len(result.prepared.rows):,} rows: {len(parts.learning):,} to learn from, "
        f"{choosing if len(parts.validation) else ''}{len(parts.holdout):,} held out.</p>"
    )
    if result.prepared.task.classifies:
        shares = result.prepared.target.value_counts(normalize=True)
        told = ", ".join(f"{text(level)} {share:.1%}" for level, share in shares.items())
        said += f"<p>Classes: {told}.</p>"
    said += "".join(f'<p class="warn">{text(warning)}</p>' for warning in result.warnings)
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
    return said + table(titles, rows, numbers=2)


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
    if result.task == "clustering":
        note = "<p class='soft'>Of k-means on a sample of the rows to learn from.</p>"
    return table(("place", "algorithm", metric, "seconds", "parameters"), rows) + note


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
    drawn = figures.quality(result)
    return folds + plots(drawn) if drawn else ""


def _thresholds(result: Result) -> str:
    if result.task != "binary":
        return ""
    rows = []
    for name, (hits, alarms, misses, rest) in figures.confusion(result):
        counts = (f"{hits:,}", f"{alarms:,}", f"{misses:,}", f"{rest:,}")
        rows.append((name, *counts, _share(hits, hits + alarms), _share(hits, hits + misses)))
    titles = ("from", "true yes", "false yes", "false no", "true no", "precision", "recall")
    positive = text(result.prepared.task.positive)
    note = (
        f"<p>Yes is {positive}. The chosen threshold is the best on rows to choose by; the "
        "artifact says yes from there on.</p>"
    )
    return note + table(titles, rows, numbers=6)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "none"


def _learning(result: Result) -> str:
    drawn = []
    points = learned(result)
    if points:
        rows = [each.rows for each in points]
        lines = [
            (rows, [each.held for each in points], "held-out rows"),
            (rows, [each.seen for each in points], "rows learned from"),
        ]
        metric = PRIMARY[result.task].replace("_", " ")
        drawn.append(drawing.curve("By rows", ("rows to learn from", metric), lines))
    for name, losses in result.rounds.items():
        labels = ("trees", name.replace("_", " "))
        lines = [(list(range(1, len(losses) + 1)), list(losses), "")]
        drawn.append(drawing.curve("By trees, on the rows to stop by", labels, lines))
    return plots(drawn) if drawn else ""


def _importance(result: Result, contributions: Sequence[Any], permuted: Sequence[Any]) -> str:
    drawn = []
    if contributions:
        names, values = zip(*contributions[:SHOWN_INPUTS], strict=True)
        drawn.append(drawing.bars("Mean contribution (SHAP)", "to the raw score", names, values))
    names, values = zip(*permuted[:SHOWN_INPUTS], strict=True)
    told = {
        "clustering": ("Change when shuffled", "share of rows in another cluster"),
        "anomaly": ("Change when shuffled", "mean change of the score"),
    }.get(result.task, ("Loss when shuffled", "of the first metric"))
    drawn.append(drawing.bars(*told, names, values))
    return plots(drawn)


def _dependences(result: Result, ranked: Sequence[Any]) -> str:
    if result.task == "clustering":
        return ""
    names = [name for name, _ in ranked[:SHOWN_DEPENDENCES]]
    label = "mean score" if result.task == "anomaly" else "mean prediction"
    if result.task == "binary":
        label = f"mean probability of {result.prepared.task.positive}"
    elif result.task == "multiclass":
        label = f"mean probability of {result.prepared.task.classes[-1]}"
    made = importance.dependences(result, names)
    note = (
        "<p class='soft'>The mean prediction if all rows had the value; behind it, how many do.</p>"
    )
    return note + plots(
        drawing.partial(each.name, label, each.values, each.means, each.counts) for each in made
    )


def _worst(result: Result) -> str:
    if result.task == "clustering":
        return ""
    rows = result.prepared.rows.iloc[result.prepared.parts.holdout]
    found = segments(rows, result.holdout, result.prepared.task)[:SHOWN_SEGMENTS]
    if not found:
        return ""
    metric = PRIMARY[result.task].replace("_", " ")
    cells = [(each.name, f"{each.value:.4f}", f"{each.rows:,}") for each in found]
    return table(("rows with", metric, "rows"), cells, numbers=2)


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
    return table(("what", ""), [pair for pair in told if pair[1]])
