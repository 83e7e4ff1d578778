"""`glm`: fitted by glum, answered by the estimator of scikit-learn that is the same function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.errors import PenstockError
from penstock.training.recipe import Recipe
from penstock.training.tasks import Task

__all__ = ["FAMILIES", "Generalized", "generalized"]

TWEEDIE_POWER = 1.5


@dataclass(frozen=True)
class Family:
    """A distribution: its name in glum, and the estimator of scikit-learn with its link."""

    name: str
    answers: str
    link: str = "auto"
    options: Mapping[str, Any] = field(default_factory=dict)


# The links are those of scikit-learn's estimators: identity, logit, and else the logarithm.
FAMILIES: Mapping[str, Family] = {
    "gaussian": Family("gaussian", "Ridge"),
    "binomial": Family("binomial", "LogisticRegression"),
    "poisson": Family("poisson", "PoissonRegressor"),
    "gamma": Family("gamma", "GammaRegressor", "log"),
    "tweedie": Family("tweedie", "TweedieRegressor", "log", {"link": "log"}),
}
_BY_TASK = {"binary": "binomial", "regression": "gaussian", "count": "poisson"}


@dataclass
class Generalized:
    """A linear model to be fitted; the last column is the offset if `offset` says so."""

    family: str
    parameters: Mapping[str, Any]
    offset: bool = False
    power: float = TWEEDIE_POWER

    def fit(self, matrix: Any, target: Any, sample_weight: Any = None) -> Any:
        """The fitted estimator of scikit-learn."""
        import numpy

        family, classes = FAMILIES[self.family], None
        wanted, options = target, {}
        if self.family == "binomial":
            classes = numpy.unique(target)
            wanted = (target == classes[1]).astype("float64")
        if self.offset:
            matrix, options["offset"] = _without_last(matrix)
        solver = _solver(self.parameters)(
            **self.parameters, **_distribution(family.name, self.power), link=family.link
        )
        solver.fit(matrix, wanted, sample_weight=sample_weight, **options)
        coefficients = numpy.append(solver.coef_, 1.0) if self.offset else solver.coef_
        return _folded(family, self.power, classes, coefficients, float(solver.intercept_))


def generalized(recipe: Recipe, task: Task, row_count: int) -> Generalized:
    """The linear model of a recipe, not fitted; raises `PenstockError` for what it cannot be."""
    parameters = dict(recipe.parameters)
    family = parameters.pop("family", _BY_TASK[task.kind])
    if family not in FAMILIES:
        names = ", ".join(f"`{each}`" for each in FAMILIES)
        raise PenstockError(f"`parameters`: `family` is {family!r}; it must be one of {names}")
    if task.classifies != (family == "binomial"):
        raise PenstockError(f"`parameters`: `family` {family!r} does not fit a {task.kind} target")
    power = float(parameters.pop("power", TWEEDIE_POWER))
    known = _solver(parameters)().get_params()
    taken = ("family", "link")
    for key in parameters:
        if key not in known or key in taken:
            names = ", ".join(f"`{each}`" for each in known if each not in taken)
            raise PenstockError(f"`parameters`: glum has no parameter `{key}`; it has {names}")
    if "cv" in parameters:
        defaults: dict[str, Any] = {"n_jobs": recipe.threads, "min_alpha_ratio": 1e-4}
    else:
        # As one observation of a prior: the more rows, the less it says.
        defaults = {"alpha": 1.0 / row_count}
    chosen = {"random_state": recipe.seed, **defaults, **parameters}
    return Generalized(family, chosen, recipe.offset is not None, power)


def _solver(parameters: Mapping[str, Any]) -> Callable[..., Any]:
    """glum's class: with `cv` it chooses `alpha` and `l1_ratio` on a path, by cross-validation."""
    try:
        import glum
    except ModuleNotFoundError as error:
        raise PenstockError(
            f'algorithm "glm" needs `{error.name}`, which is not installed: '
            "pip install 'penstock[train]'"
        ) from None
    found: Callable[..., Any] = (
        glum.GeneralizedLinearRegressorCV if "cv" in parameters else glum.GeneralizedLinearRegressor
    )
    return found


def _distribution(name: str, power: float) -> dict[str, Any]:
    import glum

    return {"family": glum.TweedieDistribution(power) if name == "tweedie" else name}


def _without_last(matrix: Any) -> tuple[Any, Any]:
    """All columns but the last, and that one as an array."""
    import numpy

    last = matrix[:, -1]
    column = last.toarray() if hasattr(last, "toarray") else last
    return matrix[:, :-1], numpy.asarray(column, dtype="float64").ravel()


def _folded(family: Family, power: float, classes: Any, coefficients: Any, intercept: float) -> Any:
    """scikit-learn's estimator with these coefficients: fitted on nothing, then told them."""
    import numpy
    from sklearn import linear_model

    options = dict(family.options)
    if family.name == "tweedie":
        options["power"] = power
    made = getattr(linear_model, family.answers)(**options)
    target = numpy.ones(2) if classes is None else classes
    made.fit(numpy.zeros((2, len(coefficients))), target)
    if classes is None:
        made.coef_, made.intercept_ = coefficients, intercept
    else:
        made.coef_, made.intercept_ = coefficients[numpy.newaxis], numpy.array([intercept])
    return made
