"""From data and a recipe to rows, target, task, parts and features: what every training shares."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import DataError, PenstockError
from penstock.training import memory, source
from penstock.training.algorithms import algorithm
from penstock.training.columns import Feature, proposed, readable, used
from penstock.training.events import Event, Listener
from penstock.training.recipe import WITHOUT_TARGET, Recipe
from penstock.training.splits import Parts, parted
from penstock.training.tasks import Task, recognized

__all__ = ["Prepared", "prepared"]

# scikit-learn's guide: isotonic calibration overfits with much less than a thousand rows.
FEWEST_ISOTONIC = 1_000


@dataclass(frozen=True)
class Prepared:
    """Rows without the target, the target, and what was found out about both.

    `weights` are those of rows and classes, for learning; `row_weights` those of rows, for metrics.
    Without a target to learn, `target` is one to judge by, where it may be missing, or `None`.
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

    def truth(self, positions: Any) -> Any:
        """The target of these rows as an array, if there is one."""
        return None if self.target is None else self.target.iloc[positions].to_numpy()


def prepared(data: Any, recipe: Recipe, tell: Listener) -> Prepared:
    """Raises `PenstockError` and `DataError` for what cannot be trained on."""
    frame, odd = source.frame(data, recipe.types)
    frame, target, warnings = _targeted(frame, recipe)
    warnings = [*odd, *warnings]
    rows, changed = readable(frame)
    task = recognized(target, recipe)
    if recipe.algorithm != "auto":
        algorithm(recipe.algorithm, task)  # refused before any work
    if task.targeted and not task.classifies:
        target = target.astype("float64")
    tell(Event("data", _summary(rows, recipe, task), {"rows": len(rows), "task": task.kind}))
    parts = parted(rows, target, task, recipe)
    learned = rows.iloc[parts.training]
    known = target.iloc[parts.training] if task.targeted else None
    features = proposed(learned, known, task, recipe)
    # No text is an empty one; the artifact takes it so as well.
    rows = rows.assign(**{name: rows[name].fillna("") for name in used(features, "text")})
    warnings += [*changed, *(each.warning for each in features if each.warning)]
    for feature in features:
        if feature.treatment == "drop" and not feature.warning:
            text = f"column `{feature.name}` is left out: {feature.reason}"
            tell(Event("feature", text, {"column": feature.name, "reason": feature.reason}))
    if recipe.calibration == "isotonic" and len(parts.validation) < FEWEST_ISOTONIC:
        warnings.append(
            f"`calibration` is isotonic, and has {len(parts.validation):,} validation rows; "
            f"fewer than {FEWEST_ISOTONIC:,} make it worse; take sigmoid, or more rows by "
            "`validation`"
        )
    for warning in warnings:
        tell(Event("warning", warning))
    estimate = memory.check(learned, features, recipe)
    tell(_plan(parts, features, estimate))
    _check_offset(rows, recipe, task)
    by_row = _row_weights(rows, recipe)
    weights = _with_classes(by_row, target, task, recipe)
    return Prepared(rows, target, task, parts, features, weights, by_row, tuple(warnings))


def _targeted(frame: Any, recipe: Recipe) -> tuple[Any, Any, list[str]]:
    """The rows without the target, the target if there is one, and warnings."""
    if not recipe.target:
        return frame, None, []
    if recipe.target not in frame.columns:
        there = ", ".join(f"`{name}`" for name in frame.columns[:30])
        raise PenstockError(f"`target` is `{recipe.target}`, which is no column; there are {there}")
    warnings: list[str] = []
    if recipe.algorithm not in WITHOUT_TARGET:
        frame, warnings = _complete(frame, recipe)
    return frame.drop(columns=recipe.target), frame[recipe.target], warnings


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
    if not recipe.target:
        return f"{len(rows):,} rows, {rows.shape[1]} columns; {task.kind}"
    what = f"{task.kind} ({task.reason})"
    if task.positive is not None:
        what += f", positive: {task.positive!r}"
    return f"{len(rows):,} rows, {rows.shape[1]} columns; `{recipe.target}` is {what}"


def _plan(parts: Parts, features: tuple[Feature, ...], estimate: int) -> Event:
    words = {"number": "of numbers", "levels": "of levels", "dates": "of dates", "text": "of text"}
    counts = {word: sum(each.treatment == word for each in features) for word in words}
    told = ", ".join(f"{count} {words[word]}" for word, count in counts.items() if count)
    rows = (len(parts.learning), len(parts.validation), len(parts.holdout))
    stopping = f"{rows[1]:,} to stop by, " if rows[1] else ""
    return Event(
        "step",
        f"columns: {told}; {parts.kind} split: {rows[0]:,} rows to learn from, "
        f"{stopping}{rows[2]:,} held out; about {estimate / 1e9:.2g} GB of memory",
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
