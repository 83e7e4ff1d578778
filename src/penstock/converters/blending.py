"""scikit-learn's ensembles of any estimators: voting, stacking, bagging."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.converters.bagged_trees import mean_of_trees
from penstock.converters.composing import array, stacked
from penstock.converters.context import Context
from penstock.converters.output import frame_output, framed
from penstock.converters.responses import in_order, response, scattered, summed, votes
from penstock.converters.scores import class_labels, largest, softmax, tie, winner
from penstock.converters.validation import finite_array, sized
from penstock.converters.values import (
    Answer,
    Ask,
    Prediction,
    Value,
    labels,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

# From so many numbers on, numpy adds those of one row in another order than those of several.
MANY = 8
ROUNDING = 2.0**-53


def voting_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The class with the most votes, or with the largest mean of the probabilities."""
    classes = class_labels(estimator.classes_, context)
    members = list(_members(estimator, value, context))
    if estimator.voting == "hard":
        weights = _hard_weights(estimator, context)
        parts = [votes(prediction, len(classes), context) for prediction in members]
        counts = summed(parts, context, weights=weights)
        return Prediction((labels(largest(counts, context), classes),))
    parts = [response(prediction, "predict_proba", context) for prediction in members]
    shares = _averaged(parts, estimator._weights_not_none, context)
    return Prediction(
        (
            labels(largest(shares, context), classes, decided_by=tie("probability", shares)),
            numbers("probability", shares, classes, Ask("predict_proba")),
        )
    )


def voting_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The mean of what the estimators predict."""
    members = _members(estimator, value, context)
    parts = [response(prediction, "predict", context) for prediction in members]
    if any(part.width != 1 for part in parts):
        context.refuse("an estimator predicts several numbers")
    tolerance = 4 * len(parts) * ROUNDING if len(parts) >= MANY else 0.0
    mean = _averaged(parts, estimator._weights_not_none, context, tolerance=tolerance)
    return Prediction((number("value", mean),))


def stacking_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """What the final estimator makes of the predictions of the others; its classes are codes."""
    if isinstance(estimator._label_encoder, list):
        context.refuse("was fitted on several labels at once; fit one model for each")
    classes = class_labels(estimator.classes_, context)
    answers = []
    for answer in _stacking(estimator, value, context).answers:
        coded = answer.names == tuple(range(len(classes)))
        if answer.kind == "label":
            if not coded:
                context.refuse("the final estimator predicts other labels than the classes")
            answer = replace(answer, ask=Ask("predict"))
        answers.append(replace(answer, names=tuple(classes)) if coded else answer)
    return Prediction(tuple(answers))


def stacking_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """What the final estimator makes of the predictions of the others."""
    return _stacking(estimator, value, context)


def bagging_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The mean of the probabilities of the estimators, or of their votes.

    sklearn/ensemble/_bagging.py, `_parallel_predict_proba`: a sum in f64, one after the other.
    """
    classes = class_labels(estimator.classes_, context, fewest=1)
    merged = mean_of_trees(estimator, _array(value), context, class_count=len(classes))
    if merged is not None:
        return Prediction(_bagged_shares(estimator, classes, merged, context))
    members = list(_bagged(estimator, value, context))
    parts = []
    for member, prediction in members:
        if hasattr(member, "predict_proba"):
            part = response(prediction, "predict_proba", context)
            positions = [int(position) for position in member.classes_]
            part = scattered(part, positions, len(classes), context)
        else:
            part = votes(prediction, len(classes), context)
        parts.append(part)
    shares = summed(parts, context, divisor=len(parts))
    answers = _bagged_shares(estimator, classes, shares, context)
    complete = all(len(member.classes_) == len(classes) for member, _ in members)
    if complete and hasattr(estimator, "decision_function"):
        raw = [response(prediction, "decision_function", context) for _, prediction in members]
        mean = _mean(raw, context)
        ask = in_order(estimator, "decision_function")
        scores = number("raw", mean, ask) if mean.width == 1 else numbers("raw", mean, classes, ask)
        answers = (*answers, scores)
    return Prediction(answers)


def _bagged_shares(
    estimator: Any, classes: Sequence[Any], shares: Value, context: Context
) -> tuple[Answer, ...]:
    return (
        labels(
            largest(shares, context),
            classes,
            ask=in_order(estimator, "predict"),
            decided_by=tie("probability", shares),
        ),
        numbers("probability", shares, classes, in_order(estimator, "predict_proba")),
    )


