"""Equally near neighbors: those that scikit-learn takes, whatever it finds them with."""

import itertools

import numpy as np
import pytest
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    LocalOutlierFactor,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
)

import penstock
from penstock.converters import searching
from tests import contract

TREES = ("kd_tree", "ball_tree")
METRICS = {
    "euclidean": {"p": 2},
    "manhattan": {"p": 1},
    "chebyshev": {"metric": "chebyshev"},
    "cubes": {"p": 3},
}


def whole(dtype="float64", rows=300):
    return contract.numbers(rows)[["counts", "signed"]].astype(dtype)


def fitted(estimator, frame=whole):
    return lambda: (
        estimator.fit(frame(), contract.answer(contract.numbers(len(frame())))),
        frame(),
    )


def on_a_sphere():
    frame = contract.numbers()[["normal", "signed"]] / 4
    return KNeighborsClassifier(3, metric="haversine").fit(frame, contract.answer(frame)), frame


EXAMPLES = {
    "k_neighbors_in_a_ball_tree": fitted(KNeighborsClassifier(4, algorithm="ball_tree", p=3)),
    "k_neighbors_of_weighted_columns": fitted(
        KNeighborsClassifier(4, metric="minkowski", p=1.5, metric_params={"w": [2.0, 0.5]})
    ),
    "k_neighbors_on_a_sphere": on_a_sphere,
    "k_neighbors_by_a_heap": fitted(
        KNeighborsClassifier(4, algorithm="brute"), lambda: whole(rows=200)
    ),
    "k_neighbors_by_a_heap_of_manhattan": fitted(
        KNeighborsClassifier(4, algorithm="brute", p=1), lambda: whole(rows=200).to_numpy()
    ),
    "k_neighbors_by_a_heap_on_float32": fitted(
        KNeighborsClassifier(4, algorithm="brute", p=1), lambda: whole("float32").to_numpy()
    ),
    "radius_neighbors_of_arrays_by_manhattan": lambda: (
        RadiusNeighborsClassifier(1.5, algorithm="brute", metric="l1", outlier_label=0).fit(
            whole().to_numpy(), contract.answer(contract.numbers(), (0, 7))
        ),
        whole().to_numpy(),
    ),
}


