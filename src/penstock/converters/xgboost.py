"""XGBoost: boosters, scikit-learn wrappers and model files, all by way of the model's document."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.converters import ubjson
from penstock.converters.answers import Asks, plain, several_classes, two_classes, values
from penstock.converters.context import Context
from penstock.converters.ensembles import Ensemble, Tree
from penstock.converters.scores import complement, largest, softmax, winner
from penstock.converters.values import (
    Answer,
    Ask,
    Prediction,
    Value,
    labels,
    numbers,
    numeric_columns,
)
from penstock.converters.xgboost_features import check_levels, features, fitted_levels
from penstock.converters.xgboost_json import Linear, Model, Trees, parse
from penstock.converters.xgboost_objectives import OBJECTIVES, ascending

__all__ = ["CONVERTERS"]

# scipy.special.softmax sums in f32 and in another order.
SCIPY_TOLERANCE = 1e-6


def booster(estimator: Any, value: Value, context: Context) -> Prediction:
    """Labels and probabilities where the objective is one of classes; else a value.

    Asked with all trees, as `Booster.predict` does, and through a `DMatrix`.
    """
    model = parse(ubjson.decode(bytes(estimator.save_raw("ubj"))), context.refuse)
    return _booster(estimator, model, value, context)


def document(estimator: Any, value: Value, context: Context) -> Prediction:
    """A model file: as the booster that XGBoost makes of it."""
    model = parse(estimator.document, context.refuse)
    if model.version[:2] > NEWEST:
        context.refuse(
            f"the file was written by XGBoost {'.'.join(map(str, model.version[:2]))}, and known "
            f"are those up to {'.'.join(map(str, NEWEST))}; upgrade penstock, or load it with "
            "that XGBoost and convert the booster, which is proved"
        )
    return _booster(estimator, model, value, context)


# 3.4 changed what several quantiles are, and not a word of its files.
NEWEST = (3, 4)


def _booster(estimator: Any, model: Model, value: Value, context: Context) -> Prediction:
    if model.names and not value.frame:
        context.refuse(
            "was fitted on named columns, and XGBoost refuses arrays then; give the example as a "
            f"frame with the columns {list(model.names[:3])}, ..."
        )
    levels = fitted_levels(model, value, context)
    names = value.names
    finite = context.require(features(model, value, levels, context), missing=True, precision="f32")
    raw = _raw(model, finite, None, context)
    result, tolerance = _linked(model, raw, context)

    def ask(**keywords: Any) -> Ask:
        def answer(data: Any) -> Any:
            check_levels(levels, names, data)
            return _through_matrix(estimator, data, keywords)

        return Ask(function=answer)

    asks = Asks(ask(), ask(output_margin=True))
    if model.objective == "binary:logistic" and raw.width == 1:
        return Prediction(two_classes(result, raw, asks, tolerance, context))
    if model.objective == "multi:softprob":
        return Prediction(several_classes(result, raw, asks, tolerance, context))
    if model.objective in ("multi:softmax", "binary:hinge"):
        label = asks.picked(lambda classes: classes.astype("int64"))
        classes = range(max(2, raw.width))
        return Prediction(
            (labels(winner(raw, context), classes, ask=label), plain("raw", raw, asks.raw))
        )
    return Prediction(values(result, raw, asks, tolerance))


def regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """What the booster answers, whatever the objective."""
    model, raw, ask = _wrapped(estimator, value, context)
    result, tolerance = _linked(model, raw, context)
    asks = Asks(ask("predict"), ask("predict", output_margin=True))
    return Prediction(values(result, raw, asks, tolerance))


def ranker(estimator: Any, value: Value, context: Context) -> Prediction:
    """As a regressor, but for a column `qid`, which XGBoost leaves out (`_get_qid`)."""
    if value.frame and "qid" in value.names:
        value = context.select(value, [at for at, name in enumerate(value.names) if name != "qid"])
    return regressor(estimator, value, context)


def classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The classes are 0, 1, ...; which method decides a label depends on the objective."""
    model, raw, ask = _wrapped(estimator, value, context)
    count = int(estimator.n_classes_)
    if count < 2:
        context.refuse("was fitted on one class alone; train on two or more")
    result, tolerance = _linked(model, raw, context)
    scores = plain("raw", raw, ask("predict", output_margin=True))
    label, shares = ask("predict"), ask("predict_proba")
    if estimator.objective == "multi:softmax":
        # xgboost/sklearn.py, `predict_proba`: scipy's softmax of the raw scores.
        probability = numbers(
            "probability", softmax(raw, context), range(count), shares, tolerance=SCIPY_TOLERANCE
        )
        return Prediction(
            (labels(largest(raw, context), range(count), ask=label), probability, scores)
        )
    if raw.width == 1 and count == 2:
        return Prediction((*_two(model, result, tolerance, label, shares, context), scores))
    if raw.width == count > 2:
        probability = numbers("probability", result, range(count), shares, tolerance=tolerance)
        found = largest(result, context)
        return Prediction(
            (labels(found, range(count), ask=label, decided_by="probability"), probability, scores)
        )
    if model.objective == "binary:logistic":
        return Prediction((*_targets(result, tolerance, label, shares, context), scores))
    context.refuse(
        f"`{model.objective}` gives {raw.width} raw scores for {count} classes, and XGBoost's "
        "`predict` no labels",
        option="objective",
    )


