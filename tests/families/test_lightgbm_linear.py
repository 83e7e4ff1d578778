"""LightGBM's linear trees, beside LightGBM."""

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import penstock
from penstock.converters import files
from tests import contract
from tests.families.test_lightgbm import NATIVE, QUICK, _categories, _category_target, _shares


def regressor_with_linear_leaves():
    """Rows where some numbers are missing, infinite, huge or almost zero, as the contract has."""
    frame = contract.numbers(missing=True)
    estimator = lightgbm.LGBMRegressor(linear_tree=True, linear_lambda=0.1, **QUICK)
    return estimator.fit(frame, contract.amount(frame)), frame


def regressor_with_linear_leaves_and_dropout():
    frame = contract.numbers()
    options = {"boosting_type": "dart", "drop_rate": 0.5, "linear_tree": True}
    estimator = lightgbm.LGBMRegressor(**options, **QUICK)
    return estimator.fit(frame, contract.amount(frame)), frame


def regressor_with_linear_leaves_in_a_random_forest():
    frame = contract.numbers()
    options = {"boosting_type": "rf", "subsample": 0.6, "subsample_freq": 1, "linear_tree": True}
    estimator = lightgbm.LGBMRegressor(**options, **QUICK)
    return estimator.fit(frame, contract.amount(frame)), frame


def regressor_with_linear_leaves_continued():
    """Trees of both kinds."""
    frame = contract.numbers()
    first = lightgbm.LGBMRegressor(**QUICK).fit(frame, contract.amount(frame))
    estimator = lightgbm.LGBMRegressor(linear_tree=True, **QUICK)
    return estimator.fit(frame, contract.amount(frame), init_model=first), frame


def classifier_with_linear_leaves_on_categories():
    frame = _categories()
    estimator = lightgbm.LGBMClassifier(linear_tree=True, **QUICK)
    return estimator.fit(frame, _category_target(frame)), frame


def classifier_of_three_with_linear_leaves():
    frame = contract.numbers(missing=True)
    estimator = lightgbm.LGBMClassifier(linear_tree=True, **QUICK)
    return estimator.fit(frame, contract.answer(frame, ("a", "b", "c"))), frame


def classifier_with_linear_leaves_behind_one_hot():
    frame = contract.mixed(missing=True)
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["color", "town"]),
        (StandardScaler(), ["normal", "large"]),
    )
    estimator = lightgbm.LGBMClassifier(linear_tree=True, **QUICK)
    return make_pipeline(columns, estimator).fit(frame, contract.answer(frame)), frame


def text_of_a_model_with_linear_leaves():
    frame = contract.numbers(missing=True)
    data = lightgbm.Dataset(frame, _shares(frame), params={"linear_tree": True})
    parameters = {**NATIVE, "objective": "cross_entropy_lambda", "linear_tree": True}
    booster = lightgbm.train(parameters, data, 5)
    return files.LightGBMText(booster.model_to_string()), frame


# Every function above whose name begins with what it fits.
FITTED = ("classifier", "regressor", "text_")
EXAMPLES = {name: make for name, make in globals().items() if name.startswith(FITTED)}


# -- quirks --


def test_leaves_are_plain_where_a_number_of_theirs_is_missing():
    estimator, frame = regressor_with_linear_leaves()
    numbers = (0.0, -0.0, 1e-36, 1.0000000180025095e-35, 1.1e-35, 1e300, -1e308, np.inf, -np.inf)
    rows = [frame.median().to_dict() | {name: at} for name in frame for at in (*numbers, None)]
    infinite = dict.fromkeys(frame, np.inf)
    rows += [infinite, infinite | {"normal": -np.inf}, infinite | {"normal": None}]
    contract.same(estimator, frame, [*rows, dict.fromkeys(frame)])


def test_linear_leaves_without_a_term_are_plain():
    """The first tree of LightGBM never has terms."""
    frame = contract.numbers(missing=True)
    estimator = lightgbm.LGBMRegressor(linear_tree=True, **QUICK | {"n_estimators": 1})
    model = penstock.convert(estimator.fit(frame, contract.amount(frame)), frame)
    assert "linear_leaves" not in str(model.plan)


# -- refusals --


def test_linear_leaves_of_arrays_of_integers_are_refused():
    array = contract.mixed(missing=False)[["integer", "counts"]].to_numpy().astype("int64")
    estimator = lightgbm.LGBMRegressor(linear_tree=True, **QUICK)
    estimator.fit(array, contract.amount(pd.DataFrame(array)))
    assert "`linear_tree`" in contract.refused(estimator, array)


def test_linear_leaves_are_not_explained():
    estimator, frame = regressor_with_linear_leaves()
    model = penstock.convert(estimator, frame)
    with pytest.raises(penstock.PenstockError, match="`linear_leaves`"):
        model.explain(frame)
