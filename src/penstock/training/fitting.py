"""A pipeline of steps that convert, fitted on the rows to learn from; boosters stop by others."""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from penstock.errors import PenstockError
from penstock.training.adjusting import OffsetRegressor
from penstock.training.algorithms import Algorithm, algorithm, estimator
from penstock.training.columns import Feature, used
from penstock.training.recipe import Recipe
from penstock.training.tasks import Task

__all__ = ["Fit", "Fitted", "check_able", "columns_of"]

PATIENCE = 25
# Rarer levels are one together, and so is whatever lies beyond this many.
MOST_CODES = 1000
MOST_COLUMNS = 100
FEWEST_ROWS = 20
# Of free text, the most frequent terms: a column for each in a sparse matrix, or in a dense one.
MOST_TERMS, MOST_TERMS_OF_TREES = 2_000, 200
# Not the year: no row that is to come has one of those that were learned from.
DATE_PARTS = ("month", "day", "weekday", "hour")

Advance = Callable[[int, int, float | None], None]


@dataclass(frozen=True)
class Fitted:
    """A fitted pipeline, how many trees it kept where that was found out, and how long it took.

    `rounds` has the loss on the validation rows by its name, a number for each tree.
    """

    pipeline: Any
    trees: int | None
    seconds: float
    rounds: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Fit:
    """All that is the same for every pipeline that is fitted on some data.

    `steps`: a transformer of the user's own, instead of what `features` propose. `advance` is
    called with trees made, trees at most, and the score on the validation rows.
    """

    rows: Any
    target: Any
    task: Task
    features: Sequence[Feature]
    weights: Any = None
    steps: Any = None
    advance: Advance | None = None

    def fit(self, recipe: Recipe, learning: Any, validation: Any | None) -> Fitted:
        """The pipeline of the recipe, fitted on the rows at these positions.

        Without `validation` a booster makes all its trees.
        """
        start = time.monotonic()
        model = estimator(recipe, self.task, len(learning))
        chosen = algorithm(recipe.algorithm, self.task)
        check_able(self.task, recipe, proposed=self.steps is None)
        _constrain(model, recipe, self.features)
        if recipe.offset is not None and recipe.algorithm == "gbm":
            model = OffsetRegressor(model, _link(model))
        if recipe.algorithm == "deep" and not self.task.classifies:
            model = _scaled(model)
        columns = self._columns(recipe, learning)
        with warnings.catch_warnings():
            # Of parameters and convergence, which the metrics tell better.
            warnings.simplefilter("ignore")
            target = self.target.iloc[learning] if self.task.targeted else None
            made = columns.fit_transform(self.rows.iloc[learning], target)
            if chosen.full and hasattr(columns, "sparse_output_"):
                # As if it had been fitted so, which would have taken all memory at once.
                columns.set_params(sparse_threshold=0.0)
                columns.sparse_output_ = False
            options: dict[str, Any] = {}
            if self.weights is not None:
                options["sample_weight"] = self.weights[learning]
            if chosen.stops and validation is not None:
                options |= self._stopping(recipe, model, columns, validation)
            wanted = None if target is None else target.to_numpy()
            with _threads(chosen):
                model = model.fit(made, wanted, **options)
        stopped = chosen.stops and validation is not None
        trees, rounds = (_trees(model), _rounds(model)) if stopped else (None, {})
        if hasattr(model, "n_jobs"):
            # The last bits of a forest's answers differ from call to call with more jobs.
            model.set_params(n_jobs=1)
        return Fitted(_joined(columns, model), trees, time.monotonic() - start, rounds)

    def _columns(self, recipe: Recipe, learning: Any) -> Any:
        if self.steps is None:
            return columns_of(self.features, recipe, self.task, self.rows.iloc[learning])
        from sklearn.base import clone

        return clone(self.steps)

    def _stopping(
        self, recipe: Recipe, model: Any, columns: Any, validation: Any
    ) -> dict[str, Any]:
        made = columns.transform(self.rows.iloc[validation])
        wanted = self.target.iloc[validation].to_numpy()
        options: dict[str, Any] = {"eval_set": [(made, wanted)]}
        weights = None if self.weights is None else [self.weights[validation]]
        if recipe.algorithm == "gbm":
            import lightgbm

            options["eval_sample_weight"] = weights
            options["callbacks"] = [lightgbm.early_stopping(PATIENCE, verbose=False)]
            if self.advance is not None:
                options["callbacks"].append(_telling(self.advance))
            return options
        model.set_params(early_stopping_rounds=PATIENCE)
        return options | {"sample_weight_eval_set": weights, "verbose": False}


