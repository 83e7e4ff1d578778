"""Probabilities that are corrected, and the threshold that says yes or no."""

from collections.abc import Mapping
from typing import Any

from penstock.errors import PenstockError
from penstock.training.metrics import Predictions
from penstock.training.preparing import Prepared
from penstock.training.tasks import Task

__all__ = ["calibrated", "check_threshold", "decided", "thresholded"]

_RATE, _COSTS = {"rate"}, {"false_positive", "false_negative"}


def thresholded(found: Predictions, task: Task, wanted: Any) -> float:
    """The threshold on the probability of the positive class that is best on these rows.

    `wanted`: "f1", a number, `{"rate": share of rows above it}`, or costs of `false_positive` and
    `false_negative`; `check_threshold` has passed it.
    """
    import numpy

    if isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
        return float(wanted)
    truth = found.truth == task.positive
    weights = numpy.ones(len(truth)) if found.weights is None else found.weights
    order = numpy.argsort(-found.scores, kind="stable")
    scores = found.scores[order]
    hits = numpy.cumsum(weights[order] * truth[order])
    misses = numpy.cumsum(weights[order] * ~truth[order])
    # Only between different scores there is a threshold.
    ends = numpy.append(scores[1:] != scores[:-1], True)
    positives = hits[-1]
    if wanted == "f1":
        gain = 2 * hits / (hits + misses + positives)
    elif set(wanted) == _RATE:
        share = (hits + misses) / (hits[-1] + misses[-1])
        gain = -abs(share - float(wanted["rate"]))
    else:
        missed = positives - hits
        gain = -(
            misses * float(wanted["false_positive"]) + missed * float(wanted["false_negative"])
        )
    last = int(numpy.where(ends, gain, -numpy.inf).argmax())
    if last + 1 == len(scores):
        return float(scores[last])
    # Halfway to the next score, so that rounding has no say about rows with one of the two.
    return float(scores[last] + (scores[last + 1] - scores[last]) / 2)


def check_threshold(wanted: Any) -> None:
    """Raises `PenstockError` for a way to choose a threshold that there is none of."""
    if wanted == "f1" or (isinstance(wanted, (int, float)) and not isinstance(wanted, bool)):
        return
    named = isinstance(wanted, Mapping) and set(wanted) in (_RATE, _COSTS)
    if named and all(isinstance(value, (int, float)) for value in wanted.values()):
        return
    raise PenstockError(
        f'`threshold` is {wanted!r}; it must be "f1", a number, {{rate = 0.1}} or '
        "{false_positive = 1, false_negative = 5}"
    )


def decided(pipeline: Any, threshold: float, task: Task) -> Any:
    """The fitted pipeline with a label that is positive from the threshold on."""
    from sklearn.model_selection import FixedThresholdClassifier
    from sklearn.pipeline import Pipeline

    *steps, (name, model) = pipeline.steps
    last = FixedThresholdClassifier(
        model, threshold=threshold, pos_label=task.positive, response_method="predict_proba"
    )
    last.estimator_ = model  # what `fit` does, which would fit the model again
    return Pipeline([*steps, (name, last)])


def calibrated(pipeline: Any, found: Prepared, method: str) -> Any:
    """The fitted pipeline with probabilities that are corrected on the validation rows."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.pipeline import Pipeline

    at = found.parts.validation
    *steps, (name, model) = pipeline.steps
    rows, truth = found.rows.iloc[at], found.target.iloc[at].to_numpy()
    made = Pipeline(steps).transform(rows) if steps else rows
    last = CalibratedClassifierCV(FrozenEstimator(model), method=method)
    last.fit(made, truth, sample_weight=found.weighted(at))
    return Pipeline([*steps, (name, last)])
