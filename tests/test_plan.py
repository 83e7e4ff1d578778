"""What `model.plan` says of a model, and that what it folds away changes no prediction."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

import penstock

NUMBERS, TEXTS = ["age", "income"], ["city", "kind"]


def rows(count, seed=0):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 90, count).astype(float),
            "income": random.lognormal(10, 1, count),
            "city": random.choice(list("abcdef"), count),
            "kind": random.choice(["x", "y", "a text that is longer"], count),
        }
    )
    for name in frame:
        frame.loc[random.random(count) < 0.2, name] = np.nan if name in NUMBERS else None
    return frame


def planned(numbers, texts, classifier):
    """The model, after its predictions were compared with those of the pipeline."""
    train = rows(800)
    target = (train["age"].fillna(40) + 20 * (train["city"] == "a") > 60).astype(int)
    columns = make_column_transformer((numbers, NUMBERS), (texts, TEXTS))
    pipeline = make_pipeline(columns, classifier).fit(train, target)
    model = penstock.convert(pipeline, train)
    others = rows(2_000, seed=1)
    expected = pipeline.predict_proba(others)[:, 1]
    answers = model.predict(others)["probability_1"].to_numpy()
    np.testing.assert_allclose(answers, expected, rtol=1e-12)
    return model


def tree():
    return DecisionTreeClassifier(max_depth=8, random_state=0)


def one_hot():
    imputer = SimpleImputer(strategy="constant", fill_value="missing")
    return make_pipeline(imputer, OneHotEncoder(handle_unknown="ignore"))


def lines(model, start):
    return [line for line in model.plan if line.startswith(start)]


def test_imputing_and_scaling_become_part_of_the_cuts():
    model = planned(make_pipeline(SimpleImputer(), StandardScaler()), one_hot(), tree())
    folded = lines(model, "folded: `age`, missing is ")
    assert len(folded) == 1
    assert "into the cuts of `decisiontreeclassifier" in folded[0]
    assert "one-hot columns of `city` into tests of its code" in "\n".join(model.plan)
    assert not lines(model, "element-wise")
    assert not lines(model, "indicator")


def test_codes_of_an_ordinal_encoder_are_tested_themselves():
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    model = planned(MinMaxScaler(), encoder, tree())
    assert lines(model, "folded: the numbers of the codes of `city` into tests of its code")
    assert not lines(model, "lookup")


def test_a_binarizer_becomes_a_cut():
    numbers = make_pipeline(SimpleImputer(strategy="median"), Binarizer(threshold=40.0))
    model = planned(numbers, one_hot(), tree())
    assert any("above 40, into the cuts" in line for line in model.plan)


def test_a_logarithm_stays_a_step():
    numbers = make_pipeline(SimpleImputer(), FunctionTransformer(np.log1p), StandardScaler())
    model = planned(numbers, one_hot(), tree())
    assert "element-wise: 4 functions of 2 numbers" in model.plan
    assert not any("log1p" in line for line in lines(model, "folded"))
    assert any("`age`, subtract" in line for line in lines(model, "folded"))


def test_a_column_that_no_tree_tests_is_still_checked():
    model = planned(make_pipeline(SimpleImputer(), StandardScaler()), one_hot(), tree())
    assert "only checked: `kind`" in model.plan
    row = {"age": 40.0, "income": 5.0, "city": "a", "kind": "x"}
    assert model.predict({**row, "kind": "never seen"}) == model.predict(row)
    for table in (dict, lambda row: pd.DataFrame([row])):
        with pytest.raises(penstock.DataError, match="column `kind` takes a text; got the number"):
            model.predict(table({**row, "kind": 7}))
        with pytest.raises(penstock.DataError, match="column `income` got"):
            model.predict(table({**row, "income": np.inf}))


def test_columns_of_a_linear_model_are_no_more_than_their_codes():
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    model = planned(numbers, one_hot(), LogisticRegression(max_iter=500))
    assert lines(model, "1 outputs of 2 numbers and 2 codes")
    assert not lines(model, "indicator")
