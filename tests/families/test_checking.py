"""Check: what is declared of a column holds in training, and is the policy of the input."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import penstock
from penstock import ConvertError, DataError, Field, SchemaError
from penstock.steps import Check, Derive
from tests import contract


def people():
    random = np.random.default_rng(8)
    return pd.DataFrame(
        {
            "age": random.uniform(18, 90, 200),
            "home": pd.Series(random.choice(["RENT", "OWN"], 200), dtype="object"),
        }
    )


def clipped():
    return Check(
        age=Field(minimum=0, maximum=120, on_range="clip"),
        home=Field(levels=["RENT", "OWN"], on_unseen="missing"),
    )


def test_values_are_clipped_and_unseen_levels_are_missing():
    rows = pd.DataFrame({"age": [-1.0, 50.0, 500.0], "home": ["RENT", "CASTLE", "OWN"]})
    given = clipped().fit(people()).transform(rows)
    assert given["age"].tolist() == [0.0, 50.0, 120.0]
    assert given["home"].isna().tolist() == [False, True, False]


def test_what_is_refused_is_refused_with_its_column():
    step = Check(age=Field(minimum=0, on_missing="refuse"), home=Field(pattern="[A-Z]+")).fit(
        people()
    )
    for column, value in (("age", -1.0), ("age", np.nan), ("home", "rent")):
        rows = people().head(3)
        rows.loc[1, column] = value
        with pytest.raises(DataError, match=column):
            step.transform(rows)


def test_a_check_is_the_policy_of_the_input():
    estimator, data = EXAMPLES["check_before_a_model"]()
    model = penstock.convert(estimator, data)
    assert (model.schema["age"].maximum, model.schema["age"].on_range) == (120, "clip")
    assert model.schema["home"].on_unseen == "missing"
    assert model.predict({"age": 500, "home": "OWN"}) == model.predict({"age": 120, "home": "OWN"})


def test_a_check_of_what_was_computed_is_refused():
    pipeline = make_pipeline(Derive(old="age * 2"), Check(old=Field(minimum=0))).fit(people())
    assert "let `Check` come first" in contract.refused(pipeline, people())


def test_a_wrong_check_is_refused():
    with pytest.raises(SchemaError, match=r"give a `penstock.Field`"):
        Check(age=3).fit(people())
    with pytest.raises(ConvertError, match="there is no column `aeg`"):
        Check(aeg=Field(minimum=0)).fit(people())


def before_a_model():
    data = people()
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["home"]), remainder="passthrough"
    )
    pipeline = make_pipeline(clipped(), columns, LogisticRegression())
    return pipeline.fit(data, contract.answer(data)), data


EXAMPLES = {
    "check": lambda: (clipped().fit(people()), people()),
    "check_before_a_model": before_a_model,
}
