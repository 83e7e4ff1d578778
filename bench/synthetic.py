"""Models of any size without training: texts as LightGBM writes them, and rows for them."""

from dataclasses import dataclass
from typing import Any

import numpy

__all__ = ["Shape", "rows", "text"]

SEED = 7
CATEGORY, NUMBER = 1, 2  # LightGBM's `decision_type`: bit 0 says categories, bit 1 default left
CUTS = 200  # different thresholds per feature, below the 254 that LightGBM's own bins give
WORD = 32
END = """\
end of trees

feature_importances:

parameters:
end of parameters

pandas_categorical:null
"""


@dataclass(frozen=True)
class Shape:
    """Trees grown leaf by leaf at random; with `levels` the first feature is one of categories."""

    trees: int = 500
    leaves: int = 63
    features: int = 30
    levels: int = 0


def rows(shape: Shape, count: int) -> numpy.ndarray[Any, Any]:
    """Normal numbers; codes of all levels in the first column where it is one of categories."""
    random = numpy.random.default_rng(SEED)
    made = random.normal(size=(count, shape.features))
    if shape.levels:
        made[:, 0] = random.integers(0, shape.levels, size=count)
    return made


def text(shape: Shape) -> str:
    """The model as LightGBM's `save_model` would write it."""
    random = numpy.random.default_rng(SEED)
    cuts = numpy.sort(random.normal(size=(shape.features, CUTS)), axis=1)
    trees = [_tree(at, shape, cuts, random) for at in range(shape.trees)]
    names = " ".join(f"Column_{at}" for at in range(shape.features))
    infos = ["[-10:10]"] * shape.features
    if shape.levels:
        infos[0] = ":".join(str(level) for level in range(shape.levels))
    head = {
        "version": "v4",
        "num_class": 1,
        "num_tree_per_iteration": 1,
        "label_index": 0,
        "max_feature_idx": shape.features - 1,
        "objective": "binary sigmoid:1",
        "feature_names": names,
        "feature_infos": " ".join(infos),
        "tree_sizes": " ".join(str(len(tree)) for tree in trees),
    }
    parts = ["tree", *(f"{key}={value}" for key, value in head.items()), ""]
    return "\n".join(parts) + "\n" + "".join(trees) + END


def _tree(
    at: int, shape: Shape, cuts: numpy.ndarray[Any, Any], random: numpy.random.Generator
) -> str:
    left, right = _grown(shape.leaves, random)
    nodes = len(left)
    features = random.integers(0, shape.features, size=nodes)
    thresholds = cuts[features, random.integers(0, CUTS, size=nodes)].tolist()
    decisions = numpy.full(nodes, NUMBER)
    sets: list[str] = []
    if shape.levels:
        categorical = numpy.flatnonzero(features == 0)
        decisions[categorical] = CATEGORY
        for place, node in enumerate(categorical):
            thresholds[node] = float(place)
            sets.append(_set(shape.levels, random))
    words = -(-shape.levels // WORD)
    lines: dict[str, Any] = {
        "num_leaves": shape.leaves,
        "num_cat": len(sets),
        "split_feature": _listed(features),
        "split_gain": _listed([1] * nodes),
        "threshold": _listed(thresholds),
        "decision_type": _listed(decisions),
        "left_child": _listed(left),
        "right_child": _listed(right),
        "leaf_value": _listed(random.normal(scale=0.01, size=shape.leaves).tolist()),
        "leaf_weight": _listed([1] * shape.leaves),
        "leaf_count": _listed([10] * shape.leaves),
        "internal_value": _listed([0] * nodes),
        "internal_weight": _listed([1] * nodes),
        "internal_count": _listed([20] * nodes),
    }
    if sets:
        lines["cat_boundaries"] = _listed(words * place for place in range(len(sets) + 1))
        lines["cat_threshold"] = " ".join(sets)
    lines |= {"is_linear": 0, "shrinkage": 1}
    body = "\n".join(f"{key}={value}" for key, value in lines.items())
    return f"Tree={at}\n{body}\n\n\n"


def _grown(leaves: int, random: numpy.random.Generator) -> tuple[list[int], list[int]]:
    """Children by node: each split takes one of the leaves, as LightGBM numbers them."""
    left, right = [-1], [-2]
    place = {0: (0, "left"), 1: (0, "right")}
    for leaf in range(2, leaves):
        chosen = int(random.integers(0, leaf))
        parent, side = place[chosen]
        node = len(left)
        (left if side == "left" else right)[parent] = node
        left.append(~chosen)
        right.append(~leaf)
        place[chosen], place[leaf] = (node, "left"), (node, "right")
    return left, right


def _set(levels: int, random: numpy.random.Generator) -> str:
    """Half of the levels, as words of 32 bits."""
    words = random.integers(0, 2**WORD, size=-(-levels // WORD), dtype=numpy.uint64)
    if levels % WORD:
        words[-1] &= numpy.uint64(2 ** (levels % WORD) - 1)
    return _listed(words)


def _listed(values: Any) -> str:
    return " ".join(str(value) for value in values)
