"""Nodes of trees as model files have them: checked, and in order, parents before children."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from penstock.converters.ensembles import Tree

__all__ = ["Layout", "laid_out"]

# Says what is wrong with a file; raises.
Refuse = Callable[[str], NoReturn]


@dataclass(frozen=True)
class Layout:
    """The nodes that are reached from the root, by levels; `order`: where each was before.

    `left` and `right` are new positions; they are -1 in leaves.
    """

    order: Any
    left: Any
    right: Any

    @property
    def is_leaf(self) -> Any:
        """Which nodes have no children."""
        return self.left == -1

    def tree(
        self,
        features: Any,
        thresholds: Any,
        flags: Any,
        leaves: Any,
        sets: Sequence[Any] = (),
        cover: Any = None,
    ) -> Tree:
        """The tree of what the nodes held before; `leaves` has a row for each of them."""
        import numpy

        is_leaf, order = self.is_leaf, self.order
        return Tree(
            features=numpy.where(is_leaf, -1, features[order]),
            thresholds=numpy.where(is_leaf, 0.0, thresholds[order]),
            left=numpy.where(is_leaf, numpy.cumsum(is_leaf) - 1, self.left),
            right=numpy.where(is_leaf, 0, self.right),
            flags=numpy.where(is_leaf, 0, flags[order]).astype("uint8"),
            leaves=leaves[order][is_leaf],
            sets=sets,
            cover=None if cover is None else cover[order],
        )


def laid_out(left: Any, right: Any, refuse: Refuse) -> Layout:
    """The nodes from the root on; leaves have a negative `left`.

    Refuses children that do not exist and nodes with two parents, in time linear in the nodes.
    """
    import numpy

    count, total = len(left), 1
    level = numpy.zeros(1, "int64")
    orders, lefts, rights = [], [], []
    while len(level):
        is_inner = left[level] >= 0
        parents = level[is_inner]
        children = numpy.column_stack([left[parents], right[parents]]).ravel()
        if len(children) and (children.min() < 0 or children.max() >= count):
            refuse("a node has a child that does not exist")
        firsts = numpy.full(len(level), -1)
        firsts[is_inner] = total + 2 * numpy.arange(len(parents))
        orders.append(level)
        lefts.append(firsts)
        rights.append(numpy.where(is_inner, firsts + 1, -1))
        total += len(children)
        if total > count:
            refuse("its nodes form no tree: one has two parents")
        level = children
    order, first, second = (numpy.concatenate(parts) for parts in (orders, lefts, rights))
    return Layout(order, first, second)
