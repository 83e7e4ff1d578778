"""LightGBM's boosters, wrappers and model texts, beside LightGBM."""

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

QUICK = {"n_estimators": 5, "num_leaves": 8, "min_child_samples": 5, "verbose": -1, "n_jobs": 1}
NATIVE = {"num_leaves": 8, "min_data_in_leaf": 5, "verbose": -1, "num_threads": 1}


def _shares(frame):
    """A target between 0 and 1."""
    value = contract.amount(frame)
    return (value - value.min() + 0.1) / (value.max() - value.min() + 0.2)


def _categories(rows=contract.ROWS):
    """Texts, integers and booleans as categories, ordered ones as well, with missing values."""
    random = np.random.default_rng(5)
    frame = contract.numbers(rows, missing=True)
    texts = contract.texts(rows)
    for name in texts:
        frame[name] = texts[name].astype("category")
    frame["code"] = pd.Categorical(random.choice([10, 20, 30, 7], size=rows))
    frame["flag"] = pd.Categorical(random.random(rows) < 0.4)
    sizes = random.choice(["S", "M", "L"], size=rows)
    frame["size"] = pd.Categorical(sizes, categories=["S", "M", "L", "XL"], ordered=True)
    return frame


def _category_target(frame):
    return (frame["town"].cat.codes * 7 % 5 + frame["code"].cat.codes * 3 % 4 > 3).astype(int)


def _booster(objective, target, rounds=5, **parameters):
    frame = contract.numbers(missing=True)
    data = lightgbm.Dataset(frame, target(frame))
    return lightgbm.train({**NATIVE, "objective": objective, **parameters}, data, rounds), frame


def classifier():
    frame = contract.numbers(missing=True)
    return lightgbm.LGBMClassifier(**QUICK).fit(frame, contract.answer(frame)), frame


def classifier_of_booleans_with_sigmoid():
    frame = contract.numbers()
    estimator = lightgbm.LGBMClassifier(sigmoid=0.7, **QUICK)
    return estimator.fit(frame, contract.answer(frame, (False, True))), frame


def classifier_of_three_integers():
    frame = contract.numbers(missing=True)
    estimator = lightgbm.LGBMClassifier(**QUICK)
    return estimator.fit(frame, contract.answer(frame, (3, 5, 8))), frame


def classifier_one_against_all():
    frame = contract.numbers(missing=True)
    estimator = lightgbm.LGBMClassifier(objective="multiclassova", **QUICK)
    return estimator.fit(frame, contract.answer(frame, ("a", "b", "c"))), frame


def classifier_multiclass_of_two():
    frame = contract.numbers()
    estimator = lightgbm.LGBMClassifier(objective="multiclass", num_class=2, **QUICK)
    return estimator.fit(frame, contract.answer(frame)), frame


def classifier_with_cross_entropy():
    frame = contract.numbers()
    estimator = lightgbm.LGBMClassifier(objective="cross_entropy", **QUICK)
    return estimator.fit(frame, contract.answer(frame)), frame


def classifier_with_own_objective():
    def squares(target, score):
        return score - target, np.ones_like(score)

    frame = contract.numbers()
    estimator = lightgbm.LGBMClassifier(objective=squares, **QUICK)
    return estimator.fit(frame, contract.answer(frame)), frame


def classifier_with_early_stopping():
    frame = contract.numbers()
    random = np.random.default_rng(0)
    target = random.integers(0, 2, len(frame))
    estimator = lightgbm.LGBMClassifier(**{**QUICK, "n_estimators": 50})
    estimator.fit(
        frame[:200],
        target[:200],
        eval_X=frame[200:],
        eval_y=target[200:],
        callbacks=[lightgbm.early_stopping(3, verbose=False)],
    )
    assert 0 < estimator.best_iteration_ < 50
    return estimator, frame


def classifier_on_categories():
    frame = _categories()
    return lightgbm.LGBMClassifier(**QUICK).fit(frame, _category_target(frame)), frame


def classifier_on_many_dtypes():
    frame = contract.mixed(missing=True).drop(columns=["color", "town", "word"])
    frame["small"] = frame["integer"].astype("int8")
    frame["nullable"] = frame["integer"].astype("Int64").mask(frame["integer"] > 40)
    frame["maybe"] = frame["flag"].astype("boolean").mask(frame["integer"] > 30)
    frame["half"] = frame["normal"].astype("float32")
    return lightgbm.LGBMClassifier(**QUICK).fit(frame, contract.answer(frame)), frame


