"""Trees on their way into the operator `trees`; the families of tree models make them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penstock.converters.context import Context
from penstock.converters.values import Value, numeric_columns

__all__ = ["Ensemble", "Tree", "scikit_tree"]

# docs/format.md, `flags` of `trees`.
CATEGORICAL = 1
MISSING_LEFT = 2
NAN_IS_MISSING = 8


@dataclass(frozen=True)
class Tree:
    """Nodes of one tree as numpy arrays; the first is the root.

    `features`: -1 for a leaf; `left`: for a leaf its row of `leaves`, a matrix. `sets`: the words
    of each set of categories; a categorical node has the position of its set as its threshold.
    `cover`: training rows of each node or their weight, where the library tells.
    """

    features: Any
    thresholds: Any
    left: Any
    right: Any
    flags: Any
    leaves: Any
    sets: Any = None
    cover: Any = None

    @property
    def categorical(self) -> Any:
        """Which nodes test for a category."""
        return (self.flags & CATEGORICAL) != 0


def scikit_tree(tree: Any, leaves: Any) -> Tree:
    """The tree of `tree_` (sklearn/tree/_tree.pyx); `leaves`: what each node adds in a leaf."""
    import numpy

    is_leaf = tree.children_left == -1
    missing_left = numpy.where(tree.missing_go_to_left, MISSING_LEFT, 0)
    return Tree(
        features=numpy.where(is_leaf, -1, tree.feature),
        thresholds=numpy.where(is_leaf, 0.0, tree.threshold),
        left=numpy.where(is_leaf, numpy.cumsum(is_leaf) - 1, tree.children_left),
        right=numpy.where(is_leaf, 0, tree.children_right),
        flags=numpy.where(is_leaf, 0, NAN_IS_MISSING | missing_left).astype("uint8"),
        leaves=leaves[is_leaf],
        cover=tree.weighted_n_node_samples,
    )


@dataclass(frozen=True)
class Ensemble:
    """Trees in the order in which the library adds them, from `start`, into the `outputs`."""

    trees: Sequence[Tree]
    start: Any
    outputs: Sequence[int]
    divisor: float = 1.0
    precision: str = "f64"
    comparison: str = "less_equal"
    accumulate: str = "f64"
    flush_zero: bool = False
    other_category: str = "missing"

    def add_to(self, context: Context, value: Value) -> Value:
        """The node that sums them for a row."""
        import numpy

        leaf_counts = [len(tree.leaves) for tree in self.trees]
        set_counts = [0 if tree.sets is None else len(tree.sets) for tree in self.trees]
        sets = [words for tree in self.trees if tree.sets is not None for words in tree.sets]
        dtype = {"f32": "float32", "f64": "float64"}[self.accumulate]
        return context.add(
            "trees",
            value,
            numeric_columns(len(self.start), dtype),
            ends=numpy.cumsum([len(tree.features) for tree in self.trees]),
            features=_joined([tree.features for tree in self.trees]),
            thresholds=_joined(
                [
                    tree.thresholds + (tree.categorical * offset).astype(tree.thresholds.dtype)
                    for tree, offset in zip(self.trees, _starts(set_counts), strict=True)
                ]
            ),
            left=_joined(
                [
                    tree.left + numpy.where(tree.features == -1, offset, 0)
                    for tree, offset in zip(self.trees, _starts(leaf_counts), strict=True)
                ]
            ),
            right=_joined([tree.right for tree in self.trees]),
            flags=_joined([tree.flags for tree in self.trees]),
            leaves=_joined([tree.leaves for tree in self.trees]),
            outputs=numpy.asarray(self.outputs, dtype="int32"),
            start=numpy.asarray(self.start, dtype="float64"),
            comparison=self.comparison,
            precision=self.precision,
            flush_zero=self.flush_zero,
            accumulate=self.accumulate,
            divisor=self.divisor,
            set_ends=numpy.cumsum([len(words) for words in sets]) if sets else None,
            set_words=_joined(sets) if sets else None,
            other_category=self.other_category,
            cover=_cover(self.trees),
        )


def _cover(trees: Sequence[Tree]) -> Any:
    """The training rows of all nodes, in float32 where that is exact; `None` if some lack them."""
    import numpy

    if any(tree.cover is None for tree in trees):
        return None
    cover = _joined([numpy.asarray(tree.cover, dtype="float64") for tree in trees])
    if not (numpy.isfinite(cover) & (cover >= 0)).all():
        return None
    with numpy.errstate(over="ignore"):
        narrow = cover.astype("float32")
    return narrow if (narrow == cover).all() else cover


def _joined(arrays: Sequence[Any]) -> Any:
    import numpy

    return numpy.concatenate(arrays)


def _starts(counts: Sequence[int]) -> Sequence[int]:
    """Where each of these many things begins when all are joined."""
    import numpy

    starts: Sequence[int] = (numpy.cumsum(counts) - counts).tolist()
    return starts
