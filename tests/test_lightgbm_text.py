"""Texts of LightGBM: read without the library, and refused where they are damaged."""

import re

import pytest

import penstock
from penstock.converters import files
from tests import contract
from tests.families.test_lightgbm import (
    booster_binary,
    booster_multiclass,
    classifier_on_categories,
)
from tests.families.test_lightgbm_linear import text_of_a_model_with_linear_leaves


def test_a_text_converts_without_lightgbm(monkeypatch):
    booster, frame = booster_multiclass()
    model = files.LightGBMText(booster.model_to_string())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "`lightgbm` is not installed" in contract.refused(model, frame)
    converted = penstock.convert(model, frame, verify=False)
    expected = booster.predict(frame, raw_score=True)
    assert (converted.predict(frame).filter(like="raw").to_numpy() == expected).all()


def test_texts_with_line_ends_of_windows_are_refused():
    """LightGBM itself crashes on them."""
    booster, frame = booster_binary()
    text = booster.model_to_string().replace("\n", "\r\n")
    assert "`tree_sizes`" in contract.refused(files.LightGBMText(text), frame)


def _text():
    estimator, frame = classifier_on_categories()
    return estimator.booster_.model_to_string(), frame


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tree\n", "", "`tree`"),
        ("version=v4", "version=v5", "version `v5`"),
        ("label_index=0", "label_index=0\nnovelty=1", "`novelty`"),
        ("label_index=0", "label_index=0\nlabel_index=0", "`label_index` comes twice"),
        ("num_tree_per_iteration=1", "num_tree_per_iteration=2", "2 do not divide"),
        ("max_feature_idx=10", "max_feature_idx=9", "`feature_names` has 11 names"),
        ("max_feature_idx=10", "max_feature_idx=ten", "`max_feature_idx` is `ten`"),
        ("objective=binary sigmoid:1", "objective=binary", "no positive number"),
        ("objective=binary sigmoid:1", "objective=binary novelty:1", "unknown `novelty`"),
        ("objective=binary sigmoid:1", "objective=binary sigmoid:0", "no positive number"),
        ("objective=binary sigmoid:1", "objective=novelty", "`novelty` is not supported"),
        ("Tree=1", "Tree=7", "not tree 1"),
        ("num_leaves=", "novelty=1\nnum_leaves=", "`novelty`"),
        ("num_leaves=", "num_leaves=9", "values, not"),
        ("is_linear=0", "is_linear=1", "`leaf_const` has 0 values"),
        ("is_linear=0", "is_linear=2", "neither 0 nor 1"),
        (r"left_child=-?\d+", "left_child=0", "two parents"),
        (r"left_child=-?\d+", "left_child=99", "does not exist"),
        (r"left_child=-?\d+", "left_child=-99", "does not exist"),
        (r"left_child=-?\d+", "left_child=x", "`left_child`"),
        ("split_feature=", "split_feature=9", "`split_feature`"),
        ("decision_type=", "decision_type=1", "`decision_type`"),
        ("leaf_value=", "leaf_value=nan ", "`leaf_value`"),
        ("cat_boundaries=0", "cat_boundaries=1", "no list of sets"),
        ("end of trees", "end of novelty", "line that is not known"),
        ("end of parameters", "end", "ends within"),
        (r"pandas_categorical:\[\[", "pandas_categorical:[{", "no JSON"),
        (r"pandas_categorical:\[\[", "pandas_categorical:[1,[", "no list of lists"),
    ],
)
def test_damaged_texts_are_refused(old, new, message):
    text, frame = _text()
    damaged, count = re.subn(old, new, text, count=1)
    assert count
    assert message in contract.refused(files.LightGBMText(damaged), frame, verify=False)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("num_features=0", "num_features=-1", "`num_features`"),
        ("num_features=0", "num_features=9999", "beyond the 5 features"),
        ("num_features=0", "num_features=1", "`leaf_features` has 0 values, not 1"),
        (r"leaf_features=\d+", "leaf_features=5", "beyond the 5 that"),
        (r"leaf_features=\d+", "leaf_features=-1", "beyond the 5 that"),
        (r"leaf_coeff=", "leaf_coeff=1 ", "`leaf_coeff` has"),
        (r"leaf_coeff=\S+", "leaf_coeff=inf", "not finite"),
        (r"leaf_const=\S+", "leaf_const=nan", "`leaf_const`"),
        (r"leaf_const=\S+", "leaf_const=1e999", "not finite"),
    ],
)
def test_damaged_linear_leaves_are_refused(old, new, message):
    model, frame = text_of_a_model_with_linear_leaves()
    damaged, count = re.subn(old, new, re.sub("\ntree_sizes=.*", "", model.text), count=1)
    assert count
    assert message in contract.refused(files.LightGBMText(damaged), frame, verify=False)


def test_texts_that_end_early_are_refused():
    text, frame = _text()
    trees = text.index("end of trees")
    for end in range(0, trees, 97):
        contract.refused(files.LightGBMText(text[:end]), frame, verify=False)
