"""Kernel densities beside scikit-learn."""

import numpy as np
import pytest
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import penstock
from tests import contract

KERNELS = ("gaussian", "tophat", "epanechnikov", "exponential", "linear", "cosine")


def scaled():
    frame = contract.numbers().drop(columns="constant")
    frame["large"] = np.log(frame["large"])
    return frame


def weighted():
    frame = scaled()
    weights = np.random.default_rng(0).uniform(size=len(frame))
    return KernelDensity(leaf_size=5).fit(frame, sample_weight=weights), frame


EXAMPLES = {
    "kernel_density": lambda: (KernelDensity().fit(scaled()), scaled()),
    "kernel_density_behind_a_scaler": lambda: (
        make_pipeline(StandardScaler(), KernelDensity(bandwidth="scott")).fit(contract.numbers()),
        contract.numbers(),
    ),
    "kernel_density_in_a_ball_tree": lambda: (
        KernelDensity(algorithm="ball_tree", metric="manhattan", kernel="linear").fit(scaled()),
        scaled(),
    ),
    "kernel_density_of_weighted_rows": weighted,
}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
def test_the_bits_are_those_of_scikit_learn_near_and_far(kernel, algorithm):
    """Far away its answer is what rounding leaves of the bounds that it started with."""
    random = np.random.default_rng(1)
    for rows, options in (
        (random.normal(size=(300, 3)), {"leaf_size": 4, "bandwidth": 0.7}),
        (random.integers(0, 4, (200, 2)).astype("float64"), {"metric": "chebyshev"}),
        (random.normal(size=(150, 1)), {"rtol": 1e-3, "atol": 1e-4, "leaf_size": 10}),
        (random.normal(size=(90, 2)), {"metric": "minkowski", "metric_params": {"p": 3}}),
    ):
        model = KernelDensity(kernel=kernel, algorithm=algorithm, **options).fit(rows)
        unknown = np.vstack([rows[:40], 3 * rows[:40], 50 * rows[:20], 1e200 * rows[:3]])
        with np.errstate(all="ignore"):
            expected = model.score_samples(unknown)
        given = penstock.convert(model, rows).predict(unknown)["score"]
        np.testing.assert_array_equal(given, expected)


def test_a_search_by_depth_is_refused():
    model = KernelDensity(breadth_first=False).fit(scaled())
    assert "`breadth_first`" in contract.refused(model, scaled())


def test_another_metric_is_refused():
    model = KernelDensity(metric="canberra").fit(scaled())
    assert "`metric`" in contract.refused(model, scaled())


def test_a_kernel_without_a_norm_is_refused():
    frame = scaled().iloc[:, :4]
    model = KernelDensity(kernel="cosine").fit(frame)
    assert np.isnan(model.score_samples(frame)).all()
    assert "`kernel`" in contract.refused(model, frame)
