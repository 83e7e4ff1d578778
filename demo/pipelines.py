"""The pipeline of the demo; `bench/pipelines.py` has those that are measured."""

import numpy
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from demo.data import NUMBERS, TEXTS

__all__ = ["DEMO_TREES", "demo_pipeline", "lightgbm_classifier"]

DEMO_TREES = 200  # some ten seconds of training on two cores
SEED = 2013


def demo_pipeline() -> Pipeline:
    """LightGBM on raw columns: numbers stay as they are, texts become codes, unseen ones NaN."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=numpy.nan)
    columns = ColumnTransformer(
        [("numbers", "passthrough", list(NUMBERS)), ("texts", codes, list(TEXTS))]
    )
    return Pipeline([("columns", columns), ("classifier", lightgbm_classifier(DEMO_TREES))])


def lightgbm_classifier(trees: int) -> LGBMClassifier:
    """Trees of 63 leaves, grown leaf by leaf."""
    return LGBMClassifier(
        n_estimators=trees, num_leaves=63, learning_rate=0.05, random_state=SEED, verbosity=-1
    )
