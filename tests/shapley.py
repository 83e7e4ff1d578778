"""Shapley values by their definition, over trees as nested tuples: the oracle for explanations."""

from itertools import combinations
from math import factorial
from typing import Any

import numpy as np

# A tree is `(feature, goes_left, left, right, left_share)` or the value of a leaf.
Tree = Any


def scikit(tree: Any, scale: float = 1.0, single: bool = True) -> Tree:
    """The tree of `tree_`; elements are compared as float32."""

    def build(at: int) -> Tree:
        if tree.children_left[at] == -1:
            return scale * tree.value[at].ravel()
        threshold, missing = tree.threshold[at], bool(tree.missing_go_to_left[at])
        left, right = tree.children_left[at], tree.children_right[at]
        cover = tree.weighted_n_node_samples
        return (
            tree.feature[at],
            lambda x: missing if np.isnan(x) else np.float32(x) <= threshold,
            build(left),
            build(right),
            (cover[left] / cover[at], cover[right] / cover[at]),
        )

    return build(0)


def histogram(predictor: Any) -> Tree:
    """The tree of a histogram-based booster, without categories."""
    nodes = predictor.nodes

    def build(at: int) -> Tree:
        node = nodes[at]
        if node["is_leaf"]:
            return np.array([node["value"]])
        threshold, missing = node["num_threshold"], bool(node["missing_go_to_left"])
        shares = nodes["count"][[node["left"], node["right"]]] / node["count"]
        return (
            node["feature_idx"],
            lambda x: missing if np.isnan(x) else x <= threshold,
            build(node["left"]),
            build(node["right"]),
            shares,
        )

    return build(0)


def expected(tree: Tree, row: Any, known: frozenset[int]) -> Any:
    """What the tree answers on average where only these elements are known."""
    if not isinstance(tree, tuple):
        return tree
    feature, goes_left, left, right, shares = tree
    if feature in known:
        return expected(left if goes_left(row[feature]) else right, row, known)
    return shares[0] * expected(left, row, known) + shares[1] * expected(right, row, known)


def contributions(tree: Tree, row: Any) -> tuple[Any, Any]:
    """The base and the Shapley value of each element, by output."""
    width = len(row)
    elements = range(width)
    values = {
        known: expected(tree, row, known)
        for size in range(width + 1)
        for known in map(frozenset, combinations(elements, size))
    }
    brought = []
    for element in elements:
        total = 0.0
        for known, value in values.items():
            if element not in known:
                weight = factorial(len(known)) * factorial(width - len(known) - 1)
                total = total + weight / factorial(width) * (values[known | {element}] - value)
        brought.append(total)
    return values[frozenset()], np.array(brought)


def forest(trees: list[Tree], row: Any) -> tuple[Any, Any]:
    """The sums over trees."""
    parts = [contributions(tree, row) for tree in trees]
    return sum(base for base, _ in parts), sum(brought for _, brought in parts)
