"""Clusters around centers beside scikit-learn."""

import numpy as np
import pytest
from sklearn.cluster import (
    AffinityPropagation,
    Birch,
    BisectingKMeans,
    KMeans,
    MeanShift,
    MiniBatchKMeans,
)
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import penstock
from tests import contract


def scaled(dtype="float64"):
    frame = contract.numbers()
    frame["large"] = np.log(frame["large"])
    return frame.astype(dtype)


def on(estimator, frame=scaled):
    return lambda: (estimator.fit(frame()), frame())


def singles():
    return scaled("float32").to_numpy()


def behind(estimator, **options):
    """Distances from centers as the features of a classifier."""

    def make():
        frame = scaled()
        model = make_pipeline(StandardScaler(), estimator, LogisticRegression())
        return model.set_output(**options).fit(frame, contract.answer(frame)), frame

    return make


def sparse():
    frame = contract.mixed(missing=False)
    columns = make_column_transformer(
        (OneHotEncoder(), ["color", "size"]), ("passthrough", ["signed"]), sparse_threshold=1.0
    )
    return make_pipeline(columns, KMeans(3, n_init=1, random_state=0)).fit(frame), frame


def few():
    return contract.numbers(80).assign(large=0.0)


EXAMPLES = {
    "affinity_propagation": on(AffinityPropagation(random_state=0), few),
    "birch": on(Birch(n_clusters=3, threshold=1.0)),
    "birch_of_all_subclusters": on(Birch(n_clusters=None, threshold=1.5)),
    "birch_before_a_classifier": behind(Birch(n_clusters=3, threshold=1.0)),
    "mean_shift": on(MeanShift(bandwidth=3.0), few),
    "k_means": on(KMeans(4, n_init=2, random_state=0)),
    "k_means_far_from_zero": on(KMeans(3, n_init=1, random_state=0), lambda: scaled() + 5000.0),
    "k_means_of_one_cluster": on(KMeans(1, n_init=1, random_state=0)),
    "k_means_on_float32": on(KMeans(4, n_init=1, random_state=0), singles),
    "k_means_on_numbers_of_all_sizes": on(KMeans(5, n_init=1, random_state=0), contract.numbers),
    "k_means_on_a_sparse_matrix": sparse,
    "k_means_before_a_classifier": behind(KMeans(4, n_init=1, random_state=0)),
    "k_means_before_a_classifier_in_a_frame": behind(
        KMeans(4, n_init=1, random_state=0), transform="pandas"
    ),
    "mini_batch_k_means": on(MiniBatchKMeans(6, n_init=1, random_state=0)),
    "bisecting_k_means": on(BisectingKMeans(7, random_state=0)),
    "bisecting_k_means_by_size": on(
        BisectingKMeans(5, bisecting_strategy="largest_cluster", random_state=0), singles
    ),
    "bisecting_k_means_of_one_cluster": on(BisectingKMeans(1, random_state=0)),
}


def test_a_row_between_two_centers_is_in_the_first():
    frame = scaled()[["normal", "signed"]]
    model = KMeans(2, n_init=1, random_state=0).fit(frame)
    model.cluster_centers_ = np.array([[1.0, 0.0], [-1.0, 0.0]])
    converted = penstock.convert(model, frame)
    assert converted.predict({"normal": 0.0, "signed": 3.0})["cluster"] == 0
    assert converted.predict({"normal": -1e-9, "signed": 3.0})["cluster"] == 1
    assert converted.predict({"normal": 1.0, "signed": 2.0})["distance"] == {
        0: 2.0,
        1: pytest.approx(8**0.5),
    }


def test_another_precision_than_in_training_is_refused():
    model = KMeans(2, n_init=1, random_state=0).fit(scaled().to_numpy())
    assert "float64 and gets float32" in contract.refused(model, singles())


def test_affinity_propagation_without_centers_is_refused():
    model = AffinityPropagation(random_state=0).fit(few())
    model.cluster_centers_ = model.cluster_centers_[:0]
    assert "centers" in contract.refused(model, few())


@pytest.mark.parametrize(
    "estimator", [AffinityPropagation(random_state=0), Birch(), KMeans(4), MeanShift(bandwidth=1.5)]
)
def test_rows_far_from_all_centers_have_the_clusters_of_rounded_distances(estimator):
    frame = few()
    rows = contract.far(frame)
    answers = penstock.convert(estimator.fit(frame), frame).predict(rows)
    np.testing.assert_array_equal(answers["cluster"], estimator.predict(rows))
