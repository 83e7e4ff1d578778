"""Contributions are those of LightGBM, of XGBoost, and of the definition of Shapley values."""

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import penstock
from tests import contract, shapley

SMALL = {"num_leaves": 15, "min_child_samples": 5, "verbose": -1, "n_jobs": 1}


def matrix(answers, width, outputs=1):
    """The contributions and the base of a frame of explanations: rows, outputs, inputs and base."""
    values = answers.to_numpy(dtype=float).reshape(len(answers), outputs, width + 2)
    return np.concatenate([values[..., 1:-1], values[..., :1]], axis=2)


def assert_as_lightgbm(estimator, frame, outputs=1):
    model = penstock.convert(estimator, frame)
    booster = getattr(estimator, "booster_", estimator)
    wanted = booster.predict(frame, pred_contrib=True).reshape(len(frame), outputs, -1)
    answers = model.explain(frame)
    given = matrix(answers, len(frame.columns), outputs)
    np.testing.assert_allclose(given, wanted, rtol=0, atol=1e-9)
    assert_sums(model, frame, answers, booster.predict(frame, raw_score=True))


def assert_sums(model, frame, answers, raw, tolerance=1e-9):
    """Base and contributions sum to the raw score that the source library gives."""
    columns = [name for name in answers if name.startswith("raw")]
    parts = answers.to_numpy(dtype=float).reshape(len(answers), len(columns), -1)[..., :-1]
    for sums in (answers[columns].to_numpy(), parts.sum(axis=2)):
        sums = sums.reshape(np.shape(raw))
        np.testing.assert_allclose(sums, raw, rtol=tolerance, atol=tolerance)


def town_categories(frame):
    return frame.assign(town=contract.texts(len(frame))["town"].astype("category"))


@pytest.mark.parametrize("boosting", ["gbdt", "dart", "rf"])
def test_contributions_are_those_of_lightgbm(boosting):
    frame = contract.numbers(missing=True)
    options = {"boosting_type": boosting, "subsample": 0.5, "subsample_freq": 1, **SMALL}
    estimator = lightgbm.LGBMClassifier(n_estimators=20, **options)
    assert_as_lightgbm(estimator.fit(frame, contract.answer(frame)), frame)


def test_contributions_by_class_are_those_of_lightgbm():
    frame = contract.numbers(missing=True)
    estimator = lightgbm.LGBMClassifier(n_estimators=8, **SMALL)
    assert_as_lightgbm(estimator.fit(frame, contract.answer(frame, ["a", "b", "c"])), frame, 3)


def test_sets_of_categories_are_explained_as_lightgbm_does():
    frame = town_categories(contract.numbers(missing=True))
    target = frame["town"].cat.codes % 3 + contract.amount(frame)
    estimator = lightgbm.LGBMRegressor(n_estimators=20, min_data_per_group=5, **SMALL)
    assert_as_lightgbm(estimator.fit(frame, target), frame)


def test_zeros_that_are_missing_are_explained_as_lightgbm_does():
    frame = contract.numbers(missing=True)
    data = lightgbm.Dataset(frame, contract.amount(frame), params={"zero_as_missing": True})
    options = {"num_leaves": 15, "min_data_in_leaf": 5, "verbose": -1, "zero_as_missing": True}
    assert_as_lightgbm(lightgbm.train(options, data, 20), frame)


def test_the_raw_score_before_a_link_is_explained():
    frame = contract.numbers()
    estimator = lightgbm.LGBMRegressor(n_estimators=10, objective="poisson", **SMALL)
    assert_as_lightgbm(estimator.fit(frame, contract.amount(frame)), frame)


def test_elements_that_are_tested_many_times_on_a_path_are_one():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.normal(size=2000), "b": random.normal(size=2000)})
    target = np.sin(8 * frame["a"]) + frame["b"] * frame["a"]
    options = {**SMALL, "num_leaves": 120}
    assert_as_lightgbm(lightgbm.LGBMRegressor(n_estimators=5, **options).fit(frame, target), frame)


