"""scikit-learn's support vector machines: sums of kernels between a row and the support vectors."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

from penstock.converters.context import Context
from penstock.converters.kernel_functions import Kernel, kernel
from penstock.converters.pairing import confident, pair_votes
from penstock.converters.scores import BELOW_ZERO, class_labels, largest, link
from penstock.converters.validation import dense, full, sized
from penstock.converters.values import (
    LINEAR_TOLERANCE,
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

RAW = Ask("decision_function")
# Sums of large terms of either sign; a radial kernel is at most 1.
KERNEL_TOLERANCE = 1e-9
# sklearn/svm/src/libsvm/svm.cpp, `min_prob`.
LEAST_SHARE = 1e-7
# A hundred steps, each of which divides by what rounding has left.
COUPLED_TOLERANCE = 1e-11


def support_vector_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """A vote for one of each two classes; of two classes their score.

    sklearn/svm/src/libsvm/svm.cpp, `svm_predict_values`; sklearn/svm/_base.py, `decision_function`.
    """
    classes = class_labels(estimator.classes_, context)
    if len(classes) == 2:
        # scikit-learn turns the sign around, so that zero is the second class.
        scores = _sums(estimator, estimator.dual_coef_, estimator.intercept_, value, context)
        code = context.add("above", scores, codes(1), threshold=BELOW_ZERO)
        label = labels(code, classes, decided_by="raw")
        shares = _shares(estimator, scores, classes, context)
        return Prediction((label, *shares, number("raw", scores, RAW)))
    pairs = list(combinations(range(len(classes)), 2))
    scores = _sums(estimator, _pairwise(estimator, pairs), estimator.intercept_, value, context)
    first = context.add("above", scores, codes(len(pairs)), threshold=0.0)
    votes = pair_votes(first, pairs, len(classes), context)
    shares = _shares(estimator, scores, classes, context)
    if estimator.decision_function_shape == "ovo":
        names = [f"{classes[i]}/{classes[j]}" for i, j in pairs]
        label = labels(largest(votes, context), classes)
        return Prediction((label, *shares, numbers("raw", scores, names, RAW)))
    at_zero = context.add("above", scores, codes(len(pairs)), threshold=BELOW_ZERO)
    raw = confident(pair_votes(at_zero, pairs, len(classes), context), scores, pairs, context)
    label = labels(largest(raw if estimator.break_ties else votes, context), classes)
    return Prediction((label, *shares, numbers("raw", raw, classes, RAW)))


def support_vector_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The sum of the kernels and the intercept."""
    scores = _sums(estimator, estimator.dual_coef_, estimator.intercept_, value, context)
    return Prediction((number("value", scores),))


def one_class(estimator: Any, value: Value, context: Context) -> Prediction:
    """1 where the score is above zero, else -1."""
    scores = _sums(estimator, estimator.dual_coef_, estimator.intercept_, value, context)
    code = context.add("above", scores, codes(1), threshold=0.0)
    return Prediction((labels(code, (-1, 1), decided_by="raw"), number("raw", scores, RAW)))


# -- sums --


def _sums(
    estimator: Any, coefficients: Any, intercepts: Any, value: Value, context: Context
) -> Value:
    import numpy

    # What was fitted on a sparse matrix takes both, what was fitted on a dense one does not.
    rows = context.require(context.number(value if estimator._sparse else dense(value, context)))
    rows = replace(rows, frame="", sparse=False).with_columns(numeric_columns(rows.width))
    coefficients, points = full(coefficients), full(estimator.support_vectors_)
    growth = max(1.0, float(numpy.abs(coefficients).sum(axis=1).max()))
    if not len(points):
        context.refuse("has no support vectors; fit it with other options")
    options = (float(estimator._gamma), float(estimator.coef0), int(estimator.degree))
    similar = kernel(Kernel(estimator.kernel, points, *options), rows, context)
    return context.add(
        "linear",
        replace(similar, tolerance=0.0),
        numeric_columns(len(coefficients)),
        tolerance=growth * (LINEAR_TOLERANCE if estimator.kernel == "rbf" else KERNEL_TOLERANCE),
        coefficients=numpy.asarray(coefficients, dtype="float64"),
        intercepts=numpy.asarray(intercepts, dtype="float64"),
    )


# -- several classes --


def _shares(
    estimator: Any, scores: Value, classes: list[Any], context: Context
) -> tuple[Answer, ...]:
    """Shares from a sigmoid of each score, coupled; none without `probability`.

    sklearn/svm/src/libsvm/svm.cpp, `svm_predict_probability`.
    """
    import numpy

    if not hasattr(estimator, "predict_proba"):
        return ()
    # Of two classes scikit-learn has turned the sign around.
    sign = -1.0 if len(classes) == 2 else 1.0
    logits = context.arithmetic(scores, "multiply", sign * numpy.asarray(estimator.probA_))
    logits = context.arithmetic(logits, "add", numpy.asarray(estimator.probB_))
    pairs = link(logits, "sigmoid", context, scale=-1.0)
    pairs = context.add(
        "clip",
        pairs,
        pairs.columns,
        minimum=numpy.full(pairs.width, LEAST_SHARE),
        maximum=numpy.full(pairs.width, 1.0 - LEAST_SHARE),
        precision="f64",
    )
    shares = context.add(
        "couple",
        pairs,
        numeric_columns(len(classes)),
        tolerance=max(COUPLED_TOLERANCE, 10 * pairs.tolerance),
        classes=len(classes),
    )
    return (numbers("probability", shares, classes, Ask("predict_proba")),)


def _pairwise(estimator: Any, pairs: list[tuple[int, int]]) -> Any:
    """The coefficients of all support vectors for each pair: those of other classes are 0."""
    import numpy

    ends = numpy.cumsum(estimator.n_support_)
    ranges = [
        slice(end - count, end) for end, count in zip(ends, estimator.n_support_, strict=True)
    ]
    known = full(estimator.dual_coef_)
    coefficients = numpy.zeros((len(pairs), known.shape[1]))
    for row, (i, j) in zip(coefficients, pairs, strict=True):
        row[ranges[i]] = known[j - 1, ranges[i]]
        row[ranges[j]] = known[i, ranges[j]]
    return coefficients


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.svm.NuSVC": support_vector_classifier,
        "sklearn.svm.NuSVR": support_vector_regressor,
        "sklearn.svm.OneClassSVM": one_class,
        "sklearn.svm.SVC": support_vector_classifier,
        "sklearn.svm.SVR": support_vector_regressor,
    }
)
