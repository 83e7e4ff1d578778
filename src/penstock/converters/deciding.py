"""scikit-learn's thresholds: a label of two, decided by one score of another classifier."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.scores import class_labels
from penstock.converters.values import Answer, Prediction, Value, codes, labels

__all__ = ["CONVERTERS"]

# Method of the classifier to the output that it gives, and the threshold of "auto".
METHODS = {"predict_proba": ("probability", 0.5), "decision_function": ("raw", 0.0)}


def fixed_threshold(estimator: Any, value: Value, context: Context) -> Prediction:
    """The outputs of the classifier, but its label by the threshold that was said."""
    inner = getattr(estimator, "estimator_", estimator.estimator)
    method = estimator.response_method
    if method == "auto":
        method = next((name for name in METHODS if hasattr(inner, name)), "predict_proba")
    threshold = estimator.threshold
    if isinstance(threshold, str):
        threshold = METHODS[method][1]
    return _decided(estimator, inner, (method, threshold, estimator.pos_label), value, context)


def tuned_threshold(estimator: Any, value: Value, context: Context) -> Prediction:
    """The outputs of the classifier, but its label by the threshold that was found."""
    inner, method = estimator.estimator_, estimator.response_method
    if method == "auto":
        method = next((name for name in METHODS if hasattr(inner, name)), "predict_proba")
    rule = (method, estimator.best_threshold_, estimator._curve_scorer._get_pos_label())
    return _decided(estimator, inner, rule, value, context)


def _decided(
    estimator: Any, inner: Any, rule: tuple[str, Any, Any], value: Value, context: Context
) -> Prediction:
    """sklearn/model_selection/_classification_threshold.py, `predict`."""
    method, threshold, positive = rule
    if not math.isfinite(threshold):
        context.refuse(f"is {threshold!r}; it must be finite", option="threshold")
    answers = context.predict(inner, value, "estimator").bound(inner).answers
    name = METHODS[method][0]
    scores = next((answer for answer in answers if answer.name == name), None)
    if scores is None:
        context.refuse(f"the classifier has no output `{name}`", option="response_method")
    classes = class_labels(estimator.classes_, context)
    at = 1 if positive is None else list(estimator.classes_).index(positive)
    label = _by_probability if name == "probability" else _by_raw
    decided = label(scores, threshold, at, classes, context)
    others = tuple(answer for answer in answers if answer.name != "label")
    return Prediction((decided, *others))


def _by_probability(
    scores: Answer, threshold: Any, at: int, classes: list[Any], context: Context
) -> Answer:
    """The class at this place from the threshold on, and the other one below it."""
    score = context.select(scores.value, [at])
    limit = _as_compared(threshold, score)
    code = context.add("above", score, codes(1), threshold=math.nextafter(limit, -math.inf))
    label = labels(code, (classes[1 - at], classes[at]), decided_by=_inexact(scores))
    return replace(label, decided_at=(at, limit))


def _by_raw(
    scores: Answer, threshold: Any, at: int, classes: list[Any], context: Context
) -> Answer:
    """The score is that of the second class; for the first one its sign is turned."""
    limit = _as_compared(threshold, scores.value)
    limit, last = (limit, math.nextafter(limit, -math.inf)) if at else (-limit, -limit)
    code = context.add("above", scores.value, codes(1), threshold=last)
    label = labels(code, classes, decided_by=_inexact(scores))
    return replace(label, decided_at=(0, limit))


def _inexact(scores: Answer) -> str | None:
    """Exact scores leave no ties to rounding."""
    return scores.name if max(scores.tolerance, scores.value.tolerance) else None


def _as_compared(threshold: Any, scores: Value) -> float:
    """A number of Python is rounded to the type of the scores that numpy compares it with."""
    import numpy

    if scores.precision == "f32" and not isinstance(threshold, numpy.generic):
        return float(numpy.float32(threshold))
    return float(threshold)


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "sklearn.model_selection.FixedThresholdClassifier": fixed_threshold,
    "sklearn.model_selection.TunedThresholdClassifierCV": tuned_threshold,
}
