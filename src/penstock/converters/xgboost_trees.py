"""One tree of an XGBoost document (src/tree/tree_model.cc, `RegTree::SaveModel`)."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from penstock.converters.ensembles import CATEGORICAL, MISSING_LEFT, NAN_IS_MISSING, Tree
from penstock.converters.layouts import laid_out

__all__ = ["tree"]

Refuse = Callable[..., NoReturn]

# Arrays with an entry for each node; the statistics say nothing about predictions.
INTEGERS = ("default_left", "left_children", "right_children", "split_indices")
STATISTICS = ("base_weights", "leaf_child_counts", "loss_changes", "parents", "sum_hessian")
CATEGORIES = ("categories", "categories_nodes", "categories_segments", "categories_sizes")
PARAMETERS = frozenset(("num_deleted", "num_feature", "num_nodes", "size_leaf_vector"))
KNOWN = frozenset(
    (*INTEGERS, *STATISTICS, *CATEGORIES, "id", "leaf_weights", "split_conditions")
) | {"split_type", "tree_param"}
# Larger categories are not told apart (src/common/categorical.h, `OutOfRangeCat`).
CATEGORY_LIMIT = 16777216
# 4 MB for the sets of a tree: ten bytes of a file can ask for 2 MB.
MOST_WORDS = 2**20


def tree(number: int, document: Any, features: int, outputs: int, refuse: Refuse) -> Tree:
    """The tree at this position, of so many features; children of a test are side by side."""
    import numpy

    def named(reason: str, *, option: str | None = None) -> NoReturn:
        refuse(f"tree {number} of the XGBoost model: {reason}", option=option)

    arrays = _arrays(document, number, named)
    left, right = arrays["left_children"], arrays["right_children"]
    is_leaf = left == -1
    inner = ~is_leaf
    if (right[inner] != left[inner] + 1).any() or (left < -1).any():
        named("a test has children that are not side by side, as XGBoost takes them to be")
    indices = arrays["split_indices"]
    if inner.any() and (indices[inner].min() < 0 or indices[inner].max() >= features):
        named(f"a test is of a feature beyond the {features} that there are")
    conditions = _floats(document, "split_conditions", len(left), named)
    sets = _sets(document, len(left), named)
    is_categorical = numpy.zeros(len(left), bool)
    is_categorical[list(sets)] = True
    # A test that was pruned to a leaf keeps its categories.
    is_categorical &= inner
    # Tests of categories have NaN there, or what nobody reads.
    if numpy.isnan(conditions[inner & ~is_categorical]).any():
        named("a test compares with what is no number")
    _check_types(document, is_categorical, inner, named)
    thresholds = conditions.copy()
    thresholds[list(sets)] = range(len(sets))
    # What is in the set goes right in XGBoost, and left in the operator.
    default_left = (arrays["default_left"] != 0) != is_categorical
    result = laid_out(
        numpy.where(is_categorical, right, left), numpy.where(is_categorical, left, right), named
    ).tree(
        features=indices,
        thresholds=thresholds,
        flags=NAN_IS_MISSING + MISSING_LEFT * default_left + CATEGORICAL * is_categorical,
        leaves=_leaves(document, conditions, numpy.where(is_leaf, right, 0), outputs, named),
        sets=list(sets.values()),
        cover=_cover(document, len(left), named),
    )
    if not numpy.isfinite(result.leaves).all():
        named("a leaf has no finite value")
    return result


def _cover(document: Mapping[str, Any], count: int, refuse: Refuse) -> Any:
    """The sum of the hessians of the training rows in each node, which XGBoost's SHAP goes by."""
    if len(document.get("sum_hessian", ())) != count:
        return None
    return _floats(document, "sum_hessian", count, refuse)


def _arrays(document: Any, number: int, refuse: Refuse) -> dict[str, Any]:
    """The arrays of integers, after a look at what else there is."""
    if not isinstance(document, dict):
        refuse("it is no object")
    unknown = sorted(set(document) - KNOWN)
    if unknown:
        refuse(f"it has the unknown key `{unknown[0]}`, which may matter; upgrade penstock")
    parameters = document.get("tree_param", {})
    if set(parameters) - PARAMETERS:
        refuse("`tree_param` has an unknown key, which may matter; upgrade penstock")
    if document.get("id", number) != number:
        refuse(f"its `id` is {document['id']}")
    count = parameters.get("num_nodes")
    arrays = {key: _integers(document, key, refuse) for key in INTEGERS}
    for key, array in arrays.items():
        if str(len(array)) != count or not len(array):
            refuse(f"`{key}` has {len(array)} entries for {count} nodes")
    return arrays


