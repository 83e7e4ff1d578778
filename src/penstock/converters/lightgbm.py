"""LightGBM: boosters, scikit-learn wrappers and model texts, all by way of the model's text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from penstock.converters.answers import Asks, several_classes, two_classes, values
from penstock.converters.categories import MISSING, numbered
from penstock.converters.context import Context
from penstock.converters.ensembles import Ensemble
from penstock.converters.lightgbm_leaves import add_linear
from penstock.converters.lightgbm_text import Objective, TextModel, parse
from penstock.converters.scores import class_labels, complement, largest, link, softmax
from penstock.converters.values import (
    LINK_TOLERANCE,
    Ask,
    Prediction,
    Value,
    labels,
    number,
    numbers,
)

__all__ = ["CONVERTERS"]

ASKS = Asks(Ask("predict"), Ask("predict", {"raw_score": True}))
PROBABILITY = Ask("predict_proba")
# lightgbm/basic.py, `_MULTICLASS_OBJECTIVES`.
MULTICLASS = ("multiclass", "multiclassova", "multiclass_ova", "ova", "ovr", "softmax")


def booster(estimator: Any, value: Value, context: Context) -> Prediction:
    """Labels and probabilities where the objective is one of classes; else a value.

    `model_to_string` ends at the best iteration, as `predict` does.
    """
    model = _model(estimator, context)
    raw = _raw(model, value, context)
    result, tolerance = _linked(model, raw, context)
    name = model.objective.name if model.objective else ""
    if name == "binary":
        return Prediction(two_classes(result, raw, ASKS, tolerance, context))
    if name in ("multiclass", "multiclassova"):
        return Prediction(several_classes(result, raw, ASKS, tolerance, context))
    return Prediction(values(result, raw, ASKS, tolerance))


def regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """What the booster answers, whatever the objective; rankers as well."""
    model = _model(estimator.booster_, context)
    _check_options(estimator, context)
    raw = _raw(model, value, context)
    result, tolerance = _linked(model, raw, context)
    return Prediction(values(result, raw, ASKS, tolerance))


def classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The largest probability gives the label, also of two (lightgbm/sklearn.py, `predict`)."""
    model = _model(estimator.booster_, context)
    _check_options(estimator, context)
    classes = class_labels(estimator.classes_, context)
    raw = _raw(model, value, context)
    several = len(classes) > 2 or estimator.objective_ in MULTICLASS
    if raw.width != (len(classes) if several else 1):
        context.refuse(
            f"the model has {raw.width} raw scores, and there are {len(classes)} classes",
            option="num_class",
        )
    scores = numbers("raw", raw, classes, ASKS.raw) if several else number("raw", raw, ASKS.raw)
    if callable(estimator.objective_):
        # LightGBM answers with raw scores instead of labels and probabilities then.
        return Prediction((scores,))
    result, tolerance = _linked(model, raw, context)
    shares = result if several else complement(result, context)
    return Prediction(
        (
            labels(largest(shares, context), classes, decided_by="probability"),
            numbers("probability", shares, classes, PROBABILITY, tolerance=tolerance),
            scores,
        )
    )


def _check_options(estimator: Any, context: Context) -> None:
    """Options of the constructor that `predict` hands on to LightGBM (`_process_params`)."""
    if estimator.get_params().get("pred_early_stop"):
        context.refuse(
            "stops adding trees where the margin is large; leave it out to use all trees",
            option="pred_early_stop",
        )


# -- from the text to raw scores --


def _model(source: Any, context: Context) -> TextModel:
    model = parse(source.model_to_string(), context.refuse)
    given = getattr(source, "params", {}).get("sigmoid")
    told = model.objective.options.get("sigmoid") if model.objective else None
    if given is not None and told is not None and float(given) != float(told):
        context.refuse(
            f"LightGBM saves {told} for {given}: six digits; fit with a number that has no more",
            option="sigmoid",
        )
    return model


def _raw(model: TextModel, value: Value, context: Context) -> Value:
    """The sum of the leaves of each output, in f64 from zero (src/boosting/gbdt_prediction.cpp).

    LightGBM reads tiny numbers as zero, but not those of Arrow tables and of sparse matrices
    (src/c_api.cpp, `kZeroThreshold`), and sends categories that a set does not have room for right
    (include/LightGBM/tree.h, `CategoricalDecision`).
    """
    import numpy

    width = model.trees_per_iteration
    ensemble = Ensemble(
        model.trees,
        start=numpy.zeros(width),
        outputs=list(range(width)) * model.iterations,
        flush_zero=not (value.arrow or value.sparse),
        other_category="right",
    )
    features = _features(model, value, context)
    if model.leaves is None:
        return ensemble.add_to(context, features)
    return add_linear(ensemble, model.leaves, context, features)


def _features(model: TextModel, value: Value, context: Context) -> Value:
    """The columns as numbers, category columns as codes (lightgbm/basic.py, `_data_from_pandas`).

    Levels that were not there in training are missing.
    """
    if value.width != len(model.names):
        context.refuse(f"was fitted on {len(model.names)} columns and gets {value.width}")
    if value.frame:
        _check_names(model.names, value.names, context)
    positions = [at for at, column in enumerate(value.columns) if column.dtype == "category"]
    known = model.categories or ()
    if value.frame and len(positions) != len(known):
        context.refuse(
            f"was fitted on a frame with {len(known)} category columns, and the example has "
            f"{len(positions)}; give columns of the dtypes that were trained on",
            option="categorical_feature",
        )
    levels = dict(zip(positions, known, strict=True)) if value.frame else {}
    value = numbered(value, levels, context, unseen=MISSING)
    for column in value.columns:
        if value.frame and column.dtype == "object":
            context.refuse(
                f"column `{column.name}` is one of objects or text, which LightGBM does not take; "
                "make it a category column, or encode it in a step before"
            )
    _check_integers(model, value, context)
    return replace(context.number(value), frame="")