def test_paths_of_many_elements_are_exact():
    """More than 16 take several walks."""
    random = np.random.default_rng(0)
    values = random.normal(size=(3000, 40))
    frame = pd.DataFrame(values, columns=[f"x{at}" for at in range(40)])
    target = frame.sum(axis=1)
    options = {**SMALL, "num_leaves": 600, "min_child_samples": 1, "colsample_bynode": 0.1}
    estimator = lightgbm.LGBMRegressor(n_estimators=3, **options).fit(frame, target)
    assert_as_lightgbm(estimator, frame.head(100))


def assert_as_xgboost(estimator, frame, outputs=1):
    model = penstock.convert(estimator, frame)
    booster = getattr(estimator, "get_booster", lambda: estimator)()
    data = xgboost.DMatrix(frame, enable_categorical=True)
    wanted = booster.predict(data, pred_contribs=True).reshape(len(frame), outputs, -1)
    answers = model.explain(frame)
    given = matrix(answers, len(frame.columns), outputs)
    # XGBoost calculates in float32.
    np.testing.assert_allclose(given, wanted, rtol=1e-4, atol=1e-5)
    assert_sums(model, frame, answers, booster.predict(data, output_margin=True), 1e-5)


@pytest.mark.parametrize("booster", ["gbtree", "dart"])
def test_contributions_are_those_of_xgboost(booster):
    frame = contract.numbers(missing=True)
    options = {"rate_drop": 0.3} if booster == "dart" else {}
    estimator = xgboost.XGBClassifier(n_estimators=20, max_depth=4, booster=booster, **options)
    assert_as_xgboost(estimator.fit(frame, contract.answer(frame, (0, 1))), frame)


def test_contributions_by_class_are_those_of_xgboost():
    frame = contract.numbers(missing=True)
    estimator = xgboost.XGBClassifier(n_estimators=8, max_depth=3)
    assert_as_xgboost(estimator.fit(frame, contract.answer(frame, (0, 1, 2))), frame, 3)


def test_sets_of_categories_are_explained_as_xgboost_does():
    frame = town_categories(contract.numbers(missing=True))
    target = frame["town"].cat.codes % 3 + contract.amount(frame)
    estimator = xgboost.XGBRegressor(n_estimators=10, max_depth=4, enable_categorical=True)
    assert_as_xgboost(estimator.fit(frame, target), frame)


# -- by definition --

NUMBERS = ["normal", "large", "counts", "signed"]


def sample(frame):
    return frame.iloc[::37]


def assert_by_definition(estimator, frame, trees, scale=1.0, start=0.0):
    """`trees`: what is summed, times `scale` and from `start`."""
    model = penstock.convert(estimator, frame)
    rows = sample(frame)
    answers = model.explain(rows)
    outputs = len([name for name in answers if name.startswith("raw")])
    given = matrix(answers, len(frame.columns), outputs)
    for at, row in enumerate(rows.to_numpy(dtype=float)):
        base, brought = shapley.forest(trees, row)
        wanted = np.vstack([scale * brought, scale * base + start]).T
        np.testing.assert_allclose(given[at], wanted, rtol=0, atol=1e-9)


def test_a_regression_tree_is_explained_by_definition():
    frame = contract.numbers(missing=True)[NUMBERS]
    estimator = DecisionTreeRegressor(max_leaf_nodes=20, random_state=0)
    estimator.fit(frame, contract.amount(frame))
    assert_by_definition(estimator, frame, [shapley.scikit(estimator.tree_)])


def test_several_targets_are_explained_by_definition():
    frame = contract.numbers()[NUMBERS]
    target = np.column_stack([contract.amount(frame), frame["signed"], frame["counts"]])
    estimator = DecisionTreeRegressor(max_leaf_nodes=20, random_state=0).fit(frame, target)
    assert_by_definition(estimator, frame, [shapley.scikit(estimator.tree_)])


def test_shares_of_classes_are_explained_by_definition():
    frame = contract.numbers()[NUMBERS]
    weights = np.random.default_rng(0).random(len(frame))
    estimator = DecisionTreeClassifier(max_depth=4, random_state=0)
    estimator.fit(frame, contract.answer(frame, ["a", "b"]), sample_weight=weights)
    assert_by_definition(estimator, frame, [shapley.scikit(estimator.tree_)])


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesRegressor])
def test_forests_are_explained_by_definition(kind):
    frame = contract.numbers()[NUMBERS]
    estimator = kind(5, max_depth=5, random_state=0)
    estimator.fit(frame, contract.answer(frame, [0, 1, 2]))
    trees = [shapley.scikit(member.tree_) for member in estimator.estimators_]
    assert_by_definition(estimator, frame, trees, scale=1 / 5)


