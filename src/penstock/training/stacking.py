"""The ensemble at the end of a search: the best of each algorithm, weighed by another model."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penstock.training.crossing import asked
from penstock.training.events import Event, Listener
from penstock.training.fitting import Fit, Fitted
from penstock.training.metrics import PRIMARY, Predictions, measured
from penstock.training.preparing import Prepared
from penstock.training.recipe import Recipe
from penstock.training.searching import Entry

__all__ = ["ENSEMBLE", "Stack", "stacked"]

ENSEMBLE = "ensemble"
MOST_MEMBERS = 4
FOLDS = 5


@dataclass(frozen=True)
class Stack:
    """A fitted ensemble and its line of the leaderboard."""

    entry: Entry
    fitted: Fitted


def stacked(
    fit: Fit, found: Prepared, recipe: Recipe, board: Sequence[Entry], tell: Listener
) -> Stack | None:
    """The ensemble of the best entry of each algorithm, and None where there is only one.

    The members learn from the rows to learn from, and what weighs them from the validation rows;
    its score is of those of them that it was not fitted on, in five folds.
    """
    members: dict[str, Entry] = {}
    for entry in board:
        if len(members) < MOST_MEMBERS:
            members.setdefault(entry.algorithm, entry)
    if len(members) < 2:
        return None
    start = time.monotonic()
    pipelines = {}
    for name, entry in members.items():
        tell(Event("progress", f"ensemble: fitting {name} for it"))
        chosen = recipe.but(algorithm=name, parameters=entry.parameters)
        pipelines[name] = fit.fit(chosen, found.parts.learning, found.parts.validation).pipeline
    metric = PRIMARY[found.task.kind]
    score = measured(_unseen(pipelines, found), found.task)[metric]
    fitted = Fitted(_joined(pipelines, found), None, time.monotonic() - start)
    told = {"members": list(members)}
    entry = Entry(ENSEMBLE, told, metric, score, fitted.seconds, False)
    names = ", ".join(members)
    tell(Event("step", f"ensemble of {names}: {metric} {score:.4f}, {fitted.seconds:.1f} s"))
    return Stack(entry, fitted)


def _weigher(found: Prepared) -> Any:
    from sklearn.linear_model import LinearRegression, LogisticRegression

    if found.task.classifies:
        return LogisticRegression(max_iter=1000)
    return LinearRegression(positive=True)


def _unseen(pipelines: dict[str, Any], found: Prepared) -> Predictions:
    """What the ensemble says of each validation row, weighed without it."""
    import numpy
    from sklearn.model_selection import cross_val_predict

    at = found.parts.validation
    said = [asked(pipeline, found, at).scores for pipeline in pipelines.values()]
    matrix = numpy.column_stack(said)
    truth = found.target.iloc[at].to_numpy()
    method = "predict_proba" if found.task.classifies else "predict"
    scores = cross_val_predict(_weigher(found), matrix, truth, cv=FOLDS, method=method)
    if found.task.kind == "binary":
        scores = scores[:, found.task.classes.index(found.task.positive)]
    return Predictions(truth, scores, found.weighted(at))


def _joined(pipelines: dict[str, Any], found: Prepared) -> Any:
    """The ensemble as a pipeline of one step; only what weighs its members is fitted here."""
    from sklearn.ensemble import StackingClassifier, StackingRegressor
    from sklearn.pipeline import Pipeline

    at = found.parts.validation
    kind = StackingClassifier if found.task.classifies else StackingRegressor
    ensemble = kind(list(pipelines.items()), final_estimator=_weigher(found), cv="prefit")
    ensemble.fit(found.rows.iloc[at], found.target.iloc[at].to_numpy())
    return Pipeline([("model", ensemble)])
