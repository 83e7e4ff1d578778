"""Model files of XGBoost: read without the library, whichever version wrote them, or refused."""

import copy
import json

import numpy as np
import pytest
import xgboost

import penstock
from penstock.converters import files, ubjson
from tests import contract
from tests.families.test_xgboost import (
    NATIVE,
    booster_logistic,
    booster_of_a_quantile,
    booster_on_codes_of_categories,
    booster_softprob,
    booster_with_dropout,
)


def _document(booster):
    return json.loads(booster.save_raw("json"))


def _file(document):
    return files.read("model.json", json.dumps(document).encode())


def _newer(document, version):
    """The document of a booster with dropout as XGBoost 3.3 or 3.4 lays it out."""
    document = copy.deepcopy(document)
    old = document["learner"]["gradient_booster"]
    new = {"name": "gbtree", "model": old["gbtree"]["model"]}
    (new if version == [3, 3, 0] else new["model"])["weight_drop"] = old["weight_drop"]
    document["learner"]["gradient_booster"], document["version"] = new, version
    return document


@pytest.mark.parametrize("version", [[3, 3, 0], [3, 4, 0]])
def test_dropout_in_the_layouts_of_later_versions_predicts_the_same(version):
    booster, frame = booster_with_dropout()
    model = penstock.convert(_file(_newer(_document(booster), version)), frame, verify=False)
    expected = booster.predict(xgboost.DMatrix(frame)).astype("float64")
    assert (model.predict(frame)["value"].to_numpy() == expected).all()


@pytest.mark.parametrize("levels", [[0.5], [0.2, 0.5], [0.05, 0.1, 0.5, 0.6, 0.9]])
def test_quantiles_of_a_version_that_sorts_them_ascend(levels):
    """XGBoost 3.4 sorts what it predicts, and not the raw scores."""
    frame = contract.numbers()
    options = {**NATIVE, "objective": "reg:quantileerror", "quantile_alpha": levels, "eta": 1.0}
    data = xgboost.DMatrix(frame, contract.amount(frame))
    booster = xgboost.train({**options, "max_depth": 8}, data, 5)
    document = _document(booster) | {"version": [3, 4, 0]}
    found = penstock.convert(_file(document), frame, verify=False).predict(frame)
    raw = booster.predict(data).astype("float64").reshape(len(frame), -1)
    assert len(levels) == 1 or (np.diff(raw) < 0).any()
    assert (found.filter(like="value").to_numpy() == np.sort(raw)).all()
    assert len(levels) == 1 or (found.filter(like="raw").to_numpy() == raw).all()
    found = penstock.convert(_file(document | {"version": [3, 3, 0]}), frame, verify=False)
    assert (found.predict(frame).filter(like="value").to_numpy() == raw).all()


def test_an_expectile_is_predicted_as_it_is_and_several_are_refused():
    booster, frame = booster_of_a_quantile()
    document = _document(booster)
    document["learner"]["objective"] = {
        "name": "reg:expectileerror",
        "expectile_loss_param": {"expectile_alpha": "[0.3]"},
    }
    found = penstock.convert(_file(document), frame, verify=False).predict(frame)
    expected = booster.predict(xgboost.DMatrix(frame)).astype("float64")
    assert (found["value"].to_numpy() == expected).all()
    document["learner"]["learner_model_param"]["num_target"] = "2"
    document["learner"]["gradient_booster"]["model"]["tree_info"] = [0, 1, 0, 1, 0]
    assert "`expectile_alpha`" in contract.refused(_file(document), frame, verify=False)


def test_a_file_of_a_later_version_is_not_proved_by_an_earlier_one():
    booster, frame = booster_with_dropout()
    later = _file(_newer(_document(booster), [3, 4, 0]))
    assert "written by XGBoost 3.4" in contract.refused(later, frame)


@pytest.mark.parametrize("version", [[3, 5, 0], [4, 0, 0]])
def test_a_file_of_a_version_that_is_not_known_is_refused(version):
    booster, frame = booster_logistic()
    later = _file(_document(booster) | {"version": version})
    message = contract.refused(later, frame, verify=False)
    assert "known are those up to 3.4; upgrade penstock" in message


def test_a_file_converts_without_xgboost(monkeypatch):
    booster, frame = booster_softprob()
    model = files.read("model.ubj", bytes(booster.save_raw("ubj")))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "`xgboost` is not installed" in contract.refused(model, frame)
    converted = penstock.convert(model, frame, verify=False)
    expected = booster.predict(xgboost.DMatrix(frame), output_margin=True).astype("float64")
    assert (converted.predict(frame).filter(like="raw").to_numpy() == expected).all()


def test_documents_of_early_versions_convert():
    """A base score for all classes, and neither ends of iterations nor lists of categories."""
    booster, frame = booster_softprob()
    document = _document(booster)
    del document["learner"]["feature_types"]
    document["learner"]["learner_model_param"]["base_score"] = "5E-1"
    for key in ("iteration_indptr", "cats"):
        del document["learner"]["gradient_booster"]["model"][key]
    for tree in document["learner"]["gradient_booster"]["model"]["trees"]:
        for key in [key for key in tree if key.startswith(("categories", "split_type"))]:
            del tree[key]
    penstock.convert(_file(document), frame)


