"""Nearest neighbors beside scikit-learn."""

import numpy as np
import pytest
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    NearestCentroid,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import penstock
from tests import contract

TEXTS, NUMBERS, FLAGS = ("no", "yes"), (30, 10, 20), (False, True)


def scaled(dtype="float64"):
    frame = contract.numbers()
    frame["large"] = np.log(frame["large"])
    return frame.astype(dtype)


def singles():
    return scaled("float32").to_numpy()


def classifier(estimator, classes=TEXTS, frame=scaled):
    return lambda: (estimator.fit(frame(), contract.answer(scaled(), classes)), frame())


def regressor(estimator, target=lambda amount: amount, frame=scaled):
    return lambda: (estimator.fit(frame(), target(contract.amount(scaled()))), frame())


def two(amount):
    return np.stack([amount, -3 * amount], axis=1)


def two_labels():
    pair = [contract.answer(scaled(), TEXTS), contract.answer(scaled(), ("a", "b", "c"), seed=9)]
    return KNeighborsClassifier(5).fit(scaled(), np.stack(pair, axis=1)), scaled()


def ties():
    """Whole numbers: most rows have several neighbors at the same distance."""
    frame = contract.numbers()[["counts", "signed"]]
    return KNeighborsClassifier(4).fit(frame, contract.answer(contract.numbers(), NUMBERS)), frame


def voting():
    """Ties, inside an estimator that does not know of them."""
    frame, known = contract.numbers()[["counts", "signed"]], contract.answer(contract.numbers())
    members = [("near", KNeighborsClassifier(4)), ("tree", DecisionTreeClassifier(max_depth=2))]
    return VotingClassifier(members, voting="soft").fit(frame, known), frame


EXAMPLES = {
    "k_neighbors_with_ties_in_a_vote": voting,
    "k_neighbors_classifier": classifier(KNeighborsClassifier()),
    "k_neighbors_classifier_of_three_by_distance": classifier(
        KNeighborsClassifier(7, weights="distance"), NUMBERS
    ),
    "k_neighbors_classifier_by_brute_force": classifier(
        KNeighborsClassifier(3, algorithm="brute"), FLAGS
    ),
    "k_neighbors_classifier_with_ties": ties,
    "k_neighbors_classifier_of_two_targets": two_labels,
    "k_neighbors_classifier_behind_a_scaler": classifier(
        make_pipeline(StandardScaler(), KNeighborsClassifier(9, p=1)), frame=contract.numbers
    ),
    "k_neighbors_classifier_on_float32": classifier(KNeighborsClassifier(), frame=singles),
    "k_neighbors_classifier_by_cosine": classifier(
        KNeighborsClassifier(7, metric="cosine", weights="distance"), NUMBERS
    ),
    "radius_neighbors_classifier": classifier(
        RadiusNeighborsClassifier(1.5, outlier_label="most_frequent"), NUMBERS
    ),
    "radius_neighbors_classifier_with_another_label_for_outliers": classifier(
        RadiusNeighborsClassifier(1.1, outlier_label=99, weights="distance"), NUMBERS
    ),
    "radius_neighbors_classifier_that_refuses_outliers": classifier(
        RadiusNeighborsClassifier(3.0, metric="manhattan")
    ),
    "radius_neighbors_regressor": regressor(RadiusNeighborsRegressor(1.3)),
    "radius_neighbors_regressor_by_distance": regressor(
        RadiusNeighborsRegressor(2.0, weights="distance", p=1), two
    ),
    "radius_neighbors_regressor_by_brute_force": regressor(
        RadiusNeighborsRegressor(1.5, weights="distance", algorithm="brute")
    ),
    "nearest_centroid": classifier(NearestCentroid(), NUMBERS),
    "nearest_centroid_of_shrunken_centroids": classifier(NearestCentroid(shrink_threshold=0.2)),
    "nearest_centroid_with_priors": classifier(NearestCentroid(priors=[0.2, 0.3, 0.5]), NUMBERS),
    "nearest_centroid_by_medians": classifier(NearestCentroid(metric="manhattan"), NUMBERS),
    "k_neighbors_regressor": regressor(KNeighborsRegressor()),
    "k_neighbors_regressor_by_distance": regressor(
        KNeighborsRegressor(metric="chebyshev", weights="distance")
    ),
    "k_neighbors_regressor_by_squares": regressor(KNeighborsRegressor(metric="sqeuclidean")),
    "k_neighbors_regressor_of_two_targets": regressor(KNeighborsRegressor(4), two),
    "k_neighbors_regressor_of_all_rows": regressor(
        KNeighborsRegressor(300, algorithm="brute", weights="distance")
    ),
}


def test_a_row_of_training_is_its_own_nearest_neighbor():
    frame = scaled()
    model = KNeighborsRegressor(4, weights="distance").fit(frame, np.arange(300.0))
    converted = penstock.convert(model, frame)
    np.testing.assert_array_equal(converted.predict(frame)["value"], model.predict(frame))


@pytest.mark.parametrize(
    "options, option",
    [
        ({"metric": "canberra"}, "metric"),
        ({"metric": lambda left, right: abs(left - right).sum()}, "metric"),
        ({"metric": "mahalanobis", "metric_params": {"VI": np.eye(5)}}, "metric"),
        ({"weights": lambda distances: 1 / (1 + distances)}, "weights"),
    ],
)
def test_options_that_are_not_known_are_refused(options, option):
    frame = scaled()
    model = KNeighborsRegressor(**options).fit(frame, contract.amount(frame))
    assert f"`{option}`" in contract.refused(model, frame)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_a_row_of_zeros_is_far_by_cosine(weights):
    rows = np.random.default_rng(0).normal(size=(60, 4))
    rows[7] = 0.0
    targets = np.arange(60) * 1.5
    model = KNeighborsRegressor(20, metric="cosine", weights=weights).fit(rows, targets)
    unknown = np.random.default_rng(1).normal(size=(30, 4))
    # Not with that row in the example: to it all others are equally far.
    given = penstock.convert(model, rows[8:]).predict(unknown)
    np.testing.assert_allclose(given["value"], model.predict(unknown), rtol=1e-6)


def test_neighbors_of_texts_are_refused():
    # Texts without a common word are all equally far, and which of them count is chance.
    texts = [f"good word{at}" for at in range(30)]
    model = make_pipeline(TfidfVectorizer(), KNeighborsRegressor()).fit(texts, np.arange(30))
    assert "sparse" in contract.refused(model, texts)


def test_a_radius_of_none_is_refused():
    frame = contract.numbers()
    model = RadiusNeighborsRegressor(radius=None).fit(frame, contract.amount(frame))
    assert "option `radius`" in contract.refused(model, frame)


def test_rows_far_from_all_centroids_have_the_class_of_rounded_distances():
    frame = contract.numbers()
    model = NearestCentroid().fit(frame, contract.answer(frame, ("a", "b", "c")))
    rows = contract.far(frame)
    answers = penstock.convert(model, frame).predict(rows)
    np.testing.assert_array_equal(answers["label"], model.predict(rows))
