"""What the comparisons train: five models as people train them, and the rows that they get."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import pandas
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from xgboost import XGBClassifier

from demo import data
from demo.data import NUMBERS, TEXTS

__all__ = ["BATCH_ROWS", "MISSING_TEXT", "WORKLOADS", "Rows", "Workload"]

MISSING_TEXT = "missing"  # the level that a missing text becomes
BATCH_ROWS = 100_000
FOREST_ROWS = 60_000  # enough for a million nodes and a half
SEED = 2013

TAIL_NUMBER = "tailnum"  # 4,037 levels: each airplane is one
CATEGORIES = (*TEXTS, TAIL_NUMBER)

NORMAL_NUMBERS, CODED_NUMBERS = 20, 10
MADE_ROWS = 200_000


@dataclass(frozen=True)
class Rows:
    """Rows to learn from with their targets of 0 and 1, and 100,000 others to predict."""

    train: pandas.DataFrame
    target: "pandas.Series[int]"
    batch: pandas.DataFrame


@dataclass(frozen=True)
class Workload:
    """How a model comes about: what learns, from which rows, and which of their columns are text.

    `kind` is the library whose file holds the trees: `lightgbm`, `xgboost`, `forest` or `linear`.
    """

    kind: str
    estimator: Callable[[], Any]
    rows: Callable[[], Rows]
    texts: Sequence[str]


def _lightgbm_classifier() -> LGBMClassifier:
    return LGBMClassifier(
        n_estimators=500, num_leaves=63, learning_rate=0.05, random_state=SEED, verbosity=-1
    )


def _boosted_flights() -> Pipeline:
    return _prepared(_lightgbm_classifier())


def _logistic_flights() -> Pipeline:
    return _prepared(LogisticRegression(max_iter=300))


def _prepared(classifier: Any) -> Pipeline:
    """The classifier behind imputers, a scaler for 19 numbers and one-hot columns for 8 texts."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return _on_flights(numbers, OneHotEncoder(handle_unknown="ignore"), classifier)


def _deep_forest() -> Pipeline:
    """A forest as it comes, each tree as deep as it likes, behind imputers and codes of texts."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    forest = RandomForestClassifier(n_estimators=100, random_state=SEED, n_jobs=-1)
    return _on_flights(SimpleImputer(strategy="median"), codes, forest)


def _on_flights(numbers: Any, encoder: Any, classifier: Any) -> Pipeline:
    texts = make_pipeline(SimpleImputer(strategy="constant", fill_value=MISSING_TEXT), encoder)
    columns = ColumnTransformer(
        [("numbers", numbers, list(NUMBERS)), ("texts", texts, list(TEXTS))]
    )
    return Pipeline([("columns", columns), ("classifier", classifier)])


def _native_categories() -> LGBMClassifier:
    return _lightgbm_classifier()


def _boosted_numbers() -> XGBClassifier:
    return XGBClassifier(n_estimators=500, max_depth=6, learning_rate=0.05, random_state=SEED)


def _flights() -> Rows:
    return _end_of_year(data.load())


def _few_flights() -> Rows:
    """Fewer to learn from, spread over the months before the hold-out."""
    rows = _flights()
    train = rows.train.sample(FOREST_ROWS, random_state=SEED)
    return Rows(train, rows.target.loc[train.index], rows.batch)


def _end_of_year(rows: pandas.DataFrame) -> Rows:
    """To predict: all of the hold-out, and before it rows that fill up the number."""
    features = rows.columns.drop("late")
    train = rows.head(len(data.split(rows).train))
    batch = rows[features].tail(BATCH_ROWS).reset_index(drop=True)
    return Rows(train[features], train["late"], batch)


def _flights_with_categories() -> Rows:
    rows = data.load(TAIL_NUMBER)
    return _end_of_year(rows.astype(dict.fromkeys(CATEGORIES, "category")))


def _made_numbers() -> Rows:
    """20 normal numbers and 10 codes of 3 to 50 levels; the target depends on a dozen of them.

    Nothing that branches can foresee such rows: the worst case for engines that branch.
    """
    random = numpy.random.default_rng(SEED)
    count = MADE_ROWS + BATCH_ROWS
    normal = random.normal(size=(count, NORMAL_NUMBERS))
    levels = numpy.linspace(3, 50, CODED_NUMBERS).astype(int)
    codes = random.integers(0, levels, size=(count, CODED_NUMBERS))
    steps = (codes[:, :6] * 7 % levels[:6]) / levels[:6]
    score = normal[:, 0] * normal[:, 1] + numpy.sin(2 * normal[:, 2]) + normal[:, 3:6].sum(axis=1)
    score += 2 * steps.sum(axis=1) - 6 + random.normal(size=count)
    frame = pandas.DataFrame(numpy.hstack([normal, codes]).astype(numpy.float32))
    frame.columns = pandas.Index([f"x{at:02}" for at in range(frame.shape[1])])
    target = pandas.Series((score > 0).astype("int64"))
    batch = frame.tail(BATCH_ROWS).reset_index(drop=True)
    return Rows(frame.head(MADE_ROWS), target.head(MADE_ROWS), batch)


WORKLOADS: dict[str, Workload] = {
    "lightgbm": Workload("lightgbm", _boosted_flights, _flights, TEXTS),
    "xgboost": Workload("xgboost", _boosted_numbers, _made_numbers, ()),
    "forest": Workload("forest", _deep_forest, _few_flights, TEXTS),
    "logistic": Workload("linear", _logistic_flights, _flights, TEXTS),
    "categories": Workload("lightgbm", _native_categories, _flights_with_categories, CATEGORIES),
}
