"""scikit-learn's estimators that fit one of another kind for each class or each target."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.pairing import pair_scores
from penstock.converters.responses import response
from penstock.converters.scores import class_labels, complement, largest, tie
from penstock.converters.searching import nearest_point
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

__all__ = ["CONVERTERS", "shared"]


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
        shares = shared(
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


def shared(parts: Sequence[Value], context: Context) -> Value:
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


def one_vs_one_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The class with the most votes of the estimators of two classes, and then their scores.

    sklearn/multiclass.py, `OneVsOneClassifier.decision_function`.
    """
    from sklearn.multiclass import _threshold_for_binary_predict

    if estimator.pairwise_indices_ is not None:
        context.refuse("takes kernels between rows, and not rows", option="estimator")
    classes = class_labels(estimator.classes_, context)
    wins, confidences = [], []
    for at, member in enumerate(estimator.estimators_):
        prediction = context.predict(member, value, f"{at}")
        wins.append(_second(prediction, context))
        confidences.append(_score(member, prediction, context))
    together = context.concat(confidences).with_columns(numeric_columns(len(confidences)))
    scores = pair_scores(context.concat(wins), together, len(classes), context)
    ask = Ask("decision_function")
    if len(classes) > 2:
        raw = numbers("raw", scores, classes, ask)
        label = labels(largest(scores, context), classes, decided_by=tie("raw", scores))
        return Prediction((label, raw))
    threshold = float(_threshold_for_binary_predict(estimator.estimators_[0]))
    score = context.select(scores, [1])
    code = context.add("above", score, codes(1), threshold=threshold)
    rivals = _beside(threshold)
    label = labels(code, classes, decided_by=tie("raw", score), rivals=rivals)
    return Prediction((label, number("raw", score, ask)))


def _second(prediction: Prediction, context: Context) -> Value:
    """The code of the label, 1 for the second of the two classes."""
    answer = next((answer for answer in prediction.answers if answer.name == "label"), None)
    if answer is None or answer.names != (0, 1):
        context.refuse("predicts other labels than 0 and 1", option="estimator")
    return answer.value


def _beside(threshold: float) -> Callable[[Sequence[float]], tuple[float, float]]:
    return lambda scores: (scores[0], threshold)


def output_code_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The class whose code is nearest to the scores (sklearn/multiclass.py)."""
    classes = class_labels(estimator.classes_, context)
    scores = context.concat(
        [
            _constant(member, context)
            if type(member).__name__ == "_ConstantPredictor"
            else _score(member, context.predict(member, value, f"{at}"), context)
            for at, member in enumerate(estimator.estimators_)
        ]
    )
    scores = context.require(scores.with_columns(numeric_columns(scores.width)))
    label = labels(nearest_point(scores, estimator.code_book_, context), classes)
    return Prediction((replace(label, undecided=Ask(function=_equally_near(estimator))),))


def _constant(member: Any, context: Context) -> Value:
    """What is answered for a bit that all classes have, or none."""
    import numpy

    score = float(member.decision_function(numpy.zeros((1, 1)))[0])
    return context.add("constant", [], numeric_columns(1), values=numpy.array([score]))


def _equally_near(estimator: Any) -> Callable[[Any], Any]:
    """Whether two codes are as near as each other, but for rounding."""

    def ask(data: Any) -> Any:
        import numpy
        from sklearn.multiclass import _predict_binary

        scores = numpy.array([_predict_binary(member, data) for member in estimator.estimators_]).T
        with numpy.errstate(all="ignore"):
            far = ((scores[:, None, :] - estimator.code_book_[None]) ** 2).sum(axis=2)
            first, second = numpy.sort(far, axis=1)[:, :2].T
            return ~(second - first > 1e-10 * (1.0 + (scores**2).sum(axis=1)))

    return ask


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
    "sklearn.multiclass.OneVsOneClassifier": one_vs_one_classifier,
    "sklearn.multiclass.OneVsRestClassifier": one_vs_rest_classifier,
    "sklearn.multiclass.OutputCodeClassifier": output_code_classifier,
    "sklearn.multioutput.MultiOutputClassifier": multi_output_classifier,
    "sklearn.multioutput.MultiOutputRegressor": multi_output_regressor,
}
