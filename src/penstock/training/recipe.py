"""What a training is to do: one dataclass behind `penstock.train`, its command and recipe files."""

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from penstock.artifact import canonical_json
from penstock.errors import PenstockError

# ruff: noqa: RUF009 (`_set` is `field`, with what the setting can be)

__all__ = [
    *("ALGORITHMS", "SPLITS", "TASKS", "TREATMENTS", "WITHOUT_TARGET"),
    *("Recipe", "Setting", "settings"),
]

ALGORITHMS = (*("auto", "gbm", "xgboost", "forest", "glm", "deep", "bayes", "kmeans", "isolation"),)
# The task of the algorithms that learn no target.
WITHOUT_TARGET = {"kmeans": "clustering", "isolation": "anomaly"}
TASKS = ("binary", "multiclass", "regression", "count", *WITHOUT_TARGET.values())
SPLITS = ("random", "stratified", "time", "group")
TREATMENTS = ("number", "levels", "dates", "text", "drop")

Mappings = Mapping[str, Any]


@dataclass(frozen=True)
class Setting:
    """A setting of a recipe: what it is for, and what it can be."""

    about: str
    kind: str = "text"
    choices: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None


def _set(default: Any, about: str, kind: str = "text", **limits: Any) -> Any:
    return field(default=default, metadata={"setting": Setting(about, kind, **limits)})


def _mapping(about: str, **limits: Any) -> Any:
    setting = Setting(about, "mapping", **limits)
    return field(default_factory=dict, metadata={"setting": setting})


@dataclass(frozen=True)
class Recipe:
    """All that decides what is trained, but for the data; the fields are those of a recipe file.

    Raises `PenstockError` for a setting that contradicts itself.
    """

    target: str = _set(
        "", "Column to predict; kmeans and isolation are judged by it only, if it is given."
    )
    algorithm: str = _set("gbm", "What is trained.", choices=ALGORITHMS)
    task: str | None = _set(None, "Kind of the target; seen from it if not given.", choices=TASKS)
    name: str | None = _set(None, "Name of the model.")
    version: str | None = _set(None, "Version of the model; 1 if not given.")
    drop: tuple[str, ...] = _set((), "Columns that are no features.", "texts")
    types: Mappings = _mapping(
        "number, text, boolean or timestamp by column, against what is proposed."
    )
    features: Mappings = _mapping("Treatment by column, against what is proposed.")
    parameters: Mappings = _mapping("Parameters of the library's estimator, by their names there.")
    positive: Any = _set(None, "Class that metrics and threshold are about.", "any")
    split: str | None = _set(
        None, "How rows are held out; stratified for classes, else random.", choices=SPLITS
    )
    split_column: str | None = _set(None, "Column with the time or the group to split by.")
    holdout: float = _set(
        0.2, "Share of the rows to judge the model on.", "number", minimum=0.01, maximum=0.9
    )
    validation: float = _set(
        0.1, "Share of the rest to stop and to choose by.", "number", minimum=0.01, maximum=0.9
    )
    folds: int = _set(
        0, "Cross-validate in so many folds first; 0 for none.", "integer", minimum=0, maximum=100
    )
    weight: str | None = _set(None, "Column with the weight of each row.")
    offset: str | None = _set(
        None, "Column that is added to the raw score, of counts to its logarithm; gbm, glm."
    )
    class_weight: Any = _set(None, '"balanced", or a weight by class.', "any")
    monotone: Mappings = _mapping("1 (rising) or -1 (falling) by column; trees of gbm, xgboost.")
    interactions: Any = _set(
        None,
        "Groups of columns that may meet in one tree, as lists of names; gbm, xgboost.",
        "any",
    )
    intervals: Any = _set(
        None,
        "Share of the truth that an interval around the number is to hold, as 0.9, or "
        '{coverage = 0.9, method = "quantiles"}.',
        "any",
    )
    calibration: str | None = _set(
        None,
        "How to correct probabilities on the validation rows: isotonic takes many of them.",
        choices=("sigmoid", "isotonic"),
    )
    threshold: Any = _set(
        "f1",
        'How to choose the threshold: "f1", {rate = 0.1} (share of rows above it), or '
        "{false_positive = 1, false_negative = 5} (costs).",
        "any",
    )
    clusters: int | None = _set(
        None, "kmeans: how many; the best silhouette decides if not given.", "integer", minimum=1
    )
    most_clusters: int | None = _set(
        None, "kmeans: at most so many are tried; 10 if not given.", "integer", minimum=2
    )
    rate: float | None = _set(
        None,
        "isolation: share of the rows to call anomalies; 0.01 if not given.",
        "number",
        minimum=0.0001,
        maximum=0.5,
    )
    algorithms: tuple[str, ...] = _set(
        (), "auto: which ones to try; all that can if not given.", "texts"
    )
    trials: int | None = _set(
        None, "auto: how many models to try; 20 if no seconds are given.", "integer", minimum=1
    )
    seconds: float | None = _set(None, "auto: how long to try.", "number", minimum=1)
    journal: str | None = _set(None, "auto: file of finished trials, to go on from.")
    seed: int = _set(0, "Of every choice by chance.", "integer", minimum=0)
    threads: int | None = _set(
        None, "At most so many; all cores if not given.", "integer", minimum=1
    )
    memory: float | None = _set(
        None, "Most GB to use; what is free if not given.", "number", minimum=0.01
    )

    def __post_init__(self) -> None:
        wrong = [each for each in self.algorithms if each not in ALGORITHMS[1:]]
        if wrong:
            raise PenstockError(
                f"`algorithms` has {wrong[0]!r}; it can have {_quoted(ALGORITHMS[1:])}"
            )
        for item, setting in settings():
            _check(item, getattr(self, item), setting)
        for column, treatment in self.features.items():
            if treatment not in TREATMENTS:
                raise PenstockError(
                    f"`features`: the treatment of `{column}` is {treatment!r}; it must be one of "
                    f"{_quoted(TREATMENTS)}"
                )
        for column, direction in self.monotone.items():
            if direction not in (-1, 0, 1):
                raise PenstockError(
                    f"`monotone`: {direction!r} for `{column}`; it must be 1, -1 or 0"
                )
        _check_groups(self.interactions)
        if self.split in ("time", "group") and not self.split_column:
            raise PenstockError(
                f'`split` is "{self.split}", which needs `split_column`: the column to split by'
            )
        if self.split_column and self.split not in ("time", "group"):
            raise PenstockError('`split_column` needs `split`: "time" or "group"')
        _check_algorithm(self)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Recipe":
        """The recipe with these settings; a name that is none is refused with the nearest one."""
        known = [name for name, _ in settings()]
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean `{near[0]}`?" if near else f"there are {_quoted(known)}"
                raise PenstockError(f"there is no setting `{name}`; {hint}")
        plain: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in given.items()
        }
        return cls(**plain)

    def but(self, **changes: Any) -> "Recipe":
        """The same recipe with other settings."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Every setting that is not as by default; neither threads nor files change a model."""
        told = {}
        for item in fields(self):
            value = getattr(self, item.name)
            default = {} if item.default_factory is dict else item.default
            if value != default and item.name not in ("threads", "memory", "journal"):
                told[item.name] = list(value) if isinstance(value, tuple) else value
        return told

    @property
    def digest(self) -> str:
        """SHA-256 of what is set, in hex."""
        return hashlib.sha256(canonical_json(self.to_json())).hexdigest()


