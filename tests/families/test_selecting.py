"""Selection of features beside scikit-learn."""

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.feature_selection import (
    RFE,
    RFECV,
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from tests import contract

TREE = DecisionTreeClassifier(max_depth=3, random_state=0)


def scaled(missing=False):
    frame = contract.numbers(missing=missing)
    return frame.assign(large=np.log(frame["large"]), noise=np.sin(7 * frame["normal"]))


def on(estimator, frame=lambda: scaled().drop(columns="constant")):
    return lambda: (estimator.fit(frame(), contract.answer(scaled())), frame())


def mixed():
    return contract.mixed(missing=False)[["integer", "signed", "normal"]]


def before(estimator):
    def make():
        frame = contract.mixed(missing=False)
        columns = make_column_transformer(
            (OneHotEncoder(), ["color", "size"]),
            ("passthrough", ["normal", "signed"]),
            sparse_threshold=1.0,
        )
        model = make_pipeline(columns, estimator, LogisticRegression())
        return model.fit(frame, contract.answer(scaled())), frame

    return make


EXAMPLES = {
    "select_k_best": on(SelectKBest(k=2)),
    "select_k_best_in_a_frame": on(SelectKBest(k=2).set_output(transform="pandas"), mixed),
    "select_k_best_on_mixed_dtypes": on(SelectKBest(k=2), mixed),
    "select_k_best_of_a_sparse_matrix": before(SelectKBest(k=4)),
    "select_percentile": on(SelectPercentile(percentile=50)),
    "select_fpr": on(SelectFpr()),
    "select_fdr": on(SelectFdr()),
    "select_fwe": on(SelectFwe()),
    "generic_univariate_select": on(GenericUnivariateSelect(mode="k_best", param=3)),
    "variance_threshold": on(VarianceThreshold(), lambda: scaled(missing=True)),
    "select_from_model": before(SelectFromModel(LogisticRegression(), threshold="mean")),
    "select_from_model_that_takes_missing_values": on(
        SelectFromModel(TREE, max_features=2, threshold=-np.inf), lambda: scaled(missing=True)
    ),
    "rfe": on(RFE(TREE, n_features_to_select=2)),
    "rfecv": on(RFECV(TREE, cv=2)),
    "sequential_feature_selector": on(
        SequentialFeatureSelector(TREE, n_features_to_select=2, cv=2)
    ),
}


def test_a_selection_of_nothing_is_refused():
    frame = scaled()
    model = SelectFromModel(TREE, threshold=9.0).fit(frame, contract.answer(frame))
    assert "no column" in contract.refused(model, frame)


def test_arrays_of_objects_are_refused():
    frame = contract.mixed(missing=False)[["color", "normal"]]
    model = SelectFromModel(TREE, threshold=-np.inf, max_features=1)
    model.fit(scaled()[["signed", "normal"]].to_numpy(), contract.answer(scaled()))
    assert "objects" in contract.refused(model, frame)


def test_frames_with_booleans_are_refused():
    frame = contract.mixed(missing=False)[["flag", "normal"]]
    model = SelectKBest(k=1).fit(frame, contract.answer(scaled()))
    assert "booleans" in contract.refused(model, frame)
