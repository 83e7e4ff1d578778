"""XGBoost's documents (`.json`, `.ubj`, `Booster.save_raw`): read without XGBoost, key by key.

Sources of the format, by tag of dmlc/xgboost: src/learner.cc (`SaveModel`), src/gbm/gbtree.cc,
src/gbm/gbtree_model.cc, src/tree/tree_model.cc, src/tree/multi_target_tree_model.cc,
src/data/cat_container.cc. Unknown keys are refused: XGBoost 3.2 reads a model with dropout of 3.3,
overlooks the key `weight_drop`, and predicts something else.
"""

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import inf, nextafter
from typing import Any, NoReturn

from penstock.converters.ensembles import Tree
from penstock.converters.xgboost_trees import tree
from penstock.errors import ConvertError
from penstock.schema import Label

__all__ = ["Linear", "Model", "Trees", "decode", "parse"]

Refuse = Callable[..., NoReturn]
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Trees:
    """Trees in the order in which they are added; `weights` where trees were dropped in training.

    `outputs`: to which output each adds; `ends`: number of trees after each iteration, from 0 on.
    `categories`: the levels of every feature, empty for numeric ones; `None` where the document
    has no lists.
    """

    trees: tuple[Tree, ...]
    outputs: tuple[int, ...]
    ends: tuple[int, ...]
    weights: Any
    categories: tuple[tuple[Label, ...], ...] | None


@dataclass(frozen=True)
class Linear:
    """A linear booster: `weights` [features + 1, outputs] in f32, the biases last."""

    weights: Any


@dataclass(frozen=True)
class Model:
    """What a document says about predictions.

    `base_score`: f32, one or one per output, before the link. `vector_leaves`: each leaf has a
    value for every output. `best_iteration`: where early stopping found one.
    """

    objective: str
    base_score: Any
    feature_count: int
    output_count: int
    names: tuple[str, ...]
    types: tuple[str, ...]
    best_iteration: int | None
    version: tuple[int, ...]
    booster: Trees | Linear


# Keys of the parameters that an objective keeps; none of them matters to a prediction.
OBJECTIVE_KEYS = frozenset(
    (
        "aft_loss_param",
        "expectile_loss_param",
        "lambda_rank_param",
        "lambdarank_param",
        "name",
        "poisson_regression_param",
        "pseudo_huber_param",
        "quantile_loss_param",
        "reg_loss_param",
        "softmax_multiclass_param",
        "ti+",
        "tj-",
        "tweedie_regression_param",
    )
)
# `True`: must be there.
TOP = {"learner": True, "version": True}
LEARNER = {
    "attributes": True,
    "feature_names": False,
    "feature_types": False,
    "gradient_booster": True,
    "learner_model_param": True,
    "objective": True,
}
PARAMETERS = {
    "base_score": True,
    "boost_from_average": False,
    "num_class": True,
    "num_feature": True,
    "num_target": False,
}
MODEL = {
    "cats": False,
    "gbtree_model_param": True,
    "iteration_indptr": False,
    "tree_info": True,
    "trees": True,
    "weight_drop": False,
}
# Before 1.4 more was kept here, which is in `learner_model_param` as well.
MODEL_PARAMETERS = {
    "num_parallel_tree": False,
    "num_trees": True,
    "size_leaf_vector": False,
}
# 64 MB for all sets of categories.
MOST_WORDS = 2**24
CATEGORIES = {"enc": True, "feature_segments": True, "sorted_idx": True}


