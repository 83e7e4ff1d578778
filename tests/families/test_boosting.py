"""Gradient boosting, on exact and on binned features, beside scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import penstock
from tests import contract

EXACT = {"n_estimators": 6, "random_state": 0}
BINNED = {"max_iter": 6, "min_samples_leaf": 5, "random_state": 0}
TEXTS, NUMBERS, FLAGS = ("no", "yes"), (30, 10, 20), (False, True)
# Far more classes than numpy adds one after the other.
MANY = tuple("abcdefghijkl")


def classifier(estimator, classes=TEXTS, *, missing=False):
    def make():
        frame = contract.numbers(missing=missing)
        return estimator.fit(frame, contract.answer(frame, classes)), frame

    return make


def regressor(estimator, *, missing=False):
    def make():
        frame = contract.numbers(missing=missing)
        return estimator.fit(frame, contract.amount(frame) + 0.5), frame

    return make


def on(frame, estimator, classes=TEXTS):
    return lambda: (estimator.fit(frame(), contract.answer(contract.numbers(), classes)), frame())


def categories():
    """Columns of every kind; texts as pandas categories, some of integers and of booleans."""
    frame = contract.mixed()
    for name in ("color", "town", "word"):
        frame[name] = frame[name].astype("category")
    frame["integer"] = frame["integer"].astype("category")
    return frame


def whole():
    frame = contract.numbers(missing=True)[["counts", "signed", "normal"]]
    return frame


def texts():
    return contract.texts().assign(amount=contract.numbers(missing=True)["large"])


EXAMPLES = {
    "gradient_boosting_classifier": classifier(GradientBoostingClassifier(**EXACT)),
    "gradient_boosting_classifier_of_three": classifier(
        GradientBoostingClassifier(**EXACT), NUMBERS
    ),
    "gradient_boosting_classifier_of_many_classes": classifier(
        GradientBoostingClassifier(n_estimators=2, random_state=0), MANY
    ),
    "gradient_boosting_classifier_with_exponential_loss": classifier(
        GradientBoostingClassifier(loss="exponential", **EXACT), FLAGS
    ),
    "gradient_boosting_classifier_from_zero": classifier(
        GradientBoostingClassifier(init="zero", **EXACT)
    ),
    "gradient_boosting_classifier_of_three_from_zero": classifier(
        GradientBoostingClassifier(init="zero", **EXACT), NUMBERS
    ),
    "gradient_boosting_classifier_from_a_dummy": classifier(
        GradientBoostingClassifier(init=DummyClassifier(strategy="most_frequent"), **EXACT)
    ),
    "gradient_boosting_classifier_stopped_early_on_samples": classifier(
        GradientBoostingClassifier(
            n_estimators=30,
            subsample=0.5,
            learning_rate=0.7,
            n_iter_no_change=1,
            max_features=2,
            ccp_alpha=0.001,
            random_state=0,
        )
    ),
    "gradient_boosting_classifier_on_an_array_of_float32": on(
        lambda: contract.numbers(dtype="float32").to_numpy(),
        GradientBoostingClassifier(**EXACT),
    ),
    **{
        f"gradient_boosting_regressor_with_{loss}": regressor(
            GradientBoostingRegressor(loss=loss, alpha=0.3, learning_rate=0.3, **EXACT)
        )
        for loss in ("absolute_error", "huber", "quantile", "squared_error")
    },
    "gradient_boosting_regressor_from_zero": regressor(
        GradientBoostingRegressor(init="zero", **EXACT)
    ),
    "gradient_boosting_regressor_from_a_dummy": regressor(
        GradientBoostingRegressor(init=DummyRegressor(strategy="constant", constant=7), **EXACT)
    ),
    "hist_gradient_boosting_classifier": classifier(
        HistGradientBoostingClassifier(**BINNED), missing=True
    ),
    "hist_gradient_boosting_classifier_of_three": classifier(
        HistGradientBoostingClassifier(class_weight="balanced", **BINNED), NUMBERS, missing=True
    ),
    "hist_gradient_boosting_classifier_of_many_classes": classifier(
        HistGradientBoostingClassifier(max_iter=2, random_state=0), MANY
    ),
    "hist_gradient_boosting_classifier_of_booleans_with_constraints": classifier(
        HistGradientBoostingClassifier(
            monotonic_cst={"normal": 1, "signed": -1}, interaction_cst="pairwise", **BINNED
        ),
        FLAGS,
    ),
    "hist_gradient_boosting_classifier_stopped_early": classifier(
        HistGradientBoostingClassifier(early_stopping=True, n_iter_no_change=1, random_state=0)
    ),
    "hist_gradient_boosting_classifier_on_an_array": on(
        lambda: contract.numbers(missing=True).to_numpy(), HistGradientBoostingClassifier(**BINNED)
    ),
    "hist_gradient_boosting_classifier_on_an_array_of_float32": on(
        lambda: contract.numbers(missing=True, dtype="float32").to_numpy(),
        HistGradientBoostingClassifier(**BINNED),
    ),
    "hist_gradient_boosting_classifier_with_categories": on(
        categories, HistGradientBoostingClassifier(**BINNED)
    ),
    "hist_gradient_boosting_classifier_with_named_categories": on(
        whole, HistGradientBoostingClassifier(categorical_features=["signed"], **BINNED), NUMBERS
    ),
    "hist_gradient_boosting_classifier_with_categories_at_positions": on(
        lambda: whole().to_numpy(),
        HistGradientBoostingClassifier(categorical_features=[1], **BINNED),
    ),
    "hist_gradient_boosting_classifier_with_masked_categories": on(
        lambda: whole()[["counts", "signed"]],
        HistGradientBoostingClassifier(categorical_features=[True, True], **BINNED),
    ),
    "hist_gradient_boosting_classifier_with_categories_of_text": on(
        texts,
        HistGradientBoostingClassifier(categorical_features=["color", "word", "town"], **BINNED),
    ),
    "hist_gradient_boosting_classifier_with_categories_ignored": on(
        lambda: contract.mixed(missing=False)[["normal", "integer", "flag"]].astype(
            {"integer": "category"}
        ),
        HistGradientBoostingClassifier(categorical_features=None, **BINNED),
    ),
    "hist_gradient_boosting_classifier_behind_a_column_transformer": on(
        categories,
        make_pipeline(
            make_column_transformer(
                (StandardScaler(), ["large"]),
                ("passthrough", ["color", "size", "normal"]),
            ).set_output(transform="pandas"),
            HistGradientBoostingClassifier(**BINNED),
        ),
    ),
    **{
        f"hist_gradient_boosting_regressor_with_{loss}": regressor(
            HistGradientBoostingRegressor(loss=loss, quantile=0.3, **BINNED), missing=True
        )
        for loss in ("absolute_error", "gamma", "poisson", "quantile", "squared_error")
    },
}


@pytest.mark.parametrize("loss", ["log_loss", "exponential"])
def test_a_score_of_zero_is_the_second_class_of_exact_boosting(loss):
    frame = contract.numbers()
    model = GradientBoostingClassifier(loss=loss, init="zero", n_estimators=1)
    model.fit(frame, contract.answer(frame))
    model.estimators_[0, 0].tree_.value[:] = 0.0
    assert penstock.convert(model, frame).predict(dict(frame.iloc[0]))["label"] == "yes"


def test_a_score_of_zero_is_the_first_class_of_binned_boosting():
    frame = contract.numbers()
    model = HistGradientBoostingClassifier(max_iter=1).fit(frame, contract.answer(frame))
    model._predictors[0][0].nodes["value"] = 0.0
    model._baseline_prediction[:] = 0.0
    assert penstock.convert(model, frame).predict(dict(frame.iloc[0]))["label"] == "no"


def test_the_smallest_score_above_zero_is_the_second_class():
    frame = contract.numbers()
    model = HistGradientBoostingClassifier(max_iter=1).fit(frame, contract.answer(frame))
    model._predictors[0][0].nodes["value"] = 5e-324
    model._baseline_prediction[:] = 0.0
    assert penstock.convert(model, frame).predict(dict(frame.iloc[0]))["label"] == "yes"


def test_infinite_numbers_are_binned():
    frame = contract.numbers()
    model = HistGradientBoostingClassifier(**BINNED).fit(frame, contract.answer(frame))
    rows = [dict(frame.iloc[0]) | {"normal": value} for value in (np.inf, -np.inf, None)]
    contract.same(model, frame, rows)


def test_missing_values_are_refused_by_exact_boosting():
    frame = contract.numbers()
    model = GradientBoostingRegressor(**EXACT).fit(frame, contract.amount(frame))
    with pytest.raises(penstock.DataError, match="`large`"):
        penstock.convert(model, frame).predict(dict(frame.iloc[0]) | {"large": None})


def test_categories_that_were_never_seen_go_where_missing_values_go():
    frame = pd.DataFrame({"town": pd.Categorical(list("aabbccdd") * 40), "n": range(320)})
    target = frame["town"].isin(["a", "c"])
    model = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2).fit(frame, target)
    contract.same(model, frame, [{"town": town, "n": 3} for town in ("a", "b", "z", None)])


@pytest.mark.parametrize(
    ("model", "target", "name"),
    [
        (GradientBoostingRegressor(init=LinearRegression()), contract.amount, "LinearRegression"),
        (
            GradientBoostingClassifier(init=LogisticRegression()),
            contract.answer,
            "LogisticRegression",
        ),
        (
            GradientBoostingClassifier(init=DummyClassifier(strategy="stratified")),
            contract.answer,
            "stratified",
        ),
    ],
)
def test_initial_estimators_that_are_not_constant_are_refused(model, target, name):
    frame = contract.numbers()
    model = make_pipeline(StandardScaler(), model.set_params(n_estimators=2))
    message = contract.refused(model.fit(frame, target(frame)), frame)
    assert "option `init`" in message and name in message and "step `gradient" in message


def test_categories_without_an_encoder_are_refused():
    frame = whole()
    model = HistGradientBoostingClassifier(categorical_features=["signed"], **BINNED)
    model.fit(frame, contract.answer(contract.numbers()))
    # As models of scikit-learn 1.3 are when they are loaded.
    del model._preprocessor
    assert "option `categorical_features`" in contract.refused(model, frame)
