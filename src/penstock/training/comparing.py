"""`penstock.compare`: two artifacts on the same rows, with intervals, disagreements, segments."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.errors import DataError, PenstockError
from penstock.model import Model, load
from penstock.training import source
from penstock.training.metrics import LARGER, PRIMARY, Predictions, measured, predictions
from penstock.training.recipe import Recipe
from penstock.training.segments import Segment, segments
from penstock.training.tasks import Task, recognized

__all__ = ["Comparison", "Difference", "compare"]

RESAMPLES, FEWER_RESAMPLES, MANY_ROWS = 200, 100, 20_000
SHOWN_SEGMENTS = 8


@dataclass(frozen=True)
class Difference:
    """A metric of both, second less first, and the interval of that in 95 of 100 resamples."""

    metric: str
    first: float
    second: float
    low: float
    high: float

    @property
    def worse(self) -> bool:
        """Whether the whole interval says that the second is worse."""
        return (
            self.high < 0
            if self.metric in (*LARGER, "precision", "recall", "coverage")
            else self.low > 0
        )


@dataclass(frozen=True)
class Comparison:
    """Two models on the same rows; `disagreement` is the share of rows with other labels.

    Of numbers it is the mean difference over the spread of the truth. `segments` are the levels of
    columns in which the second loses most against the first.
    """

    task: str
    rows: int
    differences: tuple[Difference, ...]
    disagreement: float
    segments: tuple[tuple[Segment, float], ...]

    @property
    def primary(self) -> Difference:
        """The metric that comes first."""
        return next(each for each in self.differences if each.metric == PRIMARY[self.task])

    def metrics(self, which: int) -> dict[str, float]:
        """The metrics of the first (0) or the second (1)."""
        return {each.metric: (each.first, each.second)[which] for each in self.differences}

    def summary(self) -> str:
        """All of it as text, for people."""
        lines = [f"{self.task}, {self.rows:,} rows", ""]
        lines.append(f"{'metric':<18} {'first':>9} {'second':>9} {'change':>9}  95 % of resamples")
        for each in self.differences:
            lines.append(
                f"{each.metric:<18} {each.first:>9.4f} {each.second:>9.4f} "
                f"{each.second - each.first:>+9.4f}  {each.low:+.4f} to {each.high:+.4f}"
                + ("  worse" if each.worse else "")
            )
        word = "rows with another label" if self.task in _CLASSES else "difference, in spreads"
        lines += ["", f"{word}: {self.disagreement:.4f}"]
        if self.segments:
            lines += ["", f"where the second does worst ({self.primary.metric}; first, second)"]
        for segment, other in self.segments:
            lines.append(
                f"  {segment.name}: {other:.4f}, {segment.value:.4f}  ({segment.rows:,} rows)"
            )
        return "\n".join(lines)


_CLASSES = ("binary", "multiclass")


def compare(
    first: Model | str | os.PathLike[str],
    second: Model | str | os.PathLike[str],
    data: Any,
    target: str,
    *,
    positive: Any = None,
    seed: int = 0,
) -> Comparison:
    """Both models, or artifact files, on the rows of the data whose column `target` is known.

    Raises `PenstockError` for models that answer different questions.
    """
    models = [each if isinstance(each, Model) else load(each) for each in (first, second)]
    frame, _ = source.frame(data)
    if target not in frame.columns:
        raise PenstockError(f"`target` is `{target}`, which is no column of the data")
    frame = frame[frame[target].notna()].reset_index(drop=True)
    task = _task(models, frame[target], Recipe(target=target, positive=positive))
    truth = frame[target].to_numpy()
    rows = frame.drop(columns=target)
    found = [predictions(model, _inputs(model, rows), truth, task) for model in models]
    cuts = [_threshold(model, task) for model in models]
    return Comparison(
        task.kind,
        len(rows),
        _differences(found, cuts, task, seed),
        _disagreement(found, cuts, task),
        tuple(_segments(rows, found, task)),
    )


def _threshold(model: Model, task: Task) -> float | None:
    """From where on the model says yes: as trained by `penstock.train`, or one half."""
    if task.kind != "binary":
        return None
    told = model.manifest["provenance"].get("training", {})
    return float(told["threshold"]) if told.get("positive") == task.positive else 0.5


def _task(models: Sequence[Model], truth: Any, recipe: Recipe) -> Task:
    classes = [_classes(model) for model in models]
    if classes[0] != classes[1]:
        raise PenstockError(
            "the models answer different questions: one has the classes "
            f"{list(classes[0] or ())}, the other {list(classes[1] or ())}"
        )
    if classes[0] is None:
        kind = models[0].manifest["provenance"].get("training", {}).get("task")
        return recognized(truth, recipe.but(task="count" if kind == "count" else "regression"))
    unknown = [value for value in truth.unique().tolist() if value not in classes[0]]
    if unknown:
        raise DataError(
            f"column `{recipe.target}` has the value {unknown[0]!r}, which is no class of the "
            f"models: {list(classes[0])}"
        )
    if len(classes[0]) > 2:
        return Task("multiclass", "as the models say", classes[0])
    said = [value for value in classes[0] if str(value) == str(recipe.positive)]
    if recipe.positive is not None and not said:
        raise PenstockError(f"`positive` is {recipe.positive!r}, which is no class of the models")
    return Task("binary", "as the models say", classes[0], said[0] if said else classes[0][-1])


def _classes(model: Model) -> tuple[Any, ...] | None:
    for output in model.schema.outputs:
        if output.name == "probability" and output.names is not None:
            return tuple(output.names)
    if any(output.name == "value" for output in model.schema.outputs):
        return None
    raise PenstockError(f"`{model.name}` answers with neither probabilities nor a value")


def _inputs(model: Model, rows: Any) -> Any:
    """The columns that the model knows; it says itself which ones are missing."""
    known = {str(field.name) for field in model.schema.inputs}
    return rows[[name for name in rows.columns if name in known]]


def _differences(
    found: Sequence[Predictions], cuts: Sequence[float | None], task: Task, seed: int
) -> tuple[Difference, ...]:
    """Both are measured on the same resampled rows, so that what both find hard cancels out."""
    import warnings

    import numpy

    pairs = list(zip(found, cuts, strict=True))
    first, second = (measured(each, task, cut) for each, cut in pairs)
    count = len(found[0].truth)
    random = numpy.random.default_rng(seed)
    times = RESAMPLES if count < MANY_ROWS else FEWER_RESAMPLES
    # Only one of them may have intervals.
    names = [name for name in first if name in second]
    gaps: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(times):
        chosen = random.integers(0, count, count)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pair = [measured(each.chosen(chosen), task, cut) for each, cut in pairs]
        for name in gaps:
            gaps[name].append(pair[1][name] - pair[0][name])
    ends = {name: numpy.nanquantile(gap, (0.025, 0.975)) for name, gap in gaps.items()}
    return tuple(
        Difference(name, first[name], second[name], float(ends[name][0]), float(ends[name][1]))
        for name in names
    )


def _disagreement(found: Sequence[Predictions], cuts: Sequence[float | None], task: Task) -> float:
    import numpy

    first, second = found[0].scores, found[1].scores
    if task.kind == "multiclass":
        return float((first.argmax(axis=1) != second.argmax(axis=1)).mean())
    if task.kind == "binary":
        return float(((first >= cuts[0]) != (second >= cuts[1])).mean())
    return float(abs(first - second).mean() / max(numpy.std(found[0].truth), 1e-15))


def _segments(rows: Any, found: Sequence[Predictions], task: Task) -> list[tuple[Segment, float]]:
    values: Mapping[str, float] = {each.name: each.value for each in segments(rows, found[0], task)}
    sign = -1 if PRIMARY[task.kind] in LARGER else 1
    pairs = [(each, values[each.name]) for each in segments(rows, found[1], task)]
    pairs.sort(key=lambda pair: -sign * (pair[0].value - pair[1]))
    return pairs[:SHOWN_SEGMENTS]
