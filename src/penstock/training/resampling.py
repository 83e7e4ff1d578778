"""Metrics of resampled rows, as functions of how often each row is drawn: sorted once, not anew."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.training.metrics import SMALLEST, Predictions
from penstock.training.tasks import Task

__all__ = ["Measure", "resampled"]

# How often each row is drawn, an array of whole numbers, to the metrics by name.
Measure = Callable[[Any], Mapping[str, float]]


def resampled(found: Predictions, task: Task, threshold: float | None = None) -> Measure:
    """What `metrics.measured` gives for rows that are drawn so often, without weights of rows."""
    measure = _MEASURES[task.kind](found, task, threshold)
    # Whole numbers that a float64 holds, as what they are multiplied with.
    return lambda counts: measure(counts.astype("float64"))


def _means(columns: Mapping[str, Any]) -> Callable[[Any], dict[str, float]]:
    """The mean of each column, by its name."""
    import numpy

    names = list(columns)
    matrix = numpy.column_stack([columns[name] for name in names]).astype("float64")

    def measure(counts: Any) -> dict[str, float]:
        sums = counts @ matrix / counts.sum()
        return dict(zip(names, sums.tolist(), strict=True))

    return measure


def _two(found: Predictions, task: Task, threshold: float | None) -> Measure:
    import numpy

    truth = found.truth == task.positive
    said = found.scores >= (0.5 if threshold is None else threshold)
    # As `sklearn.metrics.log_loss`, which clips by the precision of the scores.
    edge = numpy.finfo(found.scores.dtype).eps
    clipped = numpy.clip(found.scores.astype("float64"), edge, 1 - edge)
    losses = -numpy.log(numpy.where(truth, clipped, 1 - clipped))
    means = _means({"log_loss": losses, "brier": (found.scores - truth) ** 2})
    ranking, decided = _ranking(truth, found.scores), _decided(truth, said)

    def measure(counts: Any) -> dict[str, float]:
        return ranking(counts) | means(counts) | decided(counts)

    return measure


def _ranking(truth: Any, scores: Any) -> Callable[[Any], dict[str, float]]:
    """Areas under the curves of the ROC, and of precision and recall."""
    import numpy

    order = numpy.argsort(-scores, kind="stable")
    ranked, positive = scores[order], truth[order].astype("float64")
    # Where another score begins: rows of one score have no order.
    starts = numpy.flatnonzero(numpy.append(True, ranked[1:] != ranked[:-1])[: len(ranked)])

    def measure(counts: Any) -> dict[str, float]:
        if not len(order):
            return {"auc": float("nan"), "average_precision": float("nan")}
        drawn = counts[order]
        rows = numpy.add.reduceat(drawn, starts)
        gains = numpy.add.reduceat(drawn * positive, starts)
        hits, others = numpy.cumsum(gains), rows - gains
        positives, negatives = float(hits[-1]), float(others.sum())
        if not positives or not negatives:
            return {"auc": float("nan"), "average_precision": float(positives > 0)}
        precision = hits / numpy.maximum(numpy.cumsum(rows), 1)
        return {
            "auc": float(others @ hits - others @ gains / 2) / (positives * negatives),
            "average_precision": float(gains @ precision) / positives,
        }

    return measure


def _decided(truth: Any, said: Any) -> Callable[[Any], dict[str, float]]:
    shares = _means({"right": truth == said, "hits": truth & said, "yes": said, "there": truth})

    def measure(counts: Any) -> dict[str, float]:
        told = shares(counts)
        hits, yes, there = told["hits"], told["yes"], told["there"]
        return {
            "accuracy": told["right"],
            "f1": 2 * hits / (yes + there) if yes + there else 0.0,
            "precision": hits / yes if yes else 0.0,
            "recall": hits / there if there else 0.0,
        }

    return measure


def _several(found: Predictions, task: Task, threshold: float | None) -> Measure:
    import numpy

    places = {value: at for at, value in enumerate(task.classes)}
    truth = numpy.array([places[value] for value in found.truth.tolist()])
    shares = found.scores / found.scores.sum(axis=1, keepdims=True)
    edge = numpy.finfo(shares.dtype).eps
    chosen = shares[numpy.arange(len(truth)), truth]
    losses = -numpy.log(numpy.clip(chosen, edge, 1 - edge))
    right = (found.scores.argmax(axis=1) == truth).astype("float64")
    means = _means({"log_loss": losses, "accuracy": right})

    def measure(counts: Any) -> dict[str, float]:
        there = numpy.bincount(truth, counts)
        hits = numpy.bincount(truth, counts * right)
        known = there > 0
        return means(counts) | {"balanced_accuracy": float((hits[known] / there[known]).mean())}

    return measure


def _numbers(found: Predictions, task: Task, threshold: float | None) -> Measure:
    import numpy
    from scipy.special import xlogy

    gaps, centered = found.truth - found.scores, found.truth - found.truth.mean()
    columns = {"mae": abs(gaps), "error": gaps**2, "mean": centered, "square": centered**2}
    if task.kind == "count":
        said = numpy.maximum(found.scores, SMALLEST)
        ratios = xlogy(found.truth, found.truth / said)
        columns["poisson_deviance"] = 2 * (ratios - found.truth + said)
    if found.ends is not None:
        lower, upper = found.ends
        columns["coverage"] = (lower <= found.truth) & (found.truth <= upper)
        columns["width"] = upper - lower
    means = _means(columns)

    def measure(counts: Any) -> dict[str, float]:
        told = means(counts)
        error, mean, square = (told.pop(name) for name in ("error", "mean", "square"))
        spread = square - mean**2
        rest = 1 - error / spread if spread > 0 else float(error == 0)
        return told | {"rmse": error**0.5, "r2": rest}

    return measure


def _clusters(found: Predictions, task: Task, threshold: float | None) -> Measure:
    import numpy
    import pandas

    if found.truth is None:
        return lambda counts: {}
    there = ~pandas.isna(found.truth)
    classes, levels = pandas.factorize(found.truth[there].astype("str"))
    clusters, numbers = pandas.factorize(found.labels[there])
    pairs, shape = classes * len(numbers) + clusters, (len(levels), len(numbers))

    def measure(counts: Any) -> dict[str, float]:
        table = numpy.bincount(pairs, counts[there], shape[0] * shape[1]).reshape(shape)
        return {"adjusted_rand": _rand(table), "mutual_information": _information(table)}

    return measure


def _rand(table: Any) -> float:
    """Hubert and Arabie, Comparing partitions, 1985."""

    def pairs(counts: Any) -> float:
        return float((counts * (counts - 1) / 2).sum())

    both, total = pairs(table), pairs(table.sum())
    first, second = pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    expected = first * second / total if total else 0.0
    most = (first + second) / 2
    return (both - expected) / (most - expected) if most != expected else 1.0


def _information(table: Any) -> float:
    """What both partitions tell of each other, over the mean of what each tells."""
    import numpy
    from scipy.special import xlogy

    total = table.sum()

    def entropy(counts: Any) -> float:
        shares = numpy.ravel(counts) / total
        return float(-xlogy(shares, shares).sum())

    first, second = entropy(table.sum(axis=1)), entropy(table.sum(axis=0))
    mean = (first + second) / 2
    return max(0.0, first + second - entropy(table)) / mean if mean > 0 else 1.0


def _anomalies(found: Predictions, task: Task, threshold: float | None) -> Measure:
    import numpy
    import pandas

    odd = found.labels == -1
    order = numpy.argsort(found.scores, kind="stable")
    judged: Callable[[Any], dict[str, float]] = lambda counts: {}  # noqa: E731
    if found.truth is not None:
        there = ~pandas.isna(found.truth)
        truth = found.truth[there] == task.positive
        ranking = _ranking(truth, -found.scores[there])
        decided = _decided(truth, odd[there])

        def judged(counts: Any) -> dict[str, float]:
            told = ranking(counts[there]) | decided(counts[there])
            return {name: told[name] for name in ("auc", "average_precision", *_DECIDED)}

    def measure(counts: Any) -> dict[str, float]:
        total = counts.sum()
        return judged(counts) | {
            "rate": float(counts @ odd / total),
            "score_mean": float(counts @ found.scores / total),
            "score_p01": _quantile(found.scores, order, counts, 0.01),
            "score_p50": _quantile(found.scores, order, counts, 0.5),
        }

    return measure


_DECIDED = ("precision", "recall")


def _quantile(values: Any, order: Any, counts: Any, share: float) -> float:
    """As `numpy.quantile` of the values, each so often."""
    import numpy

    ends = numpy.cumsum(counts[order])
    place = (ends[-1] - 1) * share
    below = int(place)
    low, high = (
        float(values[order[numpy.searchsorted(ends, min(at, ends[-1] - 1), side="right")]])
        for at in (below, below + 1)
    )
    return low + (high - low) * float(place - below)


_MEASURES: Mapping[str, Callable[[Predictions, Task, float | None], Measure]] = {
    "binary": _two,
    "multiclass": _several,
    "regression": _numbers,
    "count": _numbers,
    "clustering": _clusters,
    "anomaly": _anomalies,
}
