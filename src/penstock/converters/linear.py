"""scikit-learn's linear models: dot products, and what becomes of them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context, public_name
from penstock.converters.scores import (
    class_labels,
    complement,
    link,
    mean,
    proportion,
    softmax,
    winner,
)
from penstock.converters.values import (
    LINEAR_TOLERANCE,
    Answer,
    Ask,
    Prediction,
    Value,
    labels,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

# Below 1 / (1 + the largest f32).
LEAST = 2.93e-39
PROBABILITY = Ask("predict_proba")
RAW = Ask("decision_function")

# Those that multiply sparse matrices themselves.
UNCHECKED = tuple(
    f"sklearn.linear_model.{name}"
    for name in ("ElasticNet", "Lasso", "MultiTaskElasticNet", "MultiTaskLasso")
)

# BLAS sums n products of float32 in float32, in an order of its own: each step may err by 2^-24
# relative to the sum so far. This holds for sums of up to a hundred terms that mostly add up.
SINGLE_TOLERANCE = 1e-5


def linear_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The dot product and the intercept, for one target or several."""
    scores = _scores(estimator, value, context)
    if scores.width > 1:
        return Prediction((numbers("value", scores, range(scores.width), Ask("predict")),))
    # Fitted on a target that is a matrix of one column, `predict` answers one as well.
    return Prediction((number("value", scores, Ask("predict", pick=_column(0))),))


