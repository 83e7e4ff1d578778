"""Generalized linear models of glum and statsmodels: a dot product and the inverse of a link."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penstock.converters.context import Context
from penstock.converters.scores import link
from penstock.converters.values import (
    LINEAR_TOLERANCE,
    Ask,
    Prediction,
    Value,
    number,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

PREDICT = Ask("predict")
# glum/_link.py: probabilities nearer to 0 or 1 than this are moved there.
NEAR = 50 * 2.0**-52


def generalized_linear_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The mean that glum predicts (glum/_glm.py, `predict`)."""
    if getattr(estimator, "formula", None) is not None:
        context.refuse("columns that are made by a formula", option="formula")
    if getattr(estimator, "alpha_search", False):
        context.refuse(
            "a path of models; fit again with the `alpha` of your choice", option="alpha_search"
        )
    if any(column.dtype == "category" for column in value.columns):
        context.refuse("columns of categories, which glum encodes; encode them in a step before")
    _check_names(getattr(estimator, "feature_names_", None), value, context)
    # Frames are not checked: a missing number makes a missing prediction.
    scores = _scores(
        value, estimator.coef_, float(estimator.intercept_), context, checked=not value.frame
    )
    return Prediction(
        (number("value", _of_glum(estimator.link_instance, scores, context), PREDICT),)
    )


def _of_glum(inverse: Any, scores: Value, context: Context) -> Value:
    name = type(inverse).__name__
    if name == "TweedieLink" and inverse.power in (0, 1):
        name = {0: "IdentityLink", 1: "LogLink"}[int(inverse.power)]
    if name == "IdentityLink":
        return scores
    if name == "LogLink":
        return link(scores, "exp", context)
    if name != "LogitLink":
        context.refuse(f"`{name}` is not supported; take identity, log or logit", option="link")
    import numpy

    shares = link(scores, "sigmoid", context)
    return context.add(
        "clip",
        shares,
        shares.columns,
        minimum=numpy.array([NEAR]),
        maximum=numpy.array([1 - NEAR]),
        precision="f64",
    )


def fitted_results(estimator: Any, value: Value, context: Context) -> Prediction:
    """The mean that a fitted model of statsmodels predicts, without offset and exposure."""
    model = estimator.model
    if getattr(model, "formula", None) is not None or hasattr(model.data, "model_spec"):
        context.refuse("was fitted with a formula; fit it with the columns that the formula makes")
    names = model.exog_names
    _check_names([names] if isinstance(names, str) else names, value, context)
    import numpy

    coefficients = numpy.asarray(estimator.params, dtype="float64")
    if coefficients.ndim != 1 or len(coefficients) != value.width:
        context.refuse("has other parameters than one for each column")
    scores = _scores(value, coefficients, 0.0, context, checked=False)
    return Prediction((number("value", _of_statsmodels(model, scores, context), PREDICT),))


# By the class of the link, or of the model that has one: the function of `link`.
INVERSES: dict[str, str | None] = {
    "GLS": None,
    "Identity": None,
    "InversePower": "reciprocal",
    "Log": "exp",
    "Logit": "sigmoid",
    "OLS": None,
    "WLS": None,
    "identity": None,
    "log": "exp",
    "logit": "sigmoid",
}


def _of_statsmodels(model: Any, scores: Value, context: Context) -> Value:
    family = getattr(model, "family", None)
    name = type(model if family is None else family.link).__name__
    if name == "Poisson":
        name = "Log"
    if name not in INVERSES:
        known = ", ".join(sorted(set(INVERSES)))
        context.refuse(f"`{name}` is not supported; known are {known}", option="link")
    function = INVERSES[name]
    return scores if function is None else link(scores, function, context)


def _check_names(names: Sequence[str] | None, value: Value, context: Context) -> None:
    """Columns are taken by position, so that those of a frame must be as in training."""
    if value.frame and names is not None and list(value.names) != list(names):
        context.refuse(
            f"was fitted on the columns {', '.join(f'`{name}`' for name in names)}, in this order; "
            "give an example with the same"
        )


def _scores(
    value: Value, coefficients: Any, intercept: float, context: Context, *, checked: bool
) -> Value:
    import numpy

    if value.precision == "f32":
        context.refuse(
            "computes in float32, in which its sums depend on the rows beside; cast to float64"
        )
    numbers = context.require(context.number(value), missing=not checked, infinite=not checked)
    return context.add(
        "linear",
        numbers,
        numeric_columns(1),
        tolerance=LINEAR_TOLERANCE,
        coefficients=numpy.atleast_2d(numpy.asarray(coefficients, dtype="float64")),
        intercepts=numpy.array([intercept]),
    )


STATSMODELS = (
    "discrete.discrete_model.BinaryResultsWrapper",
    "discrete.discrete_model.PoissonResultsWrapper",
    "genmod.generalized_linear_model.GLMResultsWrapper",
    "regression.linear_model.RegressionResultsWrapper",
)

CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "glum.GeneralizedLinearRegressor": generalized_linear_regressor,
    "glum.GeneralizedLinearRegressorCV": generalized_linear_regressor,
    **{f"statsmodels.{name}": fitted_results for name in STATSMODELS},
}
