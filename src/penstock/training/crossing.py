"""Cross-validation: a pipeline per fold, and what each predicts of the rows it has not seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.training.events import Event, Listener
from penstock.training.fitting import Fit
from penstock.training.metrics import PRIMARY, Predictions, measured
from penstock.training.preparing import Prepared
from penstock.training.recipe import Recipe
from penstock.training.splits import folds

__all__ = ["Checked", "CrossValidation", "asked"]


@dataclass(frozen=True)
class Checked:
    """Metrics by fold, all that was predicted out of fold, and the mean number of trees.

    `frame` has the same by row of the data: `fold`, `truth`, and `prediction`, or a column
    `probability_<class>` for several classes.
    """

    scores: tuple[Mapping[str, float], ...]
    pooled: Predictions
    frame: Any
    trees: int | None


@dataclass(frozen=True)
class CrossValidation:
    """The folds of a recipe."""

    fit: Fit
    found: Prepared
    recipe: Recipe
    tell: Listener

    def run(self) -> Checked:
        """Fits all folds; boosters stop by the fold that they are asked about."""
        import numpy
        import pandas

        scores, frames, trees = [], [], []
        split = folds(self.found.parts, self.found.rows, self.found.target, self.recipe)
        for number, (learning, asking) in enumerate(split, 1):
            fitted = self.fit.fit(self.recipe, learning, asking)
            answers = asked(fitted.pipeline, self.found, asking)
            metrics = measured(answers, self.found.task)
            scores.append(metrics)
            trees.append(fitted.trees)
            frames.append(pandas.DataFrame(_columns(answers, self.found, number), index=asking))
            name = PRIMARY[self.found.task.kind]
            text = f"fold {number} of {self.recipe.folds}: {name} {metrics[name]:.4f}"
            self.tell(Event("fold", text, {"fold": number, **metrics}))
        frame = pandas.concat(frames).sort_index(kind="stable")
        names = [name for name in frame.columns if name not in ("fold", "truth")]
        pooled = Predictions(
            frame["truth"].to_numpy(),
            frame[names[0]].to_numpy() if len(names) == 1 else frame[names].to_numpy(),
            self.found.weighted(frame.index.to_numpy()),
        )
        counted = [count for count in trees if count is not None]
        mean = max(1, round(float(numpy.mean(counted)))) if counted else None
        return Checked(tuple(scores), pooled, frame, mean)


def _columns(answers: Predictions, found: Prepared, number: int) -> dict[str, Any]:
    columns = {"fold": number, "truth": answers.truth}
    if found.task.kind != "multiclass":
        return columns | {"prediction": answers.scores}
    for at, name in enumerate(found.task.classes):
        columns[f"probability_{name}"] = answers.scores[:, at]
    return columns


def asked(pipeline: Any, found: Prepared, at: Any) -> Predictions:
    """What a pipeline answers to the rows at these positions."""
    import warnings

    rows, truth = found.rows.iloc[at], found.target.iloc[at].to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not found.task.classifies:
            scores = pipeline.predict(rows)
        else:
            scores = pipeline.predict_proba(rows)
    if found.task.kind == "binary":
        scores = scores[:, found.task.classes.index(found.task.positive)]
    return Predictions(truth, scores, found.weighted(at))