# Settings of a target that is learned, and of one algorithm only.
_OF_TARGETS = (
    *("folds", "offset", "class_weight", "monotone", "interactions"),
    *("intervals", "calibration", "threshold"),
)
_OF_ONE = {"clusters": "kmeans", "most_clusters": "kmeans", "rate": "isolation"}


def _check_algorithm(recipe: Recipe) -> None:
    for name, algorithm in _OF_ONE.items():
        if getattr(recipe, name) is not None and recipe.algorithm != algorithm:
            raise PenstockError(f'`{name}` is for algorithm "{algorithm}"')
    if recipe.algorithm not in WITHOUT_TARGET:
        return
    given = recipe.to_json()
    wrong = next((name for name in _OF_TARGETS if name in given), None)
    if wrong is None and recipe.split == "stratified":
        wrong = "split"
    if wrong is not None:
        raise PenstockError(
            f"`{wrong}` is {given[wrong]!r}, which is for a target that is learned; algorithm "
            f'"{recipe.algorithm}" learns none'
        )


def settings() -> list[tuple[str, Setting]]:
    """Every setting by name, in order."""
    return [(item.name, item.metadata["setting"]) for item in fields(Recipe)]


_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "texts": (tuple,),
    "number": (int, float),
    "integer": (int,),
    "mapping": (Mapping,),
    "any": (object,),
}
_WORDS = {
    "integer": "an integer",
    "text": "a text",
    "texts": "a list of names",
    "mapping": "names with values",
}


def _check(name: str, value: Any, setting: Setting) -> None:
    if value is None:
        return
    kinds = _TYPES[setting.kind]
    wrong_bool = isinstance(value, bool) and int in kinds
    if wrong_bool or not isinstance(value, kinds):
        due = _WORDS.get(setting.kind, f"a {setting.kind}")
        raise PenstockError(f"`{name}` is {value!r}; it must be {due}")
    if setting.choices is not None and value not in setting.choices:
        raise PenstockError(f"`{name}` is {value!r}; it must be one of {_quoted(setting.choices)}")
    if setting.kind != "any" and isinstance(value, (int, float)):
        _check_limits(name, value, setting)


def _check_groups(groups: Any) -> None:
    lists = (list, tuple)
    if groups is None or (
        isinstance(groups, lists)
        and all(isinstance(group, lists) and group for group in groups)
        and all(isinstance(name, str) for group in groups for name in group)
    ):
        return
    raise PenstockError(
        f'`interactions` is {groups!r}; it must be lists of columns, as [["hour", "month"]]'
    )


def _check_limits(name: str, value: float, setting: Setting) -> None:
    if setting.minimum is not None and value < setting.minimum:
        raise PenstockError(f"`{name}` is {value!r}; it must be at least {setting.minimum:g}")
    if setting.maximum is not None and value > setting.maximum:
        raise PenstockError(f"`{name}` is {value!r}; it must be at most {setting.maximum:g}")


def _quoted(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)
