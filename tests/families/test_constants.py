"""Dummies beside scikit-learn."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor

import penstock
from tests import contract

NUMBERS = (30, 10, 20)


def classifier(estimator):
    frame = contract.numbers()
    return lambda: (estimator.fit(frame, contract.answer(frame, NUMBERS)), frame)


def regressor(estimator, target=contract.amount):
    frame = contract.numbers()
    return lambda: (estimator.fit(frame, target(frame)), frame)


EXAMPLES = {
    "dummy_classifier": classifier(DummyClassifier()),
    "dummy_classifier_of_the_most_frequent": classifier(DummyClassifier(strategy="most_frequent")),
    "dummy_classifier_of_a_constant": classifier(DummyClassifier(strategy="constant", constant=20)),
    "dummy_regressor": regressor(DummyRegressor()),
    "dummy_regressor_of_two_targets": regressor(
        DummyRegressor(strategy="quantile", quantile=0.3),
        lambda frame: frame[["normal", "signed"]].to_numpy(),
    ),
}


@pytest.mark.parametrize("strategy", ["stratified", "uniform"])
def test_answers_by_chance_are_refused(strategy):
    frame = contract.numbers()
    model = DummyClassifier(strategy=strategy).fit(frame, contract.answer(frame))
    assert "`strategy`" in contract.refused(model, frame)


def test_rows_are_not_looked_at():
    frame = contract.numbers()
    model = penstock.convert(DummyRegressor().fit(frame, np.arange(300.0)), frame)
    assert model.predict({}) == {"value": 149.5}
