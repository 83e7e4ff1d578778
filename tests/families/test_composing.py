"""Pipelines, column transformers, unions, searches and transformed targets, beside scikit-learn."""

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests import contract


def pipeline_with_passthrough():
    frame = contract.numbers()
    return make_pipeline("passthrough", StandardScaler()).fit(frame), frame


EXAMPLES = {"pipeline_with_passthrough": pipeline_with_passthrough}