def classifier_on_an_array():
    array = contract.numbers(missing=True).to_numpy()
    frame = pd.DataFrame(array)
    return lightgbm.LGBMClassifier(**QUICK).fit(array, contract.answer(frame)), array


def classifier_on_a_small_array():
    array = contract.numbers(dtype="float32").to_numpy()
    frame = pd.DataFrame(array)
    return lightgbm.LGBMClassifier(**QUICK).fit(array, contract.answer(frame)), array


def classifier_behind_one_hot():
    frame = contract.mixed(missing=True)
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["color", "town"]),
        (StandardScaler(), ["normal", "large"]),
    )
    pipeline = make_pipeline(columns, lightgbm.LGBMClassifier(**QUICK))
    return pipeline.fit(frame, contract.answer(frame)), frame


def regressor():
    frame = contract.numbers(missing=True)
    return lightgbm.LGBMRegressor(**QUICK).fit(frame, contract.amount(frame)), frame


def regressor_on_one_column():
    frame = contract.numbers()[["normal"]]
    return lightgbm.LGBMRegressor(**QUICK).fit(frame, contract.amount(frame)), frame


def regressor_with_zero_as_missing():
    frame = contract.numbers(missing=True)
    estimator = lightgbm.LGBMRegressor(zero_as_missing=True, **QUICK)
    return estimator.fit(frame, contract.amount(frame)), frame


def regressor_without_missing():
    frame = contract.numbers(missing=True)
    estimator = lightgbm.LGBMRegressor(use_missing=False, **QUICK)
    return estimator.fit(frame, contract.amount(frame)), frame


def regressor_with_dropout():
    frame = contract.numbers()
    estimator = lightgbm.LGBMRegressor(boosting_type="dart", drop_rate=0.5, **QUICK)
    return estimator.fit(frame, contract.amount(frame)), frame


def regressor_of_a_random_forest():
    frame = contract.numbers()
    options = {"boosting_type": "rf", "subsample": 0.6, "subsample_freq": 1}
    estimator = lightgbm.LGBMRegressor(**options, **QUICK)
    return estimator.fit(frame, contract.amount(frame)), frame


def classifier_of_a_random_forest():
    frame = contract.numbers()
    options = {"boosting_type": "rf", "subsample": 0.6, "subsample_freq": 1}
    estimator = lightgbm.LGBMClassifier(**options, **QUICK)
    return estimator.fit(frame, contract.answer(frame)), frame


def classifier_with_scores_to_start_from():
    """They are no part of the model: LightGBM's own predictions lack them."""
    frame = contract.numbers()
    estimator = lightgbm.LGBMClassifier(boosting_type="goss", learning_rate=0.5, **QUICK)
    scores = np.linspace(-3, 3, len(frame))
    return estimator.fit(frame, contract.answer(frame), init_score=scores), frame


def regressor_of_extra_trees_with_smooth_paths():
    frame = contract.numbers(missing=True)
    options = {"extra_trees": True, "path_smooth": 5.0, "boost_from_average": False, "max_bin": 7}
    estimator = lightgbm.LGBMRegressor(**options, **QUICK)
    return estimator.fit(frame, contract.amount(frame)), frame


def regressor_continued():
    frame = contract.numbers()
    first = lightgbm.LGBMRegressor(**QUICK).fit(frame, contract.amount(frame))
    estimator = lightgbm.LGBMRegressor(**QUICK)
    return estimator.fit(frame, contract.amount(frame), init_model=first), frame


def regressor_of_stumps_without_splits():
    frame = contract.numbers(40)
    estimator = lightgbm.LGBMRegressor(**{**QUICK, "min_child_samples": 1000})
    return estimator.fit(frame, contract.amount(frame)), frame


def ranker():
    frame = contract.numbers()
    target = np.clip(contract.amount(frame).astype(int), 0, 4)
    return lightgbm.LGBMRanker(**QUICK).fit(frame, target, group=[100, 100, 100]), frame


def model_with_tweedie():
    frame = contract.numbers()
    estimator = lightgbm.LGBMModel(objective="tweedie", **QUICK)
    return estimator.fit(frame, _shares(frame)), frame


