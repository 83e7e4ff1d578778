"""scikit-learn's gradient boosting, on exact and on binned features: sums of trees, and links."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from penstock.converters.context import Context, public_name
from penstock.converters.ensembles import (
    CATEGORICAL,
    MISSING_LEFT,
    NAN_IS_MISSING,
    Ensemble,
    Tree,
    scikit_tree,
)
from penstock.converters.scores import (
    BELOW_ZERO,
    class_labels,
    complement,
    link,
    mean,
    softmax,
    tie,
    winner,
)
from penstock.converters.values import Ask, Prediction, Value, labels, number, numbers

__all__ = ["CONVERTERS"]

PROBABILITY = Ask("predict_proba")
RAW = Ask("decision_function")

# sklearn/dummy.py: the strategies of `DummyClassifier` that answer the same for every row, always.
CONSTANT_STRATEGIES = frozenset(("constant", "most_frequent", "prior", "uniform"))
DUMMIES = ("sklearn.dummy.DummyClassifier", "sklearn.dummy.DummyRegressor")


def gradient_boosting_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The raw score, whatever the loss (sklearn/ensemble/_gb.py, `predict`)."""
    return Prediction((number("value", _gradient_boosting(estimator, value, context)),))


def gradient_boosting_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """Zero counts for the second class, other than in the histogram-based classifier."""
    scores = _gradient_boosting(estimator, value, context)
    return _classifier(estimator, scores, BELOW_ZERO, context)