def generalized_linear_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The inverse of the link of the dot product (sklearn/linear_model/_glm/glm.py, `predict`)."""
    scores = _scores(estimator, value, context)
    return Prediction((number("value", mean(scores, estimator._base_loss, context)),))


def linear_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """A label by sign or by the largest score, and the scores; no probability."""
    return Prediction(_decision(estimator, _scores(estimator, value, context), context))


def logistic_regression(estimator: Any, value: Value, context: Context) -> Prediction:
    """Probabilities are a sigmoid for two classes and a softmax for more.

    sklearn/linear_model/_logistic.py, `predict_proba`: since 1.8 without regard to how the model
    was fitted.
    """
    scores = _scores(estimator, value, context)
    shares = (_sigmoids if scores.width == 1 else softmax)(scores, context)
    return _with_probability(estimator, shares, scores, context)


def sgd_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """Probabilities exist for two of the losses (sklearn/linear_model/_stochastic_gradient.py)."""
    functions = {"log_loss": _sigmoids, "modified_huber": _modified_huber}
    scores = _scores(estimator, value, context)
    function = functions.get(estimator.loss)
    if function is None:
        return Prediction(_decision(estimator, scores, context))
    return _with_probability(estimator, function(scores, context), scores, context)


def ridge_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """A label by sign or by the largest score; several labels, each by its sign."""
    scores = _scores(estimator, value, context)
    if not estimator._label_binarizer.y_type_.startswith("multilabel"):
        return Prediction(_decision(estimator, scores, context))
    answers = []
    for at in range(scores.width):
        raw, pick, name = context.select(scores, [at]), _column(at), f"raw_{at}"
        answers += [
            labels(
                winner(raw, context),
                (0, 1),
                name=f"label_{at}",
                ask=Ask("predict", pick=pick),
                decided_by=name,
            ),
            number(name, raw, Ask("decision_function", pick=pick)),
        ]
    return Prediction(tuple(answers))


def consensus_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """What the estimator of the consensus predicts, of an array."""
    inner = estimator.estimator_
    rows = replace(context.number(value), frame="")
    rows = rows.with_columns(numeric_columns(value.width, value.dtype))
    return context.predict(inner, rows, "estimator").bound(estimator)


def discriminant_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """As a logistic regression; to steps behind it the most discriminative directions.

    sklearn/discriminant_analysis.py, `LinearDiscriminantAnalysis.transform`.
    """
    import numpy

    result = logistic_regression(estimator, value, context)
    if estimator.solver == "lsqr":
        return result
    directions = estimator.scalings_[:, : estimator._max_components]
    offset = estimator.xbar_ if estimator.solver == "svd" else numpy.zeros(value.width)
    rows = context.require(context.number(value), precision=value.precision)
    features = context.add(
        "linear",
        rows,
        numeric_columns(directions.shape[1]),
        tolerance=LINEAR_TOLERANCE * 100,
        coefficients=directions.T.astype("float64"),
        intercepts=-(offset @ directions).astype("float64"),
    )
    single = value.precision == "f32" and directions.dtype == numpy.float32
    # Of float32 rows scikit-learn's own sums are no better than that.
    features = replace(features, tolerance=SINGLE_TOLERANCE) if single else features
    return replace(result, features=context.cast(features, "f32") if single else features)


def _scores(estimator: Any, value: Value, context: Context) -> Value:
    """The dot products plus the intercepts.

    sklearn/linear_model/_base.py, `_decision_function`: matrices of float32 are multiplied in
    float32 where the coefficients are float32 as well, and else in float64. So are matrices of
    booleans, of which `as_float_array` makes float32 in fitting.
    """
    import numpy

    coefficients = estimator.coef_
    # `sparsify()` leaves a sparse matrix.
    dense = coefficients.toarray() if hasattr(coefficients, "toarray") else coefficients
    matrix = numpy.atleast_2d(dense)
    intercepts = numpy.broadcast_to(numpy.asarray(estimator.intercept_), matrix.shape[:1])
    narrow = value.precision == "f32" or {column.dtype for column in value.columns} == {"bool"}
    single = narrow and matrix.dtype == numpy.float32
    # sklearn/linear_model/_coordinate_descent.py, `_decision_function`: sparse matrices are not
    # checked, so that one with missing or infinite numbers is answered by what they lead to.
    unchecked = value.sparse and public_name(type(estimator)) in UNCHECKED
    scores = context.add(
        "linear",
        context.require(
            context.number(value),
            missing=unchecked,
            infinite=unchecked,
            precision=value.precision,
        ),
        numeric_columns(len(matrix)),
        tolerance=max(SINGLE_TOLERANCE, value.width * 2.0**-24) if single else LINEAR_TOLERANCE,
        coefficients=matrix.astype("float64"),
        intercepts=intercepts.astype("float64"),
    )
    # Also so that scores beyond float32 are infinite.
    return context.cast(scores, "f32") if single else scores


def _decision(estimator: Any, scores: Value, context: Context) -> tuple[Answer, Answer]:
    """The label and the raw scores (sklearn/linear_model/_base.py, `LinearClassifierMixin`)."""
    classes = class_labels(estimator.classes_, context)
    label = labels(winner(scores, context), classes, decided_by="raw")
    if scores.width == 1:
        return label, number("raw", scores, RAW)
    return label, numbers("raw", scores, classes, RAW)


def _with_probability(
    estimator: Any, probability: Value, scores: Value, context: Context
) -> Prediction:
    label, raw = _decision(estimator, scores, context)
    classes = class_labels(estimator.classes_, context)
    return Prediction((label, numbers("probability", probability, classes, PROBABILITY), raw))


def _sigmoids(scores: Value, context: Context) -> Value:
    """sklearn/linear_model/_base.py, `_predict_proba_lr`."""
    shares = link(scores, "sigmoid", context)
    if scores.precision == "f32" and scores.width > 1:
        # SciPy's `expit` is 0 where `expf` overflows, and all classes may have none.
        known = context.add("binarize", shares, shares.columns, threshold=LEAST, precision="f64")
        shares = context.combine(shares, "multiply", known, tolerance=shares.tolerance)
    return _shares(shares, context)


def _modified_huber(scores: Value, context: Context) -> Value:
    """(clip(score, -1, 1) + 1) / 2."""
    import numpy

    width, precision = scores.width, scores.precision
    ones = numpy.ones(width)
    value = context.add(
        "clip", scores, scores.columns, minimum=-ones, maximum=ones, precision=precision
    )
    for function, operands in (("add", ones), ("divide", 2 * ones)):
        value = context.arithmetic(value, function, operands, precision=precision)
    return _shares(value, context)


def _shares(probability: Value, context: Context) -> Value:
    """Of two classes the rest; of more, one against the others each, the share of the sum."""
    return (complement if probability.width == 1 else proportion)(probability, context)


def _column(at: int) -> Callable[[Any], Any]:
    """One column of a matrix, which may be sparse."""

    def pick(answer: Any) -> Any:
        matrix = answer.toarray() if hasattr(answer, "toarray") else answer
        return matrix.reshape(len(matrix), -1)[:, at]

    return pick


REGRESSORS = (
    "ARDRegression",
    "BayesianRidge",
    "ElasticNet",
    "ElasticNetCV",
    "HuberRegressor",
    "Lars",
    "LarsCV",
    "Lasso",
    "LassoCV",
    "LassoLars",
    "LassoLarsCV",
    "LassoLarsIC",
    "LinearRegression",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "OrthogonalMatchingPursuit",
    "OrthogonalMatchingPursuitCV",
    "PassiveAggressiveRegressor",
    "QuantileRegressor",
    "Ridge",
    "RidgeCV",
    "SGDRegressor",
    "TheilSenRegressor",
)

CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "sklearn.discriminant_analysis.LinearDiscriminantAnalysis": discriminant_classifier,
    "sklearn.linear_model.GammaRegressor": generalized_linear_regressor,
    "sklearn.linear_model.LogisticRegression": logistic_regression,
    "sklearn.linear_model.LogisticRegressionCV": logistic_regression,
    "sklearn.linear_model.PassiveAggressiveClassifier": linear_classifier,
    "sklearn.linear_model.Perceptron": linear_classifier,
    "sklearn.linear_model.PoissonRegressor": generalized_linear_regressor,
    "sklearn.linear_model.RANSACRegressor": consensus_regressor,
    "sklearn.linear_model.RidgeClassifier": ridge_classifier,
    "sklearn.linear_model.RidgeClassifierCV": ridge_classifier,
    "sklearn.linear_model.SGDClassifier": sgd_classifier,
    "sklearn.linear_model.TweedieRegressor": generalized_linear_regressor,
    "sklearn.svm.LinearSVC": linear_classifier,
    "sklearn.svm.LinearSVR": linear_regressor,
    **{f"sklearn.linear_model.{name}": linear_regressor for name in REGRESSORS},
}
