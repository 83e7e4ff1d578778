"""What each column is and what is made of it: proposed from its values, shown, overridable."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from penstock.errors import DataError, PenstockError
from penstock.training.recipe import Recipe
from penstock.training.tasks import Task

__all__ = ["Feature", "proposed", "readable"]

# A text that is another one in nearly every row names the row.
_UNIQUE_SHARE = 0.9
_FEWEST_FOR_IDENTIFIER = 50
# Free text has words, and hardly ever the same ones.
_WORDS, _FREE_SHARE = 4.0, 0.5
_SAMPLE = 20_000
# What tells the target alone, on rows that it was not learned from.
_LEAK = 0.98
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?([T ].*)?|\d\d?[./]\d\d?[./]\d{4}( .*)?")


@dataclass(frozen=True)
class Feature:
    """A column: its type, what is made of it, why, what is odd.

    It becomes `number`, `levels`, `dates` or `offset`, or is left out, `drop`.
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
        if feature.treatment in ("number", "levels"):
            feature = _watched(feature, rows[name], target, task, recipe)
        found.append(feature)
    if all(feature.treatment in ("drop", "offset") for feature in found):
        reasons = "; ".join(f"`{each.name}`: {each.reason}" for each in found[:5])
        raise DataError(
            f"no column is left to learn from ({reasons}); say what to do with one by `features`"
        )
    return tuple(found)


def _check_said(feature: Feature, said: str) -> None:
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
    if types.is_integer_dtype(column) and distinct == len(column) > _FEWEST_FOR_IDENTIFIER:
        steps = column.sort_values().diff().iloc[1:]
        # Numbers that count the rows, with gaps where rows were held out.
        if float(steps.median()) <= 2 * max(1.0, float(steps.min())):
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
    share = distinct / len(present)
    if sample.str.split().str.len().mean() >= _WORDS and share > _FREE_SHARE:
        reason = "free text; make columns of it, as counts of words"
        warning = f"column `{name}` is free text, and is left out"
        return replace(feature, type="free text", treatment="drop", reason=reason, warning=warning)
    if distinct > _FEWEST_FOR_IDENTIFIER and share > _UNIQUE_SHARE:
        return _identifier(feature)
    return feature


def _watched(feature: Feature, column: Any, target: Any, task: Task, recipe: Recipe) -> Feature:
    score = _alone(feature, column, target, task, recipe.seed)
    if score < _LEAK:
        return feature
    return replace(
        feature,
        warning=f"column `{feature.name}` alone tells the target (score {score:.3f}): is it known "
        f"when the prediction is due? Leave it out with `drop`",
    )


def _alone(feature: Feature, column: Any, target: Any, task: Task, seed: int) -> float:
    """How well the column alone tells the target, on the half it was not learned from; 1: all."""
    import numpy
    import pandas

    count = min(len(column), _SAMPLE)
    chosen = numpy.random.default_rng(seed).permutation(len(column))[:count]
    values, wanted = column.iloc[chosen], target.iloc[chosen]
    half = count // 2
    if feature.treatment == "number" and feature.levels > 64:
        edges = numpy.unique(values.iloc[:half].dropna().quantile(numpy.linspace(0, 1, 65)))
        groups = pandas.Series(numpy.searchsorted(edges[1:-1], values.astype("float64")))
    else:
        groups = pandas.Series(pandas.factorize(values)[0])
    return _SCORES[task.kind](groups, wanted.reset_index(drop=True), half, task)


def _told(groups: Any, wanted: Any, half: int) -> Any:
    """The mean by group of the first half, for the rows of the second."""
    means = wanted[:half].groupby(groups[:half]).mean()
    return groups[half:].map(means).fillna(wanted[:half].mean()).to_numpy()


def _told_two(groups: Any, wanted: Any, half: int, task: Task) -> float:
    from sklearn.metrics import roc_auc_score

    flags = (wanted == task.positive).astype("float64")
    if flags[:half].nunique() < 2 or flags[half:].nunique() < 2:
        return 0.0
    return float(roc_auc_score(flags[half:], _told(groups, flags, half)))


def _told_several(groups: Any, wanted: Any, half: int, task: Task) -> float:
    modes = wanted[:half].groupby(groups[:half]).agg(lambda part: part.mode().iloc[0])
    common = float(wanted.value_counts(normalize=True).iloc[0])
    right = float((groups[half:].map(modes) == wanted[half:]).mean())
    return right if common < 0.9 else 0.0


def _told_number(groups: Any, wanted: Any, half: int, task: Task) -> float:
    wanted = wanted.astype("float64")
    spread = float(wanted[half:].var())
    error = float(((wanted[half:] - _told(groups, wanted, half)) ** 2).mean())
    return 1 - error / spread if spread > 0 else 0.0


_SCORES = {
    "binary": _told_two,
    "multiclass": _told_several,
    "regression": _told_number,
    "count": _told_number,
}


def used(features: Sequence[Feature], treatment: str) -> list[str]:
    """Names of the columns with this treatment, in order."""
    return [feature.name for feature in features if feature.treatment == treatment]