def test_numbers_half_way_between_two_f32_are_rounded_once():
    above, below = "1.00000005960464477539062500001", "1.00000005960464477539062499999"
    assert float(above) == float(below)
    for text, bits in ((above, 0x3F800001), (below, 0x3F800000)):
        document = files.read("model.json", f'{{"version": {text}}}'.encode()).document
        assert np.float32(document["version"]).view("int32") == bits


def test_an_unknown_objective_is_refused():
    booster, frame = booster_logistic()
    document = _document(booster)
    document["learner"]["objective"]["name"] = "reg:novelty"
    assert "`objective`" in contract.refused(_file(document), frame, verify=False)


PLACES = (
    (),
    ("learner",),
    ("learner", "learner_model_param"),
    ("learner", "objective"),
    ("learner", "gradient_booster"),
    ("learner", "gradient_booster", "model"),
    ("learner", "gradient_booster", "model", "gbtree_model_param"),
    ("learner", "gradient_booster", "model", "cats"),
    ("learner", "gradient_booster", "model", "trees", 1),
    ("learner", "gradient_booster", "model", "trees", 1, "tree_param"),
)


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_unknown_keys_are_refused(place):
    booster, frame = booster_logistic()
    document = _document(booster)
    inner = document
    for key in place:
        inner = inner[key]
    inner["novelty"] = "1"
    message = contract.refused(_file(document), frame, verify=False)
    assert "unknown key" in message


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("left_children", [1, 3, 5, -2, -1, -1, -1], "side by side"),
        ("left_children", [0, 3, 5, -1, -1, -1, -1], "side by side"),
        ("left_children", [1], "entries for"),
        ("left_children", "text", "no list of integers"),
        ("left_children", [[1]], "no list of integers"),
        ("split_indices", [9, 9, 9, 9, 9, 9, 9], "feature beyond"),
        ("split_conditions", [None] * 7, "compares with what is no number"),
        ("split_conditions", ["x"] * 7, "`split_conditions`"),
        ("categories_nodes", [0], "do not fit together"),
        ("split_type", [1] * 7, "`split_type`"),
        ("id", 5, "its `id` is 5"),
        ("tree_param", {}, "entries for"),
        ("tree_param", None, "malformed"),
    ],
)
def test_damaged_trees_are_refused(key, value, message):
    frame = contract.numbers()
    data = xgboost.DMatrix(frame, contract.answer(frame, (0, 1)))
    booster = xgboost.train({**NATIVE, "max_depth": 2}, data, 2)
    document = _document(booster)
    tree = document["learner"]["gradient_booster"]["model"]["trees"][0]
    assert tree["tree_param"]["num_nodes"] == "7"
    tree[key] = value
    assert message in contract.refused(_file(document), frame, verify=False)


def test_sets_of_categories_that_fill_the_memory_are_refused():
    booster, array = booster_on_codes_of_categories()
    document = _document(booster)
    model = document["learner"]["gradient_booster"]["model"]
    for tree in model["trees"]:
        tree["categories"] = [16777215] * len(tree["categories"])
    model["trees"] = [tree | {"id": at} for at, tree in enumerate(model["trees"] * 100)]
    model["tree_info"] *= 100
    model["gbtree_model_param"]["num_trees"] = str(len(model["trees"]))
    assert "more memory" in contract.refused(_file(document), array, verify=False)


def test_no_prefix_of_a_file_is_taken_for_a_model():
    booster, _ = booster_on_codes_of_categories()
    data = bytes(booster.save_raw("ubj"))
    for end in range(0, len(data), 7):
        with pytest.raises(penstock.ConvertError):
            ubjson.decode(data[:end])
    text = bytes(booster.save_raw("json"))
    for end in range(0, len(text), 101):
        with pytest.raises(penstock.ConvertError):
            files.read("model.json", text[:end])


def test_damaged_files_are_refused_or_converted_and_nothing_else():
    booster, array = booster_on_codes_of_categories()
    data = bytes(booster.save_raw("ubj"))
    random = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(data)
        for at in random.integers(0, len(data), 3):
            damaged[at] = random.integers(0, 256)
        try:
            penstock.convert(files.read("model.ubj", bytes(damaged)), array, verify=False)
        except penstock.PenstockError:
            continue


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "1 bytes should follow"),
        (b"[" * 100 + b"]" * 100, "nested too deeply"),
        (b"[#L\x7f" + b"\xff" * 7, "1 bytes should follow"),
        (b"[$d#L\x00\x00\x00\x00\x00\xff\xff\xff", "bytes should follow"),
        (b"[$d#i\xff", "-4 bytes should follow"),
        (b"[$Z#i\x01", "no type of an array"),
        (b"{i\x01ai\x01i\x01ai\x01}", "`a` comes twice"),
        (b"Si\x01\xff", "not UTF-8"),
        (b"H", "no type that XGBoost writes"),
        (b"TT", "bytes follow"),
    ],
)
def test_what_is_no_ubjson_is_refused(data, message):
    with pytest.raises(penstock.ConvertError, match=message):
        ubjson.decode(data)
