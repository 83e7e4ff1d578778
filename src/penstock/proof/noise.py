"""Differences that the source library itself makes: in last bits, and by the order of its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.converters.values import Answer
from penstock.frames import Row
from penstock.proof.oracle import Expected, Oracle

__all__ = ["Difference", "elements", "listed", "real", "unexplained"]

# Where inputs are larger, sums in which they cancel may have few digits left.
LARGE = 100.0
# How much more than a few units in the last place of the inputs the order of a sum may change.
NOISE = 16.0
# Squares of what is so much farther from zero leave scikit-learn no digit of other differences.
FAR = 1e4


@dataclass(frozen=True)
class Difference:
    """A row, by its position, of which an output differs, and how in words."""

    at: int
    answer: Answer
    words: str


def unexplained(
    differences: Sequence[Difference],
    oracle: Oracle,
    rows: Sequence[Row],
    given: Mapping[int, Expected],
) -> Difference | None:
    """The first difference that is more than noise of the source library."""
    left = [
        difference
        for difference in differences
        if not oracle.is_undecided(difference.answer, rows[difference.at])
    ]
    for difference in left:
        if not _may_be_noise(oracle, difference.answer, rows[difference.at]):
            return difference
    if left and oracle.reorderings:
        sizes = oracle.magnitudes()
        left = [difference for difference in left if not _is_far(sizes, rows[difference.at])]
    positions = sorted({difference.at for difference in left})
    asked = oracle.nudged([rows[at] for at in positions]) if positions else []
    nudged = dict(zip(positions, asked, strict=True))
    for difference in left:
        at, answer = difference.at, difference.answer
        if not _is_noise(answer, [expected[answer.name] for expected in nudged[at]], given[at]):
            return difference
    return None


def _is_far(sizes: Mapping[str, float], row: Row) -> bool:
    """Whether a number is so far from all of the example that distances tell no rows apart."""
    return any(
        isinstance(value, float) and abs(value) > FAR * max(1.0, sizes.get(name, 0.0))
        for name, value in row.items()
    )


def _may_be_noise(oracle: Oracle, answer: Answer, row: Row) -> bool:
    """Whether an output that is not exact comes from large inputs, or from a choice of rows."""
    large = any(isinstance(value, float) and abs(value) > LARGE for value in row.values())
    numbers = [other for other in oracle.answers if other.kind != "label"]
    deciding = numbers if answer.kind == "label" else [answer]
    inexact = all(other.tolerance > 0 for other in deciding)
    return bool((large or oracle.reorderings) and deciding and inexact)


def _is_noise(answer: Answer, nudged: Sequence[Any], given: Expected) -> bool:
    """Whether what is given is, or lies among, what the source library answers to such rows."""
    if answer.kind == "label" or not nudged:
        return bool(nudged) and given[answer.name] in nudged
    # The last bits of the largest element, where all are sums of the same terms.
    rows = [listed(row) for row in nudged]
    largest = max((abs(real(x)) for x in rows[0] if not isinstance(x, str)), default=0.0)
    columns = zip(elements(answer, given), *rows, strict=True)
    return all(
        left in others
        if isinstance(left, str)
        else _is_within(left, others, 2.0**-52 * largest, answer.tolerance)
        for left, *others in columns
    )


def _is_within(left: Any, others: Sequence[Any], least: float, tolerance: float) -> bool:
    numbers = [real(other) for other in others]
    low, high = min(numbers), max(numbers)
    margin = NOISE * (high - low + least) + tolerance * max(abs(low), abs(high), 1.0)
    return low - margin <= real(left) <= high + margin


# -- outputs --


def elements(answer: Answer, given: Expected) -> list[Any]:
    """The elements of an output in a prediction, in order of their names."""
    if answer.kind == "features":
        return [given[str(name)] for name in answer.names or ()]
    value = given[answer.name]
    return list(value.values()) if isinstance(value, dict) else [value]


def listed(value: Any) -> list[Any]:
    """The elements of an output as the source library gives it."""
    return value if isinstance(value, list) else [value]


def real(value: Any) -> float:
    """The number; NaN for what is missing."""
    return float("nan") if value is None else float(value)
