"""scikit-learn's naive Bayes: the logarithms of densities and shares, added up for each class."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.scores import class_labels, exp_normalize, largest
from penstock.converters.validation import dense, sized
from penstock.converters.values import (
    LINEAR_TOLERANCE,
    Ask,
    Prediction,
    Value,
    codes,
    labels,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

# As sums of linear models in float32.
SINGLE_TOLERANCE = 1e-5
# docs/format.md, codes: a row that is refused.
REFUSED = -2


def gaussian(estimator: Any, value: Value, context: Context) -> Prediction:
    """Normal densities: squares of the distance from the mean, divided by the variance.

    sklearn/naive_bayes.py, `GaussianNB._joint_log_likelihood`.
    """
    import numpy

    means, variances = estimator.theta_, estimator.var_
    single = value.precision == "f32" and means.dtype == numpy.float32
    squares = context.add(
        "distance",
        context.require(context.number(dense(value, context)), precision=value.precision),
        numeric_columns(len(means)),
        tolerance=SINGLE_TOLERANCE if single else LINEAR_TOLERANCE,
        metric="squared_euclidean",
        points=means.astype("float64"),
        scales=variances.astype("float64"),
    )
    constants = [-0.5 * numpy.sum(numpy.log(2.0 * numpy.pi * row)) for row in variances]
    with numpy.errstate(divide="ignore"):
        priors = numpy.log(estimator.class_prior_)
    scores = squares
    for function, operands in (
        ("multiply", numpy.full(len(means), -0.5)),
        ("add", numpy.array(constants)),
        ("add", priors),
    ):
        scores = context.arithmetic(scores, function, operands, precision="f64")
    return _prediction(estimator, context.cast(scores, "f32") if single else scores, context)


def multinomial(estimator: Any, value: Value, context: Context) -> Prediction:
    """The logarithm of the share of each feature, as often as it comes."""
    return _linear(estimator, value, estimator.class_log_prior_, context)


def complement(estimator: Any, value: Value, context: Context) -> Prediction:
    """As `multinomial`, with the shares in all other classes, and without the prior."""
    import numpy

    return _linear(estimator, value, numpy.zeros(len(estimator.classes_)), context)


def bernoulli(estimator: Any, value: Value, context: Context) -> Prediction:
    """The logarithms of the shares of what is there, and of what is not.

    sklearn/naive_bayes.py, `BernoulliNB._joint_log_likelihood`.
    """
    import numpy

    numbers = _checked(value, context)
    if estimator.binarize is not None:
        threshold = float(estimator.binarize)
        if value.sparse and threshold < 0:
            context.refuse("a sparse matrix takes no threshold below 0", option="binarize")
        numbers = context.add(
            "binarize",
            numbers,
            numeric_columns(value.width),
            sparse=value.sparse,
            threshold=threshold,
            precision=value.precision,
        )
    present = estimator.feature_log_prob_
    with numpy.errstate(divide="ignore"):
        absent = numpy.log(1 - numpy.exp(present))
    intercepts = estimator.class_log_prior_ + absent.sum(axis=1)
    scores = _scores(numbers, present - absent, intercepts, context)
    return _prediction(estimator, scores, context)


def categorical(estimator: Any, value: Value, context: Context) -> Prediction:
    """The logarithm of the share of each category, which is a whole number from 0 on.

    sklearn/naive_bayes.py, `CategoricalNB`: numbers are cut to integers; one that has no share
    raises an error.
    """
    import numpy

    tables = estimator.feature_log_prob_
    counts = numpy.array([table.shape[1] for table in tables])
    whole = context.add(
        "map",
        context.require(context.number(dense(value, context))),
        numeric_columns(value.width),
        function="trunc",
        precision="f64",
    )
    positions = numpy.concatenate([numpy.arange(count) for count in counts])
    coded = context.add(
        "encode_number",
        whole,
        codes(value.width),
        levels=positions.astype("float64"),
        ends=numpy.cumsum(counts),
        codes=positions,
        missing_codes=numpy.full(value.width, REFUSED),
        unseen_codes=numpy.full(value.width, REFUSED),
    )
    shares = context.add("one_hot", coded, numeric_columns(int(counts.sum())), widths=counts)
    scores = _scores(shares, numpy.hstack(tables), estimator.class_log_prior_, context)
    return _prediction(estimator, scores, context)


def _linear(estimator: Any, value: Value, intercepts: Any, context: Context) -> Prediction:
    numbers = _checked(value, context)
    scores = _scores(numbers, estimator.feature_log_prob_, intercepts, context)
    return _prediction(estimator, scores, context)


def _checked(value: Value, context: Context) -> Value:
    return context.require(context.number(value), precision=value.precision)


def _scores(value: Value, coefficients: Any, intercepts: Any, context: Context) -> Value:
    import numpy

    # Zero times an infinite logarithm is NaN, or nothing in a sparse matrix.
    if not (numpy.isfinite(coefficients).all() and numpy.isfinite(intercepts).all()):
        context.refuse("a share is 0, whose logarithm is infinite; smooth it", option="alpha")
    return context.add(
        "linear",
        value,
        numeric_columns(len(coefficients)),
        tolerance=LINEAR_TOLERANCE,
        coefficients=coefficients.astype("float64"),
        intercepts=numpy.asarray(intercepts, dtype="float64"),
    )


def _prediction(estimator: Any, scores: Value, context: Context) -> Prediction:
    """sklearn/naive_bayes.py, `_BaseNB`: the largest score, and scores less their logsumexp."""
    classes = class_labels(estimator.classes_, context)
    shares = numbers("probability", exp_normalize(scores, context), classes, Ask("predict_proba"))
    return Prediction(
        (
            labels(largest(scores, context), classes, decided_by="raw"),
            replace(shares, exponent="raw"),
            numbers("raw", scores, classes, Ask("predict_joint_log_proba")),
        )
    )


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.naive_bayes.BernoulliNB": bernoulli,
        "sklearn.naive_bayes.CategoricalNB": categorical,
        "sklearn.naive_bayes.ComplementNB": complement,
        "sklearn.naive_bayes.GaussianNB": gaussian,
        "sklearn.naive_bayes.MultinomialNB": multinomial,
    }
)