def columns_of(features: Sequence[Feature], recipe: Recipe, task: Task, rows: Any) -> Any:
    """The step that makes numbers of the columns: a `ColumnTransformer` of steps that convert.

    `rows` are those to learn from; the step is not fitted.
    """
    import numpy
    from sklearn.base import clone
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    from penstock.steps import Dates

    chosen = algorithm(recipe.algorithm, task)
    if chosen.dense:
        numbers: Any = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        levels: Any = OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            min_frequency=FEWEST_ROWS,
            max_categories=MOST_COLUMNS,
        )
    else:
        numbers = SimpleImputer(strategy="median") if chosen.imputes else "passthrough"
        # Trees without a way for missing values take them as a code of their own.
        codes = (-1, -2) if chosen.imputes else (numpy.nan, numpy.nan)
        levels = OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=codes[0],
            encoded_missing_value=codes[1],
            max_categories=MOST_CODES,
        )
        if chosen.ranks:
            ranked = [_ranked(rows[name]) for name in used(features, "levels")]
            levels.set_params(categories=ranked, max_categories=None)
    parts: list[tuple[str, Any, Any]] = [("numbers", numbers, used(features, "number"))]
    parts.append(("levels", levels, used(features, "levels")))
    dates = [Dates(parts=DATE_PARTS), *([] if numbers == "passthrough" else [clone(numbers)])]
    parts.append(("dates", make_pipeline(*dates), used(features, "dates")))
    terms = MOST_TERMS if chosen.dense else MOST_TERMS_OF_TREES
    parts += [
        (f"text{at}", TfidfVectorizer(max_features=terms), name)
        for at, name in enumerate(used(features, "text"))
    ]
    # The last column, where whatever adds it looks for it.
    parts.append(("offset", "passthrough", used(features, "offset")))
    used_parts = [part for part in parts if part[2]]
    # Where a matrix is sparse, XGBoost takes zeros for missing.
    return ColumnTransformer(used_parts, sparse_threshold=0.3 if chosen.dense else 0.0)


def _ranked(column: Any) -> list[Any]:
    """The most frequent levels, the rarest first: what is rare lies at an end, beside the unseen.

    scikit-learn takes numbers in their own order only, and what is missing at the end.
    """
    from pandas.api import types

    counts = column.dropna().value_counts()
    levels = [level for level, count in counts.items() if count][:MOST_CODES]
    ordered = sorted(levels) if types.is_numeric_dtype(counts.index) else levels[::-1]
    return [*ordered, *column[column.isna()].head(1)]


def _threads(chosen: Algorithm) -> AbstractContextManager[Any]:
    if not chosen.alone:
        return nullcontext()
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits


def _joined(columns: Any, model: Any) -> Any:
    """One pipeline of fitted parts."""
    from sklearn.pipeline import Pipeline

    return Pipeline([("columns", columns), ("model", model)])