def booster_binary():
    return _booster("binary", lambda frame: contract.answer(frame, (0, 1)))


def booster_multiclass():
    return _booster("multiclass", lambda frame: contract.answer(frame, (0, 1, 2)), num_class=3)


def booster_one_against_all():
    parameters = {"num_class": 3, "sigmoid": 2}
    target = lambda frame: contract.answer(frame, (0, 1, 2))  # noqa: E731
    return _booster("multiclassova", target, **parameters)


def booster_with_own_objective():
    return _booster(lambda score, data: (score - data.get_label(), np.ones_like(score)), _shares)


def booster_with_own_objective_of_three():
    def squares(score, data):
        return score - np.eye(3)[data.get_label().astype(int)], np.ones_like(score)

    return _booster(squares, lambda frame: contract.answer(frame, (0, 1, 2)), num_class=3)


def booster_rank_xendcg():
    frame = contract.numbers()
    target = np.clip(contract.amount(frame).astype(int), 0, 4)
    data = lightgbm.Dataset(frame, target, group=[150, 150])
    parameters = {**NATIVE, "objective": "rank_xendcg", "seed": 1}
    return lightgbm.train(parameters, data, 5), frame


def booster_on_integer_codes():
    """Categories that come as numbers: negative, fractional and beyond every set as well."""
    random = np.random.default_rng(6)
    array = np.column_stack([random.integers(0, 70, 300), random.integers(0, 5, 300)]).astype(float)
    array[::17, 0] = np.nan
    target = (np.nan_to_num(array[:, 0]) * 13 % 7 > 3) + array[:, 1] % 2
    data = lightgbm.Dataset(array, target, categorical_feature=[0, 1])
    options = {"max_cat_to_onehot": 1, "min_data_per_group": 1, "cat_smooth": 1}
    return lightgbm.train({**NATIVE, **options, "objective": "regression"}, data, 5), array


def booster_on_an_integer_array():
    array = contract.mixed(missing=False)[["integer", "counts"]].to_numpy().astype("int64")
    data = lightgbm.Dataset(array, contract.amount(pd.DataFrame(array)))
    return lightgbm.train({**NATIVE, "objective": "regression"}, data, 5), array


def text_of_a_model():
    booster, frame = booster_binary()
    return files.LightGBMText(booster.model_to_string()), frame


def text_from_the_third_iteration_on():
    booster, frame = booster_multiclass()
    return files.LightGBMText(booster.model_to_string(start_iteration=2)), frame


def text_of_a_model_on_categories():
    estimator, frame = classifier_on_categories()
    return files.read("model.txt", estimator.booster_.model_to_string().encode()), frame


OBJECTIVES = (
    "cross_entropy",
    "cross_entropy_lambda",
    "fair",
    "gamma",
    "huber",
    "mape",
    "poisson",
    "quantile",
    "regression",
    "regression_l1",
    "tweedie",
)
ROOTS = ("fair", "mape", "quantile", "regression", "regression_l1")

# Every function above whose name begins with what it fits.
FITTED = ("booster_", "classifier", "model_", "ranker", "regressor", "text_")
EXAMPLES = {name: make for name, make in globals().items() if name.startswith(FITTED)}
EXAMPLES |= {f"booster_{name}": lambda name=name: _booster(name, _shares) for name in OBJECTIVES}
EXAMPLES |= {
    f"booster_{name}_of_roots": lambda name=name: _booster(name, _shares, reg_sqrt=True)
    for name in ROOTS
}


# -- quirks --


def test_categories_are_cut_toward_zero():
    booster, array = booster_on_integer_codes()
    codes = (-1.0, -0.999, -0.5, 0.0, 0.999, 1.5, 69.9, 70.0, 1e9, 2.0**31, 1e300, np.inf, -np.inf)
    contract.same(booster, array, [{"x0": code, "x1": 1.0} for code in (*codes, None)])


def test_levels_that_are_new_count_as_missing():
    estimator, frame = classifier_on_categories()
    model = penstock.convert(estimator, frame)
    row = frame.iloc[0].to_dict() | {"town": None}
    row = {name: None if value != value else value for name, value in row.items()}
    assert model.predict(row | {"town": "Atlantis"}) == model.predict(row)


