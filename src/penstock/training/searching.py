"""`algorithm="auto"`: baselines first, then a search of what does better, under a budget."""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.errors import PenstockError
from penstock.training.algorithms import algorithm, estimator
from penstock.training.crossing import CrossValidation, asked
from penstock.training.events import Event, Listener
from penstock.training.fitting import Fit, Fitted, check_able
from penstock.training.metrics import LARGER, PRIMARY, first
from penstock.training.preparing import Prepared
from penstock.training.recipe import Recipe

__all__ = ["Entry", "Search", "ranked"]

TRIALS = 20
# Of the budget in seconds, what is left to the ensemble, and to converting and proving.
RESERVED = 0.15
# A pilot on so much less than all rows tells how long what takes long will take.
PILOT = 20
# In the order in which they are tried: quick ones first.
# Networks take minutes where the others take seconds; they are tried where they are asked for.
_BASELINES = ("glm", "bayes", "gbm", "forest", "xgboost")


@dataclass(frozen=True)
class Entry:
    """A line of the leaderboard: what was tried, and the metric on rows it was not fitted on."""

    algorithm: str
    parameters: Mapping[str, Any]
    metric: str
    score: float
    seconds: float
    baseline: bool


def ranked(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Best first; of two that are as good, the first."""
    return tuple(sorted(entries, key=lambda one: -one.score if one.metric in LARGER else one.score))


@dataclass
class Search:
    """A search on some data; `run` gives the leaderboard, best first.

    The best pipeline of each algorithm is kept in `kept`, so that none has to be fitted again;
    none is where entries are scored in folds.
    """

    fit: Fit
    found: Prepared
    recipe: Recipe
    tell: Listener
    interrupted: bool = field(default=False, init=False)
    kept: dict[str, tuple[Entry, Fitted]] = field(default_factory=dict, init=False)
    _last: Fitted | None = field(default=None, init=False)
    _known: dict[str, float] = field(default_factory=dict, init=False)
    _end: float | None = field(default=None, init=False)

    def run(self) -> tuple[Entry, ...]:
        """Tries until the budget is used up; Ctrl-C ends it with what there is by then.

        Raises `PenstockError` where no algorithm can, `KeyboardInterrupt` before the first result.
        """
        study = self._study()
        names = self._able()
        for name in names:
            baseline = {"params": {"algorithm": name}, "user_attrs": {"baseline": True}}
            study.enqueue_trial(**baseline, skip_if_exists=True)
        done = len(_complete(study))
        if done:
            self.tell(Event("step", f"{done} trials are taken from the journal", {"trials": done}))
        self._search(study, names, done)
        entries = [_entry(trial, self._metric) for trial in _complete(study)]
        return ranked(entries)

    @property
    def _metric(self) -> str:
        return PRIMARY[self.found.task.kind]

    @property
    def _most(self) -> int | None:
        if self.recipe.trials is None and self.recipe.seconds is None:
            return TRIALS
        return self.recipe.trials

    def _search(self, study: Any, names: list[str], done: int) -> None:
        most = None if self._most is None else self._most - done
        if most is not None and most <= 0:
            return
        seconds = self.recipe.seconds
        self._end = None if seconds is None else time.monotonic() + seconds * (1 - RESERVED)
        try:
            study.optimize(
                lambda trial: self._tried(trial, names),
                n_trials=most,
                callbacks=[self._told],
            )
        except KeyboardInterrupt:
            if not _complete(study):
                raise
            self.interrupted = True
            self.tell(Event("warning", "interrupted: the best so far is taken"))

    def _study(self) -> Any:
        try:
            import optuna
        except ModuleNotFoundError:
            raise PenstockError(
                'algorithm "auto" needs `optuna`, which is not installed: '
                "pip install 'penstock[train]'"
            ) from None
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        storage = None
        if self.recipe.journal is not None:
            storage = JournalStorage(JournalFileBackend(self.recipe.journal))
        return optuna.create_study(
            storage=storage,
            sampler=optuna.samplers.TPESampler(seed=self.recipe.seed),
            study_name=_identity(self.found, self.recipe),
            direction="maximize" if self._metric in LARGER else "minimize",
            load_if_exists=True,
        )

    def _able(self) -> list[str]:
        """The algorithms that can be trained here, of those that are wanted."""
        wanted = self.recipe.algorithms or _BASELINES
        able, reasons = [], []
        for name in wanted:
            recipe = self.recipe.but(algorithm=name, parameters={})
            try:
                estimator(recipe, self.found.task, len(self.found.parts.learning))
                check_able(self.found.task, recipe, proposed=self.fit.steps is None)
                able.append(name)
            except PenstockError as error:
                reasons.append(str(error))
                if self.recipe.algorithms:
                    raise
        if not able:
            raise PenstockError("no algorithm can be trained on this: " + "; ".join(reasons))
        return able

    def _tried(self, trial: Any, names: list[str]) -> float:
        start = time.monotonic()
        name = trial.suggest_categorical("algorithm", names)
        parameters: dict[str, Any] = {}
        if not trial.user_attrs.get("baseline"):
            parameters = _SPACES[name](_Choices(trial, name), self.found)
        parameters = {**parameters, **self.recipe.parameters}
        trial.set_user_attr("parameters", parameters)
        recipe = self.recipe.but(algorithm=name, parameters=parameters)
        self._check_time(recipe)
        parts = self.found.parts
        if recipe.folds:
            found = CrossValidation(self.fit, self.found, recipe, _quiet(self.tell)).run().pooled
        else:
            self._last = self.fit.fit(recipe, parts.learning, parts.validation)
            found = asked(self._last.pipeline, self.found, parts.validation)
        score = first(found, self.found.task)
        trial.set_user_attr("seconds", time.monotonic() - start)
        return float(score)

    def _check_time(self, recipe: Recipe) -> None:
        """Gives the trial up where most of it would come after the budget."""
        import optuna

        name, learning = recipe.algorithm, self.found.parts.learning
        if self._end is None or not algorithm(name, self.found.task).long:
            return
        if name not in self._known:
            pilot = self.fit.fit(recipe, learning[::PILOT], None)
            self._known[name] = PILOT * pilot.seconds * max(1, recipe.folds)
            left = self._end - time.monotonic()
            if self._known[name] / 2 > left:
                text = f"{name} is left out: it would take about {self._known[name]:.0f} s, and "
                self.tell(Event("step", f"{text}{max(0.0, left):.0f} s are left"))
        if self._known[name] / 2 > self._end - time.monotonic():
            raise optuna.TrialPruned

    def _told(self, study: Any, trial: Any) -> None:
        if self._is_over(study):
            study.stop()
        if trial.value is None:
            return
        entry, best = _entry(trial, self._metric), _entry(study.best_trial, self._metric)
        self._keep(entry)
        done = len(_complete(study))
        of = f" of {self._most}" if self._most is not None else ""
        left = ""
        if self._end is not None:
            left = f"; {max(0.0, self._end - time.monotonic()):.0f} s left"
        text = (
            f"trial {done}{of}: {entry.algorithm}, {entry.metric} {entry.score:.4f}, "
            f"{entry.seconds:.1f} s; best {best.score:.4f} ({best.algorithm}){left}"
        )
        values = {"trial": done, "algorithm": entry.algorithm, "score": entry.score}
        self.tell(Event("trial", text, {**values, "best": best.score}))

    def _keep(self, entry: Entry) -> None:
        known = self.kept.get(entry.algorithm)
        if self._last is not None and (known is None or ranked([known[0], entry])[0] is entry):
            self.kept[entry.algorithm] = (entry, self._last)
        self._last = None

    def _is_over(self, study: Any) -> bool:
        """Whether another trial would end later than it may, rather than earlier."""
        done = _complete(study)
        if self._end is None or not done:
            return False
        taken = [trial.user_attrs["seconds"] for trial in done]
        return bool(time.monotonic() + sum(taken) / len(taken) / 2 > self._end)


def _quiet(tell: Listener) -> Listener:
    """Folds within trials are progress only."""
    return lambda event: tell(Event("progress", event.text, event.values))


def _complete(study: Any) -> list[Any]:
    from optuna.trial import TrialState

    return [trial for trial in study.trials if trial.state == TrialState.COMPLETE]


def _entry(trial: Any, metric: str) -> Entry:
    attributes = trial.user_attrs
    return Entry(
        trial.params["algorithm"],
        attributes["parameters"],
        metric,
        trial.value,
        attributes["seconds"],
        bool(attributes.get("baseline")),
    )


def _identity(found: Prepared, recipe: Recipe) -> str:
    """What a journal calls the search: other data, or another recipe, is another one."""
    import pandas

    settings = recipe.but(trials=None, seconds=None).digest
    values = pandas.util.hash_pandas_object(found.target.astype(str), index=False)
    shape = f"{settings}{found.rows.shape}{list(found.rows.columns)}"
    return hashlib.sha256(shape.encode() + values.to_numpy().tobytes()).hexdigest()[:16]


@dataclass(frozen=True)
class _Choices:
    """Suggestions of a trial, named by the algorithm."""

    trial: Any
    algorithm: str

    def number(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        return float(self.trial.suggest_float(f"{self.algorithm}.{name}", low, high, log=log))

    def integer(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        return int(self.trial.suggest_int(f"{self.algorithm}.{name}", low, high, log=log))


def _gbm(choose: _Choices, found: Prepared) -> dict[str, Any]:
    return {
        "learning_rate": choose.number("learning_rate", 0.03, 0.3, log=True),
        "num_leaves": choose.integer("num_leaves", 7, 255, log=True),
        "min_child_samples": choose.integer("min_child_samples", 5, 200, log=True),
        "colsample_bytree": choose.number("colsample_bytree", 0.4, 1.0),
        "subsample": choose.number("subsample", 0.5, 1.0),
        "subsample_freq": 1,
        "reg_lambda": choose.number("reg_lambda", 1e-3, 30.0, log=True),
    }


def _xgboost(choose: _Choices, found: Prepared) -> dict[str, Any]:
    return {
        "learning_rate": choose.number("learning_rate", 0.03, 0.3, log=True),
        "max_depth": choose.integer("max_depth", 3, 10),
        "min_child_weight": choose.number("min_child_weight", 1.0, 100.0, log=True),
        "colsample_bytree": choose.number("colsample_bytree", 0.4, 1.0),
        "subsample": choose.number("subsample", 0.5, 1.0),
        "reg_lambda": choose.number("reg_lambda", 1e-3, 30.0, log=True),
    }


def _forest(choose: _Choices, found: Prepared) -> dict[str, Any]:
    least = max(1, len(found.parts.learning) // 50_000)
    return {
        "min_samples_leaf": choose.integer("min_samples_leaf", least, least * 30, log=True),
        "max_features": choose.number("max_features", 0.1, 1.0),
    }


def _glm(choose: _Choices, found: Prepared) -> dict[str, Any]:
    if found.task.kind == "multiclass":
        return {"C": choose.number("C", 1e-3, 100.0, log=True)}
    return {
        "alpha": choose.number("alpha", 1e-7, 1e-1, log=True),
        "l1_ratio": choose.number("l1_ratio", 0.0, 1.0),
    }


def _deep(choose: _Choices, found: Prepared) -> dict[str, Any]:
    return {"alpha": choose.number("alpha", 1e-6, 1e-1, log=True)}


def _bayes(choose: _Choices, found: Prepared) -> dict[str, Any]:
    return {"var_smoothing": choose.number("var_smoothing", 1e-12, 1e-2, log=True)}


_SPACES: Mapping[str, Callable[[_Choices, Prepared], dict[str, Any]]] = {
    "gbm": _gbm,
    "xgboost": _xgboost,
    "forest": _forest,
    "glm": _glm,
    "deep": _deep,
    "bayes": _bayes,
}
