"""Calibrated probabilities and chosen thresholds beside scikit-learn."""

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

import penstock
from tests import contract

TEXTS, NUMBERS, FLAGS = ("no", "yes"), (30, 10, 20), (False, True)
# By temperature scikit-learn takes labels that are integers as positions, whatever they are.
ABC, MANY = tuple("abc"), tuple("abcdefghij")
SMALL = {"max_depth": 3, "random_state": 0}
TREE = DecisionTreeClassifier(**SMALL)
FOREST = RandomForestClassifier(n_estimators=4, **SMALL)
BOOSTED = HistGradientBoostingClassifier(max_iter=3, random_state=0)
LINEAR = make_pipeline(StandardScaler(), LogisticRegression())
MARGIN = make_pipeline(StandardScaler(), LinearSVC(dual=False))
GBM = LGBMClassifier(n_estimators=5, num_leaves=7, n_jobs=1, random_state=0, verbosity=-1)
XGB = XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1)


def classifier(estimator, classes=TEXTS, frame=contract.numbers):
    return lambda: (estimator.fit(frame(), contract.answer(contract.numbers(), classes)), frame())


def calibrated(estimator, classes=TEXTS, **options):
    return classifier(CalibratedClassifierCV(estimator, **{"cv": 2, **options}), classes)


def codes(count):
    return tuple(range(count))


def frozen():
    frame = contract.numbers()
    forest = FrozenEstimator(FOREST.fit(frame, contract.answer(frame)))
    return CalibratedClassifierCV(forest).fit(frame, contract.answer(frame)), frame


def lacking():
    """One of the folds has but two of three classes to learn from."""
    frame = contract.numbers()
    answer = contract.answer(frame, NUMBERS)
    order = np.argsort(answer, kind="stable")
    frame, answer = frame.iloc[order].reset_index(drop=True), answer[order]
    train, test = np.arange(200), np.arange(300)
    model = CalibratedClassifierCV(TREE, cv=[(train, test), (test, train)])
    return model.fit(frame, answer), frame


def single(dtype="float64"):
    return contract.numbers(dtype=dtype)[["normal"]]


def isotonic(frame=single, **options):
    def make():
        amount = contract.amount(contract.numbers()).astype(str(frame().dtypes.iloc[0]))
        return IsotonicRegression(**options).fit(frame(), amount), frame()

    return make


def singles():
    return single("float32")


def decided_later():
    """As training does it: the classifier is fitted, and then its threshold is chosen."""
    model, frame = classifier(GBM)()
    decided = FixedThresholdClassifier(model, threshold=0.3, pos_label="yes")
    decided.estimator_ = model
    return decided, frame


