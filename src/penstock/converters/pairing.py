"""From estimators of two classes each to a score of each class; for support vectors and others."""

from itertools import combinations

from penstock.converters.context import Context
from penstock.converters.responses import summed
from penstock.converters.values import LINEAR_TOLERANCE, Value, numeric_columns

__all__ = ["confident", "pair_scores", "pair_votes"]


def pair_scores(second: Value, confidences: Value, count: int, context: Context) -> Value:
    """Votes and confidences of `count` classes; codes are 1 where the second of a pair wins."""
    pairs = list(combinations(range(count), 2))
    votes = pair_votes(second, [(j, i) for i, j in pairs], count, context)
    return confident(votes, context.arithmetic(confidences, "multiply", -1.0), pairs, context)


def pair_votes(first: Value, pairs: list[tuple[int, int]], count: int, context: Context) -> Value:
    """How many pairs each class has won; the code is 1 where the first of the pair has."""
    import numpy

    sides = context.add(
        "one_hot",
        first,
        numeric_columns(2 * len(pairs)),
        widths=numpy.full(len(pairs), 2),
    )
    coefficients = numpy.zeros((count, 2 * len(pairs)))
    for at, (i, j) in enumerate(pairs):
        coefficients[j, 2 * at] = coefficients[i, 2 * at + 1] = 1.0
    votes = context.add(
        "linear",
        sides,
        numeric_columns(count),
        coefficients=coefficients,
        intercepts=numpy.zeros(count),
    )
    return votes


def confident(votes: Value, scores: Value, pairs: list[tuple[int, int]], context: Context) -> Value:
    """Votes, and less than a third for the sums of scores, s / (3 * (|s| + 1)).

    sklearn/utils/multiclass.py, `_ovr_decision_function`.
    """
    import numpy

    coefficients = numpy.zeros((votes.width, len(pairs)))
    for at, (i, j) in enumerate(pairs):
        coefficients[i, at], coefficients[j, at] = 1.0, -1.0
    sums = context.add(
        "linear",
        scores,
        votes.columns,
        tolerance=LINEAR_TOLERANCE,
        coefficients=coefficients,
        intercepts=numpy.zeros(votes.width),
    )
    sizes = context.arithmetic(context.map(sums, "abs"), "add", 1.0)
    shares = context.combine(sums, "divide", context.arithmetic(sizes, "multiply", 3.0))
    return summed([votes, shares], context)
