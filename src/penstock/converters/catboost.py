"""CatBoost: its estimators and model files, all by way of the model's document."""

from collections.abc import Callable, Mapping
from math import log
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from penstock.converters.answers import plain
from penstock.converters.catboost_features import features
from penstock.converters.catboost_json import Model, decode, parse
from penstock.converters.context import Context
from penstock.converters.ensembles import Ensemble
from penstock.converters.scores import complement, largest, link, softmax
from penstock.converters.values import (
    Answer,
    Ask,
    Prediction,
    Value,
    codes,
    labels,
    number,
    numbers,
)

__all__ = ["CONVERTERS"]

RAW = Ask("predict", {"prediction_type": "RawFormulaVal"})
CLASS = Ask("predict", {"prediction_type": "Class"})
PROBABILITY = Ask("predict", {"prediction_type": "Probability"})


def raw(estimator: Any, value: Value, context: Context) -> Prediction:
    """`CatBoost` and `CatBoostRanker` answer raw scores, whatever the loss."""
    scores = _scores(_model(estimator, context), value, context)
    return Prediction((plain("value", scores, Ask("predict")),))


def regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The raw score, through the link of a few losses (core.py, `_get_default_prediction_type`)."""
    model = _model(estimator, context)
    loss = str(estimator.get_params().get("loss_function") or "RMSE")
    kind = next((kind for prefix, kind in KINDS.items() if loss.startswith(prefix)), "")
    return Prediction(_values(kind, _scores(model, value, context), context))


def classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The class by the raw scores; of several labels each by its own."""
    model = _model(estimator, context)
    return Prediction(_classes(model, _scores(model, value, context), context))


def document(estimator: Any, value: Value, context: Context) -> Prediction:
    """A model file: as the estimator that its loss is for."""
    model = parse(estimator.document, context.refuse)
    scores = _scores(model, value, context)
    if model.classes:
        return Prediction(_classes(model, scores, context))
    return Prediction(_values(KINDS.get(model.loss, ""), scores, context))


# What `predict` of a regressor answers, by the beginning of the loss; others answer raw scores.
KINDS = {
    "Poisson": "Exponent",
    "RMSEWithUncertainty": "RMSEWithUncertainty",
    "Tweedie": "Exponent",
}


def _model(estimator: Any, context: Context) -> Model:
    for option in ("text_features", "embedding_features"):
        if getattr(estimator, f"get_{option[:-1]}_indices")():
            context.refuse("is not supported; train without", option=option)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        estimator.save_model(str(path), format="json")
        return parse(decode(path.read_bytes()), context.refuse)


def _scores(model: Model, value: Value, context: Context) -> Value:
    """The sum of the leaves in f64 from zero, tree by tree, times `scale`, plus `bias`.

    catboost/libs/model/cpu/evaluator_impl.cpp; features, borders and counts are f32.
    """
    import numpy

    width = len(model.bias)
    scores = Ensemble(
        model.trees,
        start=numpy.zeros(width),
        outputs=[0] * len(model.trees),
        precision="f32",
    ).add_to(context, features(model, value, context))
    if model.scale == 1 and not model.bias.any():
        return scores
    if model.scale != 1:
        operands = numpy.full(width, model.scale)
        scores = context.arithmetic(scores, "multiply", operands, precision="f64")
    return context.arithmetic(scores, "add", model.bias, precision="f64")


def _values(kind: str, scores: Value, context: Context) -> tuple[Answer, ...]:
    if not kind:
        return (plain("value", scores, RAW),)
    if kind == "Exponent":
        result = link(scores, "exp", context)
    else:
        # catboost/libs/eval_result/eval_helpers.cpp: the mean, and the variance from its logarithm.
        deviation = link(context.select(scores, [1]), "exp", context, scale=2.0)
        result = context.concat([context.select(scores, [0]), deviation])
    ask = Ask("predict", {"prediction_type": kind})
    return plain("value", result, ask, result.tolerance), plain("raw", scores, RAW)


# -- classes --


def _classes(model: Model, scores: Value, context: Context) -> tuple[Answer, ...]:
    if not model.loss and scores.width > 1:
        context.refuse("the model does not say its loss, and so not what its probabilities are")
    if model.loss in ("MultiLogloss", "MultiCrossEntropy"):
        return _several_labels(model, scores, context)
    classes = model.classes
    if len(classes) < 2 or scores.width != (len(classes) if len(classes) > 2 else scores.width):
        context.refuse(f"the model has {scores.width} raw scores and the classes {classes}")
    if scores.width == 1:
        return _two(model, scores, context)
    shares = link(scores, "sigmoid", context) if "OneVsAll" in model.loss else None
    shares = softmax(scores, context) if shares is None else shares
    return (
        labels(largest(scores, context), classes, ask=_picked(lambda found: found.ravel())),
        numbers("probability", shares, classes, PROBABILITY, tolerance=shares.tolerance),
        numbers("raw", scores, classes, RAW),
    )


def _two(model: Model, scores: Value, context: Context) -> tuple[Answer, ...]:
    """Above the logit of the threshold is the second class (eval_helpers.cpp)."""
    limit = log(model.threshold / (1 - model.threshold))
    shares = complement(link(scores, "sigmoid", context), context)
    above = context.add("above", scores, codes(1), threshold=limit)
    return (
        labels(above, model.classes, ask=_picked(lambda found: found.ravel())),
        numbers("probability", shares, model.classes, PROBABILITY, tolerance=shares.tolerance),
        number("raw", scores, RAW),
    )


def _several_labels(model: Model, scores: Value, context: Context) -> tuple[Answer, ...]:
    limit = log(model.threshold / (1 - model.threshold))
    names = model.classes if len(model.classes) == scores.width else range(scores.width)
    shares = link(scores, "sigmoid", context)
    answers = []
    for at in range(scores.width):
        found = context.add("above", context.select(scores, [at]), codes(1), threshold=limit)
        answers.append(labels(found, (0, 1), name=f"label_{at}", ask=_picked(_target(at))))
    return (
        *answers,
        numbers("probability", shares, names, PROBABILITY, tolerance=shares.tolerance),
        numbers("raw", scores, names, RAW),
    )


def _target(at: int) -> Callable[[Any], Any]:
    return lambda found: found[:, at].astype("int64")


def _picked(pick: Callable[[Any], Any]) -> Ask:
    return Ask("predict", CLASS.keywords, pick=pick)


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "catboost.core.CatBoost": raw,
    "catboost.core.CatBoostClassifier": classifier,
    "catboost.core.CatBoostRanker": raw,
    "catboost.core.CatBoostRegressor": regressor,
    "penstock.converters.files.CatBoostDocument": document,
}
