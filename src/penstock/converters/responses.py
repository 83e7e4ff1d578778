"""What estimators inside others are asked for and answer; for ensembles of any estimators."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.values import Answer, Ask, Prediction, Value, numeric_columns

__all__ = [
    "available",
    "in_order",
    "numbered",
    "response",
    "scattered",
    "summed",
    "votes",
]

# Names of outputs by the method of scikit-learn that gives them.
OUTPUTS = {
    "decision_function": ("raw",),
    "predict": ("label", "value", "cluster"),
    "predict_proba": ("probability",),
}


def available(estimator: Any, methods: Sequence[str], context: Context) -> str:
    """The first of these methods that the estimator has, as `_check_response_method` finds it."""
    for method in methods:
        if hasattr(estimator, method):
            return method
    context.refuse(f"`{type(estimator).__name__}` has none of `{'`, `'.join(methods)}`")


def response(prediction: Prediction, method: str, context: Context) -> Value:
    """The numbers that this method gives; labels that are numbers as these."""
    answer = _answer(prediction, method, context)
    value = replace(answer.value, tolerance=max(answer.tolerance, answer.value.tolerance))
    return numbered(value, answer, context) if answer.kind == "label" else value


def numbered(codes: Value, answer: Answer, context: Context) -> Value:
    """The labels of the codes as numbers."""
    import numpy

    levels = answer.names or ()
    if not all(isinstance(level, (bool, int, float)) for level in levels):
        context.refuse(f"predicts `{levels[0]}`, and numbers are due; use its probabilities")
    dtype = "float64" if any(isinstance(level, float) for level in levels) else "int64"
    return context.add(
        "lookup",
        codes,
        numeric_columns(1, dtype),
        values=numpy.array(levels, dtype="float64"),
        ends=numpy.array([len(levels)]),
        absent=numpy.array([numpy.nan]),
    )


def votes(prediction: Prediction, count: int, context: Context) -> Value:
    """1 for the class that is predicted, else 0; classes are whole numbers below `count`."""
    import numpy

    answer = _answer(prediction, "predict", context)
    levels = answer.names or ()
    if answer.kind != "label" or not set(levels) <= set(range(count)):
        context.refuse("predicts other labels than the codes of the classes; it cannot vote")
    chosen = context.add(
        "one_hot", answer.value, numeric_columns(len(levels)), widths=numpy.array([len(levels)])
    )
    return scattered(chosen, [int(level) for level in levels], count, context)


def scattered(value: Value, positions: Sequence[int], count: int, context: Context) -> Value:
    """`count` numbers: those of the value at these positions, 0 at all others."""
    import numpy

    if list(positions) == list(range(count)):
        return value
    zero = context.add("constant", [], numeric_columns(1, value.dtype), values=numpy.zeros(1))
    columns = numeric_columns(value.width + 1, value.dtype)
    together = context.concat([value, zero]).with_columns(columns)
    at = {position: column for column, position in enumerate(positions)}
    return context.select(together, [at.get(position, value.width) for position in range(count)])


def summed(
    values: Sequence[Value],
    context: Context,
    *,
    weights: Any = None,
    divisor: float = 1.0,
    dtype: str = "float64",
    tolerance: float = 0.0,
) -> Value:
    """The sum of the values in their order, each times its weight, divided; all in this dtype."""
    import numpy

    return context.add(
        "sum",
        values,
        numeric_columns(values[0].width, dtype),
        tolerance=tolerance,
        weights=None if weights is None else numpy.asarray(weights, dtype="float64"),
        divisor=float(divisor),
        precision={"float32": "f32", "float64": "f64"}[dtype],
    )


def in_order(estimator: Any, method: str, pick: Callable[[Any], Any] | None = None) -> Ask:
    """The question to the estimator with what it holds in order.

    With `n_jobs` other than 1, threads add in the order in which they finish, and scikit-learn's
    own last bits differ from call to call.
    """
    if not hasattr(estimator, "n_jobs"):
        return Ask(method, pick=pick)
    sequential = copy.copy(estimator)
    sequential.n_jobs = 1
    return Ask(function=getattr(sequential, method), pick=pick)


def _answer(prediction: Prediction, method: str, context: Context) -> Answer:
    for answer in prediction.answers:
        if answer.name in OUTPUTS[method]:
            return answer
    names = "`, `".join(answer.name for answer in prediction.answers)
    context.refuse(f"`{method}` is due, and the estimator converts to `{names}`")
