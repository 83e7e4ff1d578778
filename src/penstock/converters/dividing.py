"""scikit-learn's estimators that fit one of another kind for each class or each target."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.responses import response
from penstock.converters.scores import class_labels, complement, largest, tie
from penstock.converters.values import (
    Answer,
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


def one_vs_rest_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The class of the largest score, or, of labels, each whose score is above the threshold."""
    from sklearn.base import is_classifier

    members = [
        (member, context.predict(member, value, f"{at}"))
        for at, member in enumerate(estimator.estimators_)
    ]
    scores = context.concat([_score(*pair, context) for pair in members])
    dtype = "float32" if all(column.dtype == "float32" for column in scores.columns) else "float64"
    scores = scores.with_columns(numeric_columns(scores.width, dtype))
    first = estimator.estimators_[0]
    # sklearn/multiclass.py, `_threshold_for_binary_predict`.
    decides = hasattr(first, "decision_function") and is_classifier(first)
    threshold = 0.0 if decides else 0.5
    if estimator.multilabel_:
        return Prediction(_several_labels(estimator, scores, threshold, context))
    classes = class_labels(estimator.classes_, context)
    answers: list[Answer] = []
    if hasattr(estimator, "predict_proba"):
        shares = _shares(
            [response(prediction, "predict_proba", context) for _, prediction in members], context
        )
        answers.append(numbers("probability", shares, classes, Ask("predict_proba")))
    if hasattr(estimator, "decision_function"):
        ask = Ask("decision_function")
        answers.append(
            number("raw", scores, ask)
            if scores.width == 1
            else numbers("raw", scores, classes, ask)
        )
    decisive = "raw" if hasattr(estimator, "decision_function") else "probability"
    if scores.width > 1:
        label = labels(largest(scores, context), classes, decided_by=tie(decisive, scores))
    else:
        code = context.add("above", scores, codes(1), threshold=threshold)
        label = labels(code, classes, decided_by=tie(decisive, scores))
    return Prediction((label, *answers))


def _score(member: Any, prediction: Prediction, context: Context) -> Value:
    """sklearn/multiclass.py, `_predict_binary`."""
    from sklearn.base import is_regressor

    if is_regressor(member):
        return response(prediction, "predict", context)
    if hasattr(member, "decision_function"):
        return response(prediction, "decision_function", context)
    return context.select(response(prediction, "predict_proba", context), [1])


def _shares(parts: Sequence[Value], context: Context) -> Value:
    """The probabilities, divided by their sum; of one, that of the other class as well."""
    positive = context.concat([context.select(part, [1]) for part in parts])
    single = all(column.dtype == "float32" for column in positive.columns)
    columns = numeric_columns(positive.width, "float32" if single else "float64")
    positive = positive.with_columns(columns)
    if positive.width == 1:
        positive = complement(positive, context)
    precision = "f32" if single else "f64"
    epsilon = {"f32": 2.0**-23, "f64": 2.0**-52}[precision]
    many = positive.width >= 8
    return context.add(
        "normalize",
        positive,
        positive.columns,
        tolerance=positive.width * epsilon if many else 0.0,
        norm="l1",
        smallest=0.0,
        accumulate=precision,
        precision=precision,
    )


def _several_labels(
    estimator: Any, scores: Value, threshold: float, context: Context
) -> tuple[Answer, ...]:
    decision = hasattr(estimator, "decision_function")
    answers: list[Answer] = []
    for at in range(scores.width):
        score, pick = context.select(scores, [at]), _column(at)
        name, method = (
            ("raw", "decision_function") if decision else ("probability", "predict_proba")
        )
        answers += [
            labels(
                context.add("above", score, codes(1), threshold=threshold),
                (0, 1),
                name=f"label_{at}",
                ask=Ask("predict", pick=pick),
                decided_by=tie(f"{name}_{at}", score),
                rivals=lambda scores: (scores[0], threshold),
            ),
            number(f"{name}_{at}", score, Ask(method, pick=pick)),
        ]
    return tuple(answers)


def multi_output_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """What each estimator predicts of its target."""
    parts = [
        response(context.predict(member, value, f"{at}"), "predict", context)
        for at, member in enumerate(estimator.estimators_)
    ]
    if any(part.width != 1 for part in parts):
        context.refuse("an estimator inside predicts several targets itself")
    return Prediction((numbers("value", context.concat(parts), range(len(parts)), Ask("predict")),))


def multi_output_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The labels and probabilities of each estimator, by target."""
    kinds = {member.classes_.dtype.kind for member in estimator.estimators_}
    if len(kinds) > 1:
        context.refuse(
            "has classes of different types by target, which scikit-learn turns into texts"
        )
    answers: list[Answer] = []
    for at, member in enumerate(estimator.estimators_):
        for answer in context.predict(member, value, f"{at}").answers:
            asks = {
                "label": Ask("predict", pick=_column(at)),
                "probability": Ask("predict_proba", pick=_item(at)),
            }
            if answer.name in asks:
                # Raw scores, which may decide inside, are no output here.
                decided = f"probability_{at}" if answer.decided_by else None
                name, ask = f"{answer.name}_{at}", asks[answer.name]
                answers.append(replace(answer, name=name, ask=ask, decided_by=decided))
    return Prediction(tuple(answers))


def _column(at: int) -> Callable[[Any], Any]:
    """One column of a matrix, which may be sparse."""

    def pick(answer: Any) -> Any:
        return (answer.toarray() if hasattr(answer, "toarray") else answer)[:, at]

    return pick


def _item(at: int) -> Callable[[Any], Any]:
    return lambda answer: answer[at]


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "sklearn.multiclass.OneVsRestClassifier": one_vs_rest_classifier,
    "sklearn.multioutput.MultiOutputClassifier": multi_output_classifier,
    "sklearn.multioutput.MultiOutputRegressor": multi_output_regressor,
}
