"""Encoders of category_encoders: what each level becomes, asked of the encoder, and hashes."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.converters.composing import array
from penstock.converters.context import Context
from penstock.converters.tabulating import Question, tabulated
from penstock.converters.validation import marker
from penstock.converters.values import Column, Value, codes, numeric_columns
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


# Those of hashlib that the engine has.
METHODS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
# How Python writes what is missing; None is not hashed.
MISSING = {"nan": "nan", "na": "<NA>"}


def hashing_encoder(estimator: Any, value: Value, context: Context) -> Value:
    """How many of the columns have a text with each hash, before the other columns.

    category_encoders/hashing.py, `hash_chunk`: the digest of `str(value)`, nothing for None.
    """

    if getattr(estimator, "min_group_lumping_", None):
        context.refuse(
            "levels that are put together before they are hashed", option="min_group_size"
        )
    if estimator.hash_method not in METHODS:
        known = ", ".join(f"`{method}`" for method in METHODS)
        context.refuse(f"`{estimator.hash_method}`; known are {known}", option="hash_method")
    if value.frame not in ("", "pandas"):
        context.refuse(f"takes pandas frames and arrays, and gets one of {value.frame}")
    names = list(estimator.feature_names_in_)
    if value.frame and list(value.names) != [str(name) for name in names]:
        context.refuse("was fitted on other columns, or in another order")
    encoded = [names.index(name) for name in estimator.cols]
    others = [at for at in range(value.width) if at not in encoded]
    parts = [_hashed(estimator, context.select(value, [at]), context) for at in encoded]
    columns = [Column(f"col_{at}", "number", "int64") for at in range(int(estimator.n_components))]
    counts = (
        context.add("sum", parts, columns, weights=None, divisor=1, precision="f64")
        if parts
        else None
    )
    rest = context.select(value, others).with_columns(
        replace(value.columns[at], name=str(names[at])) for at in others
    )
    together = context.concat([counts, rest] if others else [counts]) if counts else value
    dropped = set(getattr(estimator, "invariant_cols", ())) if estimator.drop_invariant else set()
    kept = [at for at, name in enumerate(together.names) if name not in dropped]
    result = replace(context.select(together, kept), frame="pandas")
    return result if estimator.return_df else replace(result, columns=array(result), frame="")


def _hashed(estimator: Any, value: Value, context: Context) -> Value:
    """1 at the place of the hash of one column."""
    import numpy

    (column,) = value.columns
    width = int(estimator.n_components)
    missing = MISSING.get(marker(column, frame=value.frame, objects=True))
    if column.kind == "boolean" and column.dtype in ("bool", "object"):
        coded = context.add(
            "encode_number",
            value,
            codes(1),
            levels=numpy.array([0.0, 1.0]),
            ends=numpy.array([2]),
            codes=numpy.array([_bucket(estimator, text) for text in ("False", "True")]),
            missing_codes=numpy.array([-1 if missing is None else _bucket(estimator, missing)]),
            unseen_codes=numpy.array([-1]),
        )
    else:
        texts = _written(value, missing, context)
        coded = context.add(
            "digest_bucket", texts, codes(1), method=estimator.hash_method, buckets=width
        )
    return context.add("one_hot", coded, numeric_columns(width), widths=numpy.array([width]))


def _bucket(estimator: Any, text: str) -> int:
    digest = getattr(hashlib, estimator.hash_method)(text.encode())
    return int.from_bytes(digest.digest(), "big") % int(estimator.n_components)


def _written(value: Value, missing: str | None, context: Context) -> Value:
    """One column as Python's `str` writes it; None stays missing."""
    (column,) = value.columns
    text = Column(column.name, "text", "object")
    if column.kind == "number" and column.dtype == "float64":
        value = context.add("write_number", value, [text])
    elif column.kind != "text":
        context.refuse(
            f"column `{column.name}` is {column.dtype}, which is hashed as it is written, and that "
            "is another way where a value of its batch is missing; cast it to text or float64"
        )
    if missing is None and not value.frame:
        context.refuse(
            f"column `{column.name}` of an array of objects has None, which pandas makes NaN "
            "beside texts and leaves where it is alone; fit on a frame"
        )
    if missing is None:
        return value
    return context.add("impute_text", value, [text], missing=None, replacements=[missing])


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
    "category_encoders.hashing.HashingEncoder": hashing_encoder,
    "category_encoders.quantile_encoder.SummaryEncoder": category_encoder,
    **{f"category_encoders.{module}.{name}": category_encoder for module, name in CLASSES.items()},
}
