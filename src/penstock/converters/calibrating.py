"""scikit-learn's calibration: probabilities that are corrected, and thresholds that are chosen."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.responses import available, response, scattered, summed
from penstock.converters.scores import (
    class_labels,
    complement,
    largest,
    link,
    proportion,
    softmax,
    tie,
)
from penstock.converters.validation import dense
from penstock.converters.values import (
    LINK_TOLERANCE,
    Ask,
    Prediction,
    Value,
    codes,
    labels,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

SCORES = ("decision_function", "predict_proba")
# sklearn/calibration.py, `_convert_to_logits`.
EPSILON = 1e-12
# The logarithm of a probability near 0 that comes of 1 - p is as inexact as p is there.
TEMPERED_TOLERANCE = 1e-6


def calibrated_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The mean of what the pairs of a classifier and its calibrators give."""
    classes = class_labels(estimator.classes_, context)
    parts = []
    for at, pair in enumerate(estimator.calibrated_classifiers_):
        with context.within(f"{at}"):
            parts.append(_calibrated(pair, value, context))
    shares = summed(parts, context, divisor=len(parts))
    return Prediction(
        (
            labels(largest(shares, context), classes, decided_by=tie("probability", shares)),
            numbers("probability", shares, classes, Ask("predict_proba")),
        )
    )


def isotonic_regression(estimator: Any, value: Value, context: Context) -> Prediction:
    """Straight lines between the points of the fit."""
    if value.width != 1:
        context.refuse(f"takes one column and gets {value.width}")
    result = _isotonic(estimator, dense(value, context), context)
    return Prediction((number("value", result),), result)


def fixed_threshold_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The label by a threshold of one's own."""
    inner = getattr(estimator, "estimator_", estimator.estimator)
    method = available(inner, _methods(estimator), context)
    threshold = estimator.threshold
    if isinstance(threshold, str):
        threshold = 0.5 if method == "predict_proba" else 0.0
    return _thresholded(inner, method, threshold, estimator.pos_label, value, context)


