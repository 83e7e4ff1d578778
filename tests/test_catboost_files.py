"""Model files of CatBoost: read without the library where they are JSON, or refused."""

import pytest

import penstock
from penstock.converters import files
from tests import contract
from tests.families.test_catboost import CATEGORICAL, document_of, read, saved


def test_a_document_with_something_new_is_refused():
    model, frame = CATEGORICAL["classifier_counts_and_one_hot"]()
    document = document_of(model)
    for where, key in ((document, "novelty"), (document["features_info"], "text_features")):
        where[key] = [1]
        message = contract.refused(read(document), frame, verify=False)
        del where[key]
        assert f"unknown `{key}`" in message


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: document["oblivious_trees"][0]["splits"][0].update(split_index=10**6),
        lambda document: document["oblivious_trees"][0]["splits"][0].update(
            split_index=0, border=9
        ),
        lambda document: document["oblivious_trees"][0]["leaf_values"].pop(),
        lambda document: document["oblivious_trees"][0].update(leaf_values=[float("nan")] * 32),
        lambda document: document.update(oblivious_trees=[]),
        lambda document: document.update(scale_and_bias=[1, [1, 2]]),
        lambda document: document.update(ctr_data={}),
        lambda document: document["features_info"]["ctrs"][0].update(ctr_type="Other"),
        lambda document: next(iter(document["ctr_data"].values()))["hash_map"].pop(),
        lambda document: document["features_info"]["float_features"][0].update(borders="x"),
        lambda document: document["features_info"]["categorical_features"][0].update(
            flat_feature_index=0
        ),
        lambda document: document.pop("model_info"),
    ],
)
def test_a_document_that_lies_is_refused(damage):
    model, frame = CATEGORICAL["classifier_counts_and_one_hot"]()
    document = document_of(model)
    damage(document)
    contract.refused(read(document), frame, verify=False)


def test_a_file_converts_without_catboost(monkeypatch):
    model, frame = CATEGORICAL["classifier_counts_and_one_hot"]()
    file, binary = saved(model), model._serialize_model()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    converted = penstock.convert(file, frame, verify=False)
    expected = model.predict(frame, prediction_type="RawFormulaVal")
    assert (converted.predict(frame)["raw"].to_numpy() == expected).all()
    assert "`catboost` is not installed" in contract.refused(file, frame)
    with pytest.raises(penstock.ConvertError, match="save the model as JSON"):
        files.read("model.cbm", binary)
