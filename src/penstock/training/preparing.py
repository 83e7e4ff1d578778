"""From data and a recipe to rows, target, task, parts and features: what every training shares."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import DataError, PenstockError
from penstock.training import memory, source
from penstock.training.algorithms import algorithm
from penstock.training.columns import Feature, proposed, readable
from penstock.training.events import Event, Listener
from penstock.training.recipe import Recipe
from penstock.training.splits import Parts, parted
from penstock.training.tasks import Task, recognized

__all__ = ["Prepared", "prepared"]


@dataclass(frozen=True)
class Prepared:
    """Rows without the target, the target, and what was found out about both.

    `weights` are those of rows and classes, for learning; `row_weights` those of rows, for metrics.
    """

    rows: Any
    target: Any
    task: Task
    parts: Parts
    features: tuple[Feature, ...]
    weights: Any
    row_weights: Any
    warnings: tuple[str, ...]

    def weighted(self, positions: Any) -> Any:
        """Weights of these rows for metrics, if there are any."""
        return None if self.row_weights is None else self.row_weights[positions]


def prepared(data: Any, recipe: Recipe, tell: Listener) -> Prepared:
    """Raises `PenstockError` and `DataError` for what cannot be trained on."""
    frame, odd = source.frame(data, recipe.types)
    if recipe.target not in frame.columns:
        there = ", ".join(f"`{name}`" for name in frame.columns[:30])
        raise PenstockError(f"`target` is `{recipe.target}`, which is no column; there are {there}")
    frame, warnings = _complete(frame, recipe)
    warnings = [*odd, *warnings]
    target = frame[recipe.target]
    rows, changed = readable(frame.drop(columns=recipe.target))
    task = recognized(target, recipe)
    if recipe.algorithm != "auto":
        algorithm(recipe.algorithm, task)  # refused before any work
    if not task.classifies:
        target = target.astype("float64")
    tell(Event("data", _summary(rows, recipe, task), {"rows": len(rows), "task": task.kind}))
    parts = parted(rows, target, task, recipe)
    learned = rows.iloc[parts.training]
    features = proposed(learned, target.iloc[parts.training], task, recipe)
    warnings += [*changed, *(each.warning for each in features if each.warning)]
    for feature in features:
        if feature.treatment == "drop" and not feature.warning:
            text = f"column `{feature.name}` is left out: {feature.reason}"
            tell(Event("feature", text, {"column": feature.name, "reason": feature.reason}))
    for warning in warnings:
        tell(Event("warning", warning))
    estimate = memory.check(learned, features, recipe)
    tell(_plan(parts, features, estimate))
    _check_offset(rows, recipe, task)
    by_row = _row_weights(rows, recipe)
    weights = _with_classes(by_row, target, task, recipe)
    return Prepared(rows, target, task, parts, features, weights, by_row, tuple(warnings))


def _complete(frame: Any, recipe: Recipe) -> tuple[Any, list[str]]:
    """The rows that have a target."""
    there = frame[recipe.target].notna()
    if there.all():
        return frame, []
    count = int((~there).sum())
    if count == len(frame):
        raise DataError(f"column `{recipe.target}` is missing in every row")
    frame = frame[there].reset_index(drop=True)
    return frame, [f"{count:,} rows without `{recipe.target}` are left out"]


def _summary(rows: Any, recipe: Recipe, task: Task) -> str:
    what = f"{task.kind} ({task.reason})"
    if task.kind == "binary":
        what += f", positive: {task.positive!r}"
    return f"{len(rows):,} rows, {rows.shape[1]} columns; `{recipe.target}` is {what}"


def _plan(parts: Parts, features: tuple[Feature, ...], estimate: int) -> Event:
    words = {"number": "of numbers", "levels": "of levels", "dates": "of dates"}
    counts = {word: sum(each.treatment == word for each in features) for word in words}
    told = ", ".join(f"{count} {words[word]}" for word, count in counts.items() if count)
    rows = (len(parts.learning), len(parts.validation), len(parts.holdout))
    return Event(
        "step",
        f"columns: {told}; {parts.kind} "
        f"split: {rows[0]:,} rows to learn from, {rows[1]:,} to stop by, {rows[2]:,} held out; "
        f"about {estimate / 1e9:.2g} GB of memory",
        {"learning": rows[0], "validation": rows[1], "holdout": rows[2], "bytes": estimate},
    )


def _check_offset(rows: Any, recipe: Recipe, task: Task) -> None:
    import numpy
    from pandas.api import types

    if recipe.offset is None:
        return
    if task.classifies:
        raise PenstockError(f"`offset`: the task is {task.kind}; it is for numbers and counts")
    column = rows[recipe.offset]
    if not types.is_numeric_dtype(column):
        raise DataError(f"`offset`: column `{recipe.offset}` holds no numbers")
    if not numpy.isfinite(column.to_numpy(dtype="float64", na_value=numpy.nan)).all():
        raise DataError(f"`offset`: column `{recipe.offset}` has values missing or infinite")


def _row_weights(rows: Any, recipe: Recipe) -> Any:
    import numpy
    from pandas.api import types

    if recipe.weight is None:
        return None
    column = rows[recipe.weight]
    if not types.is_numeric_dtype(column):
        raise DataError(f"`weight`: column `{recipe.weight}` holds no numbers")
    weights = column.to_numpy(dtype="float64", na_value=numpy.nan)
    if not (numpy.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
        raise DataError(
            f"`weight`: column `{recipe.weight}` has weights that are missing, negative or infinite"
        )
    return weights


def _with_classes(weights: Any, target: Any, task: Task, recipe: Recipe) -> Any:
    import numpy

    if recipe.class_weight is None:
        return weights
    if not task.classifies:
        raise PenstockError("`class_weight` is for classes, and the target is a number")
    counts = target.value_counts()
    if recipe.class_weight == "balanced":
        by_class = {each: len(target) / (len(counts) * count) for each, count in counts.items()}
    elif isinstance(recipe.class_weight, Mapping):
        said = {str(each): float(weight) for each, weight in recipe.class_weight.items()}
        unknown = sorted(set(said) - {str(each) for each in task.classes})
        if unknown:
            raise PenstockError(f"`class_weight` names `{unknown[0]}`, which is no class")
        by_class = {each: said.get(str(each), 1.0) for each in task.classes}
    else:
        raise PenstockError(
            f'`class_weight` is {recipe.class_weight!r}; it must be "balanced" or weights by class'
        )
    factors = target.map(by_class).to_numpy(dtype="float64")
    return factors if weights is None else numpy.asarray(weights * factors)
