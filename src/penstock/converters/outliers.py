"""scikit-learn's detectors of outliers: a score, and 1 for what is usual, -1 for what is not."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.ensembles import MISSING_LEFT, Ensemble, scikit_tree
from penstock.converters.validation import check_version, sized
from penstock.converters.values import (
    LINK_TOLERANCE,
    Ask,
    Prediction,
    Value,
    codes,
    labels,
    number,
)

__all__ = ["CONVERTERS"]

LABELS = (-1, 1)


def isolation_forest(estimator: Any, value: Value, context: Context) -> Prediction:
    """How soon a row is alone in the trees.

    sklearn/ensemble/_iforest.py: depths are added tree by tree in f64, and the score is
    -2^(-depth / most). A row is usual where the score is the offset or more.
    """
    import numpy

    check_version(estimator, "_decision_path_lengths", context)
    most = _most(estimator)
    if most == 0.0:
        context.refuse("trees of one row each tell rows not apart", option="max_samples")
    depths = _depths(estimator, value, context)
    exponents = depths
    for operand in (most, -1.0):
        exponents = context.arithmetic(exponents, "divide", [operand], precision="f64")
    score = context.add(
        "map",
        exponents,
        exponents.columns,
        tolerance=LINK_TOLERANCE,
        function="exp2",
        precision="f64",
    )
    score = context.arithmetic(score, "multiply", [-1.0], precision="f64")
    raw = context.arithmetic(score, "subtract", [float(estimator.offset_)], precision="f64")
    # Of the depth itself, as the power of two is inexact, and many rows may lie on the offset.
    label = context.add(
        "above", depths, codes(1), threshold=_deepest_outlier(estimator, numpy.array([most]))
    )
    return Prediction(
        (
            labels(label, LABELS),
            number("score", score, Ask("score_samples")),
            number("raw", raw, Ask("decision_function")),
        )
    )


def _most(estimator: Any) -> float:
    from sklearn.ensemble._iforest import _average_path_length

    return float(len(estimator.estimators_) * _average_path_length([estimator._max_samples])[0])


def _depths(estimator: Any, value: Value, context: Context) -> Value:
    """The sum of the depths; numbers are cast to float32, and may be missing or infinite.

    Of sparse matrices the trees know no missing value (sklearn/tree/_tree.pyx): it goes right.
    """
    import numpy

    trees = []
    members = zip(
        estimator.estimators_,
        estimator.estimators_features_,
        estimator._decision_path_lengths,
        estimator._average_path_length_per_tree,
        strict=True,
    )
    subsampled = estimator._max_features != value.width
    for member, features, lengths, averages in members:
        tree = scikit_tree(member.tree_, (lengths + averages - 1.0).reshape(-1, 1))
        if subsampled:
            known = numpy.where(tree.features < 0, 0, tree.features)
            columns = numpy.where(tree.features < 0, -1, numpy.asarray(features)[known])
            tree = replace(tree, features=columns)
        if value.sparse:
            tree = replace(tree, flags=tree.flags & ~numpy.uint8(MISSING_LEFT))
        trees.append(tree)
    ensemble = Ensemble(trees, start=numpy.zeros(1), outputs=[0] * len(trees), precision="f32")
    return ensemble.add_to(context, context.number(value))


def _deepest_outlier(estimator: Any, most: Any) -> float:
    """The largest sum of depths that scikit-learn calls an outlier, found by halving."""
    import numpy

    def is_usual(depth: float) -> bool:
        score = -(2 ** (-numpy.divide(numpy.array([depth]), most)))
        return not bool((score - estimator.offset_ < 0)[0])

    # All scores are between those of depth zero, and of a depth beyond which they are -0.
    low, high = 0.0, float(2000.0 * most[0])
    if is_usual(low):
        return -1.0
    if not is_usual(high):
        return high
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return low
        low, high = (low, middle) if is_usual(middle) else (middle, high)


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {"sklearn.ensemble.IsolationForest": isolation_forest}
)
