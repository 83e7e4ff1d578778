"""The columns as XGBoost's boosters take them: numbers, NaN where missing, codes of categories."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

from penstock.converters.categories import REFUSED, numbered
from penstock.converters.context import Context
from penstock.converters.grouping import grouped
from penstock.converters.values import Column, Value
from penstock.converters.xgboost_json import Model, Trees
from penstock.schema import Label

__all__ = ["Levels", "check_levels", "features", "fitted_levels"]

# By position of the column.
Levels = Mapping[int, Sequence[Label]]


def fitted_levels(model: Model, value: Value, context: Context) -> Levels:
    """The levels of the training data of each category column; in a frame alone.

    In an array the codes themselves are given.
    """
    if not value.frame:
        return {}
    known = model.booster.categories if isinstance(model.booster, Trees) else None
    levels: dict[int, Sequence[Label]] = {}
    for at, column in enumerate(value.columns):
        fitted = known[at] if known is not None and at < len(known) else ()
        if column.dtype == "category" or column.kind == "text":
            if not fitted:
                context.refuse(
                    f"column `{column.name}` is one of categories or text, and the model knows no "
                    "levels of it; models that were saved before XGBoost 3.1 do not keep them",
                    option="enable_categorical",
                )
            levels[at] = _intact(column, fitted, context)
        elif fitted:
            context.refuse(
                f"column `{column.name}` had categories in training; make it a category column",
                option="enable_categorical",
            )
    return levels


def _intact(column: Column, fitted: Sequence[Label], context: Context) -> Sequence[Label]:
    """The levels, also where XGBoost before 3.4 has cut them in the wrong places.

    It counts characters of a pandas category where bytes are due, so that all levels behind one
    that is not ASCII are wrong, in training and in prediction alike (xgboost/_data_utils.py,
    `npstr_to_arrow_strarr`).
    """
    texts = [level for level in column.categories or () if isinstance(level, str)]
    joined, ends = "".join(texts).encode(), accumulate((len(text) for text in texts), initial=0)
    cut = [joined[start:end] for start, end in pairwise(ends)]
    known = [level.encode(errors="surrogateescape") for level in fitted if isinstance(level, str)]
    if texts and cut == known:
        return texts
    new = [text for text in texts if text not in fitted]
    if new and not "".join([*texts, *(str(level) for level in fitted)]).isascii():
        context.refuse(
            f"column `{column.name}` has the level {new[0]!r}, which the model does not know; "
            "XGBoost before 3.4 saves levels beyond ASCII wrong: give the example with the "
            "categories of the training data, in their order"
        )
    return fitted


def check_levels(levels: Levels, names: Sequence[str | None], data: Any) -> None:
    """Raises where a level is new.

    XGBoost from 3.3 on does; 3.1 and 3.2 take it for the next one in the order of the alphabet
    (src/encoder/ordinal.h, `SearchSorted`; mended in dmlc/xgboost#12193).
    """
    for at, known in levels.items():
        found = {item.as_py() if hasattr(item, "as_py") else item for item in data[names[at]]}
        new = [item for item in found if item is not None and item == item and item not in known]
        if new:
            raise ValueError(f"column `{names[at]}` has the level {new[0]!r}, which is new")


def features(
    model: Model, value: Value, levels: Levels, context: Context, *, missing: Any = float("nan")
) -> Value:
    """The columns as numbers; what XGBoost takes for missing is NaN."""
    import numpy

    if value.width != model.feature_count:
        context.refuse(f"was fitted on {model.feature_count} columns and gets {value.width}")
    if value.frame and model.names and list(value.names) != list(model.names):
        _refuse_names(model.names, value.names, context)
    sparse = value.sparse
    value = numbered(value, levels, context, unseen=REFUSED)
    for column in value.columns:
        if value.frame and column.dtype == "object":
            context.refuse(f"column `{column.name}` holds objects, which XGBoost does not take")
    value = replace(context.number(value), frame="")
    if not isinstance(missing, (int, float)) or abs(missing) == float("inf"):
        context.refuse(
            f"`{missing}` is no number that may stand for a missing one", option="missing"
        )
    if sparse:
        # What is zero only when rounded to f32 is in the matrix, and not missing.
        value = _without(value, 0.0, context)
    if missing == missing:
        if levels:
            context.refuse("is compared with the codes of categories; use NaN", option="missing")
        # XGBoost compares after it has rounded both to f32.
        value = _without(context.cast(value, "f32"), float(numpy.float32(missing)), context)
    return _whole(model, value, levels, context)


def _refuse_names(fitted: Sequence[str], names: Sequence[str | None], context: Context) -> None:
    lacking = [name for name in fitted if name not in names]
    if lacking:
        context.refuse(f"was fitted with the column `{lacking[0]}`, which the example lacks")
    context.refuse(
        f"was fitted on the columns in another order: {', '.join(fitted[:5])}, ...; give the "
        "example in that order"
    )


def _without(value: Value, missing: float, context: Context) -> Value:
    """The numbers, NaN where they are the one that stands for a missing one."""
    import numpy

    nothing = numpy.full(value.width, numpy.nan)
    return context.add("impute", value, value.columns, missing=missing, replacements=nothing)


def _whole(model: Model, value: Value, levels: Levels, context: Context) -> Value:
    """Codes of categories that come as numbers, rounded down.

    XGBoost sends every negative number left, -0.5 as well (src/common/categorical.h, `InvalidCat`);
    the operator cuts the fraction off first.
    """
    trees = model.booster.trees if isinstance(model.booster, Trees) else ()
    categorical = _tested(tree.features[tree.categorical] for tree in trees)
    numeric = _tested(tree.features[~tree.categorical] for tree in trees)
    if categorical & numeric:
        context.refuse(
            f"feature {min(categorical & numeric)} is tested as a number and as a category",
            option="feature_types",
        )
    given = categorical - set(levels)
    if not given:
        return value

    def convert(is_code: bool, part: Value, positions: list[int]) -> Value:
        if not is_code:
            return part
        part = context.cast(part, "f32")
        return context.map(part, "floor", precision="f32")

    return grouped(value, [at in given for at in range(value.width)], context, convert)


def _tested(features: Iterable[Any]) -> set[int]:
    return {int(at) for part in features for at in part if at >= 0}
