"""What a training gives: a model, how good it is, and everything that led to it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.model import Model
from penstock.training.columns import Feature
from penstock.training.metrics import LARGER, PRIMARY, Predictions
from penstock.training.preparing import Prepared
from penstock.training.recipe import Recipe

__all__ = ["Result"]


@dataclass(frozen=True)
class Result:
    """A trained model.

    `model` answers as `pipeline` does, which is the fitted one of the source libraries. `metrics`
    are those of the held-out rows, predicted by `model`. `threshold` was chosen on rows that it was
    not learned from, and is None but for two classes. `folds` has the metrics of each fold and
    `out_of_fold` what was predicted there, a frame by row of the data; both are empty without
    `folds`. `seconds` are those of fitting and converting.
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

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the artifact; a file is replaced whole or not at all."""
        self.model.save(path)

    def summary(self) -> str:
        """Features, metrics and threshold as text, for people."""
        width = max(len(each.name) for each in self.features)
        lines = [f"{self.recipe.algorithm}, {self.task}: `{self.recipe.target}`", "", "columns"]
        for each in self.features:
            reason = f"  ({each.reason})" if each.reason else ""
            lines.append(f"  {each.name:<{width}}  {each.type:<9}  {each.treatment}{reason}")
        lines += ["", f"metrics on {len(self.holdout.truth):,} held-out rows"]
        for name, value in self.metrics.items():
            order = "" if name in (*LARGER, "precision", "recall") else "  (less is better)"
            lines.append(f"  {name:<18} {value:.4f}{order}")
        if self.threshold is not None:
            lines.append(f"  at the threshold   {self.threshold:.4f}")
        return "\n".join(lines)
