"""CatBoost's trees, oblivious ones and others, as the document of a model has them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from penstock.converters.ensembles import MISSING_LEFT, NAN_IS_MISSING, Tree
from penstock.converters.layouts import laid_out

__all__ = ["Test", "leaf_values", "trees"]

Refuse = Callable[..., NoReturn]
Document = Mapping[str, Any]

# CatBoost makes none that are deeper.
DEEPEST = 16


@dataclass(frozen=True)
class Test:
    """Whether an element is above the border; `told`: what the document says of it once more."""

    element: int
    border: float
    told: Mapping[str, Any]
    nan_passes: bool = False

    @property
    def flags(self) -> int:
        """The flags of the operator `trees`; what passes goes right."""
        return NAN_IS_MISSING | (0 if self.nan_passes else MISSING_LEFT)


def trees(
    document: Document, tests: Sequence[Test], refuse: Refuse
) -> tuple[tuple[Tree, ...], int]:
    """The trees in the order in which they are added, and how many raw scores they give."""
    oblivious, others = document.get("oblivious_trees"), document.get("trees")
    if bool(oblivious) == bool(others):
        refuse("the model has no trees")
    grow = _oblivious if oblivious else _other
    grown = []
    for number, item in enumerate(oblivious or others or ()):

        def named(reason: str, number: int = number) -> NoReturn:
            refuse(f"tree {number} of the model: {reason}")

        grown.append(grow(item, tests, named))
    widths = {tree.leaves.shape[1] for tree in grown}
    if len(widths) != 1:
        refuse("some trees have more raw scores than others")
    return tuple(grown), widths.pop()


def _test(split: Document, tests: Sequence[Test], refuse: Refuse) -> Test:
    """The test that `split_index` counts, which must be the one that the split tells."""
    index = split["split_index"]
    if not isinstance(index, int) or not 0 <= index < len(tests):
        refuse(f"test {index} of {len(tests)} does not exist")
    test = tests[index]
    if any(split.get(key) != value for key, value in test.told.items()):
        refuse(f"test {index} is not what the split says: {dict(split)}")
    return test


def _oblivious(item: Document, tests: Sequence[Test], refuse: Refuse) -> Tree:
    """All nodes of a level make the same test; the outcome of the first is the lowest bit."""
    import numpy

    levels = [_test(split, tests, refuse) for split in reversed(item.get("splits") or ())]
    depth, leaf_count = len(levels), 1 << len(levels)
    values = numpy.array(item["leaf_values"], dtype="float64")
    if depth > DEEPEST or not len(values) or len(values) % leaf_count:
        refuse(f"{len(values)} values of leaves for {depth} levels")
    sizes = numpy.array([1 << level for level in range(depth)], dtype="int64")
    inner = numpy.arange(leaf_count - 1)
    leaves = numpy.zeros(leaf_count, "int64")
    weights = numpy.array(item.get("leaf_weights") or (), dtype="float64")
    cover = None
    if len(weights) == leaf_count:
        sums = [weights.reshape(size, -1).sum(axis=1) for size in sizes]
        cover = numpy.concatenate([*sums, weights])
    return Tree(
        features=numpy.concatenate(
            [numpy.repeat([t.element for t in levels], sizes), leaves - 1]
        ).astype("int64"),
        thresholds=numpy.concatenate([numpy.repeat([t.border for t in levels], sizes), leaves]),
        left=numpy.concatenate([2 * inner + 1, numpy.arange(leaf_count)]),
        right=numpy.concatenate([2 * inner + 2, leaves]),
        flags=numpy.concatenate([numpy.repeat([t.flags for t in levels], sizes), leaves]).astype(
            "uint8"
        ),
        leaves=_finite(values, refuse).reshape(leaf_count, -1),
        cover=cover,
    )


def _other(item: Document, tests: Sequence[Test], refuse: Refuse) -> Tree:
    """A tree whose nodes make tests of their own (`grow_policy` `Depthwise` or `Lossguide`)."""
    import numpy

    nodes, children = _nodes(item)
    found = [_test(node["split"], tests, refuse) if "split" in node else None for node in nodes]
    values = [numpy.atleast_1d(node["value"]) for node in nodes if "split" not in node]
    width = len(values[0])
    leaves = numpy.zeros((len(nodes), width))
    leaves[[test is None for test in found]] = _finite(numpy.array(values, "float64"), refuse)
    sides = numpy.array(children)
    return laid_out(sides[:, 0], sides[:, 1], refuse).tree(
        features=numpy.array([test.element if test else -1 for test in found]),
        thresholds=numpy.array([test.border if test else 0.0 for test in found]),
        flags=numpy.array([test.flags if test else 0 for test in found]),
        leaves=leaves,
        cover=_cover(nodes, children),
    )


def _nodes(item: Document) -> tuple[list[Document], list[list[int]]]:
    """The nodes, parents first and left before right, and the positions of their children."""
    nodes: list[Document] = []
    children: list[list[int]] = []
    stack: list[tuple[Document, int, int]] = [(item, -1, 0)]
    while stack:
        node, parent, side = stack.pop()
        if parent >= 0:
            children[parent][side] = len(nodes)
        if "split" in node:
            stack += [(node["right"], len(nodes), 1), (node["left"], len(nodes), 0)]
        nodes.append(node)
        children.append([-1, -1])
    return nodes, children


def leaf_values(document: Document) -> Any:
    """The values of all leaves in the order in which CatBoost keeps them."""
    import numpy

    if document.get("oblivious_trees"):
        return numpy.concatenate([tree["leaf_values"] for tree in document["oblivious_trees"]])
    nodes = [node for tree in document["trees"] for node in _nodes(tree)[0]]
    return numpy.concatenate(
        [numpy.atleast_1d(node["value"]) for node in nodes if "split" not in node]
    )


def _cover(nodes: Sequence[Document], children: Sequence[Sequence[int]]) -> Any:
    """Weights of the training rows; children come behind their parents."""
    import numpy

    cover = numpy.zeros(len(nodes))
    for at in reversed(range(len(nodes))):
        left, right = children[at]
        cover[at] = nodes[at].get("weight", 0.0) if left < 0 else cover[left] + cover[right]
    return cover


def _finite(values: Any, refuse: Refuse) -> Any:
    import numpy

    if not numpy.isfinite(values).all():
        refuse("a leaf has no finite value")
    return values