def bagging_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The mean of what the estimators predict, for one target or several."""
    mean = mean_of_trees(estimator, _array(value), context)
    if mean is None:
        members = _bagged(estimator, value, context)
        parts = [response(prediction, "predict", context) for _, prediction in members]
        mean = _mean(parts, context)
    ask = in_order(estimator, "predict")
    if mean.width == 1:
        return Prediction((number("value", mean, ask),))
    return Prediction((numbers("value", mean, range(mean.width), ask),))


def adaptive_boosting_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """Votes with weights: for the class, and a little against all others.

    sklearn/ensemble/_weight_boosting.py, `AdaBoostClassifier.decision_function`.
    """
    import numpy

    if getattr(estimator, "algorithm", "SAMME") == "SAMME.R":
        context.refuse("scikit-learn has left it out since 1.6; fit it again", option="algorithm")
    classes = class_labels(estimator.classes_, context)
    count = len(classes)
    plain = finite_array(value, context)
    parts = []
    for at, (member, weight) in enumerate(
        zip(estimator.estimators_, estimator.estimator_weights_, strict=False)
    ):
        prediction = context.predict(member, plain, f"{at}")
        parts.append(_opinions(prediction, classes, float(weight), context))
    scores = summed(parts, context, divisor=float(estimator.estimator_weights_.sum()))
    if count == 2:
        sides = [context.select(scores, [at]) for at in (0, 1)]
        raw = summed(sides, context, weights=[-1.0, 1.0])
        halves = context.select(raw, [0, 0])
        inputs = context.arithmetic(halves, "multiply", [-1.0, 1.0], precision="f64")
        shares = softmax(context.arithmetic(inputs, "divide", [2.0, 2.0], precision="f64"), context)
        answer = number("raw", raw, Ask("decision_function"))
    else:
        raw = scores
        shares = softmax(
            context.arithmetic(raw, "divide", numpy.full(count, count - 1.0), precision="f64"),
            context,
        )
        answer = numbers("raw", raw, classes, Ask("decision_function"))
    return Prediction(
        (
            labels(winner(raw, context), classes),
            numbers("probability", shares, classes, Ask("predict_proba")),
            answer,
        )
    )


def adaptive_boosting_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The median of what the estimators predict, by their weights.

    sklearn/ensemble/_weight_boosting.py, `_get_median_predict`.
    """
    plain = finite_array(value, context)
    weights = estimator.estimator_weights_[: len(estimator.estimators_)]
    parts = [
        response(context.predict(member, plain, f"{at}"), "predict", context)
        for at, member in enumerate(estimator.estimators_)
    ]
    together = context.concat(parts)
    median = context.add(
        "weighted_median",
        together.with_columns(numeric_columns(together.width)),
        numeric_columns(1),
        weights=weights.astype("float64"),
    )
    return Prediction((number("value", median),))


def _opinions(
    prediction: Prediction, classes: Sequence[Any], weight: float, context: Context
) -> Value:
    """The weight for the class that is predicted; a share of it against each other."""
    import numpy

    answer = next((answer for answer in prediction.answers if answer.name == "label"), None)
    if answer is None:
        context.refuse("has no output `label`", option="estimator")
    known = answer.names or ()
    tables = [
        [weight if label == name else -1 / (len(classes) - 1) * weight for label in known]
        for name in classes
    ]
    return context.add(
        "lookup",
        context.select(answer.value, [0] * len(classes)),
        numeric_columns(len(classes)),
        values=numpy.concatenate(tables),
        ends=numpy.cumsum([len(known)] * len(classes)),
        absent=numpy.full(len(classes), numpy.nan),
    )


def self_training_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """What the estimator predicts that was fitted on its own labels too."""
    rows = finite_array(value, context, missing=True)
    prediction = context.predict(estimator.estimator_, rows, "estimator")
    answers = [answer for answer in prediction.answers if _has(estimator, answer.name)]
    return replace(prediction, answers=tuple(answers), features=None).bound(estimator)


def _has(estimator: Any, name: str) -> bool:
    methods = {"label": "predict", "probability": "predict_proba", "raw": "decision_function"}
    return hasattr(estimator, methods.get(name, "?"))


