"""scikit-learn's selection of features: some of the columns, as they are."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.converters.context import Context
from penstock.converters.output import frame_output
from penstock.converters.validation import finite_array, sized
from penstock.converters.values import Value

__all__ = ["CONVERTERS"]


def selector(estimator: Any, value: Value, context: Context) -> Value:
    """The columns that were chosen.

    sklearn/feature_selection/_base.py, `transform`: a frame of pandas stays one, unchecked, where
    `set_output` is to make a frame.
    """
    positions = [int(at) for at in estimator.get_support(indices=True)]
    if not positions:
        context.refuse("has selected no column, so nothing is left to predict from")
    if value.frame == "pandas" and frame_output(estimator):
        return context.select(value, positions)
    from sklearn.utils import get_tags

    missing = bool(get_tags(estimator).input_tags.allow_nan)
    return context.select(finite_array(value, context, missing=missing), positions)


SELECTORS = (
    "GenericUnivariateSelect",
    "RFE",
    "RFECV",
    "SelectFdr",
    "SelectFpr",
    "SelectFromModel",
    "SelectFwe",
    "SelectKBest",
    "SelectPercentile",
    "SequentialFeatureSelector",
    "VarianceThreshold",
)

CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {f"sklearn.feature_selection.{name}": selector for name in SELECTORS}
)
