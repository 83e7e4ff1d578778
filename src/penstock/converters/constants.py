"""scikit-learn's dummies: the same answer for every row."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.converters.context import Context
from penstock.converters.scores import class_labels, largest
from penstock.converters.values import (
    Ask,
    Prediction,
    Value,
    labels,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

STRATEGIES = ("constant", "most_frequent", "prior")


def dummy_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The shares of the training data, or one class (sklearn/dummy.py, `predict_proba`)."""
    import numpy

    if estimator._strategy not in STRATEGIES:
        context.refuse(f"`{estimator._strategy}` answers by chance", option="strategy")
    if estimator.n_outputs_ != 1 or estimator.sparse_output_:
        context.refuse("was fitted on several targets; fit one model for each")
    classes = class_labels(estimator.classes_, context, fewest=1)
    if estimator._strategy == "constant":
        chosen = list(estimator.classes_).index(numpy.ravel(estimator.constant)[0])
    else:
        chosen = int(estimator.class_prior_.argmax())
    shares = numpy.eye(len(classes))[chosen]
    if estimator._strategy == "prior":
        shares = estimator.class_prior_
    constant = _constant(shares, context)
    return Prediction(
        (
            labels(largest(constant, context), classes),
            numbers("probability", constant, classes, Ask("predict_proba")),
        )
    )


def dummy_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """A mean, a median, a quantile, or what was said."""
    import numpy

    constant = _constant(numpy.ravel(estimator.constant_), context)
    if constant.width == 1:
        return Prediction((number("value", constant),))
    return Prediction((numbers("value", constant, range(constant.width), Ask("predict")),))


def _constant(values: Any, context: Context) -> Value:
    return context.add(
        "constant", [], numeric_columns(len(values)), values=values.astype("float64")
    )


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "sklearn.dummy.DummyClassifier": dummy_classifier,
    "sklearn.dummy.DummyRegressor": dummy_regressor,
}
