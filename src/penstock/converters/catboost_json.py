"""CatBoost's documents (`save_model(..., format="json")`): read without CatBoost, key by key.

Sources of the format: catboost/libs/model/model_export/json_model_helpers.cpp; of the order of
tests within a model: catboost/libs/model/model.cpp (`CalcBinFeatures`). Unknown keys are refused.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from penstock.converters.catboost_counts import Counted, counted
from penstock.converters.catboost_trees import Test, trees
from penstock.converters.ensembles import Tree
from penstock.errors import ConvertError

__all__ = ["Category", "Model", "Number", "decode", "parse"]

Refuse = Callable[..., NoReturn]
Document = Mapping[str, Any]

TOP = frozenset(
    ("ctr_data", "features_info", "model_info", "oblivious_trees", "scale_and_bias", "trees")
)
FEATURES = frozenset(("cat_features_hash", "categorical_features", "ctrs", "float_features"))
# Whether NaN passes a test `x > border` (json_model_helpers.cpp, `nan_value_treatment`).
NAN_TREATMENTS = {"AsFalse": False, "AsIs": False, "AsTrue": True}


@dataclass(frozen=True)
class Number:
    """A numeric feature: the position of its column, its borders in f32, and where NaN goes."""

    position: int
    name: str
    borders: Any
    nan_is_large: bool


@dataclass(frozen=True)
class Category:
    """A categorical feature: the position of its column, and the hashes that are tested alone."""

    position: int
    name: str
    values: tuple[int, ...]


@dataclass(frozen=True)
class Model:
    """What a document says about predictions.

    Trees test the numbers, then an indicator for each of the `values` of each category, then what
    was counted of categories. `threshold`: the probability above which a row is of the second
    class.
    """

    numbers: tuple[Number, ...]
    categories: tuple[Category, ...]
    counts: tuple[Counted, ...]
    trees: tuple[Tree, ...]
    scale: float
    bias: Any
    loss: str
    classes: tuple[Any, ...]
    threshold: float


def decode(text: str | bytes) -> Document:
    """The document in a `.json` file."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConvertError(f"the file is no JSON document: {error}") from None
    if not isinstance(document, dict):
        raise ConvertError("the file is a JSON document, and no model of CatBoost")
    return document


def parse(document: Document, refuse: Refuse) -> Model:
    """The model; whatever CatBoost would not understand, or this does not know, is refused."""
    try:
        return _parse(document, refuse)
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        refuse(f"the document is no whole model of CatBoost: {type(error).__name__}: {error}")


def _parse(document: Document, refuse: Refuse) -> Model:
    _check_keys(document, TOP, "the document", refuse)
    features = document["features_info"]
    _check_keys(features, FEATURES, "`features_info`", refuse)
    numbers = _numbers(features.get("float_features") or (), refuse)
    listed = features.get("categorical_features") or ()
    categories = tuple(
        Category(
            _position(item["flat_feature_index"]),
            str(item.get("feature_name") or item["feature_id"]),
            tuple(int(value) for value in item.get("values") or ()),
        )
        for item in listed
    )
    positions = [item.position for item in numbers] + [item.position for item in categories]
    if len(set(positions)) < len(positions):
        refuse("two features are of the same column")
    columns = {
        "float_feature_index": _indices(features.get("float_features") or ()),
        "cat_feature_index": _indices(listed),
    }
    tables = document.get("ctr_data") or {}
    counts = tuple(counted(item, tables, columns, refuse) for item in features.get("ctrs") or ())
    tests = _tests(features, numbers, categories, counts)
    grown, width = trees(document, tests, refuse)
    scale, bias = _scale(document["scale_and_bias"], width, refuse)
    info = document["model_info"]
    return Model(
        numbers,
        categories,
        counts,
        grown,
        scale,
        bias,
        _loss(info),
        _classes(info),
        _threshold(info),
    )


def _check_keys(item: Document, known: frozenset[str], where: str, refuse: Refuse) -> None:
    unknown = sorted(set(item) - known)
    if unknown:
        refuse(
            f"{where} has an unknown `{unknown[0]}`; text, embedding and estimated features are "
            "not supported"
        )


def _position(index: Any) -> int:
    if not isinstance(index, int) or index < 0:
        raise ValueError(f"{index!r} is no position of a column")
    return index


def _indices(items: Sequence[Document]) -> Mapping[int, int]:
    """Where among its kind each feature is, by the index that tests name it with."""
    return {_position(item["feature_index"]): at for at, item in enumerate(items)}


def _numbers(items: Sequence[Document], refuse: Refuse) -> tuple[Number, ...]:
    import numpy

    numbers = []
    for item in items:
        borders = numpy.array(item["borders"] or (), dtype="float64")
        if not (borders.astype("float32") == borders).all():
            refuse("a border is no number of float32")
        name = str(item.get("feature_name") or item["feature_id"])
        treatment = item["nan_value_treatment"]
        if treatment not in NAN_TREATMENTS:
            refuse(f"`{treatment}` of missing values is not known", option="nan_mode")
        # catboost/libs/model/cpu/quantization.h: NaN is substituted only where training had some.
        large = bool(item["has_nans"]) and NAN_TREATMENTS[treatment]
        numbers.append(Number(_position(item["flat_feature_index"]), name, borders, large))
    return tuple(numbers)


def _tests(
    features: Document,
    numbers: Sequence[Number],
    categories: Sequence[Category],
    counts: Sequence[Counted],
) -> list[Test]:
    """All tests in CatBoost's order, which `split_index` counts."""
    tests = []
    for at, (item, feature) in enumerate(
        zip(numbers, features.get("float_features") or (), strict=True)
    ):
        told = {"split_type": "FloatFeature", "float_feature_index": feature["feature_index"]}
        tests += [
            Test(at, border, told | {"border": border}, nan_passes=item.nan_is_large)
            for border in item.borders.tolist()
        ]
    element = len(numbers)
    for category, feature in zip(
        categories, features.get("categorical_features") or (), strict=True
    ):
        told = {"split_type": "OneHotFeature", "cat_feature_index": feature["feature_index"]}
        for value in category.values:
            tests.append(Test(element, 0.5, told | {"value": value}))
            element += 1
    for count in counts:
        told = {"split_type": "OnlineCtr", "ctr_target_border_idx": count.target_border}
        tests += [Test(element, border, told | {"border": border}) for border in count.borders]
        element += 1
    return tests


def _scale(item: Any, width: int, refuse: Refuse) -> tuple[float, Any]:
    import numpy

    scale, bias = float(item[0]), numpy.array(item[1] or [0.0], dtype="float64")
    if len(bias) == 1 and not bias.any():
        bias = numpy.zeros(width)
    if bias.shape != (width,) or not numpy.isfinite([scale, *bias]).all():
        refuse(f"`scale_and_bias` is {item}, and there are {width} raw scores")
    return scale, bias


def _loss(info: Document) -> str:
    """The name of the loss; models that were added to each other have none."""
    loss = (info.get("params") or {}).get("loss_function", "")
    return str(loss["type"] if isinstance(loss, Mapping) else loss)


# By `class_label_type`; classes that were given no names are 0, 1, ...
TYPES: Mapping[str, Callable[[Any], Any]] = {
    "Boolean": bool,
    "Float": float,
    "Integer": int,
    "String": str,
}


def _classes(info: Document) -> tuple[Any, ...]:
    given = info.get("class_params") or {}
    names = given.get("class_names") or given.get("class_to_label") or ()
    return tuple(TYPES[given["class_label_type"]](name) for name in names)


def _threshold(info: Document) -> float:
    return float(info.get("binclass_probability_threshold") or 0.5)
