"""scikit-learn's quadratic discriminants: distances from the mean in the axes of each class."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.responses import summed
from penstock.converters.scores import class_labels, largest, softmax
from penstock.converters.validation import dense, sized
from penstock.converters.values import (
    LINEAR_TOLERANCE,
    Ask,
    Prediction,
    Value,
    labels,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

# Squares of sums in which what is far from zero cancels.
QUADRATIC_TOLERANCE = 100 * LINEAR_TOLERANCE
SINGLE_TOLERANCE = 1e-4


def quadratic_discriminant(estimator: Any, value: Value, context: Context) -> Prediction:
    """-0.5 * (distance + log of the volume) + log of the prior, for each class.

    sklearn/discriminant_analysis.py, `QuadraticDiscriminantAnalysis._decision_function`.
    """
    import numpy

    classes = class_labels(estimator.classes_, context)
    rows = context.require(context.number(dense(value, context)), precision=value.precision)
    single = value.precision == "f32" and estimator.means_[0].dtype == numpy.float32
    rows = replace(rows, frame="").with_columns(numeric_columns(value.width))
    squares = context.concat([_squares(estimator, at, rows, context) for at in range(len(classes))])
    volumes = numpy.array([numpy.sum(numpy.log(scales)) for scales in estimator.scalings_])
    scores = squares
    for function, operands in (
        ("add", volumes),
        ("multiply", numpy.full(len(classes), -0.5)),
        ("add", numpy.log(estimator.priors_)),
    ):
        scores = context.arithmetic(scores, function, operands, precision="f64")
    if single:
        scores = context.cast(replace(scores, tolerance=SINGLE_TOLERANCE), "f32")
    shares = numbers("probability", softmax(scores, context), classes, Ask("predict_proba"))
    if len(classes) > 2:
        raw = numbers("raw", scores, classes, Ask("decision_function"))
    else:
        sides = [context.select(scores, [at]) for at in (0, 1)]
        difference = summed(sides, context, weights=[-1.0, 1.0], dtype=scores.dtype)
        raw = number("raw", difference, Ask("decision_function"))
    return Prediction(
        (
            labels(largest(scores, context), classes, decided_by="raw"),
            replace(shares, exponent="raw"),
            raw,
        )
    )


def _squares(estimator: Any, at: int, rows: Value, context: Context) -> Value:
    """The squared distance of the class, in its axes and their scales."""
    import numpy

    axes = estimator.rotations_[at] * (estimator.scalings_[at] ** (-0.5))
    mean = estimator.means_[at]
    centered = context.arithmetic(rows, "subtract", mean, precision="f64")
    turned = context.add(
        "linear",
        centered,
        numeric_columns(axes.shape[1]),
        tolerance=QUADRATIC_TOLERANCE,
        coefficients=axes.T.astype("float64"),
        intercepts=numpy.zeros(axes.shape[1]),
    )
    return context.add(
        "distance",
        turned,
        numeric_columns(1),
        metric="squared_euclidean",
        points=numpy.zeros((1, axes.shape[1])),
        scales=None,
    )


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis": quadratic_discriminant,
    }
)
