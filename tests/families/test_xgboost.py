"""XGBoost's boosters, wrappers and model files, beside XGBoost."""

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import penstock
from penstock.converters import files
from tests import contract

QUICK = {"n_estimators": 5, "max_depth": 3, "n_jobs": 1}
NATIVE = {"max_depth": 3, "nthread": 1}
DROPOUT = {"booster": "dart", "rate_drop": 0.5, "one_drop": 1}


def _shares(frame):
    """A target between 0 and 1."""
    value = contract.amount(frame)
    return (value - value.min() + 0.1) / (value.max() - value.min() + 0.2)


def _categories(rows=contract.ROWS):
    """Texts and integers as categories, with missing values."""
    random = np.random.default_rng(5)
    frame = contract.numbers(rows, missing=True)
    texts = contract.texts(rows)
    for name in texts:
        frame[name] = texts[name].astype("category")
    frame["code"] = pd.Categorical(random.choice([10, 20, 30, 7], size=rows))
    return frame


def _category_target(frame):
    return (frame["town"].cat.codes * 7 % 5 + frame["code"].cat.codes * 3 % 4 > 3).astype(int)


def _booster(objective, target, rounds=5, **parameters):
    frame = contract.numbers(missing=True)
    data = xgboost.DMatrix(frame, target(frame))
    return xgboost.train({**NATIVE, "objective": objective, **parameters}, data, rounds), frame


def _classes(count):
    return lambda frame: contract.answer(frame, range(count))


def classifier():
    frame = contract.numbers(missing=True)
    return xgboost.XGBClassifier(**QUICK).fit(frame, contract.answer(frame, (0, 1))), frame


def classifier_of_three():
    frame = contract.numbers(missing=True)
    return xgboost.XGBClassifier(**QUICK).fit(frame, contract.answer(frame, (0, 1, 2))), frame


def classifier_of_three_by_softmax():
    frame = contract.numbers(missing=True)
    estimator = xgboost.XGBClassifier(objective="multi:softmax", **QUICK)
    return estimator.fit(frame, contract.answer(frame, (0, 1, 2))), frame


def classifier_of_raw_scores():
    frame = contract.numbers()
    estimator = xgboost.XGBClassifier(objective="binary:logitraw", **QUICK)
    return estimator.fit(frame, contract.answer(frame, (0, 1))), frame


def classifier_with_hinge():
    frame = contract.numbers()
    estimator = xgboost.XGBClassifier(objective="binary:hinge", **QUICK)
    return estimator.fit(frame, contract.answer(frame, (0, 1))), frame


def classifier_with_own_objective():
    def squares(target, score):
        return score - target, np.ones_like(score)

    frame = contract.numbers()
    estimator = xgboost.XGBClassifier(objective=squares, **QUICK)
    return estimator.fit(frame, contract.answer(frame, (0, 1))), frame


def classifier_of_several_labels():
    frame = contract.numbers()
    target = np.column_stack([contract.answer(frame, (0, 1), seed) for seed in (4, 5, 6)])
    return xgboost.XGBClassifier(**QUICK).fit(frame, target), frame


def classifier_with_early_stopping():
    frame = contract.numbers()
    target = np.random.default_rng(0).integers(0, 2, len(frame))
    estimator = xgboost.XGBClassifier(**QUICK | {"n_estimators": 50}, early_stopping_rounds=3)
    estimator.fit(frame[:200], target[:200], eval_set=[(frame[200:], target[200:])], verbose=False)
    assert estimator.best_iteration + 1 < estimator.get_booster().num_boosted_rounds()
    return estimator, frame


def classifier_with_dropout():
    """The wrapper predicts in place, which rounds otherwise than the booster does."""
    frame = contract.numbers(missing=True)
    estimator = xgboost.XGBClassifier(**DROPOUT, **QUICK | {"n_estimators": 20})
    return estimator.fit(frame, contract.answer(frame, (0, 1))), frame


def classifier_of_three_with_dropout():
    frame = contract.numbers(missing=True)
    estimator = xgboost.XGBClassifier(**DROPOUT, **QUICK)
    return estimator.fit(frame, contract.answer(frame, (0, 1, 2))), frame


def classifier_linear():
    frame = contract.numbers(missing=True)
    estimator = xgboost.XGBClassifier(booster="gblinear", **QUICK)
    return estimator.fit(frame, contract.answer(frame, (0, 1))), frame


def classifier_of_a_random_forest():
    frame = contract.numbers(missing=True)
    estimator = xgboost.XGBRFClassifier(**QUICK)
    return estimator.fit(frame, contract.answer(frame, (0, 1))), frame