def hist_gradient_boosting_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The inverse of the link of the loss."""
    scores = _hist_gradient_boosting(estimator, value, context)
    return Prediction((number("value", mean(scores, estimator._loss, context)),))


def hist_gradient_boosting_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """Zero counts for the first class (sklearn/ensemble/_hist_gradient_boosting, `predict`)."""
    scores = _hist_gradient_boosting(estimator, value, context)
    return _classifier(estimator, scores, 0.0, context)


# sklearn/_loss/loss.py, `predict_proba` of each loss of two classes: the scale of the sigmoid.
SCALES = {"ExponentialLoss": 2.0, "HalfBinomialLoss": 1.0}


def _classifier(estimator: Any, scores: Value, threshold: float, context: Context) -> Prediction:
    classes = class_labels(estimator.classes_, context)
    code = winner(scores, context, threshold=threshold)
    label = labels(code, classes, decided_by=tie("raw", scores))
    if scores.width > 1:
        shares = softmax(scores, context)
        raw = numbers("raw", scores, classes, RAW)
    else:
        scale = SCALES[type(estimator._loss).__name__]
        shares = complement(link(scores, "sigmoid", context, scale=scale), context)
        raw = number("raw", scores, RAW)
    return Prediction((label, numbers("probability", shares, classes, PROBABILITY), raw))


# -- on exact features --


def _gradient_boosting(estimator: Any, value: Value, context: Context) -> Value:
    """sklearn/ensemble/_gb.py, `_raw_predict`: elements are cast to float32, none may be missing.

    sklearn/ensemble/_gradient_boosting.pyx, `predict_stages`: to the first raw score of each class
    its trees add `learning_rate * value` in f64, one after the other.
    """
    checked = context.require(context.number(value), precision="f32")
    stages, width = estimator.estimators_.shape
    trees = []
    for member in estimator.estimators_.ravel():
        values = member.tree_.value.reshape(member.tree_.node_count, 1)
        trees.append(scikit_tree(member.tree_, float(estimator.learning_rate) * values))
    return Ensemble(
        trees,
        start=_first_scores(estimator, value.width, context),
        outputs=list(range(width)) * stages,
        precision="f32",
    ).add_to(context, checked)


def _first_scores(estimator: Any, feature_count: int, context: Context) -> Any:
    """What the initial estimator answers for every row."""
    import numpy

    first = estimator.init_
    if not isinstance(first, str):
        name = public_name(type(first))
        if name not in DUMMIES:
            context.refuse(
                f"`{name}` gives every row a raw score of its own to start from, and trees start "
                'from a constant; use `init=None`, `init="zero"` or a dummy estimator',
                option="init",
            )
        if name == DUMMIES[0] and first.strategy not in CONSTANT_STRATEGIES:
            context.refuse(
                f"the strategy `{first.strategy}` of `{name}` answers by chance", option="init"
            )
    return estimator._raw_predict_init(numpy.zeros((1, feature_count), "float32"))[0]


# -- on binned features --


def _hist_gradient_boosting(estimator: Any, value: Value, context: Context) -> Value:
    """sklearn/ensemble/_hist_gradient_boosting/gradient_boosting.py, `_raw_predict`: sums in f64.

    Numbers may be missing or infinite.
    """
    stages = estimator._predictors
    trees = [_binned_tree(predictor) for predictors in stages for predictor in predictors]
    width = estimator.n_trees_per_iteration_
    return Ensemble(
        trees,
        start=estimator._baseline_prediction.reshape(width),
        outputs=list(range(width)) * len(stages),
    ).add_to(context, _preprocessed(estimator, value, context))


def _preprocessed(estimator: Any, value: Value, context: Context) -> Value:
    """The features in the order in which the trees know them, categories as codes in front.

    sklearn/ensemble/_hist_gradient_boosting/gradient_boosting.py, `_preprocess_X`: an encoder gives
    unseen and missing categories as NaN; what is numeric is only validated.
    """
    if estimator.is_categorical_ is None:
        return context.number(value)
    preprocessor = getattr(estimator, "_preprocessor", None)
    if preprocessor is None:
        context.refuse(
            "was fitted by scikit-learn older than 1.4, which did not encode categories itself; "
            "fit it again",
            option="categorical_features",
        )
    preprocessor = copy.copy(preprocessor)
    preprocessor.transformers_ = [
        (name, "passthrough" if name == "numerical" else transformer, columns)
        for name, transformer, columns in preprocessor.transformers_
    ]
    return context.number(context.transform(preprocessor, value, "preprocessor"))


def _binned_tree(predictor: Any) -> Tree:
    """The tree of sklearn/ensemble/_hist_gradient_boosting/_predictor.pyx, `_predict_one_from_raw`.

    Codes that are in no set of words cannot come: the encoder gives those that it does not know as
    NaN, and all that it knows have bits.
    """
    import numpy

    nodes = predictor.nodes
    is_leaf = nodes["is_leaf"] != 0
    categorical = ~is_leaf & (nodes["is_categorical"] != 0)
    flags = NAN_IS_MISSING + MISSING_LEFT * (nodes["missing_go_to_left"] != 0)
    flags = numpy.where(is_leaf, 0, flags + CATEGORICAL * categorical).astype("uint8")
    thresholds = numpy.where(categorical, nodes["bitset_idx"], nodes["num_threshold"])
    return Tree(
        features=numpy.where(is_leaf, -1, nodes["feature_idx"]),
        thresholds=numpy.where(is_leaf, 0.0, thresholds),
        left=numpy.where(is_leaf, numpy.cumsum(is_leaf) - 1, nodes["left"].astype("int64")),
        right=numpy.where(is_leaf, 0, nodes["right"].astype("int64")),
        flags=flags,
        leaves=nodes["value"][is_leaf].reshape(-1, 1),
        sets=predictor.raw_left_cat_bitsets,
        cover=nodes["count"],
    )


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "sklearn.ensemble.GradientBoostingClassifier": gradient_boosting_classifier,
    "sklearn.ensemble.GradientBoostingRegressor": gradient_boosting_regressor,
    "sklearn.ensemble.HistGradientBoostingClassifier": hist_gradient_boosting_classifier,
    "sklearn.ensemble.HistGradientBoostingRegressor": hist_gradient_boosting_regressor,
}
