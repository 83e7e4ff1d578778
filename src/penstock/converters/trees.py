"""scikit-learn's decision trees and forests: the values of the leaves, averaged."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penstock.converters.context import Context
from penstock.converters.ensembles import Ensemble, scikit_tree
from penstock.converters.responses import in_order
from penstock.converters.scores import class_labels, largest, tie
from penstock.converters.values import (
    Answer,
    Prediction,
    Value,
    labels,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]


def tree_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The values of the leaf, averaged over the trees, for one target or several."""
    targets = range(estimator.n_outputs_)
    means = _means(estimator, targets, value, context)
    ask = in_order(estimator, "predict")
    if len(targets) == 1:
        return Prediction((number("value", means, ask),))
    return Prediction((numbers("value", means, targets, ask),))


def tree_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The shares of the classes in the leaf, averaged over the trees; the largest is the label."""
    if estimator.n_outputs_ == 1:
        shares = _means(estimator, range(estimator.n_classes_), value, context)
        return Prediction(_decision(estimator, None, shares, context))
    counts = [int(count) for count in estimator.n_classes_]
    # The values of a node are a matrix: a row for each target, as wide as the most classes.
    positions = [
        at * max(counts) + code for at, count in enumerate(counts) for code in range(count)
    ]
    shares = _means(estimator, positions, value, context)
    answers: list[Answer] = []
    for at, count in enumerate(counts):
        start = sum(counts[:at])
        part = context.select(shares, range(start, start + count))
        answers += _decision(estimator, at, part, context)
    return Prediction(tuple(answers))


def random_trees_embedding(estimator: Any, value: Value, context: Context) -> Value:
    """The leaf that the row reaches in each tree, one-hot encoded."""
    import numpy

    members = estimator.estimators_
    allows_missing = members[0]._support_missing_values(numpy.zeros((1, 1))) and not value.sparse
    checked = context.require(context.number(value), missing=allows_missing, precision="f32")
    trees = [
        scikit_tree(member.tree_, numpy.arange(member.tree_.node_count, dtype="float64")[:, None])
        for member in members
    ]
    leaves = Ensemble(
        trees,
        start=numpy.zeros(len(trees)),
        outputs=range(len(trees)),
        precision="f32",
    ).add_to(context, checked)
    leaves = leaves.with_columns(numeric_columns(len(trees), "int64"))
    return context.transform(estimator.one_hot_encoder_, leaves)


def _decision(
    estimator: Any, target: int | None, shares: Value, context: Context
) -> tuple[Answer, Answer]:
    """The label and the probabilities of this target; `None`: there is only one."""
    if target is None:
        suffix, classes, column, matrix = "", estimator.classes_, None, None
    else:
        suffix, classes = f"_{target}", estimator.classes_[target]
        column, matrix = _column(target), _item(target)
    names = class_labels(classes, context, fewest=1)
    probability = numbers(
        f"probability{suffix}", shares, names, in_order(estimator, "predict_proba", matrix)
    )
    label = labels(
        largest(shares, context),
        names,
        name=f"label{suffix}",
        ask=in_order(estimator, "predict", column),
        decided_by=tie(probability.name, shares),
    )
    return label, probability


def _means(estimator: Any, positions: Sequence[int], value: Value, context: Context) -> Value:
    """The mean over the trees of these values of the leaf.

    sklearn/ensemble/_forest.py, `_accumulate_prediction`: a sum in f64 from zero, tree by tree,
    then divided by their number. sklearn/tree/_classes.py, `_validate_X_predict`: elements are
    cast to float32; missing ones are allowed where the splitter supports them, but not in sparse
    matrices.
    """
    import numpy

    members = getattr(estimator, "estimators_", [estimator])
    allows_missing = members[0]._support_missing_values(numpy.zeros((1, 1))) and not value.sparse
    checked = context.require(context.number(value), missing=allows_missing, precision="f32")
    trees = []
    for member in members:
        tree = member.tree_
        values = tree.value.reshape(tree.node_count, -1)
        trees.append(scikit_tree(tree, values[:, list(positions)]))
    return Ensemble(
        trees,
        start=numpy.zeros(len(positions)),
        outputs=[0] * len(trees),
        divisor=float(len(trees)),
        precision="f32",
    ).add_to(context, checked)


def _column(target: int) -> Callable[[Any], Any]:
    return lambda answer: answer[:, target]


def _item(target: int) -> Callable[[Any], Any]:
    return lambda answer: answer[target]


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "sklearn.ensemble.ExtraTreesClassifier": tree_classifier,
    "sklearn.ensemble.ExtraTreesRegressor": tree_regressor,
    "sklearn.ensemble.RandomForestClassifier": tree_classifier,
    "sklearn.ensemble.RandomForestRegressor": tree_regressor,
    "sklearn.ensemble.RandomTreesEmbedding": random_trees_embedding,
    "sklearn.tree.DecisionTreeClassifier": tree_classifier,
    "sklearn.tree.DecisionTreeRegressor": tree_regressor,
    "sklearn.tree.ExtraTreeClassifier": tree_classifier,
    "sklearn.tree.ExtraTreeRegressor": tree_regressor,
}
