"""What boosters answer, whichever library made them: labels and probabilities, or values."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.scores import complement, largest
from penstock.converters.values import Answer, Ask, Value, labels, number, numbers

__all__ = ["Asks", "plain", "several_classes", "two_classes", "values"]


@dataclass(frozen=True)
class Asks:
    """How to ask for what is predicted, and for the raw scores before any link."""

    value: Ask
    raw: Ask

    def picked(self, pick: Callable[[Any], Any]) -> Ask:
        """The question for what is predicted, and what to make of the answer."""
        return replace(self.value, pick=pick)


def plain(name: str, value: Value, ask: Ask, tolerance: float = 0.0) -> Answer:
    """An output of one number, or of several that are named 0, 1, ..."""
    if value.width == 1:
        return number(name, value, ask, tolerance=tolerance)
    return numbers(name, value, range(value.width), ask, tolerance=tolerance)


def values(result: Value, raw: Value, asks: Asks, tolerance: float) -> tuple[Answer, ...]:
    """`value`, and `raw` where that is something else."""
    value = plain("value", result, asks.value, tolerance)
    return (value,) if result == raw else (value, plain("raw", raw, asks.raw))


def two_classes(
    result: Value, raw: Value, asks: Asks, tolerance: float, context: Context
) -> tuple[Answer, ...]:
    """The classes 0 and 1, from the probability of 1, which the library predicts."""
    shares = complement(result, context)
    label = asks.picked(lambda probability: (probability > 0.5).astype("int64"))
    return (
        labels(largest(shares, context), (0, 1), ask=label, decided_by="probability"),
        numbers("probability", shares, (0, 1), asks.picked(_both), tolerance=tolerance),
        number("raw", raw, asks.raw),
    )


def several_classes(
    result: Value, raw: Value, asks: Asks, tolerance: float, context: Context
) -> tuple[Answer, ...]:
    """The classes 0, 1, ..., from the probability of each, which the library predicts."""
    classes = range(raw.width)
    label = asks.picked(lambda shares: shares.argmax(axis=1))
    return (
        labels(largest(result, context), classes, ask=label, decided_by="probability"),
        numbers("probability", result, classes, asks.value, tolerance=tolerance),
        numbers("raw", raw, classes, asks.raw),
    )


def _both(probability: Any) -> Any:
    import numpy

    return numpy.column_stack((1.0 - probability, probability))
