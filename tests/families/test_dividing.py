"""One estimator for each class or target, beside scikit-learn."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor

import penstock
from tests import contract

TEXTS, NUMBERS, FLAGS = ("no", "yes"), (30, 10, 20), (False, True)
MANY = tuple("abcdefghij")
SMALL = {"max_depth": 3, "random_state": 0}
TREE = DecisionTreeClassifier(**SMALL)
LINEAR = make_pipeline(StandardScaler(), LogisticRegression())
XGB = XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1)


def classifier(estimator, classes=TEXTS):
    frame = contract.numbers
    return lambda: (estimator.fit(frame(), contract.answer(frame(), classes)), frame())


def targets():
    amount = contract.amount(contract.numbers())
    return np.stack([amount, -3 * amount], axis=1)


def two_labels(first=TEXTS, second=("a", "b", "c")):
    frame = contract.numbers()
    pair = [contract.answer(frame, first), contract.answer(frame, second, seed=9)]
    return np.stack(pair, axis=1)


def several_labels():
    frame = contract.numbers()
    return np.stack([frame["normal"] > 0, frame["signed"] > 0], axis=1).astype(int)


def fitted(estimator, target):
    return lambda: (estimator.fit(contract.numbers(), target()), contract.numbers())


EXAMPLES = {
    "one_vs_rest_classifier": classifier(OneVsRestClassifier(LINEAR), NUMBERS),
    "one_vs_rest_classifier_of_two": classifier(OneVsRestClassifier(LINEAR), FLAGS),
    "one_vs_rest_classifier_of_trees": classifier(OneVsRestClassifier(TREE), NUMBERS),
    "one_vs_rest_classifier_of_two_by_trees": classifier(OneVsRestClassifier(TREE)),
    "one_vs_rest_classifier_of_ten": classifier(OneVsRestClassifier(TREE), MANY),
    "one_vs_rest_classifier_by_margin": classifier(
        OneVsRestClassifier(make_pipeline(StandardScaler(), LinearSVC(dual=False))), NUMBERS
    ),
    "one_vs_rest_classifier_by_regression": classifier(
        OneVsRestClassifier(DecisionTreeRegressor(**SMALL)), NUMBERS
    ),
    "one_vs_rest_classifier_in_float32": classifier(OneVsRestClassifier(XGB), NUMBERS),
    "one_vs_rest_classifier_of_labels": fitted(OneVsRestClassifier(LINEAR), several_labels),
    "one_vs_rest_classifier_of_labels_by_trees": fitted(OneVsRestClassifier(TREE), several_labels),
    "one_vs_one_classifier": classifier(OneVsOneClassifier(LINEAR), NUMBERS),
    "one_vs_one_classifier_of_two": classifier(OneVsOneClassifier(LINEAR)),
    "one_vs_one_classifier_of_two_by_trees": classifier(OneVsOneClassifier(TREE), FLAGS),
    "one_vs_one_classifier_of_four_by_trees": classifier(OneVsOneClassifier(TREE), MANY[:4]),
    "one_vs_one_classifier_by_margin": classifier(
        OneVsOneClassifier(make_pipeline(StandardScaler(), LinearSVC(dual=False))), MANY[:4]
    ),
    "output_code_classifier": classifier(
        OutputCodeClassifier(LINEAR, code_size=2, random_state=0), NUMBERS
    ),
    "output_code_classifier_of_trees": classifier(
        OutputCodeClassifier(TREE, code_size=1.5, random_state=0), MANY[:5]
    ),
    "multi_output_regressor": fitted(
        MultiOutputRegressor(make_pipeline(StandardScaler(), LinearRegression())), targets
    ),
    "multi_output_regressor_in_float32": fitted(
        MultiOutputRegressor(XGBRegressor(n_estimators=2)), targets
    ),
    "multi_output_classifier": fitted(MultiOutputClassifier(TREE), two_labels),
    "multi_output_classifier_with_scores": fitted(
        MultiOutputClassifier(HistGradientBoostingClassifier(max_iter=2)),
        lambda: two_labels(NUMBERS, (1, 2)),
    ),
    "multi_output_classifier_without_raw_scores": fitted(
        MultiOutputClassifier(GaussianNB()), two_labels
    ),
    "multi_output_classifier_of_bits": fitted(MultiOutputClassifier(BernoulliNB()), several_labels),
}


def test_rows_that_no_class_wants_have_no_probability():
    frame = contract.numbers()
    model = OneVsRestClassifier(DecisionTreeClassifier(max_depth=1)).fit(
        frame, contract.answer(frame, NUMBERS)
    )
    for member in model.estimators_:
        member.tree_.value[:] = [[1.0, 0.0]]
    row = dict(frame.iloc[0])
    assert penstock.convert(model, frame).predict(row) == {
        "label": 10,
        "probability": {10: 0.0, 20: 0.0, 30: 0.0},
    }


def test_targets_of_different_types_are_refused():
    frame = contract.numbers()
    model = MultiOutputClassifier(RandomForestClassifier(2, **SMALL)).fit(frame, two_labels())
    model.estimators_[1].classes_ = np.array([1, 2, 3])
    assert "different types" in contract.refused(model, frame)


def test_kernels_between_rows_are_refused():
    frame = contract.numbers(60)
    similar = frame.to_numpy() @ frame.to_numpy().T
    model = OneVsOneClassifier(SVC(kernel="precomputed")).fit(
        similar, contract.answer(frame, NUMBERS)
    )
    assert "`estimator`" in contract.refused(model, similar)


def test_rows_far_from_all_training_have_the_labels_of_rounded_distances():
    frame, rows = contract.numbers(), contract.far(contract.numbers())
    for estimator in (OneVsOneClassifier(LinearSVC()), OutputCodeClassifier(LinearSVC())):
        model = estimator.fit(frame, contract.answer(frame, ("a", "b", "c")))
        answers = penstock.convert(model, frame).predict(rows)
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(answers["label"], model.predict(rows))