def _integers(document: Mapping[str, Any], key: str, refuse: Refuse) -> Any:
    import numpy

    try:
        array = numpy.asarray(document[key])
    except (KeyError, ValueError):
        refuse(f"it has no list `{key}`")
    if array.ndim != 1 or (len(array) and array.dtype.kind not in "biu"):
        refuse(f"`{key}` is no list of integers")
    return array.astype("int64")


def _floats(document: Mapping[str, Any], key: str, count: int, refuse: Refuse) -> Any:
    import numpy

    try:
        array = numpy.asarray(document[key], "float64")
    except (KeyError, TypeError, ValueError):
        refuse(f"it has no list of numbers `{key}`")
    if array.shape != (count,):
        refuse(f"`{key}` has {array.size} entries, not {count}")
    with numpy.errstate(over="ignore"):
        return array.astype("float32")


def _sets(document: Mapping[str, Any], count: int, refuse: Refuse) -> dict[int, Any]:
    """Words of the set of each categorical node, by node (`LoadCategoricalSplit`)."""
    import numpy

    if "split_type" not in document:
        # Before 1.3 there were no categories.
        return {}
    nodes, starts, sizes = (_integers(document, f"categories_{key}", refuse) for key in SEGMENTS)
    members = _integers(document, "categories", refuse)
    if not len(nodes) == len(starts) == len(sizes) or len(set(nodes.tolist())) != len(nodes):
        refuse("its lists of categories do not fit together")
    if len(members) and (members.min() < 0 or members.max() >= CATEGORY_LIMIT):
        refuse("a set holds what is no category")
    sets: dict[int, Any] = {}
    total = 0
    for node, start, size in zip(nodes.tolist(), starts.tolist(), sizes.tolist(), strict=True):
        chosen = members[start : start + size]
        if not 0 <= node < count or start < 0 or size < 1 or len(chosen) != size:
            refuse("its lists of categories do not fit together")
        word_count = int(chosen.max()) // 32 + 1
        total += word_count
        if total > MOST_WORDS:
            refuse("its sets of categories take more memory than any real model")
        bits = numpy.zeros(32 * word_count, bool)
        bits[chosen] = True
        sets[node] = numpy.packbits(bits, bitorder="little").view("<u4").astype("uint32")
    return sets


SEGMENTS = ("nodes", "segments", "sizes")


def _check_types(
    document: Mapping[str, Any], is_categorical: Any, inner: Any, refuse: Refuse
) -> None:
    """`split_type` is 1 where a test is of categories (include/xgboost/data.h, `FeatureType`)."""
    if "split_type" not in document:
        return
    types = _integers(document, "split_type", refuse)
    if types.shape != inner.shape or ((types != 0) != is_categorical)[inner].any():
        refuse("`split_type` does not fit to the categories")


def _leaves(
    document: Mapping[str, Any], conditions: Any, rows: Any, outputs: int, refuse: Refuse
) -> Any:
    """The value of each node as a leaf: its condition, or of several values the row of `rows`.

    src/tree/multi_target_tree_model.cc, `LeafValue`: `right_children` of a leaf names the row of
    `leaf_weights` since 3.2; before, `base_weights` had a row for each node.
    """
    import numpy

    width = document["tree_param"].get("size_leaf_vector")
    if width in ("0", "1"):
        return conditions.reshape(-1, 1)
    if width != str(outputs):
        refuse(f"its leaves have {width} values for {outputs} outputs", option="multi_strategy")
    if "leaf_weights" not in document:
        return _floats(document, "base_weights", len(rows) * outputs, refuse).reshape(-1, outputs)
    weights = numpy.asarray(document["leaf_weights"], "float64").astype("float32")
    if weights.size % outputs or rows.min() < 0 or rows.max() >= weights.size // outputs:
        refuse("`leaf_weights` does not fit to its leaves")
    return weights.reshape(-1, outputs)[rows]
