"""Leaves of LightGBM's trees that are linear models (`linear_tree`), and what adds them up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.ensembles import Ensemble, Tree
from penstock.converters.lightgbm_block import Block, Refuse, array
from penstock.converters.values import Value, numeric_columns

__all__ = ["Leaves", "add_linear", "constant", "linear"]


@dataclass(frozen=True)
class Leaves:
    """The models of the leaves of a tree, in the order of the text.

    `counts`: number of terms of each; `values`: what leaves are where an element of their terms is
    missing.
    """

    constants: Any
    counts: Any
    features: Any
    coefficients: Any
    values: Any


def constant(values: Any) -> Leaves:
    """Leaves without terms."""
    import numpy

    nothing = numpy.zeros(0)
    counts = numpy.zeros(len(values), "int64")
    return Leaves(values, counts, nothing.astype("int64"), nothing, values)


def linear(block: Block, values: Any, width: int, refuse: Refuse) -> Leaves:
    """The leaves of a tree with `is_linear=1` (src/io/tree.cpp, `Tree::ToString`)."""
    import numpy

    count = len(values)
    constants = array(block, "leaf_const", count, "float64", refuse)
    counts = array(block, "num_features", count, "int64", refuse)
    if counts.min() < 0 or counts.max() > width:
        refuse(f"`num_features` has a number beyond the {width} features that there are")
    total = int(counts.sum())
    features = array(block, "leaf_features", total, "int64", refuse)
    if total and (features.min() < 0 or features.max() >= width):
        refuse(f"`leaf_features` names a feature beyond the {width} that there are")
    coefficients = array(block, "leaf_coeff", total, "float64", refuse)
    if not (numpy.isfinite(constants).all() and numpy.isfinite(coefficients).all()):
        refuse("a leaf has a constant or a coefficient that is not finite")
    return Leaves(constants, counts, features, coefficients, values)


def add_linear(
    ensemble: Ensemble, leaves: Sequence[Leaves], context: Context, value: Value
) -> Value:
    """The node that sums such leaves for a row; one before it tells which leaves those are.

    The leaves of the trees of `ensemble` are their numbers in the text. The order of additions is
    that of LightGBM (include/LightGBM/tree.h, `Tree::Predict`).
    """
    import numpy

    trees: list[Tree] = []
    total = 0
    for tree, models in zip(ensemble.trees, leaves, strict=True):
        trees.append(replace(tree, leaves=tree.leaves + float(total), cover=None))
        total += len(models.counts)
    count = len(trees)
    numbers = replace(ensemble, trees=trees, start=numpy.zeros(count), outputs=range(count))
    return context.add(
        "linear_leaves",
        [numbers.add_to(context, value), value],
        numeric_columns(len(ensemble.start), "float64"),
        constants=_joined([models.constants for models in leaves]),
        ends=numpy.cumsum(_joined([models.counts for models in leaves])),
        features=_joined([models.features for models in leaves]),
        coefficients=_joined([models.coefficients for models in leaves]),
        values=_joined([models.values for models in leaves]),
        outputs=numpy.asarray(ensemble.outputs, dtype="int32"),
        start=ensemble.start,
        flush_zero=ensemble.flush_zero,
    )


def _joined(arrays: Sequence[Any]) -> Any:
    import numpy

    return numpy.concatenate(arrays)
