"""What can be trained: the estimator of each algorithm by task, its defaults, what it wants."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from penstock.converters import supported
from penstock.errors import PenstockError
from penstock.training.bayes import Gaussian
from penstock.training.generalized import generalized
from penstock.training.recipe import Recipe
from penstock.training.tasks import Task

__all__ = ["TABLE", "Algorithm", "algorithm", "estimator"]

Parameters = dict[str, Any]
# The larger the data, the larger a tree may be: leaves by rows to learn from.
_LEAVES = ((2_000, 15), (20_000, 31), (100_000, 63))
_MOST_LEAVES = 127
_FEW = 10_000
# Of k-means, the best of so many random starts.
STARTS = 4
RATE = 0.01


@dataclass(frozen=True)
class Algorithm:
    """An algorithm of the table below.

    `classes`: qualified name of the estimator by task. `defaults`: parameters by task and rows.
    `dense`: numbers are imputed and scaled, and levels become columns; else levels are codes.
    `full`: asked with matrices that are not sparse, though it is fitted on one.
    `imputes`: missing numbers are filled in though levels are codes. `ranks`: codes are by how
    frequent levels are. `alone`: fitted by one thread, as more of them add in any order. `stops`:
    adds trees until the validation rows gain no more. `long`: takes minutes where others take
    seconds. `extra`: what installs the library.
    """

    classes: Mapping[str, str]
    defaults: Callable[[Task, int, Recipe], Parameters]
    dense: bool = False
    full: bool = False
    imputes: bool = False
    ranks: bool = False
    alone: bool = False
    stops: bool = False
    long: bool = False
    extra: str = "train"


def estimator(recipe: Recipe, task: Task, row_count: int) -> Any:
    """The library's estimator with the defaults and the parameters of the recipe, not fitted.

    Its `fit` gives what answers.

    Raises `PenstockError` for an algorithm that cannot, or whose result does not convert.
    """
    chosen = algorithm(recipe.algorithm, task)
    if recipe.algorithm == "glm" and task.kind != "multiclass":
        return generalized(recipe, task, row_count)
    parameters = dict(recipe.parameters)
    name = chosen.classes[task.kind]
    module, _, attribute = name.rpartition(".")
    try:
        kind = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise PenstockError(
            f'algorithm "{recipe.algorithm}" needs `{error.name}`, which is not installed: '
            f"pip install 'penstock[{chosen.extra}]'"
        ) from None
    known = kind().get_params()
    defaults = chosen.defaults(task, row_count, recipe)
    given = {key: value for key, value in defaults.items() if key in known or chosen.stops}
    for key in parameters:
        # Boosters take any name, and warn of those that they do not know.
        if key not in known and not chosen.stops:
            raise PenstockError(
                f"`parameters`: `{attribute}` has no parameter `{key}`; it has "
                + ", ".join(f"`{each}`" for each in known)
            )
    if recipe.algorithm == "bayes":
        return Gaussian(given | parameters)
    return kind(**given | parameters)


def algorithm(name: str, task: Task) -> Algorithm:
    """The algorithm of this name; raises `PenstockError` where it is none for the task."""
    chosen = TABLE[name]
    if task.kind not in chosen.classes:
        able = [other for other, each in TABLE.items() if task.kind in each.classes]
        raise PenstockError(
            f'algorithm "{name}" has no {task.kind}; take one of '
            + ", ".join(f"`{x}`" for x in able)
        )
    wanted = chosen.classes[task.kind]
    if not any(_same(wanted, each) for each in supported()):
        raise PenstockError(
            f'algorithm "{name}" cannot be trained yet: `{wanted}` does not convert'
        )
    return chosen


def _same(public: str, converted: str) -> bool:
    """`lightgbm.LGBMClassifier` and `lightgbm.sklearn.LGBMClassifier` are one class."""
    library, _, cls = public.partition(".")
    return converted.startswith(f"{library}.") and converted.endswith(f".{cls.split('.')[-1]}")


def _threads(rows: int, recipe: Recipe) -> int | None:
    """Threads wait for each other longer than they work where there are few rows."""
    return 1 if rows < _FEW else recipe.threads


def _gbm(task: Task, rows: int, recipe: Recipe) -> Parameters:
    leaves = next((leaves for most, leaves in _LEAVES if rows < most), _MOST_LEAVES)
    parameters: Parameters = {
        "n_estimators": 500,
        "learning_rate": 0.15 if leaves == _MOST_LEAVES else 0.1,
        "num_leaves": leaves,
        "random_state": recipe.seed,
        "n_jobs": _threads(rows, recipe),
        "verbosity": -1,
        # The same bits whatever the number of threads.
        "deterministic": True,
        "force_row_wise": True,
    }
    if task.kind == "count":
        parameters["objective"] = "poisson"
    return parameters


def _xgboost(task: Task, rows: int, recipe: Recipe) -> Parameters:
    parameters: Parameters = {
        "n_estimators": 500,
        "learning_rate": 0.1,
        "max_depth": 6 if rows < _LEAVES[-1][0] else 8,
        "random_state": recipe.seed,
        "n_jobs": _threads(rows, recipe),
        "tree_method": "hist",
    }
    if task.kind == "count":
        parameters["objective"] = "count:poisson"
    return parameters


def _forest(task: Task, rows: int, recipe: Recipe) -> Parameters:
    return {
        "n_estimators": 100,
        # Leaves of single rows make files of hundreds of megabytes, and no better forest.
        "min_samples_leaf": max(1 if task.classifies else 2, rows // 10_000),
        "max_features": "sqrt" if task.classifies else 1 / 3,
        "random_state": recipe.seed,
        "n_jobs": recipe.threads or -1,
    }


def _glm(task: Task, rows: int, recipe: Recipe) -> Parameters:
    return {"max_iter": 300, "random_state": recipe.seed}


def _deep(task: Task, rows: int, recipe: Recipe) -> Parameters:
    return {
        "hidden_layer_sizes": (64, 32),
        "batch_size": min(2048, max(32, rows // 200)),
        "max_iter": 60,
        "early_stopping": True,
        "n_iter_no_change": 5,
        "random_state": recipe.seed,
    }


def _kmeans(task: Task, rows: int, recipe: Recipe) -> Parameters:
    return {"n_clusters": recipe.clusters or 8, "n_init": STARTS, "random_state": recipe.seed}


def _isolation(task: Task, rows: int, recipe: Recipe) -> Parameters:
    return {
        "contamination": RATE if recipe.rate is None else recipe.rate,
        "random_state": recipe.seed,
        "n_jobs": _threads(rows, recipe) or -1,
    }


def _none(task: Task, rows: int, recipe: Recipe) -> Parameters:
    return {}


def _both(classifier: str, regressor: str, count: str | None = None) -> dict[str, str]:
    return {
        "binary": classifier,
        "multiclass": classifier,
        "regression": regressor,
        "count": count or regressor,
    }


TABLE: Mapping[str, Algorithm] = {
    "gbm": Algorithm(_both("lightgbm.LGBMClassifier", "lightgbm.LGBMRegressor"), _gbm, stops=True),
    "xgboost": Algorithm(
        _both("xgboost.XGBClassifier", "xgboost.XGBRegressor"),
        _xgboost,
        stops=True,
        extra="train,xgboost",
    ),
    "forest": Algorithm(
        _both("sklearn.ensemble.RandomForestClassifier", "sklearn.ensemble.RandomForestRegressor"),
        _forest,
        imputes=True,
        long=True,
    ),
    "glm": Algorithm(
        # What it is answered by; of two classes and of numbers it is fitted by glum.
        _both(
            "sklearn.linear_model.LogisticRegression",
            "sklearn.linear_model.Ridge",
            "sklearn.linear_model.PoissonRegressor",
        ),
        _glm,
        dense=True,
    ),
    "deep": Algorithm(
        _both("sklearn.neural_network.MLPClassifier", "sklearn.neural_network.MLPRegressor"),
        _deep,
        dense=True,
        long=True,
    ),
    "bayes": Algorithm(
        dict.fromkeys(("binary", "multiclass"), "sklearn.naive_bayes.GaussianNB"),
        _none,
        dense=True,
        full=True,
    ),
    "kmeans": Algorithm({"clustering": "sklearn.cluster.KMeans"}, _kmeans, dense=True, alone=True),
    "isolation": Algorithm(
        {"anomaly": "sklearn.ensemble.IsolationForest"}, _isolation, imputes=True, ranks=True
    ),
}
