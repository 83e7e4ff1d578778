"""What kind of question a target asks: two classes, several, a number, or a count."""

from dataclasses import dataclass
from typing import Any

from penstock.errors import DataError, PenstockError
from penstock.training.recipe import Recipe

__all__ = ["Task", "recognized"]

MOST_CLASSES = 100
MOST_COUNTED = 1000


@dataclass(frozen=True)
class Task:
    """The kind of the target, why it is taken for that, and its classes in order, if any."""

    kind: str
    reason: str
    classes: tuple[Any, ...] = ()
    positive: Any = None

    @property
    def classifies(self) -> bool:
        """Whether classes are predicted."""
        return self.kind in ("binary", "multiclass")


def recognized(target: Any, recipe: Recipe) -> Task:
    """The task of a column without missing values; raises `DataError` for one that cannot be."""
    values = sorted(target.unique().tolist(), key=lambda value: (str(type(value)), value))
    if len(values) < 2:
        raise DataError(
            f"column `{recipe.target}` has only the value {values[:1]}, so there is nothing to "
            "learn; choose another target"
        )
    kind, reason = _seen(target, values)
    if recipe.task is not None:
        kind, reason = recipe.task, "as said"
    if kind not in ("binary", "multiclass"):
        if not _numeric(target):
            raise DataError(f"`task` is {kind!r}, and column `{recipe.target}` holds no numbers")
        if kind == "count" and float(target.min()) < 0:
            raise DataError(f"`task` is 'count', and column `{recipe.target}` has negative values")
        return Task(kind, reason)
    if kind == "binary" and len(values) != 2:
        raise DataError(
            f"`task` is 'binary', and column `{recipe.target}` has {len(values)} values; say "
            "`multiclass`, or make it two"
        )
    if len(values) > MOST_CLASSES:
        raise DataError(
            f"column `{recipe.target}` has {len(values)} values, more than {MOST_CLASSES} classes; "
            "group them, or say `regression` if they are numbers"
        )
    return Task(kind, reason, tuple(values), _positive(values, recipe))


def _numeric(target: Any) -> bool:
    from pandas.api import types

    return bool(types.is_numeric_dtype(target)) and not types.is_bool_dtype(target)


def _seen(target: Any, values: list[Any]) -> tuple[str, str]:
    numeric = _numeric(target)
    whole = numeric and all(float(value).is_integer() for value in values)
    if len(values) == 2 and (whole or not numeric):
        return "binary", "two values"
    if not numeric:
        return "multiclass", f"{len(values)} values that are no numbers"
    if whole and values[0] >= 0 and values[0] <= 1 and values[-1] <= MOST_COUNTED:
        return "count", f'whole numbers from {values[0]:g}; for classes say task="multiclass"'
    return "regression", "numbers"


def _positive(values: list[Any], recipe: Recipe) -> Any:
    """The class that metrics of two classes are about: as said, else the last one in order."""
    if recipe.positive is None:
        return values[-1] if len(values) == 2 else None
    same = [value for value in values if value == recipe.positive or str(value) == recipe.positive]
    if not same:
        raise PenstockError(
            f"`positive` is {recipe.positive!r}, which column `{recipe.target}` never is; it is "
            + ", ".join(repr(value) for value in values[:10])
        )
    return same[0]
