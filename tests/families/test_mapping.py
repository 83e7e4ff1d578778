"""DataFrameMapper of sklearn-pandas, by a class of ours that looks like it."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    LabelBinarizer,
    LabelEncoder,
    OneHotEncoder,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

import penstock
from tests import contract
from tests.lookalikes import DataFrameMapper


def frame(*names: str) -> Any:
    made = contract.mixed()[["normal", "counts", "integer", "flag", "size", "color", "word"]]
    made = made.assign(
        color=made["color"].fillna("none").astype("str"),
        sex=np.where(made["integer"] > 20, "f", "m"),
        note=(made["word"] + " and " + made["color"]).fillna("nothing"),
    )
    return made[list(names)] if names else made


def target() -> Any:
    return (contract.answer(contract.numbers()) == "yes").astype(int)


NUMBERS = (["normal", "counts"], [SimpleImputer(), StandardScaler()])


def mapping(features: list[Any], *names: str, model: Any = None, **options: Any) -> Any:
    def example() -> tuple[Any, ...]:
        data = frame(*names)
        last = model or LogisticRegression(max_iter=30)
        return make_pipeline(DataFrameMapper(features, **options), last).fit(data, target()), data

    return example


def alone(features: list[Any], *names: str, **options: Any) -> Any:
    def example() -> tuple[Any, ...]:
        data = frame(*names)
        return DataFrameMapper(features, **options).fit(data), data

    return example


WHOLE = (["integer"], None)
IMPUTED = (["normal", "counts"], SimpleImputer())
FOUR = ("normal", "counts", "integer", "color")

EXAMPLES = {
    "numbers": mapping([NUMBERS]),
    "labels": mapping([NUMBERS, ("color", LabelBinarizer())]),
    "two_labels": mapping([NUMBERS, ("sex", LabelBinarizer())], "normal", "counts", "sex"),
    "positions_of_labels": mapping([NUMBERS, ("color", LabelEncoder())]),
    "a_text": mapping([NUMBERS, ("note", CountVectorizer())]),
    "a_text_in_a_list_of_steps": mapping([NUMBERS, ("note", [CountVectorizer()])]),
    "a_text_sparse": mapping([NUMBERS, ("note", TfidfVectorizer())], sparse=True),
    "levels": mapping([NUMBERS, (["color", "sex"], OneHotEncoder(handle_unknown="ignore"))]),
    "categories": mapping([WHOLE, (["size"], OneHotEncoder())], "integer", "size"),
    "nothing": mapping([WHOLE, ("integer", None), (["flag"], None)], "integer", "flag"),
    "functions": mapping(
        [IMPUTED, ("integer", FunctionTransformer(np.exp2)), (["integer"], None)],
    ),
    "others_as_they_are": mapping([IMPUTED], "normal", "counts", "integer", default=None),
    "others_scaled": mapping([IMPUTED], "normal", "integer", "counts", default=StandardScaler()),
    "others_dropped": mapping([IMPUTED], *FOUR, default=None, drop_cols=["color"]),
    "columns_by_a_function": mapping([IMPUTED, (lambda data: ["integer"], StandardScaler())]),
    "frames": mapping([IMPUTED, (["integer"], StandardScaler())], input_df=True),
    "frames_by_option": mapping([(*IMPUTED, {"input_df": True}), WHOLE]),
    "frame_out": alone(
        [(*IMPUTED, {"alias": "both"}), WHOLE, ("color", LabelBinarizer()), (["sex"], None)],
        *FOUR,
        "sex",
        df_out=True,
    ),
    "frame_out_before_a_tree": mapping(
        [IMPUTED, WHOLE], df_out=True, model=DecisionTreeClassifier(max_depth=4, random_state=0)
    ),
}


def test_more_than_two_labels_in_a_table_are_told_as_each_alone() -> None:
    model, data = EXAMPLES["two_labels"]()
    rows = [{"normal": 0.5, "counts": 2.0, "sex": sex} for sex in ("f", "m", "other", "")]
    expected = [model.predict_proba(pd.DataFrame([row]))[0, 1] for row in rows]
    found = [answer["probability"][1] for answer in penstock.convert(model, data).predict(rows)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_an_array_is_refused() -> None:
    model, _ = EXAMPLES["numbers"]()
    data = frame("normal", "counts").to_numpy()
    assert "takes pandas frames" in contract.refused(model, data)


def test_a_column_that_the_example_lacks_is_refused() -> None:
    model, data = EXAMPLES["numbers"]()
    assert "`counts`" in contract.refused(model, data[["normal", "integer"]])


def test_a_category_by_itself_is_refused() -> None:
    model, data = alone([("size", LabelBinarizer())], "size")()
    assert "name it in a list" in contract.refused(model, data)


def test_a_frame_of_texts_that_may_be_none_is_refused() -> None:
    data = pd.DataFrame({"color": pd.Series(["red", None, "blue"] * 9, dtype="object")})
    model = DataFrameMapper([(["color"], None)], df_out=True).fit(data)
    assert "`df_out`" in contract.refused(model, data)


def test_a_mapper_of_nothing_is_refused() -> None:
    model = DataFrameMapper([(["normal"], None)]).fit(frame("normal"))
    model.built_features = []
    assert "maps no column" in contract.refused(model, frame("normal"))