def test_categories_of_the_example_may_be_in_another_order():
    estimator, frame = classifier_on_categories()
    other = frame.assign(
        town=frame["town"].cat.reorder_categories(sorted(frame["town"].cat.categories)[::-1])
    )
    rows = [
        {name: None if value != value else value for name, value in row.items()}
        for row in other[:20].to_dict("records")
    ]
    first, second = penstock.convert(estimator, frame), penstock.convert(estimator, other)
    assert first.predict(rows) == second.predict(rows)


def test_tables_of_polars_and_arrow_convert():
    polars = pytest.importorskip("polars")
    frame = contract.numbers(missing=True).assign(whole=np.arange(contract.ROWS) % 7)
    for table in (polars.from_pandas(frame), polars.from_pandas(frame).to_arrow()):
        estimator = lightgbm.LGBMClassifier(**QUICK).fit(table, contract.answer(frame))
        assert penstock.convert(estimator, table).verify() is None


# -- refusals --


def test_stopping_early_in_prediction_is_refused():
    frame = contract.numbers()
    estimator = lightgbm.LGBMClassifier(pred_early_stop=True, **QUICK)
    estimator.fit(frame, contract.answer(frame))
    assert "`pred_early_stop`" in contract.refused(estimator, frame)


def test_a_sigmoid_that_the_text_rounds_is_refused():
    frame = contract.numbers()
    estimator = lightgbm.LGBMClassifier(sigmoid=0.123456789, **QUICK)
    estimator.fit(frame, contract.answer(frame))
    assert "`sigmoid`" in contract.refused(estimator, frame)


def test_one_class_is_refused():
    frame = contract.numbers()
    estimator = lightgbm.LGBMClassifier(**QUICK).fit(frame, np.full(len(frame), "yes"))
    assert "the class 'yes' alone" in contract.refused(estimator, frame)


def test_raw_scores_without_classes_are_refused():
    frame = contract.numbers()
    estimator = lightgbm.LGBMClassifier(objective="multiclass", num_class=3, **QUICK)
    estimator.fit(frame, contract.answer(frame))
    assert "`num_class`" in contract.refused(estimator, frame)


def test_columns_in_another_order_are_refused():
    estimator, frame = classifier()
    assert "in the order of the training data" in contract.refused(
        estimator, frame[frame.columns[::-1]]
    )


def test_columns_too_many_are_refused():
    estimator, frame = classifier()
    assert "was fitted on 5 columns and gets 6" in contract.refused(
        estimator, frame.assign(more=1.0)
    )


def test_text_columns_are_refused():
    estimator, frame = classifier()
    assert "`signed` is one of objects or text" in contract.refused(
        estimator, frame.assign(signed="a")
    )


def test_category_columns_that_were_none_in_training_are_refused():
    estimator, frame = classifier()
    frame = frame.assign(signed=frame["signed"].astype("category"))
    assert "`categorical_feature`" in contract.refused(estimator, frame)


def test_categories_of_other_types_are_refused():
    estimator, frame = classifier_on_categories()
    frame = frame.assign(code=frame["code"].astype("str").astype("category"))
    assert "column `code` holds text" in contract.refused(estimator, frame)


def test_large_integers_in_arrays_are_refused():
    array = np.arange(2**25, 2**25 + 4000, 10).reshape(-1, 2)
    estimator = lightgbm.LGBMRegressor(**QUICK).fit(array, array[:, 0] % 7)
    assert "array of float64" in contract.refused(estimator, array)


def test_tiny_numbers_are_not_read_as_zero_in_a_sparse_matrix():
    frame = pd.DataFrame({"color": ["red", "blue"] * 60, "tiny": [-1.0, 0.0, 1.0] * 40})
    columns = make_column_transformer(
        (OneHotEncoder(), ["color"]), ("passthrough", ["tiny"]), sparse_threshold=1.0
    )
    pipeline = make_pipeline(columns, lightgbm.LGBMRegressor(**QUICK))
    pipeline.fit(frame, np.where(frame["tiny"] < 0, 0.0, 5.0))
    rows = pd.DataFrame({"color": "red", "tiny": [0.0, -1.0000000180025095e-35]})
    expected = pipeline.predict(rows).tolist()
    assert expected[0] != expected[1]
    model = penstock.convert(pipeline, frame, verify=False)
    assert model.predict(rows)["value"].tolist() == expected
