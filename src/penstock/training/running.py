"""`penstock.train`: from a table and a target to a proved model and its metrics."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.conversion import convert
from penstock.errors import PenstockError
from penstock.model import Model
from penstock.schema import Field
from penstock.training.clusters import counted, is_open
from penstock.training.columns import used
from penstock.training.crossing import Checked, CrossValidation, asked
from penstock.training.events import Event, Listener, silent
from penstock.training.fitting import Fit, Fitted
from penstock.training.intervals import intervals
from penstock.training.metrics import Predictions, measured, predictions
from penstock.training.preparing import Prepared, prepared
from penstock.training.recipe import Recipe
from penstock.training.result import Result
from penstock.training.searching import Entry, Search, ranked
from penstock.training.stacking import ENSEMBLE, stacked
from penstock.training.thresholds import calibrated, check_threshold, decided, thresholded

__all__ = ["finished", "fit_of", "train", "trained"]


def train(
    data: Any,
    target: str | None = None,
    *,
    steps: Any = None,
    on_event: Listener | None = None,
    **settings: Any,
) -> Result:
    """A model for the column `target` of the data, its metrics on held-out rows, and the way there.

    Algorithms "kmeans" and "isolation" learn no target; they are judged by one if it is given.
    `data`: a pandas or Polars frame, an Arrow table, or the path of a file. `steps`: a transformer
    of your own instead of the proposed features, made of steps that convert. `on_event` is called
    with an `Event` for whatever happens. The settings are those of `Recipe`; docs/training.md
    describes them.

    Raises `PenstockError` for settings, `DataError` for data that nothing can be learned from,
    `ConvertError` for steps of your own that do not convert.
    """
    recipe = Recipe.of({"target": target or "", **settings})
    return trained(data, recipe, steps=steps, tell=on_event or silent)


def trained(data: Any, recipe: Recipe, *, steps: Any = None, tell: Listener = silent) -> Result:
    """As `train`, for a recipe that is made."""
    _check_installed()
    found = prepared(data, recipe, tell)
    _check(recipe, found)
    fit = fit_of(found, steps, tell)
    if is_open(recipe):
        board = counted(fit, found, recipe, tell)
        return _taking(fit, found, recipe, tell, board=board)
    if recipe.algorithm != "auto":
        return finished(fit, found, recipe, tell)
    search = Search(fit, found, recipe, tell)
    board, stack = search.run(), None
    # Out of fold, entries are scored on other rows than an ensemble can be.
    if not search.interrupted and not recipe.folds:
        stack = stacked(search, board)
    kept = list(search.kept.values())
    if stack is not None:
        board = ranked([*board, stack.entry])
        kept.append((stack.entry, stack.fitted))
    return _taking(fit, found, recipe, tell, board=board, kept=kept)


def _taking(
    fit: Fit,
    found: Prepared,
    recipe: Recipe,
    tell: Listener,
    *,
    board: tuple[Entry, ...],
    kept: Sequence[tuple[Entry, Fitted]] = (),
) -> Result:
    """The best of a leaderboard, from which the others can be taken; those kept are fitted."""

    def taken(place: int) -> Result:
        entry = board[place]
        fitted = next((each for known, each in kept if known == entry), None)
        chosen = recipe
        if entry.algorithm != ENSEMBLE:
            chosen = recipe.but(algorithm=entry.algorithm, parameters=entry.parameters)
        made = finished(fit, found, chosen, tell, fitted)
        return replace(made, leaderboard=board, taking=taken)

    return taken(0)


def _check_installed() -> None:
    for library in ("pandas", "sklearn"):
        try:
            __import__(library)
        except ModuleNotFoundError as error:
            raise PenstockError(
                f"training needs `{error.name}`, which is not installed: "
                "pip install 'penstock[train]'"
            ) from None


def _check(recipe: Recipe, found: Prepared) -> None:
    """Refuses before the work what would be refused after it."""
    check_threshold(recipe.threshold)
    intervals(recipe, found.task.kind)
    if recipe.calibration is not None and not found.task.classifies:
        raise PenstockError(f"`calibration`: the task is {found.task.kind}; it is for classes")


def fit_of(found: Prepared, steps: Any, tell: Listener) -> Fit:
    """What fits pipelines on this data."""

    def advance(done: int, most: int, score: float | None) -> None:
        shown = "" if score is None else f", loss {score:.5f} on the validation rows"
        values = {"trees": done, "most": most, "loss": score}
        tell(Event("progress", f"{done} of at most {most} trees{shown}", values))

    return Fit(found.rows, found.target, found.task, found.features, found.weights, steps, advance)


def finished(
    fit: Fit, found: Prepared, recipe: Recipe, tell: Listener, fitted: Fitted | None = None
) -> Result:
    """The model of a recipe: cross-validated if it says so, fitted, converted, judged.

    `fitted`: what was fitted before, in a search.
    """
    start = time.monotonic()
    checked = None
    if fitted is None:
        checked = CrossValidation(fit, found, recipe, tell).run() if recipe.folds else None
        fitted = _fitted(fit, found, recipe, checked.trees if checked else None)
        trees = "" if fitted.trees is None else f", {fitted.trees} trees"
        tell(Event("step", f"fitted `{recipe.algorithm}`{trees} in {fitted.seconds:.1f} s"))
    pipeline, threshold = _adjusted(fit, found, recipe, fitted.pipeline, checked)
    judged: list[Predictions] = []

    def told(model: Model) -> dict[str, Any]:
        judged.append(_judged(model, pipeline, found))
        metrics = measured(judged[0], found.task, threshold)
        return _provenance(recipe, found, metrics, threshold)

    model = convert(
        pipeline,
        found.rows.iloc[found.parts.training],
        name=recipe.name or (recipe.target if found.task.targeted else recipe.algorithm),
        version=recipe.version,
        policies=_policies(fit),
        provenance=told,
    )
    metrics = measured(judged[0], found.task, threshold)
    tell(_done(metrics, len(found.parts.holdout)))
    return Result(
        model=model,
        pipeline=pipeline,
        recipe=recipe,
        prepared=found,
        fit=fit,
        rounds=fitted.rounds,
        metrics=metrics,
        holdout=judged[0],
        threshold=threshold,
        trees=fitted.trees,
        seconds=time.monotonic() - start,
        folds=checked.scores if checked else (),
        out_of_fold=checked.frame if checked else None,
    )


def _policies(fit: Fit) -> dict[str, Field]:
    """Free text that is missing is empty, as it was in training."""
    if fit.steps is not None:
        return {}
    return {name: Field(replacement="") for name in used(fit.features, "text")}


def _adjusted(
    fit: Fit, found: Prepared, recipe: Recipe, pipeline: Any, checked: Checked | None
) -> tuple[Any, float | None]:
    """The pipeline with all that rows which it was not fitted on add to it, and its threshold."""
    if recipe.calibration is not None:
        pipeline, checked = calibrated(pipeline, found, recipe.calibration), None
    if not found.task.targeted:
        return pipeline, None
    unseen = checked.pooled if checked else asked(pipeline, found, found.parts.validation)
    if found.task.kind == "binary":
        threshold = thresholded(unseen, found.task, recipe.threshold)
        return decided(pipeline, threshold, found.task), threshold
    wide = intervals(recipe, found.task.kind)
    if wide is not None:
        pipeline = wide.around(pipeline, unseen, fit, found, recipe)
    return pipeline, None


def _done(metrics: Mapping[str, float], rows: int) -> Event:
    name = next(iter(metrics))
    text = f"converted and proved; {name} {metrics[name]:.4f} on {rows:,} held-out rows"
    return Event("model", text, dict(metrics))


def _judged(model: Model, pipeline: Any, found: Prepared) -> Predictions:
    """What the model answers to the held-out rows."""
    at = found.parts.holdout
    rows = found.rows.iloc[at]
    answers = predictions(model, rows, found.truth(at), found.task, found.weighted(at))
    if found.task.kind != "clustering":
        return answers
    return replace(answers, space=pipeline[:-1].transform(rows))


def _fitted(fit: Fit, found: Prepared, recipe: Recipe, trees: int | None) -> Fitted:
    """Stopped by the validation rows; after a cross-validation, made of them as well."""
    # What calibrates may not have been learned from.
    if recipe.folds and recipe.calibration is None:
        if trees is not None:
            recipe = recipe.but(parameters={**recipe.parameters, "n_estimators": trees})
        return replace(fit.fit(recipe, found.parts.training, None), trees=trees)
    return fit.fit(recipe, found.parts.learning, found.parts.validation)


def _provenance(
    recipe: Recipe, found: Prepared, metrics: Mapping[str, float], threshold: float | None
) -> dict[str, Any]:
    """What the artifact keeps of its training: no times, so that the same gives the same bytes."""
    told: dict[str, Any] = {
        "algorithm": recipe.algorithm,
        "task": found.task.kind,
        "rows": len(found.parts.training),
        "holdout_rows": len(found.parts.holdout),
        "split": found.parts.kind,
        "recipe": recipe.digest,
    }
    if recipe.target:
        told["target"] = recipe.target
    if threshold is not None:
        told |= {"positive": found.task.positive, "threshold": threshold}
    return {"training": told, "metrics": dict(metrics), "recipe": recipe.to_json()}
