"""Bagged decision trees of scikit-learn as one node; what bags estimators of any kind uses it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context, public_name
from penstock.converters.ensembles import Ensemble, Tree, scikit_tree
from penstock.converters.values import Value

__all__ = ["mean_of_trees"]

CLASSIFIERS = frozenset(("sklearn.tree.DecisionTreeClassifier", "sklearn.tree.ExtraTreeClassifier"))
REGRESSORS = frozenset(("sklearn.tree.DecisionTreeRegressor", "sklearn.tree.ExtraTreeRegressor"))


def mean_of_trees(
    estimator: Any, value: Value, context: Context, *, class_count: int = 0
) -> Value | None:
    """The mean of what the trees answer; `None` where one of the estimators is no tree.

    `class_count`: of a classifier; the classes of each tree are positions among them. The sum is in
    f64 from zero, tree by tree (sklearn/ensemble/_bagging.py), each over the columns that were
    drawn for it; what is in no draw is not looked at, as in scikit-learn.
    """
    import numpy

    members = [_plain(member) for member in estimator.estimators_]
    known = CLASSIFIERS if class_count else REGRESSORS
    if any(public_name(type(member)) not in known for member in members):
        return None
    allowed = {bool(member._support_missing_values(numpy.zeros((1, 1)))) for member in members}
    if len(allowed) > 1 or len({member.n_outputs_ for member in members}) > 1:
        return None
    drawn = [numpy.asarray(features) for features in estimator.estimators_features_]
    used = numpy.unique(numpy.concatenate(drawn)).tolist()
    checked = context.require(
        context.number(context.select(value, used)),
        missing=allowed == {True} and not value.sparse,
        precision="f32",
    )
    trees = [
        _tree(member, numpy.searchsorted(used, features), class_count)
        for member, features in zip(members, drawn, strict=True)
    ]
    return Ensemble(
        trees,
        start=numpy.zeros(trees[0].leaves.shape[1]),
        outputs=[0] * len(trees),
        divisor=float(len(trees)),
        precision="f32",
    ).add_to(context, checked)


def _plain(member: Any) -> Any:
    """The estimator itself, where imbalanced-learn has put a sampler before it."""
    if public_name(type(member)) != "imblearn.pipeline.Pipeline":
        return member
    samples = all(hasattr(step, "fit_resample") for _, step in member.steps[:-1])
    return member.steps[-1][1] if samples else member


def _tree(member: Any, columns: Any, class_count: int) -> Tree:
    """The tree over all columns; `columns`: where those are that it was fitted on."""
    import numpy

    inner = member.tree_
    leaves = inner.value.reshape(inner.node_count, -1)
    if class_count:
        shares = numpy.zeros((inner.node_count, class_count))
        shares[:, _positions(member)] = leaves
        leaves = shares
    tree = scikit_tree(inner, leaves)
    features = numpy.where(tree.features == -1, -1, columns[tree.features])
    return replace(tree, features=features)


def _positions(member: Any) -> Sequence[int]:
    return [int(position) for position in member.classes_]
