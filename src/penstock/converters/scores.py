"""From scikit-learn's raw scores to labels, probabilities and means; several families use it."""

from collections.abc import Iterable
from typing import Any

from penstock.converters.context import Context
from penstock.converters.values import LINK_TOLERANCE, Value, codes, numeric_columns
from penstock.schema import Label

__all__ = [
    "BELOW_ZERO",
    "class_labels",
    "complement",
    "exp_normalize",
    "largest",
    "link",
    "mean",
    "proportion",
    "softmax",
    "tie",
    "winner",
]

# The largest number below zero: what is above it is zero or more.
BELOW_ZERO = -5e-324

# exp(x) is finite up to this x, in f32 and f64; a relative error e of x is one of x·e of exp(x).
LARGEST_EXPONENT = {"f32": 89, "f64": 710}

# sklearn/_loss/link.py, `inverse` of each: a function of `link`.
LINKS: dict[str, str | None] = {
    "IdentityLink": None,
    "LogLink": "exp",
    "LogitLink": "sigmoid",
}


def tie(name: str, scores: Value) -> str | None:
    """What `decided_by` of a label is: exact scores leave no ties to rounding."""
    return name if scores.tolerance else None


def class_labels(classes: Iterable[Any], context: Context, *, fewest: int = 2) -> list[Label]:
    """The classes as Python scalars; what is no text, number or boolean is refused."""
    labels = [label.item() if hasattr(label, "item") else label for label in classes]
    for label in labels:
        if not isinstance(label, (str, bool, int, float)):
            context.refuse(
                f"the class {label!r} is of type {type(label).__name__}; "
                "train on classes that are text, numbers or booleans"
            )
    if len(labels) < fewest:
        context.refuse(f"was fitted on the class {labels[0]!r} alone; train on two or more")
    return labels


def winner(scores: Value, context: Context, *, threshold: float = 0.0) -> Value:
    """The code of the class: one score is above the threshold or not; of several, the largest."""
    if scores.width == 1:
        return context.add("above", scores, codes(1), threshold=threshold)
    return largest(scores, context)


def largest(scores: Value, context: Context) -> Value:
    """The code of the first largest score, as numpy.argmax finds it."""
    return context.add("argmax", scores, codes(1))


def link(scores: Value, function: str, context: Context, *, scale: float = 1.0) -> Value:
    """A function of every score, times `scale`."""
    # A relative error e of x moves a sigmoid by less than e/4.
    growth = LARGEST_EXPONENT[scores.precision] if function == "exp" else 1
    return context.add(
        "link",
        scores,
        scores.columns,
        tolerance=max(LINK_TOLERANCE, scores.tolerance * growth),
        function=function,
        scale=scale,
        precision=scores.precision,
    )


def mean(scores: Value, loss: Any, context: Context) -> Value:
    """The inverse of the loss's link."""
    name = type(loss.link).__name__
    if name not in LINKS:
        known = "`, `".join(sorted(LINKS))
        context.refuse(
            f"the link `{name}` is not supported; supported are `{known}`", option="loss"
        )
    function = LINKS[name]
    return scores if function is None else link(scores, function, context)


def complement(probability: Value, context: Context) -> Value:
    """The probabilities of both classes from that of the second."""
    columns = numeric_columns(2, probability.dtype)
    return context.add("complement", probability, columns, precision=probability.precision)


def proportion(scores: Value, context: Context) -> Value:
    """The scores divided by their sum; equal shares where that is zero."""
    # The sum of small scores may be as inexact as the exponential of a score.
    tolerance = scores.tolerance * LARGEST_EXPONENT[scores.precision]
    return context.add("proportion", scores, scores.columns, tolerance=tolerance)


def softmax(scores: Value, context: Context) -> Value:
    """scikit-learn's `softmax` (sklearn/utils/extmath.py).

    From 8 classes on numpy adds in another order than ours, and which depends on the layout of the
    matrix: the scores of `HistGradientBoostingClassifier` are in Fortran order, so that
    scikit-learn's own answers to one row and to many may differ in the last bit.
    """
    # Of the scores the error of the largest counts, however close they are to each other.
    inexact = scores.tolerance * LARGEST_EXPONENT[scores.precision]
    tolerance = max(LINK_TOLERANCE * max(1.0, scores.width / 4), inexact)
    return context.add(
        "softmax", scores, scores.columns, tolerance=tolerance, precision=scores.precision
    )


def exp_normalize(logarithms: Value, context: Context) -> Value:
    """Shares from their logarithms and those of what all have in common.

    scikit-learn's `exp(x - logsumexp(x))`: what rounding leaves of large logarithms, all of it.
    """
    inexact = logarithms.tolerance * LARGEST_EXPONENT[logarithms.precision]
    return context.add(
        "exp_normalize",
        logarithms,
        logarithms.columns,
        tolerance=max(LINK_TOLERANCE * max(1.0, logarithms.width / 4), inexact),
        precision=logarithms.precision,
    )