EXAMPLES = {
    "calibrated_classifier_by_sigmoid": calibrated(FOREST),
    "calibrated_classifier_by_sigmoid_of_scores": calibrated(MARGIN, FLAGS),
    "calibrated_classifier_by_sigmoid_of_three": calibrated(MARGIN, NUMBERS),
    "calibrated_classifier_by_sigmoid_in_one": calibrated(BOOSTED, ensemble=False),
    "calibrated_classifier_of_ten_classes": calibrated(TREE, MANY),
    "calibrated_classifier_by_isotonic": calibrated(FOREST, method="isotonic"),
    "calibrated_classifier_by_isotonic_of_three": calibrated(BOOSTED, NUMBERS, method="isotonic"),
    "calibrated_classifier_by_isotonic_in_one": calibrated(
        LINEAR, method="isotonic", ensemble=False
    ),
    "calibrated_classifier_by_isotonic_in_float32": calibrated(XGB, codes(2), method="isotonic"),
    "calibrated_classifier_by_sigmoid_in_float32": calibrated(XGB, codes(3)),
    "calibrated_classifier_by_temperature": calibrated(FOREST, method="temperature"),
    "calibrated_classifier_by_temperature_of_scores": calibrated(MARGIN, method="temperature"),
    "calibrated_classifier_by_temperature_of_three": calibrated(FOREST, ABC, method="temperature"),
    "calibrated_classifier_by_temperature_of_three_scores": calibrated(
        MARGIN, ABC, method="temperature"
    ),
    "calibrated_classifier_by_temperature_in_float32": calibrated(
        XGB, codes(3), method="temperature"
    ),
    "calibrated_classifier_without_an_estimator": classifier(
        make_pipeline(StandardScaler(), CalibratedClassifierCV(cv=2))
    ),
    "calibrated_classifier_of_a_fitted_one": frozen,
    "calibrated_classifier_without_a_class_in_a_fold": lacking,
    "isotonic_regression": isotonic(),
    "isotonic_regression_that_falls": isotonic(increasing=False, y_min=0.5, y_max=2.0),
    "isotonic_regression_clipped": isotonic(out_of_bounds="clip", increasing="auto"),
    "isotonic_regression_that_refuses": isotonic(out_of_bounds="raise"),
    "isotonic_regression_in_float32": isotonic(singles, out_of_bounds="clip"),
    "isotonic_regression_in_float32_with_nan": isotonic(singles),
    "isotonic_regression_of_one_point": lambda: (
        IsotonicRegression().fit(single()[:1], [3.0]),
        single(),
    ),
    "fixed_threshold_classifier": classifier(
        FixedThresholdClassifier(FOREST, threshold=0.3, pos_label="yes")
    ),
    "fixed_threshold_classifier_for_the_first_class": classifier(
        FixedThresholdClassifier(FOREST, threshold=0.3, pos_label="no")
    ),
    "fixed_threshold_classifier_by_score": classifier(
        FixedThresholdClassifier(LINEAR, response_method="decision_function", pos_label=False),
        FLAGS,
    ),
    "fixed_threshold_classifier_without_a_threshold": classifier(
        FixedThresholdClassifier(MARGIN), codes(2)
    ),
    "fixed_threshold_classifier_that_was_fitted_before": decided_later,
    "fixed_threshold_classifier_in_float32": classifier(
        FixedThresholdClassifier(XGB, threshold=0.4), codes(2)
    ),
    "tuned_threshold_classifier": classifier(
        TunedThresholdClassifierCV(FOREST, cv=2, random_state=0), codes(2)
    ),
    "tuned_threshold_classifier_for_a_text": classifier(
        TunedThresholdClassifierCV(
            BOOSTED, scoring=make_scorer(f1_score, pos_label="no"), cv=2, random_state=0
        )
    ),
    "tuned_threshold_classifier_by_score": classifier(
        TunedThresholdClassifierCV(MARGIN, cv=2, response_method="decision_function"), codes(2)
    ),
}


def test_a_score_on_the_threshold_is_positive():
    frame = contract.numbers()
    model = FixedThresholdClassifier(TREE, threshold=0.25).fit(
        frame, contract.answer(frame, codes(2))
    )
    model.estimator_.tree_.value[:] = [[0.75, 0.25]]
    assert penstock.convert(model, frame).predict(dict(frame.iloc[0]))["label"] == 1
    model.threshold = np.nextafter(0.25, 1)
    assert penstock.convert(model, frame).predict(dict(frame.iloc[0]))["label"] == 0


def test_points_and_what_is_beside_them_are_interpolated_as_in_numpy():
    frame = single()
    model = IsotonicRegression(out_of_bounds="clip").fit(frame, contract.amount(contract.numbers()))
    points = model.X_thresholds_
    beside = [*points, *np.nextafter(points, 9), *np.nextafter(points, -9)]
    contract.same(model, frame, [{"normal": float(value)} for value in beside])


def test_values_out_of_bounds_are_refused_where_scikit_learn_raises():
    frame = single()
    model = IsotonicRegression(out_of_bounds="raise").fit(frame, frame["normal"])
    converted = penstock.convert(model, frame)
    with pytest.raises(penstock.DataError, match="`normal`"):
        converted.predict({"normal": float(model.X_max_) + 1e-9})


def test_reasons_of_a_threshold_are_those_of_the_classifier():
    decided, frame = decided_later()
    row = frame.to_dict("records")[0]
    given = penstock.convert(decided, frame).explain(row)
    assert given == penstock.convert(decided.estimator_, frame).explain(row)


def test_a_temperature_that_rows_decide_together_is_refused():
    # One row whose probabilities have no sum of 1, as those of naive Bayes for numbers that are
    # far away, and scikit-learn takes all rows beside it for scores.
    model, frame = calibrated(GaussianNB(), ABC, method="temperature")()
    assert "output `probability`" in contract.refused(model, frame)


def test_a_threshold_that_nothing_reaches_is_refused():
    frame = contract.numbers()
    model = FixedThresholdClassifier(TREE, threshold=np.inf)
    model.fit(frame, contract.answer(frame, codes(2)))
    assert "`threshold`" in contract.refused(model, frame)
