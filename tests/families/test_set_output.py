"""`set_output` of transformers: frames between steps, their names and their libraries."""

import numpy as np
import pandas as pd
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from tests import contract


def nameless():
    """A column transformer in which one step cannot name what it gives."""
    inner = make_pipeline(StandardScaler(), FunctionTransformer(np.arctan))
    return ColumnTransformer([("inner", inner, ["large"]), ("keep", MinMaxScaler(), ["signed"])])


def texts_with_none():
    frame = contract.texts(missing=False)
    frame.loc[frame.index % 11 == 0, "color"] = None
    return frame


def column_transformer_with_a_step_without_names():
    frame = contract.numbers()
    return nameless().set_output(transform="pandas").fit(frame), frame


def step_after_one_without_names():
    frame = contract.numbers()
    columns = nameless().set_output(transform="pandas")
    later = ColumnTransformer([("later", RobustScaler(), ["tmp_col_name_1_0"])])
    return make_pipeline(columns, later).fit(frame), frame


def float32_in_polars_frames_of_a_pandas_one():
    frame = contract.numbers(dtype="float32")
    return make_pipeline(StandardScaler().set_output(transform="polars"), MinMaxScaler()).fit(
        frame
    ), frame


def float32_in_pandas_frames_of_a_polars_one():
    frame = pl.DataFrame(contract.numbers().to_dict("list")).cast(pl.Float32)
    return make_pipeline(StandardScaler().set_output(transform="pandas"), MinMaxScaler()).fit(
        frame
    ), frame


def imputed_texts_in_a_frame():
    frame = texts_with_none()
    imputer = SimpleImputer(missing_values=None, strategy="most_frequent")
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(imputer, encoder).set_output(transform="pandas").fit(frame), frame


def encoder_of_a_frame_without_columns():
    frame = pd.DataFrame({"town": ["a", "a", "a", "a"], "size": [1.0, 2.0, 5.0, 3.0]})
    nothing = OneHotEncoder(drop="first", sparse_output=False).set_output(transform="pandas")
    columns = ColumnTransformer(
        [
            ("nothing", make_pipeline(nothing, OrdinalEncoder()), ["town"]),
            ("scale", MinMaxScaler(), ["size"]),
        ]
    )
    return make_pipeline(columns, LogisticRegression()).fit(frame, [0, 1, 1, 0]), frame


def integers_and_floats_in_polars_frames_of_a_pandas_one():
    frame = contract.mixed(missing=False)[["large", "integer"]]
    same = FunctionTransformer(feature_names_out="one-to-one").set_output(transform="polars")
    return make_pipeline(same, StandardScaler()).fit(frame), frame


EXAMPLES = {
    make.__name__: make
    for make in (
        column_transformer_with_a_step_without_names,
        step_after_one_without_names,
        float32_in_polars_frames_of_a_pandas_one,
        float32_in_pandas_frames_of_a_polars_one,
        integers_and_floats_in_polars_frames_of_a_pandas_one,
        imputed_texts_in_a_frame,
        encoder_of_a_frame_without_columns,
    )
}


def test_texts_that_may_be_none_are_refused_in_pandas_frames():
    frame = texts_with_none()
    imputer = SimpleImputer(strategy="most_frequent").set_output(transform="pandas")
    pipeline = make_pipeline(imputer, OneHotEncoder()).fit(frame)
    message = contract.refused(pipeline, frame)
    assert "step `simpleimputer`: `set_output`" in message and "missing_values=None" in message


def test_a_frame_of_another_library_with_types_of_its_own_is_refused():
    frame = contract.mixed(missing=False)[["large", "integer"]].astype({"integer": "Int64"})
    same = FunctionTransformer(feature_names_out="one-to-one").set_output(transform="polars")
    message = contract.refused(make_pipeline(same, StandardScaler()).fit(frame), frame)
    assert "makes a polars frame of one of pandas" in message
