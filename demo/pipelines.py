"""Pipelines on the flights: the one of the demo, and the three that the benches compare on."""

from collections.abc import Callable
from typing import Any

import numpy
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from demo.data import NUMBERS, TEXTS

__all__ = ["BENCH_PIPELINES", "DEMO_TREES", "MISSING_TEXT", "demo_pipeline"]

MISSING_TEXT = "missing"  # the level that a missing text becomes
DEMO_TREES = 200  # some ten seconds of training on two cores
SEED = 2013


def demo_pipeline() -> Pipeline:
    """LightGBM on raw columns: numbers stay as they are, texts become codes, unseen ones NaN."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=numpy.nan)
    columns = ColumnTransformer(
        [("numbers", "passthrough", list(NUMBERS)), ("texts", codes, list(TEXTS))]
    )
    return Pipeline([("columns", columns), ("classifier", _lightgbm(DEMO_TREES))])


def _logistic() -> Pipeline:
    return _prepared(LogisticRegression(max_iter=300))


def _forest() -> Pipeline:
    return _prepared(
        RandomForestClassifier(n_estimators=100, max_depth=10, random_state=SEED, n_jobs=-1)
    )


def _boosted() -> Pipeline:
    return _prepared(_lightgbm(500))


def _lightgbm(trees: int) -> LGBMClassifier:
    return LGBMClassifier(
        n_estimators=trees, num_leaves=63, learning_rate=0.05, random_state=SEED, verbosity=-1
    )


def _prepared(classifier: Any) -> Pipeline:
    """The classifier behind imputers, a scaler for 19 numbers and one-hot columns for 8 texts."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    texts = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=MISSING_TEXT),
        OneHotEncoder(handle_unknown="ignore"),
    )
    columns = ColumnTransformer(
        [("numbers", numbers, list(NUMBERS)), ("texts", texts, list(TEXTS))]
    )
    return Pipeline([("columns", columns), ("classifier", classifier)])


BENCH_PIPELINES: dict[str, Callable[[], Pipeline]] = {
    "logistic": _logistic,
    "forest": _forest,
    "lightgbm": _boosted,
}
