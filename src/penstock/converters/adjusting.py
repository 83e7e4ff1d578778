"""Regressors that training makes of others: with an offset, with an interval."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.converters.context import Context
from penstock.converters.scores import link
from penstock.converters.values import (
    LINEAR_TOLERANCE,
    Answer,
    Ask,
    Prediction,
    Value,
    number,
    numeric_columns,
)

__all__ = ["CONVERTERS"]


def offset_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The raw score of the booster plus the last column, and the inverse of the link of it."""
    import numpy

    last = value.width - 1
    inner = context.select(value, range(last))
    answers = context.predict(estimator.regressor, inner, "regressor").answers
    trees = next((answer for answer in answers if answer.name == "raw"), answers[0])
    offset = context.require(context.number(context.select(value, [last])))
    raw = context.add(
        "linear",
        context.concat([trees.value, offset]),
        numeric_columns(1),
        tolerance=LINEAR_TOLERANCE,
        coefficients=numpy.ones((1, 2)),
        intercepts=numpy.array([estimator.start]),
    )
    if estimator.link == "identity":
        return Prediction((number("value", raw),))
    return Prediction((number("value", link(raw, "exp", context)), number("raw", raw, Ask("raw"))))


def interval_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The outputs of the regressor, and the ends of the interval."""
    inner = context.predict(estimator.regressor, value, "regressor")
    center = _value(inner.answers, "regressor", context)
    ends = []
    for at, (name, moved) in enumerate((("lower", -estimator.below), ("upper", estimator.above))):
        model = getattr(estimator, name)
        answer = center
        if model is not None:
            answer = _value(context.predict(model, value, name).answers, name, context)
        end = _moved(answer.value, moved, estimator.least, context)
        ask = Ask("predict_interval", pick=_column(at))
        ends.append(number(name, end, ask, tolerance=answer.tolerance))
    return Prediction((*inner.bound(estimator.regressor).answers, *ends))


def _value(answers: tuple[Answer, ...], option: str, context: Context) -> Answer:
    found = next((answer for answer in answers if answer.name == "value"), None)
    if found is None or found.value.width != 1:
        context.refuse("has no output `value` of one number", option=option)
    return found


def _moved(value: Value, moved: float, least: float | None, context: Context) -> Value:
    import numpy

    end = context.add(
        "arithmetic",
        value,
        numeric_columns(1),
        function="add",
        operands=numpy.array([moved]),
        precision="f64",
    )
    if least is None:
        return end
    minimum, maximum = numpy.array([least]), numpy.array([numpy.inf])
    return context.add("clip", end, end.columns, minimum=minimum, maximum=maximum, precision="f64")


def _column(at: int) -> Callable[[Any], Any]:
    return lambda answer: answer[:, at]


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "penstock.training.adjusting.IntervalRegressor": interval_regressor,
    "penstock.training.adjusting.OffsetRegressor": offset_regressor,
}