def classifier_on_categories():
    frame = _categories()
    estimator = xgboost.XGBClassifier(enable_categorical=True, max_cat_to_onehot=3, **QUICK)
    return estimator.fit(frame, _category_target(frame)), frame


def classifier_on_many_dtypes():
    frame = contract.mixed(missing=True).drop(columns=["color", "town", "word", "size"])
    frame["small"] = frame["integer"].astype("int8")
    frame["nullable"] = frame["integer"].astype("Int64").mask(frame["integer"] > 40)
    frame["maybe"] = frame["flag"].astype("boolean").mask(frame["integer"] > 30)
    frame["half"] = frame["normal"].astype("float32")
    return xgboost.XGBClassifier(**QUICK).fit(frame, contract.answer(frame, (0, 1))), frame


def classifier_on_an_array():
    array = contract.numbers(missing=True).to_numpy()
    target = contract.answer(pd.DataFrame(array), (0, 1))
    return xgboost.XGBClassifier(**QUICK).fit(array, target), array


def classifier_on_an_integer_array():
    array = contract.mixed(missing=False)[["integer", "counts"]].to_numpy().astype("int64")
    target = contract.answer(pd.DataFrame(array), (0, 1))
    return xgboost.XGBClassifier(**QUICK).fit(array, target), array


def classifier_with_zero_for_missing():
    frame = contract.numbers(missing=True)
    estimator = xgboost.XGBClassifier(missing=0.0, **QUICK)
    return estimator.fit(frame, contract.answer(frame, (0, 1))), frame


def classifier_with_a_fraction_for_missing():
    """0.1 is compared as f32: the f64 beside it are missing as well."""
    frame = contract.numbers()
    frame.loc[frame.index % 5 == 0, "normal"] = 0.1
    estimator = xgboost.XGBClassifier(missing=0.1, **QUICK)
    return estimator.fit(frame, contract.answer(frame, (0, 1))), frame


def classifier_behind_one_hot():
    """A sparse matrix: what is zero is missing."""
    frame = contract.mixed(missing=True)
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["color", "town"]),
        (StandardScaler(), ["normal", "signed"]),
        sparse_threshold=1.0,
    )
    pipeline = make_pipeline(columns, xgboost.XGBClassifier(**QUICK))
    return pipeline.fit(frame, contract.answer(frame, (0, 1))), frame


def classifier_linear_behind_one_hot():
    frame = contract.mixed(missing=True)
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["color", "town"]), sparse_threshold=1.0
    )
    pipeline = make_pipeline(columns, xgboost.XGBClassifier(booster="gblinear", **QUICK))
    return pipeline.fit(frame, contract.answer(frame, (0, 1))), frame


def regressor():
    frame = contract.numbers(missing=True)
    return xgboost.XGBRegressor(**QUICK).fit(frame, contract.amount(frame)), frame


def regressor_on_one_column():
    frame = contract.numbers()[["normal"]]
    return xgboost.XGBRegressor(**QUICK).fit(frame, contract.amount(frame)), frame


def regressor_by_the_base_class():
    frame = contract.numbers(missing=True)
    return xgboost.XGBModel(objective="reg:squarederror", **QUICK).fit(
        frame, contract.amount(frame)
    ), frame


def regressor_of_a_random_forest():
    frame = contract.numbers(missing=True)
    return xgboost.XGBRFRegressor(**QUICK).fit(frame, contract.amount(frame)), frame


def regressor_with_base_score():
    frame = contract.numbers()
    estimator = xgboost.XGBRegressor(objective="reg:gamma", base_score=0.3, **QUICK)
    return estimator.fit(frame, _shares(frame)), frame


def regressor_of_two_targets():
    frame = contract.numbers()
    target = np.column_stack([contract.amount(frame, seed) for seed in (3, 4)])
    return xgboost.XGBRegressor(**QUICK).fit(frame, target), frame


def regressor_with_vector_leaves():
    frame = contract.numbers(missing=True)
    target = np.column_stack([contract.amount(frame, seed) for seed in (3, 4, 5)])
    estimator = xgboost.XGBRegressor(multi_strategy="multi_output_tree", **QUICK)
    return estimator.fit(frame, target), frame


def regressor_of_quantiles():
    frame = contract.numbers()
    options = {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5, 0.9]}
    return xgboost.XGBRegressor(**options, **QUICK).fit(frame, contract.amount(frame)), frame


def regressor_pruned():
    frame = contract.numbers()
    estimator = xgboost.XGBRegressor(gamma=0.1, tree_method="exact", **QUICK)
    return estimator.fit(frame, contract.amount(frame)), frame


