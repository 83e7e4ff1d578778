"""Chains of estimators beside scikit-learn."""

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import ClassifierChain, RegressorChain
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests import contract

TREE = DecisionTreeClassifier(max_depth=3, random_state=0)


def labels(frame, classes=(0, 1)):
    return np.stack([contract.answer(frame, classes, seed=seed) for seed in (4, 5, 6)], axis=1)


def amounts(frame):
    return np.stack([contract.amount(frame), contract.amount(frame, seed=4) ** 2], axis=1)


def scaled(dtype="float64"):
    frame = contract.numbers()
    return frame.assign(large=np.log(frame["large"])).astype(dtype)


def classifier(estimator, frame=scaled, classes=(0, 1)):
    return lambda: (estimator.fit(frame(), labels(scaled(), classes)), frame())


def regressor(estimator, frame=scaled):
    return lambda: (estimator.fit(frame(), amounts(scaled())), frame())


EXAMPLES = {
    "classifier_chain": classifier(ClassifierChain(LogisticRegression())),
    "classifier_chain_in_another_order": classifier(ClassifierChain(TREE, order=[2, 0, 1])),
    "classifier_chain_by_shares": classifier(
        ClassifierChain(LogisticRegression(), chain_method="predict_proba", order=[1, 2, 0])
    ),
    "classifier_chain_by_scores": classifier(
        ClassifierChain(LogisticRegression(), chain_method="decision_function")
    ),
    "classifier_chain_of_three_classes": classifier(ClassifierChain(TREE), classes=(1, 2, 3)),
    "classifier_chain_on_float32": classifier(
        ClassifierChain(TREE), lambda: scaled("float32").to_numpy()
    ),
    "regressor_chain": regressor(RegressorChain(LinearRegression())),
    "regressor_chain_of_trees_in_another_order": regressor(
        RegressorChain(DecisionTreeRegressor(max_depth=3, random_state=0), order=[1, 0])
    ),
}


def test_shares_of_three_classes_in_a_chain_are_refused():
    frame = scaled()
    model = ClassifierChain(TREE).fit(frame, labels(frame, (1, 2, 3)))
    model.chain_method_ = "predict_proba"
    assert "`chain_method`" in contract.refused(model, frame)


def test_logarithms_of_shares_are_no_link_of_a_chain():
    frame = contract.numbers()
    targets = np.stack([contract.answer(frame, (0, 1), seed=seed) for seed in (4, 5)], axis=1)
    model = ClassifierChain(LogisticRegression(), chain_method="predict_log_proba")
    assert "option `chain_method`" in contract.refused(model.fit(frame, targets), frame)