# -- inside --


def _members(estimator: Any, value: Value, context: Context) -> Iterator[Prediction]:
    """What each estimator that is not dropped makes of the value."""
    for name, member in estimator.named_estimators_.items():
        if not isinstance(member, str):
            yield context.predict(member, value, name)


def _hard_weights(estimator: Any, context: Context) -> Any:
    """sklearn/ensemble/_voting.py, `predict`: `numpy.bincount` leaves out classes behind the last
    that has a vote, which shows where a weight is negative.
    """
    import numpy

    weights = estimator._weights_not_none
    if weights is not None and not (numpy.asarray(weights, dtype="float64") >= 0).all():
        context.refuse("a negative weight of a hard vote", option="weights")
    return weights


def _averaged(
    parts: Sequence[Value], weights: Any, context: Context, *, tolerance: float = 0.0
) -> Value:
    """numpy.average: a sum in the dtype of all, divided by their number or by the weights."""
    import numpy

    dtype = numpy.result_type(*(part.dtype for part in parts))
    if weights is None:
        divisor = float(len(parts))
    else:
        weights = numpy.asarray(weights)
        dtype = numpy.result_type(dtype, weights.dtype)
        probe = numpy.zeros((len(parts), 1, 1), dtype=dtype)
        try:
            divisor = float(numpy.average(probe, axis=0, weights=weights, returned=True)[1][0, 0])
        except ZeroDivisionError:
            divisor = 0.0
        if not numpy.isfinite(weights).all() or divisor == 0.0 or not numpy.isfinite(divisor):
            context.refuse("they are not finite, or their sum is 0", option="weights")
        weights = weights.astype(dtype)
    single = "float32" if dtype == numpy.float32 else "float64"
    return summed(
        parts, context, weights=weights, divisor=divisor, dtype=single, tolerance=tolerance
    )


def _mean(parts: Sequence[Value], context: Context) -> Value:
    """Python's `sum` of arrays, divided by their number."""
    dtype = "float32" if all(part.dtype == "float32" for part in parts) else "float64"
    return summed(parts, context, divisor=len(parts), dtype=dtype)


def _stacking(estimator: Any, value: Value, context: Context) -> Prediction:
    """sklearn/ensemble/_stacking.py, `_concatenate_predictions`."""
    members = _members(estimator, value, context)
    parts = []
    for prediction, method in zip(members, estimator.stack_method_, strict=True):
        part = response(prediction, method, context)
        # Of two probabilities one is left out.
        if method == "predict_proba" and len(estimator.classes_) == 2:
            part = context.select(part, [1])
        parts.append(part)
    sparse = estimator.passthrough and value.sparse
    if estimator.passthrough:
        parts.append(value)
    columns = stacked([column for part in parts for column in array(part)])
    together = context.concat(parts, sparse=sparse).with_columns(columns)
    if frame_output(estimator):
        together = framed(together, estimator, context)
    final = estimator.final_estimator_
    return context.predict(final, together, "final_estimator").bound(final, estimator.transform)


def _bagged(estimator: Any, value: Value, context: Context) -> Iterator[tuple[Any, Prediction]]:
    """Each estimator, and what it makes of its columns of an array."""
    plain = _array(value)
    pairs = zip(estimator.estimators_, estimator.estimators_features_, strict=True)
    for at, (member, features) in enumerate(pairs):
        yield member, context.predict(member, context.select(plain, features), f"{at}")


def _array(value: Value) -> Value:
    return replace(value, frame="").with_columns(stacked(array(value)))


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "sklearn.ensemble.StackingClassifier": stacking_classifier,
    "sklearn.ensemble.StackingRegressor": stacking_regressor,
    "sklearn.ensemble.VotingClassifier": voting_classifier,
    "sklearn.ensemble.VotingRegressor": voting_regressor,
    **sized(
        {
            "sklearn.ensemble.AdaBoostClassifier": adaptive_boosting_classifier,
            "sklearn.ensemble.AdaBoostRegressor": adaptive_boosting_regressor,
            "sklearn.ensemble.BaggingClassifier": bagging_classifier,
            "sklearn.ensemble.BaggingRegressor": bagging_regressor,
            "sklearn.semi_supervised.SelfTrainingClassifier": self_training_classifier,
        }
    ),
}