def regressor_linear_of_two_targets():
    frame = contract.numbers()
    target = np.column_stack([contract.amount(frame, seed) for seed in (3, 4)])
    return xgboost.XGBRegressor(booster="gblinear", **QUICK).fit(frame, target), frame


def ranker():
    frame = contract.numbers()
    target = np.clip(contract.amount(frame).astype(int), 0, 4)
    return xgboost.XGBRanker(**QUICK).fit(frame, target, group=[100, 100, 100]), frame


def ranker_with_a_column_of_queries():
    frame = contract.numbers()
    target = np.clip(contract.amount(frame).astype(int), 0, 4)
    frame["qid"] = np.arange(len(frame)) // 100
    return xgboost.XGBRanker(**QUICK).fit(frame, target), frame


def booster_hinge():
    return _booster("binary:hinge", _classes(2))


def booster_logistic():
    return _booster("binary:logistic", _classes(2))


def booster_softmax():
    return _booster("multi:softmax", _classes(3), num_class=3)


def booster_softprob():
    return _booster("multi:softprob", _classes(3), num_class=3)


def booster_with_parallel_trees():
    return _booster("multi:softprob", _classes(3), num_class=3, num_parallel_tree=3, subsample=0.5)


def booster_with_dropout():
    return _booster("reg:squarederror", contract.amount, 20, **DROPOUT)


def booster_linear():
    return _booster("multi:softprob", _classes(3), num_class=3, booster="gblinear")


def booster_on_categories():
    frame = _categories()
    data = xgboost.DMatrix(frame, _category_target(frame), enable_categorical=True)
    return xgboost.train({**NATIVE, "max_cat_to_onehot": 3}, data, 5), frame


def booster_on_codes_of_categories():
    """Categories that come as numbers: negative, fractional and beyond every set as well."""
    random = np.random.default_rng(6)
    array = np.column_stack([random.integers(0, 70, 300), random.normal(size=300)])
    array[::17, 0] = np.nan
    target = (np.nan_to_num(array[:, 0]) * 13 % 7 > 3) + (array[:, 1] > 0)
    types = ["c", "float"]
    data = xgboost.DMatrix(array, target, feature_types=types, enable_categorical=True)
    return xgboost.train({**NATIVE, "max_cat_to_onehot": 3}, data, 5), array


def file_of_json():
    booster, frame = booster_with_dropout()
    return files.read("model.json", bytes(booster.save_raw("json"))), frame


def file_of_ubj():
    booster, frame = booster_on_categories()
    return files.read("model.ubj", bytes(booster.save_raw("ubj"))), frame


def booster_of_a_quantile():
    return _booster("reg:quantileerror", contract.amount, quantile_alpha=0.3)


def regressor_with_a_base_score_for_each_target():
    frame = contract.numbers()
    target = np.column_stack([contract.amount(frame, seed) for seed in (3, 4)])
    estimator = xgboost.XGBRegressor(base_score=[0.3, -0.7], **QUICK)
    return estimator.fit(frame, target), frame


def regressor_in_parallel_with_vector_leaves():
    frame = contract.numbers()
    target = np.column_stack([contract.amount(frame, seed) for seed in (3, 4)])
    options = {"multi_strategy": "multi_output_tree", "num_parallel_tree": 3, "subsample": 0.6}
    return xgboost.XGBRegressor(**options, **QUICK).fit(frame, target), frame


def booster_softprob_with_vector_leaves():
    options = {"num_class": 3, "multi_strategy": "multi_output_tree"}
    return _booster("multi:softprob", _classes(3), **options)


def classifier_on_a_polars_frame():
    polars = pytest.importorskip("polars")
    frame = polars.from_pandas(contract.numbers(missing=True))
    colors = polars.Series("color", contract.texts(missing=False)["color"].tolist())
    frame = frame.with_columns(colors.cast(polars.Categorical))
    target = (colors == "red").to_numpy().astype(int)
    estimator = xgboost.XGBClassifier(enable_categorical=True, **QUICK)
    return estimator.fit(frame, target), frame


OBJECTIVES = (
    "binary:logitraw",
    "count:poisson",
    "reg:absoluteerror",
    "reg:gamma",
    "reg:logistic",
    "reg:pseudohubererror",
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:tweedie",
    "survival:cox",
)

# Every function above whose name begins with what it fits.
FITTED = ("booster_", "classifier", "file_", "ranker", "regressor")
EXAMPLES = {name: make for name, make in globals().items() if name.startswith(FITTED)}
EXAMPLES |= {
    f"booster_{name.replace(':', '_')}": lambda name=name: _booster(name, _shares)
    for name in OBJECTIVES
}