def _two(
    model: Model, result: Value, tolerance: float, label: Ask, shares: Ask, context: Context
) -> tuple[Answer, ...]:
    """Above 0.5 is the second class, also of raw scores (xgboost/sklearn.py, `predict`)."""
    found = winner(result, context, threshold=0.5)
    if model.objective == "binary:logitraw":
        return (labels(found, (0, 1), ask=label),)
    both = complement(result, context)
    return (
        labels(found, (0, 1), ask=label, decided_by="probability"),
        numbers("probability", both, (0, 1), shares, tolerance=tolerance),
    )


def _targets(
    result: Value, tolerance: float, label: Ask, shares: Ask, context: Context
) -> tuple[Answer, ...]:
    """Several labels, each by its probability of being 1, which `predict_proba` answers."""
    answers = []
    for at in range(result.width):
        found = winner(context.select(result, [at]), context, threshold=0.5)
        ask = replace(label, pick=_target(at))
        answers.append(labels(found, (0, 1), name=f"label_{at}", ask=ask))
    names = range(result.width)
    return (*answers, numbers("probability", result, names, shares, tolerance=tolerance))


def _target(at: int) -> Callable[[Any], Any]:
    return lambda classes: classes[:, at].astype("int64")


Asking = Callable[..., Ask]


def _wrapped(estimator: Any, value: Value, context: Context) -> tuple[Model, Value, Asking]:
    """The model, its raw scores as the wrapper has them, and how to ask the wrapper.

    xgboost/sklearn.py, `predict`: in place, where infinities are numbers as others, but for
    `gblinear`; with the trees up to the best iteration.
    """
    source = estimator.get_booster()
    model = parse(ubjson.decode(bytes(source.save_raw("ubj"))), context.refuse)
    levels = fitted_levels(model, value, context)
    names = value.names
    value = features(model, value, levels, context, missing=estimator.missing)
    if estimator.booster == "gblinear":
        value = context.require(value, missing=True, precision="f32")
    rounded = _version() < WEIGHTED
    raw = _raw(model, value, model.best_iteration, context, rounded=rounded)

    def ask(method: str, **keywords: Any) -> Ask:
        question = Ask(method, keywords)
        if not levels:
            return question

        def answer(data: Any) -> Any:
            check_levels(levels, names, data)
            return question(estimator, data)

        return Ask(function=answer)

    return model, raw, ask


# From 3.3 on trees are weighted one by one, also in place (src/gbm/gbtree.cc).
WEIGHTED = (3, 3)