def tuned_threshold_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The label by the threshold that was found."""
    inner = estimator.estimator_
    method = available(inner, _methods(estimator), context)
    positive = estimator._curve_scorer._get_pos_label()
    return _thresholded(inner, method, estimator.best_threshold_, positive, value, context)


# -- calibrated probabilities --


def _calibrated(pair: Any, value: Value, context: Context) -> Value:
    """sklearn/calibration.py, `_CalibratedClassifier.predict_proba`."""
    method = available(pair.estimator, SCORES, context)
    prediction = context.predict(pair.estimator, value, "estimator")
    scores = response(prediction, method, context)
    count = len(pair.classes)
    if len(pair.estimator.classes_) == 2 and method == "predict_proba":
        scores = context.select(scores, [1])
    if pair.method == "temperature":
        return _tempered(pair.calibrators[0], scores, method, context)
    known = list(pair.classes)
    positions = [known.index(label) for label in pair.estimator.classes_]
    # As `zip` ends there: a classifier of two of several classes has one calibrator.
    positions = positions[: len(pair.calibrators)] if count > 2 else [1]
    calibrators = pair.calibrators[: len(positions)]
    shares = context.concat(
        [
            CALIBRATORS[pair.method](calibrator, context.select(scores, [at]), context)
            for at, calibrator in enumerate(calibrators)
        ]
    )
    # They are put into a matrix of float64.
    shares = shares.with_columns(numeric_columns(shares.width))
    if count == 2:
        return complement(shares, context)
    return proportion(scattered(shares, positions, count, context), context)


def _sigmoid(calibrator: Any, scores: Value, context: Context) -> Value:
    """expit(-(a * score + b)), in float64."""
    scores = scores.with_columns(numeric_columns(1))
    for function, operand in (("multiply", calibrator.a_), ("add", calibrator.b_)):
        scores = context.arithmetic(scores, function, [float(operand)])
    return link(scores, "sigmoid", context, scale=-1.0)


def _isotonic(calibrator: Any, scores: Value, context: Context) -> Value:
    """sklearn/isotonic.py, `_transform`: scipy's `interp1d` in the dtype of the fit.

    scipy/interpolate/_interpolate.py: in float64 it is `numpy.interp`.
    """
    import numpy

    points, values = calibrator.X_thresholds_, calibrator.y_thresholds_
    outside, constant = calibrator.out_of_bounds, len(points) == 1
    single = points.dtype == numpy.float32
    precision = "f32" if single else "f64"
    scores = context.require(context.number(scores), precision=precision)
    ends = [float("nan")] * 2 if outside == "nan" and not constant else values[[0, -1]]
    result = context.add(
        "interpolate",
        context.cast(replace(scores, frame=""), precision),
        numeric_columns(1, "float32" if single else "float64"),
        points=numpy.asarray(points, dtype="float64"),
        values=numpy.asarray(values, dtype="float64"),
        ends=numpy.array([len(points)]),
        below=numpy.array([ends[0]], dtype="float64"),
        above=numpy.array([ends[1]], dtype="float64"),
        refuse=outside == "raise" and not constant,
        precision=precision,
    )
    return _widened(result, points, values, context)


def _widened(result: Value, points: Any, values: Any, context: Context) -> Value:
    """An error of what goes in grows with the steepest line."""
    import numpy

    if not result.tolerance or len(points) == 1:
        return result
    widest = max(1.0, float(numpy.abs(points).max()))
    steepest = numpy.diff(values.astype("float64")) / numpy.diff(points.astype("float64"))
    growth = float(numpy.abs(steepest).max()) * widest
    return replace(result, tolerance=result.tolerance * max(1.0, growth))


CALIBRATORS: dict[str, Callable[[Any, Value, Context], Value]] = {
    "isotonic": _isotonic,
    "sigmoid": _sigmoid,
}


def _tempered(calibrator: Any, scores: Value, method: str, context: Context) -> Value:
    """softmax(beta * logits) (sklearn/calibration.py, `_TemperatureScaling`)."""
    import numpy

    exact = not scores.tolerance
    scores = context.require(scores, precision=scores.precision)
    if method == "predict_proba":
        shares = scores if scores.width > 1 else complement(scores, context)
        logits = context.arithmetic(shares, "add", [EPSILON] * shares.width)
        logits = context.map(logits, "log")
        signs = [1.0] * logits.width
    else:
        binary = scores.width == 1
        logits = context.select(scores, [0, 0]) if binary else scores
        signs = [-1.0, 1.0] if binary else [1.0] * logits.width
    beta = numpy.asarray(calibrator.beta_)
    if beta.dtype == numpy.float64:
        logits = logits.with_columns(numeric_columns(logits.width))
    operands = [sign * float(beta) for sign in signs]
    shares = softmax(context.arithmetic(logits, "multiply", operands), context)
    least = LINK_TOLERANCE if exact else TEMPERED_TOLERANCE
    single = 1e-4 if logits.precision == "f32" else 0.0
    # The logarithm of what is near 0 is 28 and inexact in its last bit; beta makes it larger.
    growth = 1e-14 * max(1.0, float(beta))
    least = max(least, growth, single) if method == "predict_proba" else max(LINK_TOLERANCE, single)
    shares = replace(shares, tolerance=max(shares.tolerance, least))
    return shares.with_columns(numeric_columns(shares.width))


# -- thresholds --


def _methods(estimator: Any) -> Sequence[str]:
    """sklearn/model_selection/_classification_threshold.py, `_get_response_method`."""
    if estimator.response_method == "auto":
        return ("predict_proba", "decision_function")
    return (estimator.response_method,)


def _thresholded(
    inner: Any, method: str, threshold: Any, positive: Any, value: Value, context: Context
) -> Prediction:
    """The label by a score that is the threshold or more; what the estimator answers besides.

    sklearn/metrics/_scorer.py, `_threshold_scores_to_class_labels`.
    """
    classes = class_labels(inner.classes_, context)
    prediction = context.predict(inner, value, "estimator")
    scores = response(prediction, method, context)
    positive_at = 1 if positive is None else classes.index(positive)
    sign = 1.0
    if method == "predict_proba":
        at = positive_at
        scores = context.select(scores, [at])
    else:
        at, sign = 0, 1.0 if positive_at else -1.0
    limit = _limit(threshold, scores, context)
    signed = scores if sign > 0 else context.arithmetic(scores, "multiply", [sign])
    code = context.add("above", signed, codes(1), threshold=math.nextafter(limit, -math.inf))
    name = {"predict_proba": "probability", "decision_function": "raw"}[method]

    def rivals(numbers: Sequence[float]) -> tuple[float, float]:
        return sign * numbers[at], limit

    ordered = [classes[1 - positive_at], classes[positive_at]]
    label = labels(code, ordered, decided_by=tie(name, scores), rivals=rivals)
    others = [answer for answer in prediction.bound(inner).answers if answer.kind != "label"]
    return Prediction((label, *others))


def _limit(threshold: Any, scores: Value, context: Context) -> float:
    """The threshold as numpy compares it: in float32 where it is a plain number beside float32."""
    import numpy

    limit = float(threshold)
    if not math.isfinite(limit):
        context.refuse(f"{limit} leaves one label only", option="threshold")
    if scores.dtype == "float32" and not isinstance(threshold, numpy.float64):
        return float(numpy.float32(limit))
    return limit


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "sklearn.calibration.CalibratedClassifierCV": calibrated_classifier,
    "sklearn.model_selection.FixedThresholdClassifier": fixed_threshold_classifier,
    "sklearn.model_selection.TunedThresholdClassifierCV": tuned_threshold_classifier,
    "sklearn.isotonic.IsotonicRegression": isotonic_regression,
}
