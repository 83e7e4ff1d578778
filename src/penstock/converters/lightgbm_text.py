"""LightGBM's text format (`model.txt`, `Booster.model_to_string`): read without LightGBM.

Source of the format: LightGBM, src/boosting/gbdt_model_text.cpp and src/io/tree.cpp.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NoReturn

from penstock.converters.ensembles import CATEGORICAL, NAN_IS_MISSING, Tree
from penstock.converters.layouts import laid_out
from penstock.converters.lightgbm_block import Block, Refuse, array, integer
from penstock.converters.lightgbm_leaves import Leaves, constant, linear
from penstock.schema import Label

__all__ = ["Objective", "TextModel", "parse"]

# v2 lacks `is_linear`, v3 is as v4 (LightGBM 2 to 4).
VERSIONS = ("v2", "v3", "v4")
HEADER = frozenset(
    (
        "average_output",
        "feature_infos",
        "feature_names",
        "label_index",
        "max_feature_idx",
        "monotone_constraints",
        "num_class",
        "num_tree_per_iteration",
        "objective",
        "tree",
        "tree_sizes",
        "version",
    )
)
# LightGBM until 2.0.11 told no version, and meant something else by the same words.
NEEDED = (
    "feature_names",
    "max_feature_idx",
    "num_class",
    "num_tree_per_iteration",
    "tree",
    "version",
)
COUNTS = ("internal_count", "leaf_count")
STATISTICS = frozenset(
    (
        *COUNTS,
        "internal_value",
        "internal_weight",
        "leaf_weight",
        "shrinkage",
        "split_gain",
    )
)
STRUCTURE = frozenset(
    (
        "cat_boundaries",
        "cat_threshold",
        "decision_type",
        "is_linear",
        "leaf_coeff",
        "leaf_const",
        "leaf_features",
        "leaf_value",
        "left_child",
        "num_cat",
        "num_features",
        "num_leaves",
        "right_child",
        "split_feature",
        "threshold",
    )
)
# What objectives were called before LightGBM 3 (include/LightGBM/config.h, `ParseObjectiveAlias`).
ALIASES = {"xentlambda": "cross_entropy_lambda", "xentropy": "cross_entropy"}
# Sections behind the trees, and the line that ends each; none says anything about predictions.
SECTIONS: dict[str, str] = {
    "feature_importances:": "",
    "feature importances:": "",
    "parameters:": "end of parameters",
    "parser:": "end of parser",
}
CATEGORIES = "pandas_categorical:"


@dataclass(frozen=True)
class Objective:
    """The name of the objective and its options, as `{"sigmoid": "1"}` or `{"sqrt": ""}`."""

    name: str
    options: Mapping[str, str]


@dataclass(frozen=True)
class TextModel:
    """What a model text says about predictions.

    `categories`: the levels of each pandas category column in order; `None` where the training data
    was no pandas frame. `objective`: `None` for a function of the user's own. `leaves`: where some
    are linear models; those of `trees` are their numbers then.
    """

    names: tuple[str, ...]
    class_count: int
    objective: Objective | None
    average: bool
    trees: tuple[Tree, ...]
    leaves: tuple[Leaves, ...] | None
    trees_per_iteration: int
    categories: tuple[tuple[Label, ...], ...] | None

    @property
    def iterations(self) -> int:
        """Number of boosting iterations."""
        return len(self.trees) // self.trees_per_iteration


def parse(text: str, refuse: Refuse) -> TextModel:
    """The model; whatever LightGBM would not understand, or this does not know, is refused."""
    # Not `splitlines`: names may hold what Unicode takes for the end of a line.
    lines = [line.rstrip("\r") for line in text.split("\n")]
    header, at = _block(lines, 0, HEADER, refuse)
    for key in NEEDED:
        if key not in header:
            refuse(f"the model text has no `{key}`; is it a model that LightGBM has saved?")
    if header["version"] not in VERSIONS:
        refuse(f"the model text is of version `{header['version']}`; known are {VERSIONS}")
    width = integer(header, "max_feature_idx", refuse) + 1
    names = tuple(header["feature_names"].split(" "))
    if width < 1 or len(names) != width:
        refuse(f"`feature_names` has {len(names)} names; `max_feature_idx` says {width}")
    trees, leaves, at = _trees(lines, at, width, refuse)
    is_linear = any(models.counts.any() for models in leaves)
    if not is_linear:
        trees = [
            replace(tree, leaves=models.constants[tree.leaves])
            for tree, models in zip(trees, leaves, strict=True)
        ]
    per_iteration = integer(header, "num_tree_per_iteration", refuse)
    if "tree_sizes" in header:
        _check_sizes(text, header["tree_sizes"].split(), len(trees), refuse)
    if per_iteration < 1 or not trees or len(trees) % per_iteration:
        refuse(f"the model has {len(trees)} trees, which {per_iteration} do not divide")
    return TextModel(
        names=names,
        class_count=integer(header, "num_class", refuse),
        objective=_objective(header.get("objective"), refuse),
        average="average_output" in header,
        trees=tuple(trees),
        leaves=tuple(leaves) if is_linear else None,
        trees_per_iteration=per_iteration,
        categories=_rest(lines[at:], refuse),
    )


def _check_sizes(text: str, sizes: Sequence[str], count: int, refuse: Refuse) -> None:
    """LightGBM finds its trees by these sizes, and crashes where they are wrong."""
    at = text.find("Tree=0")
    for number, size in enumerate(sizes):
        if not text.startswith(f"Tree={number}\n", at) or not size.isdecimal() or len(size) > 12:
            refuse(f"tree {number} is not where `tree_sizes` says; were its line ends changed?")
        at += int(size)
    if len(sizes) != count or text.startswith("Tree=", at):
        refuse(f"`tree_sizes` has {len(sizes)} trees, and there are {count}")


def _block(
    lines: Sequence[str], at: int, known: frozenset[str], refuse: Refuse
) -> tuple[dict[str, str], int]:
    """`key=value` lines up to an empty line, and the position of the next line that is not."""
    block: dict[str, str] = {}
    while at < len(lines) and lines[at]:
        key, _, value = lines[at].partition("=")
        if key not in known:
            refuse(f"line {at + 1} of the model text: `{key[:60]}` is not known; it may matter")
        if key in block:
            refuse(f"line {at + 1} of the model text: `{key}` comes twice")
        block[key] = value
        at += 1
    while at < len(lines) and not lines[at]:
        at += 1
    return block, at


def _objective(text: str | None, refuse: Refuse) -> Objective | None:
    if text is None:
        return None
    name, *words = ALIASES.get(text, text).split(" ")
    options: dict[str, str] = {}
    for word in words:
        key, _, value = word.partition(":")
        if key in options:
            refuse(f"the objective `{text}` has `{key}` twice")
        options[key] = value
    return Objective(name, options)


def _trees(
    lines: Sequence[str], at: int, width: int, refuse: Refuse
) -> tuple[list[Tree], list[Leaves], int]:
    """The trees, whose leaves are numbers of leaves, these leaves, and the line behind them."""
    trees: list[Tree] = []
    leaves: list[Leaves] = []
    while at < len(lines) and lines[at].startswith("Tree="):
        if lines[at] != f"Tree={len(trees)}":
            refuse(f"line {at + 1} of the model text is `{lines[at][:60]}`, not tree {len(trees)}")
        number = len(trees)
        block, at = _block(lines, at + 1, STATISTICS | STRUCTURE, refuse)

        def named(reason: str, *, option: str | None = None, number: int = number) -> NoReturn:
            refuse(f"tree {number} of the model text: {reason}", option=option)

        leaves.append(_leaves(block, width, named))
        trees.append(_tree(block, len(leaves[-1].values), width, named))
    return trees, leaves, at


def _leaves(block: Block, width: int, refuse: Refuse) -> Leaves:
    import numpy

    leaf_count = integer(block, "num_leaves", refuse)
    if leaf_count < 1:
        refuse(f"`num_leaves` is {leaf_count}")
    values = array(block, "leaf_value", leaf_count, "float64", refuse)
    if not numpy.isfinite(values).all():
        refuse("a leaf has no finite value")
    kind = block.get("is_linear", "0")
    if kind not in ("0", "1"):
        refuse(f"`is_linear` is `{kind[:60]}`, neither 0 nor 1")
    return linear(block, values, width, refuse) if kind == "1" else constant(values)


def _tree(block: Block, leaf_count: int, width: int, refuse: Refuse) -> Tree:
    """One tree; child -1 is leaf 0, -2 is leaf 1, and so on (src/io/tree.cpp)."""
    import numpy

    numbers = numpy.arange(leaf_count)
    inner_count = leaf_count - 1
    if not inner_count:
        return laid_out(numpy.array([-1]), numpy.array([-1]), refuse).tree(
            numpy.array([-1]),
            numpy.zeros(1),
            numpy.zeros(1, "uint8"),
            numbers.reshape(-1, 1),
            # There is no test that would divide them.
            cover=numpy.ones(1),
        )
    children = [array(block, key, inner_count, "int64", refuse) for key in CHILDREN]
    left, right = (
        numpy.concatenate([_positions(side, leaf_count), numpy.full(leaf_count, -1)])
        for side in children
    )
    features = array(block, "split_feature", inner_count, "int64", refuse)
    if features.min() < 0 or features.max() >= width:
        refuse(f"`split_feature` names a feature beyond the {width} that there are")
    thresholds = array(block, "threshold", inner_count, "float64", refuse)
    decisions = array(block, "decision_type", inner_count, "int64", refuse)
    filler = numpy.zeros(leaf_count)
    return laid_out(left, right, refuse).tree(
        features=numpy.concatenate([features, filler]).astype("int64"),
        thresholds=numpy.concatenate([thresholds, filler]),
        flags=numpy.concatenate([_flags(decisions, refuse), filler]),
        leaves=numpy.concatenate([numpy.zeros(inner_count, int), numbers]).reshape(-1, 1),
        sets=_sets(block, thresholds[decisions & CATEGORICAL != 0], refuse),
        cover=_cover(block, inner_count, refuse),
    )


def _cover(block: Block, inner_count: int, refuse: Refuse) -> Any:
    """Training rows of the inner nodes and then of the leaves; older files may lack them."""
    import numpy

    if not all(key in block for key in COUNTS):
        return None
    lengths = zip(COUNTS, (inner_count, inner_count + 1), strict=True)
    counts = [array(block, key, length, "int64", refuse) for key, length in lengths]
    return numpy.concatenate(counts)


CHILDREN = ("left_child", "right_child")


def _positions(children: Any, leaf_count: int) -> Any:
    """Positions of nodes: leaves come behind the `leaf_count - 1` inner ones.

    A child that does not exist becomes a position that does not.
    """
    import numpy

    beyond = 2 * leaf_count
    inner = numpy.where(children < leaf_count - 1, children, beyond)
    return numpy.where(children >= 0, inner, leaf_count - 2 - children)


def _flags(decisions: Any, refuse: Refuse) -> Any:
    """The flags of the operator, whose bits are those of LightGBM (include/LightGBM/tree.h).

    A categorical test sends missing values right, whatever `decision_type` says of them.
    """
    import numpy

    # Bits 2 and 3 are 0 (nothing is missing), 1 (zero is) or 2 (NaN is); there are no others.
    if decisions.min() < 0 or decisions.max() > 0b1011:
        refuse("`decision_type` has a value that is not known")
    is_categorical = decisions & CATEGORICAL != 0
    return numpy.where(is_categorical, CATEGORICAL | NAN_IS_MISSING, decisions)


def _sets(block: Block, thresholds: Any, refuse: Refuse) -> list[Any]:
    """Words of the sets of categories; thresholds of categorical nodes are positions among them."""
    count = integer(block, "num_cat", refuse)
    if not count:
        if len(thresholds):
            refuse("a node tests for categories, and the tree has none")
        return []
    ends = array(block, "cat_boundaries", count + 1, "int64", refuse)
    words = array(block, "cat_threshold", int(ends[-1]), "int64", refuse)
    increasing = ends[0] == 0 and (ends[1:] >= ends[:-1]).all()
    if not increasing or (len(words) and (words.min() < 0 or words.max() >= 2**32)):
        refuse("`cat_boundaries` or `cat_threshold` is no list of sets")
    if any(not 0 <= at < count or at != int(at) for at in thresholds):
        refuse("a node tests for a set of categories that does not exist")
    words = words.astype("uint32")
    return [words[start:end] for start, end in pairwise(ends)]


def _rest(lines: Sequence[str], refuse: Refuse) -> tuple[tuple[Label, ...], ...] | None:
    """What follows the trees; the levels of pandas category columns are in the last line."""
    categories: tuple[tuple[Label, ...], ...] | None = None
    remaining = iter(lines)
    for line in remaining:
        if line in SECTIONS:
            end = SECTIONS[line]
            if not any(other == end for other in remaining):
                refuse(f"the model text ends within `{line}`; is the file whole?")
        elif line.startswith(CATEGORIES):
            categories = _categories(line.removeprefix(CATEGORIES), refuse)
        elif line not in ("", "end of trees"):
            refuse(f"the model text has a line that is not known: `{line[:60]}`")
    return categories


def _categories(text: str, refuse: Refuse) -> tuple[tuple[Label, ...], ...] | None:
    try:
        columns = json.loads(text)
    except (ValueError, RecursionError) as error:
        refuse(f"`pandas_categorical` of the model text is no JSON: {error}")
    if columns is None:
        return None
    if not isinstance(columns, list) or not all(isinstance(levels, list) for levels in columns):
        refuse("`pandas_categorical` of the model text is no list of lists")
    if not all(isinstance(level, (str, int, float)) for levels in columns for level in levels):
        refuse("`pandas_categorical` of the model text has a level that is no text or number")
    return tuple(tuple(levels) for levels in columns)
