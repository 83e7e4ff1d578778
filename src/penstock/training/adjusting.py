"""Regressors around others: an offset on the raw score, an interval around the value."""

from typing import Any

__all__ = ["IntervalRegressor", "OffsetRegressor"]


class OffsetRegressor:
    """LightGBM, with the last column added to its raw score: what of it is known beforehand.

    `link`: `identity`, or `exp` for counts. Once fitted, `start` is added as well, which is what is
    best without any tree.
    """

    def __init__(self, regressor: Any, link: str) -> None:
        self.regressor = regressor
        self.link = link
        self.start = 0.0

    def fit(self, matrix: Any, target: Any, *, eval_set: Any = (), **options: Any) -> Any:
        """Takes what LightGBM's `fit` takes; matrices have the offset as their last column."""
        weights = options.get("sample_weight")
        self.start = self._start(self._offset(matrix), target, weights)
        if eval_set:
            options["eval_set"] = [(asked[:, :-1], truth) for asked, truth in eval_set]
            options["eval_init_score"] = [self._offset(asked) + self.start for asked, _ in eval_set]
        first = self._offset(matrix) + self.start
        self.regressor.fit(matrix[:, :-1], target, init_score=first, **options)
        return self

    def predict(self, matrix: Any) -> Any:
        """The value of each row."""
        import numpy

        raw = self.raw(matrix)
        return numpy.exp(raw) if self.link == "exp" else raw

    def raw(self, matrix: Any) -> Any:
        """The sum of the trees and the offset; raises `ValueError` where there is no offset."""
        trees = self.regressor.predict(matrix[:, :-1], raw_score=True)
        return trees + self._offset(matrix) + self.start

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self.regressor, "booster_")

    def __sklearn_tags__(self) -> Any:
        return self.regressor.__sklearn_tags__()

    def _offset(self, matrix: Any) -> Any:
        import numpy

        offset = numpy.asarray(matrix[:, -1], dtype="float64")
        if not numpy.isfinite(offset).all():
            raise ValueError("the offset is missing or infinite")
        return offset

    def _start(self, offset: Any, target: Any, weights: Any) -> float:
        import numpy

        if self.link == "exp":
            total = numpy.average(target, weights=weights)
            return float(numpy.log(total / numpy.average(numpy.exp(offset), weights=weights)))
        return float(numpy.average(target - offset, weights=weights))


class IntervalRegressor:
    """A fitted regressor, and an interval that holds the truth as often as was asked for.

    It reaches from `below` less than what `lower` answers to `above` more than what `upper` does,
    which is the regressor itself if there are none. Neither end is less than `least`.
    """

    def __init__(
        self,
        regressor: Any,
        below: float,
        above: float,
        *,
        lower: Any = None,
        upper: Any = None,
        least: float | None = None,
    ) -> None:
        self.regressor = regressor
        self.lower, self.upper = lower, upper
        self.below, self.above = below, above
        self.least = least

    def fit(self, matrix: Any, target: Any) -> Any:
        """Nothing: it is made of what is fitted."""
        return self

    def predict(self, matrix: Any) -> Any:
        """The value of each row."""
        return self.regressor.predict(matrix)

    def predict_interval(self, matrix: Any) -> Any:
        """Both ends, a row for each."""
        import numpy

        ends = [
            numpy.asarray((model or self.regressor).predict(matrix), dtype="float64") + moved
            for model, moved in ((self.lower, -self.below), (self.upper, self.above))
        ]
        both = numpy.column_stack(ends)
        return both if self.least is None else numpy.maximum(both, self.least)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        return self.regressor.__sklearn_tags__()