def _version() -> tuple[int, ...]:
    import xgboost

    return tuple(int(part) for part in xgboost.__version__.split(".")[:2])


def _through_matrix(estimator: Any, data: Any, keywords: Mapping[str, Any]) -> Any:
    import xgboost

    matrix = xgboost.DMatrix(data, enable_categorical=True)
    return estimator.predict(matrix, **keywords)


# -- raw scores --


def _raw(
    model: Model, value: Value, best: int | None, context: Context, *, rounded: bool = False
) -> Value:
    """The margins of the base score, and what each tree or feature adds to them in f32."""
    import numpy

    objective = OBJECTIVES.get(model.objective)
    if objective is None:
        names = "`, `".join(sorted(OBJECTIVES))
        context.refuse(
            f"`{model.objective}` is not supported; supported are `{names}`", option="objective"
        )
    margins = numpy.array([objective.margin(score) for score in model.base_score], "float32")
    if not numpy.isfinite(margins).all():
        context.refuse(f"{model.base_score[0]} has no margin", option="base_score")
    if model.objective == "reg:expectileerror" and len(margins) > 1:
        context.refuse(
            f"XGBoost makes each of {len(margins)} expectiles from the one before; train a model "
            "for each",
            option="expectile_alpha",
        )
    if isinstance(model.booster, Linear):
        return _linear(model.booster, margins, value, context)
    trees = _weighted(model.booster, margins, rounded=rounded)
    ends = model.booster.ends
    if best is not None and best + 1 >= len(ends):
        context.refuse(f"is {best} of {len(ends) - 1} iterations", option="best_iteration")
    count = ends[-1] if best is None else ends[best + 1]
    return Ensemble(
        trees[:count],
        start=margins,
        outputs=model.booster.outputs[:count],
        precision="f32",
        comparison="less",
        accumulate="f32",
        other_category="right",
    ).add_to(context, value)


def _weighted(booster: Trees, margins: Any, *, rounded: bool) -> Sequence[Tree]:
    """The trees with their weights in the leaves, where some were dropped in training.

    `rounded`: before 3.3 XGBoost, when it predicts in place, adds the margin to each leaf and takes
    it off again (src/gbm/gbtree.cc, `Dart::InplacePredict`).
    """
    if booster.weights is None:
        return booster.trees
    trees = []
    for tree, weight, output in zip(booster.trees, booster.weights, booster.outputs, strict=True):
        leaves = tree.leaves
        if rounded:
            leaves = (margins[output] + leaves) - margins[output]
        trees.append(replace(tree, leaves=leaves * weight))
    return trees


def _linear(booster: Linear, margins: Any, value: Value, context: Context) -> Value:
    """src/gbm/gblinear.cc, `Pred`: the bias and the first margin, for whichever output."""
    weights = booster.weights
    return context.add(
        "linear_f32",
        value,
        numeric_columns(weights.shape[1], "float32"),
        coefficients=weights[:-1].T,
        start=weights[-1] + margins[0],
    )


# From 3.4 on the quantiles of a row are sorted (src/objective/quantile_obj.cu, `PredTransform`).
SORTED = (3, 4)


def _linked(model: Model, raw: Value, context: Context) -> tuple[Value, float]:
    objective = OBJECTIVES[model.objective]
    if model.objective == "reg:quantileerror" and model.version >= SORTED:
        return ascending(raw, context), 0.0
    return objective.link(raw, context), objective.tolerance


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "penstock.converters.files.XGBoostDocument": document,
    "xgboost.core.Booster": booster,
    "xgboost.sklearn.XGBClassifier": classifier,
    "xgboost.sklearn.XGBModel": regressor,
    "xgboost.sklearn.XGBRFClassifier": classifier,
    "xgboost.sklearn.XGBRFRegressor": regressor,
    "xgboost.sklearn.XGBRanker": ranker,
    "xgboost.sklearn.XGBRegressor": regressor,
}