def test_gradient_boosting_is_explained_by_definition():
    frame = contract.numbers()[NUMBERS]
    estimator = GradientBoostingRegressor(n_estimators=10, max_depth=4, random_state=0)
    estimator.fit(frame, contract.amount(frame))
    trees = [shapley.scikit(member.tree_) for member in estimator.estimators_.ravel()]
    start = estimator.init_.constant_.ravel()
    assert_by_definition(estimator, frame, trees, estimator.learning_rate, start)


def test_histogram_based_boosting_is_explained_by_definition():
    frame = contract.numbers(missing=True)[NUMBERS]
    estimator = HistGradientBoostingRegressor(max_iter=10, max_leaf_nodes=9)
    estimator.fit(frame, contract.amount(frame))
    trees = [shapley.histogram(predictor) for (predictor,) in estimator._predictors]
    assert_by_definition(estimator, frame, trees, start=estimator._baseline_prediction.ravel())


@pytest.mark.parametrize(
    "estimator",
    [GradientBoostingClassifier(n_estimators=5), HistGradientBoostingClassifier(max_iter=5)],
)
def test_raw_scores_of_classifiers_are_explained(estimator):
    frame = contract.numbers()
    for classes in (["a", "b"], ["a", "b", "c"]):
        estimator.fit(frame, contract.answer(frame, classes))
        model = penstock.convert(estimator, frame)
        assert_sums(model, frame, model.explain(frame), estimator.decision_function(frame))


# -- what a user sends --


def pipeline_of_columns(estimator):
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    texts = OneHotEncoder(handle_unknown="ignore")
    frame = contract.mixed()[["color", "normal", "signed"]]
    columns = make_column_transformer((numbers, ["normal", "signed"]), (texts, ["color"]))
    return make_pipeline(columns, estimator).fit(frame, contract.amount(frame)), frame


def test_what_is_made_of_a_column_is_credited_to_it():
    pipeline, frame = pipeline_of_columns(DecisionTreeRegressor(max_depth=5, random_state=0))
    model = penstock.convert(pipeline, frame)
    rows = sample(frame)
    elements = pipeline[0].transform(rows)
    # Numbers, their indicators, then a column for each color.
    owners = ["normal", "signed", "normal", "signed"] + ["color"] * (elements.shape[1] - 4)
    tree = shapley.scikit(pipeline[-1].tree_)
    for row, answer in zip(elements, model.explain(rows.to_dict("records")), strict=True):
        base, brought = shapley.contributions(tree, row)
        assert answer["base"] == pytest.approx(base[0], abs=1e-9)
        for name in frame:
            total = sum(x[0] for x, owner in zip(brought, owners, strict=True) if owner == name)
            assert answer["contributions"][name] == pytest.approx(total, abs=1e-9)


WORLD = np.random.default_rng(0).normal(size=(400, 3))
FOREST = RandomForestClassifier(3, max_depth=6, random_state=0).fit(
    WORLD, (WORLD.prod(axis=1) > 0).astype(int)
)
TREES = [shapley.scikit(member.tree_) for member in FOREST.estimators_]
MODEL = penstock.convert(FOREST, WORLD)


@settings(max_examples=50, deadline=None)
@given(st.tuples(*[st.floats(-1e6, 1e6, width=32) for _ in range(3)]))
def test_any_row_is_explained_by_definition(row):
    answer = MODEL.explain(dict(zip(["x0", "x1", "x2"], row, strict=True)))
    base, brought = shapley.forest(TREES, np.array(row))
    given = np.array([list(by_class.values()) for by_class in answer["contributions"].values()])
    np.testing.assert_allclose(given.T, brought / 3, rtol=0, atol=1e-12)
    np.testing.assert_allclose(list(answer["base"].values()), base / 3, rtol=0, atol=1e-12)