# -- quirks --


def test_codes_below_zero_go_where_xgboost_sends_them():
    booster, array = booster_on_codes_of_categories()
    codes = (-1.0, -0.999, -0.5, -1e-30, -0.0, 0.999, 1.5, 69.9, 70.0, 16777215.0, 16777217.0, 3e38)
    contract.same(booster, array, [{"x0": code, "x1": 0.5} for code in (*codes, None)])


def test_new_levels_are_refused():
    estimator, frame = classifier_on_categories()
    model = penstock.convert(estimator, frame)
    rows = [{"color": color, "code": 10, "town": "town 1", "word": ""} for color in ("red", "pink")]
    rows = [row | dict.fromkeys(contract.numbers().columns, 1.0) for row in rows]
    good, refused = model.predict(rows, on_error="return")
    assert "label" in good
    assert (refused.field, refused.code) == ("color", "unseen_level")


def test_a_booster_refuses_infinity_and_a_wrapper_does_not():
    booster, frame = booster_logistic()
    assert penstock.convert(booster, frame).schema["normal"].infinite == "refuse"
    estimator, frame = classifier()
    assert penstock.convert(estimator, frame).schema["normal"].infinite == "allow"


# -- refusals --


def test_missing_values_that_are_infinite_are_refused():
    frame = contract.numbers()
    estimator = xgboost.XGBClassifier(missing=np.inf, **QUICK)
    estimator.fit(frame, contract.answer(frame, (0, 1)))
    assert "`missing`" in contract.refused(estimator, frame)


def test_a_number_for_missing_categories_is_refused():
    frame = _categories()
    estimator = xgboost.XGBClassifier(enable_categorical=True, missing=0.0, **QUICK)
    estimator.fit(frame, _category_target(frame))
    assert "`missing`" in contract.refused(estimator, frame)


def test_multiclass_of_two_is_refused():
    """XGBoost takes the two columns for two labels."""
    frame = contract.numbers()
    estimator = xgboost.XGBClassifier(objective="multi:softprob", num_class=2, **QUICK)
    estimator.fit(frame, contract.answer(frame, (0, 1)))
    assert "`objective`" in contract.refused(estimator, frame)


def test_columns_in_another_order_are_refused():
    estimator, frame = classifier()
    message = contract.refused(estimator, frame[frame.columns[::-1]])
    assert "in another order" in message


def test_arrays_for_a_booster_with_names_are_refused():
    booster, frame = booster_logistic()
    assert "refuses arrays" in contract.refused(booster, frame.to_numpy())


def test_text_columns_are_refused():
    estimator, frame = classifier()
    message = contract.refused(estimator, frame.assign(signed="a"))
    assert "`enable_categorical`" in message


def test_numbers_where_categories_were_are_refused():
    estimator, frame = classifier_on_categories()
    message = contract.refused(estimator, frame.assign(code=1.0))
    assert "column `code` had categories in training" in message


def test_levels_that_xgboost_saved_wrong_are_refused_in_another_order():
    estimator, frame = classifier_on_categories()
    levels = list(frame["word"].cat.categories)[::-1]
    message = contract.refused(
        estimator, frame.assign(word=frame["word"].cat.reorder_categories(levels))
    )
    assert "saves levels beyond ASCII wrong" in message


def test_numbers_that_round_to_zero_are_not_missing_in_a_sparse_matrix():
    frame = pd.DataFrame({"color": ["red", "blue"] * 30, "tiny": [-1.0, 0.0, 1.0] * 20})
    columns = make_column_transformer(
        (OneHotEncoder(), ["color"]), ("passthrough", ["tiny"]), sparse_threshold=1.0
    )
    pipeline = make_pipeline(columns, xgboost.XGBRegressor(**QUICK))
    pipeline.fit(frame, np.where(frame["tiny"] < 0, 0.0, 5.0))
    rows = pd.DataFrame({"color": "red", "tiny": [0.0, 1e-46]})
    expected = pipeline.predict(rows).tolist()
    assert expected[0] != expected[1]
    model = penstock.convert(pipeline, frame, verify=False)
    assert model.predict(rows)["value"].tolist() == expected


def test_targets_that_were_scaled_come_back_in_the_float32_of_scikit_learn():
    frame = contract.numbers(missing=True)
    model = TransformedTargetRegressor(xgboost.XGBRegressor(**QUICK), transformer=StandardScaler())
    penstock.convert(model.fit(frame, contract.amount(frame) ** 3), frame)
