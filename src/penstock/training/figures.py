"""The plots of a report that tell how good predictions are, by task."""

from typing import Any

from penstock.training import drawing
from penstock.training.metrics import Predictions
from penstock.training.result import Result

__all__ = ["confusion", "quality"]

_MOST_POINTS = 2_000
_BINS = 10


def quality(result: Result) -> list[str]:
    """Curves of two classes, residuals of numbers, shares of classes."""
    found = result.holdout
    if result.task == "binary":
        return _two(found, result)
    if result.task == "multiclass":
        return _several(found, result)
    return _numbers(found)


def _two(found: Predictions, result: Result) -> list[str]:
    import numpy
    from sklearn import metrics

    truth = found.truth == result.prepared.task.positive
    false, true, _ = metrics.roc_curve(truth, found.scores)
    precision, recall, _ = metrics.precision_recall_curve(truth, found.scores)
    order = numpy.argsort(-found.scores, kind="stable")
    share = numpy.arange(1, len(order) + 1) / len(order)
    gains = numpy.cumsum(truth[order]) / truth.sum()
    said, happened = _calibrated(found.scores, truth)
    first = max(1, len(share) // 100)
    axes = ("share of all rows", "times as many as by chance")
    return [
        drawing.curve(
            "ROC", ("false positives", "true positives"), [_thin(false, true)], diagonal=True
        ),
        drawing.curve("Precision and recall", ("recall", "precision"), [_thin(recall, precision)]),
        drawing.curve(
            "Gains",
            ("share of all rows", "share of positives found"),
            [_thin(share, gains)],
            diagonal=True,
        ),
        drawing.curve("Lift", axes, [_thin(share[first:], (gains / share)[first:])]),
        drawing.curve(
            "Calibration",
            ("predicted probability", "what happened"),
            [(said, happened, "")],
            diagonal=True,
        ),
        drawing.histogram(
            "Predicted probabilities",
            "probability",
            [(found.scores[~truth], "others"), (found.scores[truth], "positive")],
        ),
    ]


def _calibrated(scores: Any, truth: Any) -> tuple[Any, Any]:
    """Means of ten bins of as many rows each."""
    import numpy

    order = numpy.argsort(scores, kind="stable")
    parts = numpy.array_split(order, _BINS)
    parts = [part for part in parts if len(part)]
    said = numpy.array([scores[part].mean() for part in parts])
    return said, numpy.array([truth[part].mean() for part in parts])


def _several(found: Predictions, result: Result) -> list[str]:
    from sklearn.metrics import recall_score

    classes = result.prepared.task.classes
    said = [classes[at] for at in found.scores.argmax(axis=1)]
    names = [str(each) for each in classes]
    truth = [str(each) for each in found.truth]
    shares = recall_score(
        truth, [str(each) for each in said], labels=names, average=None, zero_division=0.0
    )
    return [drawing.bars("Found of each class", "share", names, shares.tolist())]


def _numbers(found: Predictions) -> list[str]:
    step = max(1, len(found.truth) // _MOST_POINTS)
    residuals = found.truth - found.scores
    said, happened = _calibrated(found.scores, found.truth)
    return [
        drawing.scatter(
            "Residuals",
            ("predicted", "truth less predicted"),
            found.scores[::step],
            residuals[::step],
        ),
        drawing.histogram("Distribution of residuals", "truth less predicted", [(residuals, "")]),
        drawing.curve(
            "Calibration", ("mean predicted", "mean of the truth"), [(said, happened, "")]
        ),
    ]


def _thin(x: Any, y: Any) -> tuple[Any, Any, str]:
    """No more points than a plot can show."""
    import numpy

    places = numpy.unique(numpy.linspace(0, len(x) - 1, 300).astype("int64"))
    return x[places], y[places], ""


def confusion(result: Result) -> list[tuple[str, list[int]]]:
    """At some thresholds: true and false positives, false and true negatives."""
    truth = result.holdout.truth == result.prepared.task.positive
    rows = []
    chosen = 0.5 if result.threshold is None else result.threshold
    for cut, name in sorted({0.1: "", 0.25: "", 0.5: "", 0.75: "", chosen: " (chosen)"}.items()):
        said = result.holdout.scores >= cut
        counts = [truth & said, ~truth & said, truth & ~said, ~truth & ~said]
        rows.append((f"{cut:.3g}{name}", [int(each.sum()) for each in counts]))
    return rows