def decode(text: str | bytes) -> Document:
    """The document in a `.json` file; numbers are those that XGBoost reads, of type f32."""
    try:
        document = json.loads(text, parse_float=_single, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ConvertError(f"the file is no JSON document: {error}") from None
    if not isinstance(document, dict):
        raise ConvertError("the file is a JSON document, and no model of XGBoost")
    return document


def _single(text: str) -> float:
    """A f64 that rounds to the f32 nearest to the text, even where the f64 is half-way."""
    value = float(text)
    (bits,) = struct.unpack("<Q", struct.pack("<d", value))
    if bits & 0x1FFFFFFF != 0x10000000 or Fraction(text) == Fraction(value):
        return value
    return nextafter(value, inf if Fraction(text) > Fraction(value) else -inf)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key comes twice")
    return result


def parse(document: Document, refuse: Refuse) -> Model:
    """The model; whatever is not known is refused by name."""
    try:
        return _model(document, refuse)
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
        refuse(f"the XGBoost model is malformed: {type(error).__name__}: {error}")


def _model(document: Document, refuse: Refuse) -> Model:
    top = _keys(document, TOP, "the document", refuse)
    learner = _keys(top["learner"], LEARNER, "`learner`", refuse)
    parameters = _keys(learner["learner_model_param"], PARAMETERS, "`learner_model_param`", refuse)
    objective = _objective(learner["objective"], refuse)
    features = _count(parameters, "num_feature", refuse)
    classes = _count(parameters, "num_class", refuse)
    targets = _count({"num_target": "1", **parameters}, "num_target", refuse)
    outputs = max(classes, targets, 1)
    best = learner["attributes"].get("best_iteration")
    return Model(
        objective=objective,
        base_score=_base_score(parameters["base_score"], outputs, refuse),
        feature_count=features,
        output_count=outputs,
        names=tuple(str(name) for name in learner.get("feature_names", ())),
        types=tuple(str(kind) for kind in learner.get("feature_types", ())),
        best_iteration=None
        if best is None
        else _count(learner["attributes"], "best_iteration", refuse),
        version=tuple(int(part) for part in top["version"]),
        booster=_booster(learner["gradient_booster"], features, outputs, refuse),
    )


def _keys(value: Any, known: Mapping[str, bool], where: str, refuse: Refuse) -> Document:
    if not isinstance(value, dict):
        refuse(f"{where} of the XGBoost model is no object")
    unknown = sorted(set(value) - set(known))
    if unknown:
        refuse(
            f"{where} of the XGBoost model has the unknown key `{unknown[0]}`, which may matter to "
            "predictions; upgrade penstock"
        )
    lacking = [key for key, needed in known.items() if needed and key not in value]
    if lacking:
        refuse(f"{where} of the XGBoost model has no `{lacking[0]}`")
    return value


def _objective(value: Any, refuse: Refuse) -> str:
    document = _keys(
        value, dict.fromkeys(OBJECTIVE_KEYS, False) | {"name": True}, "`objective`", refuse
    )
    return str(document["name"])


def _count(document: Document, key: str, refuse: Refuse) -> int:
    """XGBoost writes its parameters as texts."""
    text = document[key]
    if not isinstance(text, str) or not text.isdecimal() or len(text) > 9:
        refuse(f"`{key}` of the XGBoost model is {text!r}, which is no count")
    return int(text)


def _base_score(text: Any, outputs: int, refuse: Refuse) -> Any:
    """`5E-1` before 3.1, then `[5E-1]`; one number stands for every output."""
    import numpy

    try:
        scores = numpy.atleast_1d(json.loads(text, parse_float=_single)).astype("float32")
    except (TypeError, ValueError) as error:
        refuse(f"`base_score` of the XGBoost model is {text!r}: {error}")
    if scores.shape not in ((1,), (outputs,)) or not numpy.isfinite(scores).all():
        refuse(f"`base_score` of the XGBoost model is {text!r}, for {outputs} outputs")
    return numpy.broadcast_to(scores, (outputs,))


# -- boosters --


def _booster(value: Any, features: int, outputs: int, refuse: Refuse) -> Trees | Linear:
    name = str(value.get("name")) if isinstance(value, dict) else ""
    if name not in BOOSTERS:
        refuse(f"the booster `{name}` of the XGBoost model is not known", option="booster")
    return BOOSTERS[name](value, features, outputs, refuse)


def _linear(value: Document, features: int, outputs: int, refuse: Refuse) -> Linear:
    import numpy

    booster = _keys(value, {"model": True, "name": True}, "`gradient_booster`", refuse)
    model = _keys(booster["model"], {"boosted_rounds": False, "weights": True}, "`model`", refuse)
    weights = numpy.asarray(model["weights"], "float32")
    if weights.shape != ((features + 1) * outputs,):
        refuse(f"`weights` of the XGBoost model has {weights.size} numbers for {features} features")
    return Linear(weights.reshape(features + 1, outputs))


def _dart(value: Document, features: int, outputs: int, refuse: Refuse) -> Trees:
    """Before 3.3: the trees are within, and their weights beside them."""
    known = {"gbtree": True, "name": True, "weight_drop": True}
    booster = _keys(value, known, "`gradient_booster`", refuse)
    inner = _keys(booster["gbtree"], {"model": True, "name": False}, "`gbtree`", refuse)
    return _trees(inner["model"], booster["weight_drop"], features, outputs, refuse)


def _gbtree(value: Document, features: int, outputs: int, refuse: Refuse) -> Trees:
    """Weights of dropped trees are beside the model in 3.3, and in it from 3.4 on."""
    known = {"model": True, "name": True, "weight_drop": False}
    booster = _keys(value, known, "`gradient_booster`", refuse)
    return _trees(booster["model"], booster.get("weight_drop"), features, outputs, refuse)


BOOSTERS: Mapping[str, Callable[..., Trees | Linear]] = {
    "dart": _dart,
    "gblinear": _linear,
    "gbtree": _gbtree,
}


def _trees(value: Any, weights: Any, features: int, outputs: int, refuse: Refuse) -> Trees:
    import numpy

    model = _keys(value, MODEL, "`model`", refuse)
    parameters = _keys(
        model["gbtree_model_param"], MODEL_PARAMETERS, "`gbtree_model_param`", refuse
    )
    count = _count(parameters, "num_trees", refuse)
    groups = [int(group) for group in model["tree_info"]]
    if len(model["trees"]) != count or len(groups) != count or not count:
        refuse(f"the XGBoost model has {len(model['trees'])} trees of {count}")
    weights = model.get("weight_drop", weights)
    if weights is not None and len(weights) != count:
        refuse(f"`weight_drop` of the XGBoost model has {len(weights)} weights for {count} trees")
    trees = _list(model["trees"], features, outputs, refuse)
    widths = {part.leaves.shape[1] for part in trees}
    single = min(groups) == 0 and max(groups) + 1 == len(set(groups)) == outputs
    if widths != ({1} if single else {outputs}) or not (single or set(groups) == {0}):
        refuse(f"the trees of the XGBoost model do not add to each of its {outputs} outputs")
    return Trees(
        trees=trees,
        outputs=tuple(groups),
        ends=_ends(model, parameters, groups, refuse),
        weights=None if weights is None else numpy.asarray(weights, "float32"),
        categories=_categories(model.get("cats"), features, refuse),
    )


def _list(documents: Any, features: int, outputs: int, refuse: Refuse) -> tuple[Tree, ...]:
    trees: list[Tree] = []
    word_count = 0
    for number, document in enumerate(documents):
        trees.append(tree(number, document, features, outputs, refuse))
        word_count += sum(len(words) for words in trees[-1].sets)
        if word_count > MOST_WORDS:
            refuse("the sets of categories take more memory than any real model")
    return tuple(trees)


def _ends(
    model: Document, parameters: Document, groups: Sequence[int], refuse: Refuse
) -> tuple[int, ...]:
    """Models from before 1.7 do not say where iterations end: all are of the same length."""
    count = len(groups)
    given = model.get("iteration_indptr")
    if given is None:
        parallel = _count({"num_parallel_tree": "1", **parameters}, "num_parallel_tree", refuse)
        given = range(0, count + 1, max(1, parallel * (max(groups) + 1)))
    ends = tuple(int(end) for end in given)
    if ends[:1] != (0,) or ends[-1] != count or list(ends) != sorted(ends):
        refuse("`iteration_indptr` of the XGBoost model does not cover its trees")
    return ends


def _categories(value: Any, features: int, refuse: Refuse) -> tuple[tuple[Label, ...], ...] | None:
    """The levels of the training data in the order of their codes (since 3.1)."""
    if value is None:
        return None
    document = _keys(value, CATEGORIES, "`cats`", refuse)
    if not document["enc"]:
        return None
    if len(document["enc"]) != features:
        refuse(f"`cats` of the XGBoost model has {len(document['enc'])} of {features} features")
    return tuple(_levels(column, refuse) for column in document["enc"])


def _levels(column: Any, refuse: Refuse) -> tuple[Label, ...]:
    """Texts are joined, as UTF-8 in signed bytes; others are integers.

    What is not UTF-8 becomes surrogates.
    """
    import numpy

    known = {"offsets": False, "type": False, "values": True}
    column = _keys(column, known, "`cats`", refuse)
    values = numpy.asarray(column["values"])
    if "offsets" not in column:
        return tuple(int(value) for value in values)
    joined = values.astype("int8").tobytes()
    offsets = [int(offset) for offset in column["offsets"]]
    if offsets != sorted(offsets) or (
        offsets and not 0 <= offsets[0] <= offsets[-1] <= len(joined)
    ):
        refuse("`cats` of the XGBoost model has levels that overlap")
    return tuple(
        joined[start:end].decode(errors="surrogateescape") for start, end in pairwise(offsets)
    )
