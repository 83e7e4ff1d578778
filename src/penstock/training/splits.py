"""Which rows are learned from, which stop and choose, and which judge."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from penstock.errors import DataError
from penstock.training.recipe import Recipe
from penstock.training.tasks import Task

__all__ = ["Parts", "folds", "parted"]


@dataclass(frozen=True)
class Parts:
    """Positions of the rows: `learning` and `validation` make the model, `holdout` judges it."""

    kind: str
    learning: Any
    validation: Any
    holdout: Any

    @property
    def training(self) -> Any:
        """All rows but those of the hold-out, in order."""
        import numpy

        return numpy.sort(numpy.concatenate([self.learning, self.validation]))


def parted(rows: Any, target: Any, task: Task, recipe: Recipe) -> Parts:
    """The parts by the split of the recipe; raises `DataError` where one would be empty."""
    import numpy

    kind = recipe.split or ("stratified" if task.classifies else "random")
    everything = numpy.arange(len(rows))
    rest, holdout = _divided(kind, everything, rows, target, recipe.holdout, recipe)
    learning, validation = _divided(kind, rest, rows, target, recipe.validation, recipe)
    for name, part in (("learning", learning), ("validation", validation), ("holdout", holdout)):
        if len(part) < 2:
            raise DataError(
                f"the data has {len(rows)} rows, which leaves {len(part)} for the {name}; more are "
                "needed, or another share"
            )
        if task.classifies and name == "learning":
            _check_classes(target.iloc[part], task, kind)
    return Parts(kind, learning, validation, holdout)


def folds(parts: Parts, rows: Any, target: Any, recipe: Recipe) -> Iterator[tuple[Any, Any]]:
    """Positions to learn from and to predict, fold by fold, of all rows but the hold-out."""
    import numpy
    from sklearn import model_selection

    count, positions = recipe.folds, parts.training
    mixed = {"n_splits": count, "shuffle": True, "random_state": recipe.seed}
    groups = None
    if parts.kind == "time":
        by = rows[recipe.split_column].iloc[positions]
        positions = positions[numpy.argsort(by.to_numpy(), kind="stable")]
        splitter = model_selection.TimeSeriesSplit(count)
    elif parts.kind == "group":
        groups = rows[recipe.split_column].iloc[positions].astype(str)
        splitter = model_selection.GroupKFold(**mixed)
    elif parts.kind == "stratified":
        splitter = model_selection.StratifiedKFold(**mixed)
    else:
        splitter = model_selection.KFold(**mixed)
    try:
        for learning, asked in splitter.split(positions, target.iloc[positions], groups):
            yield positions[learning], positions[asked]
    except ValueError as error:
        raise DataError(f"{count} folds cannot be made of this data: {error}") from None


def _divided(
    kind: str, positions: Any, rows: Any, target: Any, share: float, recipe: Recipe
) -> tuple[Any, Any]:
    """The positions in two parts, the second with this share; both in order of the rows."""
    import numpy
    from sklearn import model_selection

    if kind == "time":
        by = rows[recipe.split_column].iloc[positions]
        if by.isna().any():
            raise DataError(f"column `{recipe.split_column}` has missing values; split by another")
        ordered = positions[numpy.argsort(by.to_numpy(), kind="stable")]
        # Rows of one time stay together: the same moment must not be on both sides.
        times = rows[recipe.split_column].iloc[ordered].to_numpy()
        cut = int(numpy.searchsorted(times, times[round(len(times) * (1 - share))], side="left"))
        return numpy.sort(ordered[:cut]), numpy.sort(ordered[cut:])
    try:
        if kind == "group":
            splitter = model_selection.GroupShuffleSplit(
                1, test_size=share, random_state=recipe.seed
            )
            groups = rows[recipe.split_column].iloc[positions].astype(str)
            first, second = next(splitter.split(positions, groups=groups))
        else:
            by = target.iloc[positions].to_numpy() if kind == "stratified" else None
            first, second = model_selection.train_test_split(
                numpy.arange(len(positions)),
                test_size=share,
                random_state=recipe.seed,
                stratify=by,
            )
    except ValueError as error:
        raise DataError(f"the rows cannot be split ({kind}): {error}") from None
    return numpy.sort(positions[first]), numpy.sort(positions[second])


def _check_classes(target: Any, task: Task, kind: str) -> None:
    there = set(target.unique().tolist())
    absent = [value for value in task.classes if value not in there]
    if absent:
        raise DataError(
            f"the class {absent[0]!r} is not among the rows to learn from; it is too rare for a "
            f"{kind} split: group classes, or split in another way"
        )
