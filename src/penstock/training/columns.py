"""What each column is and what is made of it: proposed from its values, shown, overridable."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from penstock.data.oddities import (
    LEAK,
    Outcome,
    binned,
    counts_rows,
    is_free_text,
    names_rows,
    strength,
)
from penstock.errors import DataError, PenstockError
from penstock.training.recipe import Recipe
from penstock.training.tasks import Task

__all__ = ["Feature", "proposed", "readable"]

# Terms by the hundred would hide what else is odd.
_WITHOUT_TEXT = ("isolation",)
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?([T ].*)?|\d\d?[./]\d\d?[./]\d{4}( .*)?")


@dataclass(frozen=True)
class Feature:
    """A column: its type, what is made of it, why, what is odd.

    It becomes `number`, `levels`, `dates`, `text` or `offset`, or is left out, `drop`.
    """

    name: str
    type: str
    treatment: str
    reason: str = ""
    warning: str = ""
    levels: int = 0
    missing: float = 0.0


def readable(frame: Any) -> tuple[Any, tuple[str, ...]]:
    """The frame with columns of types that artifacts take, and warnings of what was changed.

    Booleans with gaps become numbers; objects that are neither text nor numbers are left out.
    """
    frame = frame.copy(deep=False)
    warnings = []
    for name in list(frame.columns):
        if str(frame[name].dtype) != "object":
            continue
        present = frame[name].dropna()
        if present.map(lambda value: isinstance(value, bool)).all() and len(present):
            frame[name] = frame[name].astype("float64")
        elif not present.map(lambda value: isinstance(value, str)).all():
            types = sorted({type(value).__name__ for value in present.head(1000)})
            warnings.append(f"column `{name}` holds {' and '.join(types)}, and is left out")
            frame = frame.drop(columns=name)
        else:
            # One kind of missing value: None and NaN side by side are two levels.
            frame[name] = frame[name].where(frame[name].notna(), None)
    return frame, tuple(warnings)


def proposed(rows: Any, target: Any, task: Task, recipe: Recipe) -> tuple[Feature, ...]:
    """What becomes of each column of the training rows.

    Raises `PenstockError` for settings that name no column, `DataError` if nothing is left.
    """
    _check_names(rows, recipe)
    helpers = {recipe.weight: "the weight", recipe.split_column: "what the split is by"}
    found = []
    for name in rows.columns:
        feature = _proposal(name, rows[name])
        if feature.treatment == "text" and recipe.algorithm in _WITHOUT_TEXT:
            warning = f"column `{name}` is free text, and is left out"
            feature = replace(feature, treatment="drop", reason="free text", warning=warning)
        if name in recipe.drop:
            feature = replace(feature, treatment="drop", reason="as said", warning="")
        elif name in recipe.features:
            said = recipe.features[name]
            _check_said(feature, said)
            feature = replace(feature, treatment=said, reason="as said", warning="")
        elif name == recipe.offset:
            feature = replace(feature, treatment="offset", reason="as said", warning="")
        elif name in helpers and name is not None:
            feature = replace(feature, treatment="drop", reason=helpers[name], warning="")
        if task.targeted and feature.treatment in ("number", "levels"):
            feature = _watched(feature, rows[name], target, task, recipe)
        found.append(feature)
    if all(feature.treatment in ("drop", "offset") for feature in found):
        reasons = "; ".join(f"`{each.name}`: {each.reason}" for each in found[:5])
        raise DataError(
            f"no column is left to learn from ({reasons}); say what to do with one by `features`"
        )
    return tuple(found)


def _check_said(feature: Feature, said: str) -> None:
    if said == "text" and feature.type not in ("text", "free text"):
        raise PenstockError(
            f"`features`: `{feature.name}` cannot be text, as it holds {feature.type}"
        )
    if said != "drop" and (said == "dates") != (feature.treatment == "dates"):
        raise PenstockError(
            f"`features`: `{feature.name}` cannot be {said}, as it holds {feature.type}; "
            "only columns of timestamps are dates, and they are nothing else"
        )


def _check_names(rows: Any, recipe: Recipe) -> None:
    named: list[tuple[str | None, str]] = [(name, "drop") for name in recipe.drop]
    named += [(name, "features") for name in recipe.features]
    named += [(name, "monotone") for name in recipe.monotone]
    named += [(name, "interactions") for group in recipe.interactions or () for name in group]
    named += [(recipe.weight, "weight"), (recipe.split_column, "split_column")]
    named += [(recipe.offset, "offset")]
    for name, setting in named:
        if name is not None and name not in rows.columns:
            raise PenstockError(
                f"`{setting}` names `{name}`, which is no column beside the target; there are "
                + ", ".join(f"`{column}`" for column in rows.columns[:30])
            )


def _proposal(name: str, column: Any) -> Feature:
    from pandas.api import types

    missing = float(column.isna().mean())
    if isinstance(column.dtype, _category()):
        kind = "text" if _is_text(column.cat.categories) else "category"
        levels = int(column.nunique())
        return _few(Feature(name, kind, "levels", levels=levels, missing=missing))
    if types.is_datetime64_any_dtype(column):
        return _few(Feature(name, "date", "dates", "", "", int(column.nunique()), missing))
    if types.is_bool_dtype(column):
        return _few(Feature(name, "boolean", "number", "", "", int(column.nunique()), missing))
    if types.is_numeric_dtype(column):
        return _number(name, column, missing)
    if types.is_string_dtype(column) or str(column.dtype) == "object":
        return _text(name, column, missing)
    return Feature(name, str(column.dtype), "drop", f"values of type {column.dtype}")


def _category() -> Any:
    import pandas

    return pandas.CategoricalDtype


def _is_text(categories: Any) -> bool:
    return all(isinstance(level, str) for level in categories)


def _few(feature: Feature) -> Feature:
    if feature.levels < 2:
        return replace(feature, treatment="drop", reason="constant")
    return feature


def _number(name: str, column: Any, missing: float) -> Feature:
    from pandas.api import types

    distinct = int(column.nunique())
    feature = _few(Feature(name, "number", "number", levels=distinct, missing=missing))
    whole = types.is_integer_dtype(column) and distinct == len(column)
    if whole and counts_rows(column.to_numpy(dtype="float64"), len(column)):
        return _identifier(feature)
    return feature


def _identifier(feature: Feature) -> Feature:
    return replace(
        feature,
        treatment="drop",
        reason="another value in every row: an identifier",
        warning=f"column `{feature.name}` looks like an identifier, and is left out",
    )


def _text(name: str, column: Any, missing: float) -> Feature:
    present = column.dropna()
    distinct = int(present.nunique())
    feature = _few(Feature(name, "text", "levels", levels=distinct, missing=missing))
    if feature.treatment == "drop":
        return feature
    sample = present.iloc[:: max(1, len(present) // 200)].astype(str)
    if sample.map(lambda text: _DATE.fullmatch(text) is not None).all():
        reason = "dates as texts; say in `types` that it is a timestamp"
        warning = f"column `{name}` holds dates as texts, and is left out"
        return replace(feature, type="date", treatment="drop", reason=reason, warning=warning)
    if is_free_text(sample.tolist(), distinct, len(present)):
        return replace(feature, type="free text", treatment="text")
    if names_rows(distinct, len(present)):
        return _identifier(feature)
    return feature


def _watched(feature: Feature, column: Any, target: Any, task: Task, recipe: Recipe) -> Feature:
    score = _alone(feature, column, target, task, recipe.seed)
    if score < LEAK:
        return feature
    return replace(
        feature,
        warning=f"column `{feature.name}` alone tells the target (score {score:.3f}): is it known "
        f"when the prediction is due? Leave it out with `drop`",
    )


def _alone(feature: Feature, column: Any, target: Any, task: Task, seed: int) -> float:
    """How well the column alone tells the target; 1 is all of it."""
    import pandas

    if feature.treatment == "number":
        groups = binned(column.astype("float64").to_numpy())
    else:
        groups = pandas.factorize(column, use_na_sentinel=False)[0]
    if task.kind == "binary":
        outcome = Outcome((target == task.positive).to_numpy(dtype="float64"), 2)
    elif task.classifies:
        outcome = Outcome(pandas.factorize(target)[0], len(task.classes))
    else:
        outcome = Outcome(target.to_numpy(dtype="float64"))
    return strength(groups, outcome, seed)


def used(features: Sequence[Feature], treatment: str) -> list[str]:
    """Names of the columns with this treatment, in order."""
    return [feature.name for feature in features if feature.treatment == treatment]
