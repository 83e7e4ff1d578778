"""Detectors of outliers beside scikit-learn."""

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import SGDOneClassSVM
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import penstock
from tests import contract

SMALL = {"n_estimators": 10, "max_samples": 64, "random_state": 0}


def on(estimator, frame=contract.numbers):
    return lambda: (estimator.fit(frame()), frame())


def missing():
    return contract.numbers(missing=True)


def sparse():
    frame = contract.mixed(missing=False)
    columns = make_column_transformer(
        (OneHotEncoder(), ["color", "size"]), ("passthrough", ["normal"]), sparse_threshold=1.0
    )
    return make_pipeline(columns, IsolationForest(**SMALL)).fit(frame), frame


def scaled():
    frame = contract.numbers()
    return frame.assign(large=np.log(frame["large"])).drop(columns="constant")


EXAMPLES = {
    "elliptic_envelope": on(EllipticEnvelope(random_state=0), scaled),
    "elliptic_envelope_behind_a_scaler": on(
        make_pipeline(StandardScaler(), EllipticEnvelope(contamination=0.2, random_state=0)), scaled
    ),
    "local_outlier_factor": on(LocalOutlierFactor(novelty=True), scaled),
    "local_outlier_factor_with_contamination": on(
        LocalOutlierFactor(5, novelty=True, contamination=0.1, metric="manhattan"), scaled
    ),
    "local_outlier_factor_by_brute_force": on(
        LocalOutlierFactor(10, novelty=True, algorithm="brute"), scaled
    ),
    "sgd_one_class_svm": on(SGDOneClassSVM(random_state=0), scaled),
    "isolation_forest": on(IsolationForest(**SMALL)),
    "isolation_forest_with_contamination": on(IsolationForest(contamination=0.1, **SMALL)),
    "isolation_forest_of_some_columns": on(IsolationForest(max_features=0.5, **SMALL)),
    "isolation_forest_with_missing_values": on(IsolationForest(**SMALL), missing),
    "isolation_forest_on_float32": on(
        IsolationForest(bootstrap=True, **SMALL),
        lambda: contract.numbers(dtype="float32").to_numpy(),
    ),
    "isolation_forest_on_a_sparse_matrix": sparse,
}


def test_rows_on_the_offset_are_usual():
    """With a contamination, the offset is the score of a training row."""
    frame = contract.numbers(rows=101)
    for contamination in (0.01, 0.05, 0.1, 0.2, 0.5):
        model = IsolationForest(contamination=contamination, **SMALL).fit(frame)
        converted = penstock.convert(model, frame)
        np.testing.assert_array_equal(converted.predict(frame)["label"], model.predict(frame))


def test_an_offset_beyond_all_scores_leaves_one_label():
    frame = contract.numbers()
    for offset, label in ((0.5, -1), (-1.5, 1)):
        model = IsolationForest(**SMALL).fit(frame)
        model.offset_ = offset
        assert set(penstock.convert(model, frame).predict(frame)["label"]) == {label}


def test_trees_of_one_row_are_refused():
    frame = contract.numbers()
    model = IsolationForest(n_estimators=2, max_samples=1, random_state=0).fit(frame)
    assert "`max_samples`" in contract.refused(model, frame)


def test_a_factor_of_its_own_rows_alone_is_refused():
    model = LocalOutlierFactor().fit(scaled())
    assert "`novelty`" in contract.refused(model, scaled())
