"""Intervals around predicted numbers: as wide as rows that were not learned from say."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import DataError, PenstockError
from penstock.training.adjusting import IntervalRegressor
from penstock.training.crossing import asked
from penstock.training.fitting import Fit
from penstock.training.metrics import Predictions
from penstock.training.preparing import Prepared
from penstock.training.recipe import Recipe

__all__ = ["Intervals", "intervals"]

METHODS = ("residuals", "quantiles")


@dataclass(frozen=True)
class Intervals:
    """Intervals that hold this share of the truth; `method` is `residuals` or `quantiles`.

    Of residuals all are equally wide. With quantiles two more boosters learn both ends, and these
    are moved (Romano, Patterson and Candès, Conformalized Quantile Regression, 2019).
    """

    coverage: float
    method: str

    def around(
        self, pipeline: Any, unseen: Predictions, fit: Fit, found: Prepared, recipe: Recipe
    ) -> Any:
        """The fitted pipeline with an interval; `unseen` are its answers to rows not learned from.

        Raises `DataError` where these are too few to say how wide it must be.
        """
        from sklearn.pipeline import Pipeline

        *steps, (name, model) = pipeline.steps
        least = 0.0 if found.task.kind == "count" else None
        if self.method == "residuals":
            width = self._reach(abs(unseen.truth - unseen.scores))
            last = IntervalRegressor(model, width, width, least=least)
        else:
            last = self._between(model, fit, found, recipe, least)
        return Pipeline([*steps, (name, last)])

    def _between(
        self, model: Any, fit: Fit, found: Prepared, recipe: Recipe, least: float | None
    ) -> IntervalRegressor:
        import numpy

        parts, rest = found.parts, (1 - self.coverage) / 2
        fitted = [
            fit.fit(_quantile(recipe, level), parts.learning, parts.validation).pipeline
            for level in (rest, 1 - rest)
        ]
        low, high = (asked(each, found, parts.validation) for each in fitted)
        outside = numpy.maximum(low.scores - low.truth, high.truth - high.scores)
        moved = self._reach(outside)
        lower, upper = (each[-1] for each in fitted)
        return IntervalRegressor(model, moved, moved, lower=lower, upper=upper, least=least)

    def _reach(self, distances: Any) -> float:
        """The distance that this share of rows, and of the next one, is within."""
        import numpy

        place = math.ceil((len(distances) + 1) * self.coverage)
        if place > len(distances):
            fewest = math.ceil(self.coverage / (1 - self.coverage))
            raise DataError(
                f"`intervals`: {len(distances)} rows that were not learned from are too few for a "
                f"share of {self.coverage:g}; it takes {fewest}"
            )
        return float(numpy.sort(distances)[place - 1])


def intervals(recipe: Recipe, kind: str) -> Intervals | None:
    """What the recipe asks for; raises `PenstockError` for what there is not."""
    wanted = recipe.intervals
    if wanted is None:
        return None
    told = dict(wanted) if isinstance(wanted, Mapping) else {"coverage": wanted}
    coverage, method = told.pop("coverage", 0.9), told.pop("method", METHODS[0])
    number = isinstance(coverage, (int, float)) and not isinstance(coverage, bool)
    if told or method not in METHODS or not number or not 0 < coverage < 1:
        raise PenstockError(
            f"`intervals` is {wanted!r}; it must be a share as 0.9, or "
            '{coverage = 0.9, method = "quantiles"}'
        )
    if kind not in ("regression", "count"):
        raise PenstockError(f"`intervals`: the task is {kind}, and they are around numbers")
    if method == "quantiles" and (recipe.algorithm != "gbm" or recipe.folds or recipe.offset):
        raise PenstockError(
            '`intervals`: quantiles are for algorithm "gbm" without `folds` and `offset`; '
            'take method "residuals"'
        )
    return Intervals(float(coverage), method)


def _quantile(recipe: Recipe, level: float) -> Recipe:
    return recipe.but(parameters={**recipe.parameters, "objective": "quantile", "alpha": level})
