"""CatBoost's estimators and model files, beside CatBoost: numbers, categories and counts."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import polars
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import penstock
from penstock.converters import files
from tests import contract

QUICK = {
    "iterations": 8,
    "depth": 3,
    "thread_count": 1,
    "verbose": False,
    "allow_writing_files": False,
    "random_seed": 0,
}
CATEGORIES = ["color", "town", "word", "code", "flag"]


def _made(name, **options):
    """An estimator that is quick to fit; the library is imported where it is needed."""
    import catboost

    return getattr(catboost, name)(**QUICK | options)


def _numeric(cls, target, *, missing=True, dtype="float64", **options):
    def example():
        frame = contract.numbers(missing=missing, dtype=dtype)
        return _made(cls, **options).fit(frame, target(frame)), frame

    return example


def _positive(frame):
    value = contract.amount(frame)
    return value - value.min() + 0.5


def _classes(*names):
    return lambda frame: contract.answer(frame, names)


def _targets(frame):
    return np.column_stack([contract.amount(frame, seed) for seed in (3, 4, 5)])


def _several_labels(frame):
    return np.column_stack([contract.answer(frame, (0, 1), seed) for seed in (4, 5, 6)])


def _shares(frame):
    value = _positive(frame)
    return value / value.max()


def saved(model):
    return read(document_of(model))


def read(document):
    return files.read("model.json", json.dumps(document).encode())


def document_of(model):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        return json.loads(path.read_text())


def ranker():
    frame = contract.numbers()
    groups = np.repeat(np.arange(contract.ROWS // 10), 10)
    target = contract.answer(frame, (0, 1, 2))
    return _made("CatBoostRanker").fit(frame, target, group_id=groups), frame


def base():
    import catboost

    frame = contract.numbers(missing=True)
    model = catboost.CatBoost(QUICK | {"loss_function": "Logloss"})
    return model.fit(frame, contract.answer(frame, (0, 1))), frame


def classifier_with_threshold():
    frame = contract.numbers()
    model = _made("CatBoostClassifier").fit(frame, contract.answer(frame))
    model.set_probability_threshold(0.3)
    return model, frame


def regressor_with_scale():
    model, frame = _numeric("CatBoostRegressor", contract.amount)()
    model.set_scale_and_bias(1.7, 0.3)
    return model, frame


def classifier_on_array():
    frame = contract.numbers(missing=True)
    array = frame.to_numpy()
    return _made("CatBoostClassifier").fit(array, contract.answer(frame)), array


def classifier_of_few_trees():
    """`use_best_model` leaves trees out."""
    frame = contract.numbers()
    target = np.random.default_rng(0).integers(0, 2, len(frame))
    model = _made("CatBoostClassifier", iterations=60)
    model.fit(frame[:200], target[:200], eval_set=(frame[200:], target[200:]))
    return model, frame


NUMERIC = {
    "classifier": _numeric("CatBoostClassifier", _classes("no", "yes")),
    "classifier_of_booleans": _numeric("CatBoostClassifier", _classes(False, True)),
    "classifier_of_floats": _numeric("CatBoostClassifier", _classes(1.5, 2.5)),
    "classifier_of_three": _numeric("CatBoostClassifier", _classes(5, 6, 9)),
    "classifier_one_versus_all": _numeric(
        "CatBoostClassifier", _classes("a", "b", "c"), loss_function="MultiClassOneVsAll"
    ),
    "classifier_of_shares": _numeric(
        "CatBoostClassifier", _shares, loss_function="CrossEntropy", missing=False
    ),
    "classifier_of_several_labels": _numeric(
        "CatBoostClassifier", _several_labels, loss_function="MultiLogloss"
    ),
    "classifier_depthwise": _numeric(
        "CatBoostClassifier", _classes(0, 1, 2), grow_policy="Depthwise"
    ),
    "classifier_with_threshold": classifier_with_threshold,
    "classifier_on_array": classifier_on_array,
    "classifier_of_few_trees": classifier_of_few_trees,
    "regressor": _numeric("CatBoostRegressor", contract.amount),
    "regressor_missing_as_largest": _numeric("CatBoostRegressor", contract.amount, nan_mode="Max"),
    "regressor_missing_forbidden": _numeric(
        "CatBoostRegressor", contract.amount, nan_mode="Forbidden", missing=False
    ),
    "regressor_without_missing": _numeric("CatBoostRegressor", contract.amount, missing=False),
    "regressor_of_float32": _numeric("CatBoostRegressor", contract.amount, dtype="float32"),
    "regressor_deep": _numeric("CatBoostRegressor", contract.amount, depth=9),
    "regressor_lossguide": _numeric(
        "CatBoostRegressor", contract.amount, grow_policy="Lossguide", max_leaves=7
    ),
    "regressor_lossguide_missing_as_largest": _numeric(
        "CatBoostRegressor", contract.amount, grow_policy="Lossguide", nan_mode="Max"
    ),
    "regressor_with_scale": regressor_with_scale,
    "regressor_absolute": _numeric("CatBoostRegressor", contract.amount, loss_function="MAE"),
    "regressor_quantile": _numeric(
        "CatBoostRegressor", contract.amount, loss_function="Quantile:alpha=0.2"
    ),
    "regressor_quantiles": _numeric(
        "CatBoostRegressor", contract.amount, loss_function="MultiQuantile:alpha=0.1,0.9"
    ),
    "regressor_poisson": _numeric("CatBoostRegressor", _positive, loss_function="Poisson"),
    "regressor_tweedie": _numeric(
        "CatBoostRegressor", _positive, loss_function="Tweedie:variance_power=1.4"
    ),
    "regressor_with_uncertainty": _numeric(
        "CatBoostRegressor", contract.amount, loss_function="RMSEWithUncertainty"
    ),
    "regressor_of_several": _numeric("CatBoostRegressor", _targets, loss_function="MultiRMSE"),
    "base": base,
    "ranker": ranker,
}


def _categories():
    """Texts, integers and booleans as categories; CatBoost takes none that is missing."""
    random = np.random.default_rng(5)
    frame = contract.numbers(missing=True)[["normal", "signed"]]
    texts = contract.texts(missing=False)
    for name in texts:
        frame[name] = texts[name]
    frame["town"] = frame["town"].astype("category")
    frame["code"] = random.integers(-3, 4, len(frame))
    frame["flag"] = random.random(len(frame)) < 0.4
    return frame


def _categorical(cls, *classes, **options):
    def example():
        frame = _categories()
        mixed = pd.concat(
            [frame.drop(columns="flag"), pd.get_dummies(frame[CATEGORIES[0]])], axis=1
        )
        codes = pd.factorize(frame["town"])[0] * 7 % 5 + frame["code"] * frame["flag"]
        value = codes + contract.amount(mixed)
        if classes:
            edges = np.quantile(value, np.linspace(0, 1, len(classes) + 1)[1:-1])
            value = np.asarray(classes)[np.searchsorted(edges, value)]
        model = _made(cls, **options, cat_features=CATEGORIES)
        return model.fit(frame, value), frame

    return example


def _ctr(kind):
    return {"simple_ctr": [kind], "combinations_ctr": [kind], "one_hot_max_size": 1}


CATEGORICAL = {
    "classifier_one_hot": _categorical("CatBoostClassifier", "no", "yes", one_hot_max_size=200),
    "classifier_counts": _categorical(
        "CatBoostClassifier", "no", "yes", one_hot_max_size=1, iterations=20
    ),
    "classifier_counts_and_one_hot": _categorical(
        "CatBoostClassifier", "no", "yes", one_hot_max_size=4, iterations=30, depth=5
    ),
    "classifier_of_three_counts": _categorical(
        "CatBoostClassifier", 1, 2, 3, one_hot_max_size=3, iterations=20, depth=4
    ),
    "classifier_of_three_buckets": _categorical("CatBoostClassifier", 1, 2, 3, **_ctr("Buckets")),
    "classifier_of_means": _categorical(
        "CatBoostClassifier", 1, 2, 3, **_ctr("BinarizedTargetMeanValue:TargetBorderCount=3")
    ),
    "regressor_of_means": _categorical(
        "CatBoostRegressor", **_ctr("BinarizedTargetMeanValue:TargetBorderCount=4")
    ),
    "regressor_of_borders": _categorical(
        "CatBoostRegressor", **_ctr("Borders:TargetBorderCount=4:Prior=0.3")
    ),
    "regressor_of_counters": _categorical("CatBoostRegressor", **_ctr("Counter")),
    "regressor_of_long_combinations": _categorical(
        "CatBoostRegressor", max_ctr_complexity=5, depth=6, iterations=30, one_hot_max_size=3
    ),
    "regressor_lossguide_counts": _categorical(
        "CatBoostRegressor", grow_policy="Lossguide", max_leaves=9, iterations=20
    ),
    "regressor_categories_missing_as_largest": _categorical(
        "CatBoostRegressor", nan_mode="Max", depth=6, iterations=30, one_hot_max_size=3
    ),
}


def file_of_classifier():
    model, frame = CATEGORICAL["classifier_counts_and_one_hot"]()
    return saved(model), frame


def file_of_regressor():
    model, frame = NUMERIC["regressor_poisson"]()
    return saved(model), frame


def binary_file():
    model, frame = CATEGORICAL["classifier_counts"]()
    return files.read("model.cbm", model._serialize_model()), frame


def file_of_models_that_were_added():
    """A sum of models does not say its loss."""
    import catboost

    models = [NUMERIC[name]()[0] for name in ("regressor", "regressor_absolute")]
    return saved(catboost.sum_models(models, weights=[0.3, 0.7])), contract.numbers(missing=True)


def classifier_on_array_of_objects():
    frame = _categories().drop(columns=["code", "flag"])
    array = frame.astype(object).to_numpy()
    model = _made("CatBoostClassifier", cat_features=[2, 3, 4], one_hot_max_size=3)
    return model.fit(array, frame["town"].isin(["town 1", "town 2"])), array


def pipeline():
    frame = contract.numbers()
    model = make_pipeline(StandardScaler(), _made("CatBoostClassifier"))
    return model.fit(frame, contract.answer(frame)), frame


def regressor_on_polars():
    frame = contract.numbers()
    data = polars.from_pandas(frame)
    return _made("CatBoostRegressor").fit(data, contract.amount(frame)), data


EXAMPLES = {
    **NUMERIC,
    **CATEGORICAL,
    "file_of_classifier": file_of_classifier,
    "file_of_regressor": file_of_regressor,
    "binary_file": binary_file,
    "file_of_models_that_were_added": file_of_models_that_were_added,
    "classifier_on_array_of_objects": classifier_on_array_of_objects,
    "pipeline": pipeline,
    "regressor_on_polars": regressor_on_polars,
}


def test_hashes_are_those_of_catboost():
    """Texts of every length that the hash treats in its own way, and integers as their digits."""
    random = np.random.default_rng(7)
    letters = np.array(list("abc XYZ019é"))
    texts = ["", *("".join(random.choice(letters, length)) for length in range(1, 200))]
    frame = pd.DataFrame({"k": np.array(texts * 2, dtype=object)})
    frame["i"] = np.tile(np.arange(-100, 100) * 70_368_744_177 - 1, 2)
    target = np.tile(random.normal(size=200), 2)
    options = {"iterations": 250, "one_hot_max_size": 255, "depth": 2, "learning_rate": 0.5}
    for column in frame:
        model = _made("CatBoostRegressor", **options, cat_features=[column])
        model.fit(frame[[column]], target)
        converted = penstock.convert(model, frame[[column]])
        expected = model.predict(frame[[column]])
        assert len(set(expected)) > 100
        assert (converted.predict(frame[[column]])["value"].to_numpy() == expected).all()


def test_a_number_with_a_fraction_is_no_category():
    model, frame = CATEGORICAL["regressor_of_counters"]()
    converted = penstock.convert(model, frame)
    row = frame.iloc[0].to_dict()
    with pytest.raises(penstock.DataError, match="`code`"):
        converted.predict(row | {"code": 1.5})
    with pytest.raises(penstock.DataError, match="`color`"):
        converted.predict(row | {"color": None})
    assert converted.predict(row | {"code": 1.0}) == converted.predict(row | {"code": 1})


def test_combinations_are_more_than_tables_of_single_categories():
    """What the examples above are for: combinations with numbers and with values of categories."""
    model, _ = CATEGORICAL["regressor_of_long_combinations"]()
    kinds = {
        element["combination_element"]
        for item in document_of(model)["features_info"]["ctrs"]
        for element in item["elements"]
    }
    assert kinds == {"cat_feature_value", "float_feature", "cat_feature_exact_value"}


def test_columns_in_another_order_are_refused():
    model, frame = NUMERIC["regressor"]()
    message = contract.refused(model, frame[frame.columns[::-1]], verify=False)
    assert "was fitted with the column `normal`" in message


def test_floats_as_categories_are_refused():
    model, frame = CATEGORICAL["regressor_of_counters"]()
    message = contract.refused(model, frame.assign(code=frame["code"].astype(float)), verify=False)
    assert "`cat_features`" in message and "`code`" in message


def test_text_features_are_refused():
    frame = contract.texts(missing=False)[["town"]]
    model = _made("CatBoostClassifier", text_features=["town"])
    model.fit(frame, (frame["town"] > "town 3").astype(int))
    assert "`text_features`" in contract.refused(model, frame, verify=False)
