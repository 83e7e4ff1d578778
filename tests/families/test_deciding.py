"""Thresholds on what a classifier says, beside scikit-learn."""

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

import penstock
from tests import contract

SMALL = {"n_estimators": 5, "n_jobs": 1, "random_state": 0}


def fixed(estimator, classes=("no", "yes"), **options):
    def make():
        frame = contract.numbers()
        return FixedThresholdClassifier(estimator, **options).fit(
            frame, contract.answer(frame, classes)
        ), frame

    return make


def tuned(estimator, **options):
    def make():
        frame = contract.numbers()
        decided = TunedThresholdClassifierCV(estimator, random_state=0, cv=3, **options)
        return decided.fit(frame, contract.answer(frame, (0, 1))), frame

    return make


def in_a_pipeline():
    frame = contract.numbers()
    steps = make_pipeline(
        StandardScaler(),
        FixedThresholdClassifier(LogisticRegression(), threshold=0.3, pos_label="yes"),
    )
    return steps.fit(frame, contract.answer(frame)), frame


def around(model, **options):
    """A threshold for a classifier that was fitted before."""
    decided = FixedThresholdClassifier(model, **options)
    decided.estimator_ = model
    return decided


def fitted_before():
    frame = contract.numbers()
    model = DecisionTreeClassifier(max_depth=4).fit(frame, contract.answer(frame))
    return around(model, threshold=0.7, pos_label="no"), frame


def booster():
    return LGBMClassifier(verbosity=-1, num_leaves=7, **SMALL)


SVC = LinearSVC(random_state=0)
EXAMPLES = {
    "fixed_threshold_of_lightgbm": fixed(booster(), threshold=0.3, pos_label="yes"),
    "fixed_threshold_of_the_first_class": fixed(booster(), threshold=0.3, pos_label="no"),
    "fixed_threshold_of_xgboost": fixed(
        XGBClassifier(**SMALL), classes=(0, 1), threshold=0.2, pos_label=1
    ),
    "fixed_threshold_of_a_tree": fixed(
        DecisionTreeClassifier(max_depth=3), threshold=0.25, pos_label="yes"
    ),
    "fixed_threshold_by_default": fixed(booster(), classes=(0, 1)),
    "fixed_threshold_of_raw_scores": fixed(
        make_pipeline(StandardScaler(), SVC), threshold=0.2, pos_label="yes"
    ),
    "fixed_threshold_of_raw_scores_of_the_first_class": fixed(
        make_pipeline(StandardScaler(), SVC), threshold=-0.1, pos_label="no"
    ),
    "fixed_threshold_in_a_pipeline": in_a_pipeline,
    "fixed_threshold_of_a_fitted_tree": fitted_before,
    "tuned_threshold": tuned(booster(), scoring="f1"),
    "tuned_threshold_of_raw_scores": tuned(
        make_pipeline(StandardScaler(), LogisticRegression()),
        response_method="decision_function",
    ),
}


@pytest.mark.parametrize("positive", ["no", "yes"])
def test_a_score_at_the_threshold_is_above_it(positive):
    frame = contract.numbers()
    tree = DecisionTreeClassifier(max_depth=2).fit(frame, contract.answer(frame))
    shares = tree.predict_proba(frame)[:, list(tree.classes_).index(positive)]
    for threshold in np.unique(shares):
        decided = around(tree, threshold=threshold, pos_label=positive)
        answers = penstock.convert(decided, frame).predict(frame)["label"]
        assert answers.tolist() == decided.predict(frame).tolist()
        assert (answers == positive).sum() == (shares >= threshold).sum()


def test_reasons_are_those_of_the_classifier():
    estimator, frame = EXAMPLES["fixed_threshold_of_lightgbm"]()
    row = frame.to_dict("records")[0]
    given = penstock.convert(estimator, frame).explain(row)
    assert given == penstock.convert(estimator.estimator_, frame).explain(row)


def test_a_threshold_that_is_not_finite_is_refused():
    frame = contract.numbers()
    tree = DecisionTreeClassifier().fit(frame, contract.answer(frame))
    decided = around(tree, threshold=np.inf)
    assert "option `threshold`: is inf; it must be finite" in contract.refused(decided, frame)


def test_a_classifier_that_does_not_convert_is_refused_by_name():
    class Other(GaussianNB):
        pass

    frame = contract.numbers()
    decided = around(Other().fit(frame, contract.answer(frame)))
    assert "step `estimator`" in contract.refused(decided, frame)
