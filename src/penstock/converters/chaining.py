"""scikit-learn's chains: for each target an estimator that sees what those before it predict."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.responses import response
from penstock.converters.scores import tie
from penstock.converters.validation import finite_rows, sized
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


def regressor_chain(estimator: Any, value: Value, context: Context) -> Prediction:
    """What each estimator predicts of its target, in the order of the targets."""
    found = dict(_links(estimator, "predict", value, context))
    parts = [response(found[target], "predict", context) for target in range(len(found))]
    return Prediction((numbers("value", context.concat(parts), range(len(parts)), Ask("predict")),))


METHODS = ("decision_function", "predict", "predict_proba")


def classifier_chain(estimator: Any, value: Value, context: Context) -> Prediction:
    """The label of each target as a number, and of two classes the probability of the second."""
    if estimator.chain_method_ not in METHODS:
        context.refuse(f"`{estimator.chain_method_}`; take `predict_proba`", option="chain_method")
    found = dict(_links(estimator, estimator.chain_method_, value, context))
    known = {target: member.classes_ for target, member in _members(estimator)}
    binary = all(len(classes) == 2 for classes in known.values())
    answers: list[Answer] = []
    for target in range(len(found)):
        parts = {answer.name: answer for answer in found[target].answers}
        label, pick = parts["label"], _column(target)
        asks = {"probability": "predict_proba", "raw": "decision_function"}
        names = [
            name for name in asks if name in parts and binary and hasattr(estimator, asks[name])
        ]
        scores = [(name, _positive(parts[name], known[target], context)) for name in names]
        decided = next((f"{name}_{target}" for name, score in scores if tie(name, score)), None)
        classes = [_number(name, context) for name in label.names or ()]
        answers.append(
            labels(
                label.value,
                classes,
                name=f"label_{target}",
                ask=Ask("predict", pick=pick),
                decided_by=decided,
                rivals=_halves if decided and decided.startswith("probability") else None,
            )
        )
        answers += [
            number(f"{name}_{target}", score, Ask(asks[name], pick=pick)) for name, score in scores
        ]
    return Prediction(tuple(answers))


def _halves(shares: Any) -> tuple[float, float]:
    return shares[0], 0.5


def _number(label: Any, context: Context) -> float:
    if isinstance(label, str):
        context.refuse("has classes that are texts, of which scikit-learn makes numbers")
    return float(label)


def _positive(answer: Answer, classes: Any, context: Context) -> Value:
    """The score of the last class (sklearn/utils/_response.py)."""
    value = replace(answer.value, tolerance=max(answer.tolerance, answer.value.tolerance))
    if answer.name == "raw" or value.width == 1:
        return value
    return context.select(value, [len(classes) - 1])


def _members(estimator: Any) -> Iterator[tuple[int, Any]]:
    """Each estimator in the order of the chain, with its target."""
    for target, member in zip(estimator.order_, estimator.estimators_, strict=True):
        yield int(target), member


def _links(
    estimator: Any, method: str, value: Value, context: Context
) -> Iterator[tuple[int, Prediction]]:
    """What each estimator makes of the row and of what those before it predict.

    sklearn/multioutput.py, `_BaseChain._get_predictions`: all in one array of float64.
    """
    rows = finite_rows(value, context)
    for target, member in _members(estimator):
        prediction = context.predict(member, rows, f"{target}")
        yield target, prediction
        seen = response(prediction, method, context)
        if method == "predict_proba":
            if len(member.classes_) != 2:
                context.refuse("shares of more than two classes", option="chain_method")
            seen = context.select(seen, [1])
        if seen.width != 1:
            context.refuse("an estimator inside predicts several numbers", option="chain_method")
        rows = context.concat([rows, seen])
        rows = rows.with_columns(numeric_columns(rows.width))


def _column(at: int) -> Callable[[Any], Any]:
    return lambda answer: answer[:, at]


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.multioutput.ClassifierChain": classifier_chain,
        "sklearn.multioutput.RegressorChain": regressor_chain,
    }
)