def points(kind, count, random):
    """Hostile points: most distances are equal, or zero, or infinite."""
    if kind == "whole":
        return random.integers(0, 4, (count, 3)).astype("float64")
    if kind == "tenths":
        return random.integers(0, 9, (count, 3)) / 10
    if kind == "twice":
        few = random.normal(size=(1 + count // 4, 3))
        return few[random.integers(0, len(few), count)]
    if kind == "equal":
        return np.full((count, 3), 1.7)
    return random.choice([1e150, -1e155, 1e300, -1.2e308, 3.0], size=(count, 3))


KINDS = ("whole", "tenths", "twice", "equal", "huge")


def same_bits(model, example, rows):
    """The engine answers with the same bits as scikit-learn."""
    given = penstock.convert(model, example).predict(rows)
    for name, method in {"label": "predict", "value": "predict", "score": "score_samples"}.items():
        if name in given:
            np.testing.assert_array_equal(given[name], getattr(model, method)(rows))
    shares = [given[name] for name in given if name.startswith("probability")]
    if shares:
        np.testing.assert_array_equal(np.stack(shares, axis=1), model.predict_proba(rows))


@pytest.mark.parametrize("algorithm", TREES)
@pytest.mark.parametrize("kind", KINDS)
def test_trees_decide_between_equals(kind, algorithm):
    random = np.random.default_rng(len(kind))
    metrics = itertools.cycle(METRICS.values())
    for leaf_size, count, weights in ((1, 4, "uniform"), (7, 9, "distance"), (100, 1, "uniform")):
        rows = points(kind, 130, random)
        labels = random.integers(0, 3, len(rows))
        options = {"algorithm": algorithm, "leaf_size": leaf_size, "weights": weights}
        unknown = np.vstack([points(kind, 60, random), rows[:20]])
        model = KNeighborsClassifier(count, **options, **next(metrics)).fit(rows, labels)
        if kind != "huge" or weights == "uniform":
            same_bits(model, rows, unknown)
        model = KNeighborsRegressor(count, **options, **next(metrics))
        same_bits(model.fit(rows, random.normal(size=len(rows))), rows, unknown)


@pytest.mark.parametrize("metric", METRICS)
def test_a_heap_decides_between_equals(metric):
    random = np.random.default_rng(5)
    for weights, kind in (("uniform", "whole"), ("distance", "twice")):
        rows = points("whole" if metric == "euclidean" else kind, 250, random)
        options = {"algorithm": "brute", "weights": weights, **METRICS[metric]}
        model = KNeighborsClassifier(9, **options).fit(rows, random.integers(0, 3, len(rows)))
        same_bits(model, rows, np.vstack([points("whole", 60, random), rows[:20]]))
        model = KNeighborsRegressor(20, **options).fit(rows, random.normal(size=len(rows)))
        same_bits(model, rows, points(kind, 60, random) if metric != "euclidean" else rows[:60])


@pytest.mark.parametrize("algorithm", [*TREES, "brute"])
def test_all_points_can_be_neighbors_and_one_can_be_all(algorithm):
    random = np.random.default_rng(6)
    for count in (1, 2, 40):
        rows = points("whole", count, random)
        model = KNeighborsRegressor(count, algorithm=algorithm, leaf_size=1, weights="distance")
        same_bits(model.fit(rows, random.normal(size=count)), rows, points("whole", count, random))


@pytest.mark.parametrize("algorithm", [*TREES, "brute"])
@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_points_at_the_radius_are_within_where_scikit_learn_has_them(weights, algorithm):
    random = np.random.default_rng(7)
    options = {"algorithm": algorithm, "weights": weights, "leaf_size": 2}
    for kind, radius, metric in (
        ("whole", 1.0, "manhattan"),
        ("whole", 3**0.5, "euclidean"),
        ("tenths", 0.3, "chebyshev"),
    ):
        rows, unknown = points(kind, 130, random), points(kind, 60, random)
        model = RadiusNeighborsClassifier(radius, metric=metric, outlier_label=1, **options)
        same_bits(model.fit(rows, random.integers(0, 3, len(rows))), rows, unknown)
        targets = random.normal(size=(len(rows), 1))
        model = RadiusNeighborsRegressor(radius, metric=metric, **options).fit(rows, targets[:, 0])
        same_bits(model, rows, unknown)


@pytest.mark.parametrize("metric", ["euclidean", "l2", "manhattan", "sqeuclidean"])
def test_the_radius_is_rounded_as_the_distances_of_float32_are(metric):
    random = np.random.default_rng(11)
    rows, unknown = (points("tenths", 100, random).astype("float32") for _ in range(2))
    for radius in (0.3, 0.1 * 2**0.5, 0.2):
        model = RadiusNeighborsRegressor(radius, metric=metric, algorithm="brute")
        same_bits(model.fit(rows, random.normal(size=100)), rows, unknown)


@pytest.mark.parametrize("algorithm", TREES)
def test_outliers_have_the_densities_of_the_same_neighbors(algorithm):
    random = np.random.default_rng(8)
    for kind in ("whole", "twice"):
        rows = points(kind, 130, random)
        model = LocalOutlierFactor(20, algorithm=algorithm, leaf_size=3, novelty=True).fit(rows)
        same_bits(model, rows, np.vstack([points(kind, 40, random), rows[:20], 1e300 * rows[:5]]))


def test_equal_weights_are_summed_as_numpy_sums_them():
    """Five neighbors of either class, all as far: rounding decides, and so does the order."""
    random = np.random.default_rng(9)
    angles = random.uniform(0, 2 * np.pi, 400)
    rows = np.round(np.stack([np.cos(angles), np.sin(angles)], axis=1) * 4) * 0.1
    model = KNeighborsClassifier(18, weights="distance").fit(rows, random.integers(0, 2, 400))
    same_bits(model, rows, np.round(random.normal(size=(200, 2)) * 3) * 0.1)


def test_another_choice_between_equals_fails_the_proof(monkeypatch):
    rows = points("whole", 200, np.random.default_rng(10))
    model = KNeighborsRegressor(4, leaf_size=200).fit(rows, np.arange(200.0))
    tree = searching.tree_fields(model._tree, "kd_tree")
    turned = tree | {"order": tree["order"][::-1].copy()}
    monkeypatch.setattr(searching, "tree_fields", lambda *_: turned)
    assert "the source library answers" in contract.refused(model, rows)


def test_columns_without_weights_and_other_options_are_refused():
    frame = whole()
    model = KNeighborsRegressor(metric="seuclidean", metric_params={"V": np.ones(2)})
    assert "`metric`" in contract.refused(model.fit(frame, contract.amount(frame)), frame)