def _check_names(fitted: Sequence[str], names: Sequence[str | None], context: Context) -> None:
    """LightGBM goes by position alone, and saves spaces as underscores (src/io/dataset.cpp)."""
    if list(fitted) == [f"Column_{at}" for at in range(len(fitted))]:
        return
    for known, name in zip(fitted, names, strict=True):
        if known != str(name).replace(" ", "_"):
            context.refuse(
                f"was fitted with the column `{known}` where the example has `{name}`; give the "
                "columns in the order of the training data"
            )


def _check_integers(model: TextModel, value: Value, context: Context) -> None:
    """LightGBM rounds arrays of integers to f32, and arrays of floats not (`_np2d_to_np1d`)."""
    large = any(column.dtype.lower()[-2:] in ("32", "64") for column in value.columns)
    whole = all("int" in column.dtype for column in value.columns)
    if value.frame or not (large and whole):
        return
    if model.leaves is not None:
        context.refuse(
            "LightGBM rounds arrays of integers to float32, of which linear models make something "
            "else; train and convert with an array of float64",
            option="linear_tree",
        )
    limit = max(abs(tree.thresholds[~tree.categorical]).max(initial=0) for tree in model.trees)
    words = max(len(words) for tree in model.trees for words in (*tree.sets, ()))
    if max(limit, 32 * words) >= 2**24:
        context.refuse(
            "LightGBM rounds arrays of integers to float32, so that integers from 16777216 on "
            "depend on the dtype; train and convert with an array of float64"
        )


# -- links --


def _linked(model: TextModel, raw: Value, context: Context) -> tuple[Value, float]:
    """What `predict` makes of the raw scores: their average, through the link of the objective."""
    import numpy

    scores = raw
    if model.average:
        operands = numpy.full(raw.width, float(model.iterations))
        scores = context.arithmetic(raw, "divide", operands, precision="f64")
    objective = model.objective
    if objective is None:
        return scores, 0.0
    known = LINKS.get(objective.name)
    if known is None:
        names = "`, `".join(sorted(LINKS))
        context.refuse(
            f"`{objective.name}` is not supported; supported are `{names}`", option="objective"
        )
    unknown = sorted(set(objective.options) - set(known.options))
    if unknown:
        context.refuse(f"`{objective.name}` has an unknown `{unknown[0]}`", option="objective")
    result = known.function(scores, objective, context)
    return result, known.tolerance if result != scores else 0.0


def _identity(scores: Value, objective: Objective, context: Context) -> Value:
    return scores


def _exponential(scores: Value, objective: Objective, context: Context) -> Value:
    return link(scores, "exp", context)


def _logistic(scores: Value, objective: Objective, context: Context) -> Value:
    return link(scores, "sigmoid", context)


def _sigmoid(scores: Value, objective: Objective, context: Context) -> Value:
    text = objective.options.get("sigmoid", "")
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0 < scale < float("inf"):
        context.refuse(f"is `{text}`, which is no positive number", option="sigmoid")
    return link(scores, "sigmoid", context, scale=scale)


def _softmax(scores: Value, objective: Objective, context: Context) -> Value:
    if objective.options.get("num_class") != str(scores.width):
        context.refuse(f"the model has {scores.width} raw scores", option="num_class")
    return softmax(scores, context)


def _softplus(scores: Value, objective: Objective, context: Context) -> Value:
    exponential = link(scores, "exp", context)
    return link(exponential, "log1p", context)


def _square(scores: Value, objective: Objective, context: Context) -> Value:
    """The square with the sign of the score, for targets whose root was learned (`reg_sqrt`)."""
    import numpy

    if "sqrt" not in objective.options:
        return scores
    absolute = context.map(scores, "abs", precision="f64")
    return context.add(
        "products",
        context.concat([absolute, scores]),
        scores.columns,
        factors=numpy.array([0, 1]),
        ends=numpy.array([2]),
        absorbing=False,
        precision="f64",
    )


@dataclass(frozen=True)
class Link:
    """`ConvertOutput` of an objective (src/objective/*.hpp), and the options that its text has."""

    function: Callable[[Value, Objective, Context], Value]
    options: tuple[str, ...] = ()
    tolerance: float = LINK_TOLERANCE


LINKS: Mapping[str, Link] = {
    "binary": Link(_sigmoid, ("sigmoid",)),
    "cross_entropy": Link(_logistic),
    "cross_entropy_lambda": Link(_softplus),
    "fair": Link(_square, ("sqrt",), 0.0),
    "gamma": Link(_exponential),
    "huber": Link(_identity),
    "lambdarank": Link(_identity),
    "mape": Link(_square, ("sqrt",), 0.0),
    "multiclass": Link(_softmax, ("num_class",)),
    "multiclassova": Link(_sigmoid, ("num_class", "sigmoid")),
    "poisson": Link(_exponential),
    "quantile": Link(_square, ("sqrt",), 0.0),
    "rank_xendcg": Link(_identity),
    "regression": Link(_square, ("sqrt",), 0.0),
    "regression_l1": Link(_square, ("sqrt",), 0.0),
    "tweedie": Link(_exponential),
}

CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "lightgbm.basic.Booster": booster,
    "lightgbm.sklearn.LGBMClassifier": classifier,
    "lightgbm.sklearn.LGBMModel": regressor,
    "lightgbm.sklearn.LGBMRanker": regressor,
    "lightgbm.sklearn.LGBMRegressor": regressor,
    "penstock.converters.files.LightGBMText": booster,
}