def _constrain(model: Any, recipe: Recipe, features: Sequence[Feature]) -> None:
    """Tells a booster by the places of the columns that the first step makes."""
    numbers, levels = used(features, "number"), used(features, "levels")
    made = {name: [f"{name}_{part}" for part in DATE_PARTS] for name in used(features, "dates")}
    columns = [*numbers, *levels, *(part for parts in made.values() for part in parts)]
    written = used(features, "text")
    if written and (recipe.monotone or recipe.interactions):
        raise PenstockError(
            "`monotone` and `interactions` do not go with free text; leave it out by `drop`: "
            f"`{written[0]}`"
        )
    directions = {name: way for name, way in recipe.monotone.items() if way}
    for name in directions:
        if name not in numbers:
            raise PenstockError(
                f"`monotone`: `{name}` is no number that the model reads; it has to be one"
            )
    if directions:
        ways = tuple(directions.get(name, 0) for name in columns)
        model.set_params(monotone_constraints=ways)
    if recipe.interactions:
        groups = [
            [part for name in group for part in made.get(name, [name])]
            for group in recipe.interactions
        ]
        left_out = next((name for group in groups for name in group if name not in columns), None)
        if left_out is not None:
            raise PenstockError(f"`interactions`: `{left_out}` is no column that the model reads")
        named = {name for group in groups for name in group}
        # A column that is in no group meets none; LightGBM would not use it at all.
        alone = [*([name] for name in (*numbers, *levels)), *made.values()]
        groups += [group for group in alone if group[0] not in named]
        places = [[columns.index(name) for name in group] for group in groups]
        # XGBoost takes places as a text only, and names otherwise.
        told = str(places) if recipe.algorithm == "xgboost" else places
        model.set_params(interaction_constraints=told)


def check_able(task: Task, recipe: Recipe, *, proposed: bool = True) -> None:
    """Raises `PenstockError` for what the algorithm of the recipe cannot do.

    `proposed`: whether the features are those that are proposed, not steps of one's own.
    """
    boosters = ("gbm", "xgboost")
    able = {"monotone": boosters, "interactions": boosters, "offset": ("gbm", "glm")}
    for setting, algorithms in able.items():
        if not getattr(recipe, setting):
            continue
        if recipe.algorithm not in algorithms:
            names = " and ".join(f"`{each}`" for each in algorithms)
            raise PenstockError(f'`{setting}`: algorithm "{recipe.algorithm}" cannot; {names} can')
        if not proposed:
            raise PenstockError(f"`{setting}` goes with the proposed features, not with `steps`")
    if (
        recipe.algorithm == "xgboost"
        and task.classifies
        and list(task.classes) != list(range(len(task.classes)))
    ):
        raise PenstockError(
            f"XGBoost takes the classes 0 to {len(task.classes) - 1} only, and column "
            f"`{recipe.target}` has {task.classes[0]!r}; number them, or take `gbm`"
        )


def _scaled(model: Any) -> Any:
    """A network learns a target of another scale hardly at all."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    return TransformedTargetRegressor(model, transformer=StandardScaler())


def _link(model: Any) -> str:
    """The inverse of the link of LightGBM's objective."""
    return "exp" if model.objective in ("poisson", "gamma", "tweedie") else "identity"


def _trees(model: Any) -> int:
    model = getattr(model, "regressor", model)
    if hasattr(model, "best_iteration_"):  # LightGBM counts from 1, and has 0 for all
        return int(model.best_iteration_) or int(model.n_estimators)
    return int(model.best_iteration) + 1


def _rounds(model: Any) -> Mapping[str, Sequence[float]]:
    model = getattr(model, "regressor", model)
    # LightGBM has an attribute, XGBoost a method.
    found = model.evals_result_ if hasattr(model, "evals_result_") else model.evals_result()
    (losses,) = found.values()
    return {str(name): tuple(map(float, each)) for name, each in losses.items()}


def _telling(advance: Advance) -> Callable[[Any], None]:
    def tell(state: Any) -> None:
        scores = state.evaluation_result_list
        score = float(scores[0][2]) if scores else None
        advance(state.iteration + 1, state.end_iteration, score)

    return tell
