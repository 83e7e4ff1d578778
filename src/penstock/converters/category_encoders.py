"""Encoders of category_encoders: a table of what each level becomes, asked of the encoder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.converters.composing import array
from penstock.converters.context import Context
from penstock.converters.tabulating import Question, tabulated
from penstock.converters.values import Value
from penstock.schema import Label

__all__ = ["CONVERTERS"]


def category_encoder(estimator: Any, value: Value, context: Context) -> Value:
    """The columns with each level as the numbers that the encoder gives for it."""
    for option in ("composite_cols", "hierarchy"):
        if getattr(estimator, option, None):
            context.refuse("columns that are encoded together", option=option)
    if value.frame not in ("", "pandas"):
        context.refuse(f"takes pandas frames and arrays, and gets one of {value.frame}")
    names = list(estimator.feature_names_in_)
    if value.frame and list(value.names) != [str(name) for name in names]:
        context.refuse("was fitted on other columns, or in another order")
    encoded = list(estimator.cols)
    levels = {names.index(name): _levels(estimator, name) for name in encoded}

    def transform(frame: Any) -> Any:
        # Columns that are not encoded may be of any type; the encoder passes them by.
        return estimator.transform(frame, override_return_df=True)

    result = tabulated(Question(transform, names, levels), value, context)
    if estimator.return_df:
        return result
    return replace(result, columns=array(result), frame="")


def _levels(estimator: Any, name: Any) -> Sequence[Label]:
    """The levels of a column that the encoder knows, those that it puts together among them."""
    lumped = getattr(estimator, "min_group_lumping_", {}).get(name, {})
    grouped = getattr(estimator, "_min_group_categories", {}).get(name, {})
    return [*_mapped(estimator, name), *lumped, *(grouped if isinstance(grouped, dict) else ())]


def _mapped(estimator: Any, name: Any) -> Sequence[Label]:
    several = getattr(estimator, "encoder_list", None)
    if several:
        return _mapped(several[0], name)
    inner = getattr(estimator, "ordinal_encoder", None)
    mapping = (inner or estimator).mapping
    if isinstance(mapping, dict):
        found = mapping[name]
    else:
        found = next(entry["mapping"] for entry in mapping if entry["col"] == name)
    return list(found.index) if hasattr(found, "index") else list(found)


# By module, as each has its encoder in one of its own.
CLASSES = {
    "backward_difference": "BackwardDifferenceEncoder",
    "basen": "BaseNEncoder",
    "binary": "BinaryEncoder",
    "cat_boost": "CatBoostEncoder",
    "count": "CountEncoder",
    "glmm": "GLMMEncoder",
    "gray": "GrayEncoder",
    "helmert": "HelmertEncoder",
    "james_stein": "JamesSteinEncoder",
    "leave_one_out": "LeaveOneOutEncoder",
    "m_estimate": "MEstimateEncoder",
    "one_hot": "OneHotEncoder",
    "ordinal": "OrdinalEncoder",
    "polynomial": "PolynomialEncoder",
    "quantile_encoder": "QuantileEncoder",
    "rankhot": "RankHotEncoder",
    "sum_coding": "SumEncoder",
    "target_encoder": "TargetEncoder",
    "woe": "WOEEncoder",
}


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "category_encoders.quantile_encoder.SummaryEncoder": category_encoder,
    **{f"category_encoders.{module}.{name}": category_encoder for module, name in CLASSES.items()},
}
