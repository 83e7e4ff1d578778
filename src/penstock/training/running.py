"""`penstock.train`: from a table and a target to a proved model and its metrics."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from penstock.conversion import convert
from penstock.errors import PenstockError
from penstock.model import Model
from penstock.training.crossing import CrossValidation, asked
from penstock.training.events import Event, Listener, silent
from penstock.training.fitting import Fit, Fitted
from penstock.training.metrics import (
    PRIMARY,
    Predictions,
    check_threshold,
    measured,
    predictions,
    thresholded,
)
from penstock.training.preparing import Prepared, prepared
from penstock.training.recipe import Recipe
from penstock.training.result import Result
from penstock.training.searching import Search

__all__ = ["finished", "fit_of", "train", "trained"]


def train(
    data: Any,
    target: str,
    *,
    steps: Any = None,
    on_event: Listener | None = None,
    **settings: Any,
) -> Result:
    """A model for the column `target` of the data, its metrics on held-out rows, and the way there.

    `data`: a pandas or Polars frame, an Arrow table, or the path of a file. `steps`: a transformer
    of your own instead of the proposed features, made of steps that convert. `on_event` is called
    with an `Event` for whatever happens. The settings are those of `Recipe`; docs/training.md
    describes them.

    Raises `PenstockError` for settings, `DataError` for data that nothing can be learned from,
    `ConvertError` for steps of your own that do not convert.
    """
    recipe = Recipe.of({"target": target, **settings})
    return trained(data, recipe, steps=steps, tell=on_event or silent)


def trained(data: Any, recipe: Recipe, *, steps: Any = None, tell: Listener = silent) -> Result:
    """As `train`, for a recipe that is made."""
    _check_installed()
    found = prepared(data, recipe, tell)
    fit = fit_of(found, steps, tell)
    if recipe.algorithm != "auto":
        return finished(fit, found, recipe, tell)
    board = Search(fit, found, recipe, tell).run()
    tell(Event("step", "no stacked ensemble is made: stacking does not convert yet"))

    def taken(place: int) -> Result:
        entry = board[place]
        chosen = recipe.but(algorithm=entry.algorithm, parameters=entry.parameters)
        return replace(finished(fit, found, chosen, tell), leaderboard=board, taking=taken)

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


def fit_of(found: Prepared, steps: Any, tell: Listener) -> Fit:
    """What fits pipelines on this data."""

    def advance(done: int, most: int, score: float | None) -> None:
        shown = "" if score is None else f", loss {score:.5f} on the validation rows"
        values = {"trees": done, "most": most, "loss": score}
        tell(Event("progress", f"{done} of at most {most} trees{shown}", values))

    return Fit(found.rows, found.target, found.task, found.features, found.weights, steps, advance)


def finished(fit: Fit, found: Prepared, recipe: Recipe, tell: Listener) -> Result:
    """The model of a recipe: cross-validated if it says so, fitted, converted, judged."""
    start = time.monotonic()
    check_threshold(recipe.threshold)
    checked = CrossValidation(fit, found, recipe, tell).run() if recipe.folds else None
    fitted = _fitted(fit, found, recipe, checked.trees if checked else None)
    trees = fitted.trees
    tell(Event("step", f"fitted `{recipe.algorithm}`{_of(trees)} in {fitted.seconds:.1f} s"))
    unseen = checked.pooled if checked else asked(fitted.pipeline, found, found.parts.validation)
    threshold = _threshold(found, recipe, unseen)
    judged: list[Predictions] = []

    def told(model: Model) -> dict[str, Any]:
        judged.append(_judged(model, found))
        metrics = measured(judged[0], found.task, threshold)
        return _provenance(recipe, found, metrics, threshold)

    model = convert(
        fitted.pipeline,
        found.rows.iloc[found.parts.training],
        name=recipe.name or recipe.target,
        version=recipe.version,
        provenance=told,
    )
    holdout = judged[0]
    metrics = measured(holdout, found.task, threshold)
    name = PRIMARY[found.task.kind]
    text = (
        f"converted and proved; {name} {metrics[name]:.4f} on {len(holdout.truth):,} held-out rows"
    )
    tell(Event("model", text, dict(metrics)))
    return Result(
        model=model,
        pipeline=fitted.pipeline,
        recipe=recipe,
        prepared=found,
        metrics=metrics,
        holdout=holdout,
        threshold=threshold,
        trees=trees,
        seconds=time.monotonic() - start,
        folds=checked.scores if checked else (),
        out_of_fold=checked.frame if checked else None,
    )


def _of(trees: int | None) -> str:
    return "" if trees is None else f", {trees} trees"


def _judged(model: Model, found: Prepared) -> Predictions:
    """What the model answers to the held-out rows."""
    at = found.parts.holdout
    truth = found.target.iloc[at].to_numpy()
    return predictions(model, found.rows.iloc[at], truth, found.task, found.weighted(at))


def _fitted(fit: Fit, found: Prepared, recipe: Recipe, trees: int | None) -> Fitted:
    """Stopped by the validation rows; after a cross-validation, made of them as well."""
    if recipe.folds:
        if trees is not None:
            recipe = recipe.but(parameters={**recipe.parameters, "n_estimators": trees})
        return replace(fit.fit(recipe, found.parts.training, None), trees=trees)
    return fit.fit(recipe, found.parts.learning, found.parts.validation)


def _threshold(found: Prepared, recipe: Recipe, asked: Predictions) -> float | None:
    return None if found.task.kind != "binary" else thresholded(asked, found.task, recipe.threshold)


def _provenance(
    recipe: Recipe, found: Prepared, metrics: Mapping[str, float], threshold: float | None
) -> dict[str, Any]:
    """What the artifact keeps of its training: no times, so that the same gives the same bytes."""
    told: dict[str, Any] = {
        "algorithm": recipe.algorithm,
        "target": recipe.target,
        "task": found.task.kind,
        "rows": len(found.parts.training),
        "holdout_rows": len(found.parts.holdout),
        "split": found.parts.kind,
        "recipe": recipe.digest,
    }
    if threshold is not None:
        told |= {"positive": found.task.positive, "threshold": threshold}
    return {"training": told, "metrics": dict(metrics), "recipe": recipe.to_json()}
