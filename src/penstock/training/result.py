"""What a training gives: a model, how good it is, and everything that led to it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.errors import PenstockError
from penstock.model import Model
from penstock.training.columns import Feature
from penstock.training.metrics import LARGER, PRIMARY, Predictions
from penstock.training.preparing import Prepared
from penstock.training.recipe import Recipe
from penstock.training.searching import Entry

__all__ = ["Result"]


@dataclass(frozen=True)
class Result:
    """A trained model.

    `model` answers as `pipeline` does, which is the fitted one of the source libraries. `metrics`
    are those of the held-out rows, predicted by `model`. `threshold` was chosen on rows that it was
    not learned from, and is None but for two classes. `folds` has the metrics of each fold and
    `out_of_fold` what was predicted there, a frame by row of the data; both are empty without
    `folds`. `leaderboard` is that of "auto". `seconds` are those of fitting and converting.
    """

    model: Model
    pipeline: Any
    recipe: Recipe
    prepared: Prepared = field(repr=False)
    metrics: Mapping[str, float]
    holdout: Predictions = field(repr=False)
    threshold: float | None
    trees: int | None
    seconds: float
    leaderboard: tuple[Entry, ...] = field(default=(), repr=False)
    taking: Callable[[int], "Result"] | None = field(default=None, repr=False)
    folds: tuple[Mapping[str, float], ...] = ()
    out_of_fold: Any = field(default=None, repr=False)

    @property
    def task(self) -> str:
        """`binary`, `multiclass`, `regression` or `count`."""
        return self.prepared.task.kind

    @property
    def features(self) -> tuple[Feature, ...]:
        """Every column of the data, and what became of it."""
        return self.prepared.features

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about the data."""
        return self.prepared.warnings

    @property
    def primary(self) -> tuple[str, float]:
        """The metric that comes first, and its value."""
        name = PRIMARY[self.task]
        return name, self.metrics[name]

    def take(self, place: int) -> "Result":
        """The entry of the leaderboard at this place, fitted and converted anew; 0 is the best."""
        if self.taking is None or not 0 <= place < len(self.leaderboard):
            raise PenstockError(
                f"the leaderboard has no place {place}; it has {len(self.leaderboard)}"
            )
        return self.taking(place)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the artifact; a file is replaced whole or not at all."""
        self.model.save(path)

    def report(self, path: str | os.PathLike[str]) -> None:
        """Writes a report, one HTML file; it takes some seconds, and matplotlib."""
        from penstock.training.report import write

        write(self, path)

    def summary(self) -> str:
        """Features, metrics and threshold as text, for people."""
        width = max(len(each.name) for each in self.features)
        lines = [f"{self.recipe.algorithm}, {self.task}: `{self.recipe.target}`", "", "columns"]
        for each in self.features:
            reason = f"  ({each.reason})" if each.reason else ""
            lines.append(f"  {each.name:<{width}}  {each.type:<9}  {each.treatment}{reason}")
        for place, entry in enumerate(self.leaderboard):
            lines += ["", "leaderboard"] if place == 0 else []
            word = "  by default" if entry.baseline else ""
            lines.append(
                f"  {place:>3}  {entry.algorithm:<8} {entry.metric} {entry.score:.4f}"
                f"  {entry.seconds:.1f} s{word}"
            )
        lines += ["", f"metrics on {len(self.holdout.truth):,} held-out rows"]
        for name, value in self.metrics.items():
            order = (
                "" if name in (*LARGER, "precision", "recall", "coverage") else "  (less is better)"
            )
            lines.append(f"  {name:<18} {value:.4f}{order}")
        if self.threshold is not None:
            lines.append(f"  at the threshold   {self.threshold:.4f}")
        return "\n".join(lines)
