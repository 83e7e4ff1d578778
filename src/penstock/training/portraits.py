"""What a report shows where no target is learned: clusters and their rows, scores and odd rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.training import drawing
from penstock.training.markup import plots, table, text
from penstock.training.metrics import predictions
from penstock.training.result import Result

__all__ = ["sections"]

SHOWN_CLUSTERS, SHOWN_INPUTS, SHOWN_ROWS, SHOWN_COLUMNS = 8, 30, 15, 8


def sections(result: Result, inputs: Sequence[str]) -> Mapping[str, str]:
    """Content by title; `inputs` are those that the model reads, what matters most first.

    Empty where a target is learned.
    """
    if result.task == "clustering":
        return {
            "Number of clusters": _numbers(result),
            "Clusters": _sizes(result) + _profiles(result, inputs),
            "Clusters and the target": _crossed(result),
        }
    if result.task == "anomaly":
        return {"Scores": _scores(result), "Oddest rows": _oddest(result, inputs)}
    return {}


def _numbers(result: Result) -> str:
    tried = sorted((each.parameters["n_clusters"], each.score) for each in result.leaderboard)
    if len(tried) < 2:
        return ""
    counts, scores = zip(*tried, strict=True)
    axes = ("clusters", "silhouette")
    return plots([drawing.curve("Silhouette", axes, [(counts, scores, "")])])


def _held(result: Result) -> Any:
    return result.prepared.rows.iloc[result.prepared.parts.holdout]


def _counts(result: Result) -> Any:
    """Rows by cluster, the largest first."""
    import pandas

    return pandas.Series(result.holdout.labels).value_counts()


def _sizes(result: Result) -> str:
    counts = _counts(result)
    names = [f"cluster {label}" for label in counts.index]
    shares = (counts / counts.sum()).tolist()
    return plots([drawing.bars("Sizes", "share of the held-out rows", names, shares)])


def _profiles(result: Result, inputs: Sequence[str]) -> str:
    rows, labels = _held(result), result.holdout.labels
    shown = _counts(result).index[:SHOWN_CLUSTERS].tolist()
    parts = [rows, *(rows[labels == label] for label in shown)]
    lines = [
        (name, *(_typical(part[name]) for part in parts)) for name in list(inputs)[:SHOWN_INPUTS]
    ]
    note = (
        "<p>Of numbers the mean, of levels the most frequent one and its share, of dates the "
        "middle one; the inputs that matter most come first.</p>"
    )
    titles = ("input", "all rows", *(f"cluster {label}" for label in shown))
    counts = ("rows", *(f"{len(part):,}" for part in parts))
    return note + table(titles, [counts, *lines], numbers=len(parts))


def _typical(column: Any) -> str:
    from pandas.api import types

    present = column.dropna()
    if present.empty:
        return "missing"
    if types.is_datetime64_any_dtype(present):
        return f"{present.sort_values().iloc[len(present) // 2]:%Y-%m-%d}"
    if types.is_numeric_dtype(present):
        return f"{float(present.astype('float64').mean()):.4g}"
    level = present.mode().iloc[0]
    return f"{level} {float((present == level).mean()):.0%}"


def _crossed(result: Result) -> str:
    import pandas

    truth = result.holdout.truth
    if truth is None:
        return ""
    there = ~pandas.isna(truth)
    labels = pandas.Series(result.holdout.labels[there], name="cluster")
    counts = pandas.crosstab(pandas.Series(truth[there].astype("str")), labels)
    rows = [(level, *(f"{count:,}" for count in line)) for level, line in counts.iterrows()]
    titles = (result.recipe.target, *(f"cluster {label}" for label in counts.columns))
    return table(titles, rows, numbers=len(counts.columns))


def _scores(result: Result) -> str:
    scores, odd = result.holdout.scores, result.holdout.labels == -1
    note = (
        f"<p>{int(odd.sum()):,} of {len(odd):,} held-out rows are anomalies: their score, as the "
        "artifact answers it, is less than where the line is.</p>"
    )
    edge = float(result.pipeline[-1].offset_)
    return note + plots([drawing.histogram("Scores", "score", [(scores, "")], edge=edge)])


def _oddest(result: Result, inputs: Sequence[str]) -> str:
    import numpy

    order = numpy.argsort(result.holdout.scores, kind="stable")[:SHOWN_ROWS]
    rows, scores = _held(result).iloc[order], result.holdout.scores[order]
    why = _reasons(result, rows, inputs)
    names = list(inputs)[:SHOWN_COLUMNS]
    cells = [
        (str(row.name), f"{score:.4f}", reason, *(_shown(row[name]) for name in names))
        for (_, row), score, reason in zip(rows.iterrows(), scores, why, strict=True)
    ]
    note = (
        "<p>The held-out rows with the least scores. They stand out by the inputs that would bring "
        "the score up most if they had the usual value: of numbers the median, of levels the most "
        f"frequent one. {text(_truths(result, order))}</p>"
    )
    return note + table(("row", "score", "stands out by", *names), cells)


def _truths(result: Result, order: Any) -> str:
    if result.holdout.truth is None:
        return ""
    positive = result.prepared.task.positive
    count = int((result.holdout.truth[order] == positive).sum())
    return f"{count} of these {len(order)} are {result.recipe.target} {positive}."


def _reasons(result: Result, rows: Any, inputs: Sequence[str]) -> list[str]:
    """The two inputs whose usual value would bring up the score of each row most."""
    import numpy

    learned = result.prepared.rows.iloc[result.prepared.parts.training]
    task = result.prepared.task
    scores = predictions(result.model, rows, None, task).scores
    gains = []
    for name in inputs:
        column = learned[name].iloc[:1].repeat(len(rows))
        column[:] = _usual(learned[name])
        changed = rows.assign(**{name: column.array})
        gains.append(predictions(result.model, changed, None, task).scores - scores)
    matrix = numpy.array(gains)
    told = []
    for row in matrix.T:
        best = [at for at in numpy.argsort(-row, kind="stable")[:2] if row[at] > 0]
        told.append(", ".join(str(inputs[at]) for at in best))
    return told


def _usual(column: Any) -> Any:
    from pandas.api import types

    present = column.dropna()
    if types.is_numeric_dtype(present) or types.is_datetime64_any_dtype(present):
        return present.sort_values().iloc[len(present) // 2]
    return present.mode().iloc[0]


def _shown(value: Any) -> str:
    import pandas

    if pandas.isna(value):
        return "missing"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
