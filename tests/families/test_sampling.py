"""Approximations of kernels beside scikit-learn."""

import numpy as np
import pytest
from sklearn.kernel_approximation import (
    AdditiveChi2Sampler,
    PolynomialCountSketch,
    RBFSampler,
    SkewedChi2Sampler,
)

import penstock
from tests import contract


def scaled():
    frame = contract.numbers()
    return frame.assign(large=np.log(frame["large"]))


def positive():
    return scaled().abs()


def on(estimator, frame=scaled):
    return lambda: (estimator.fit(frame()), frame())


EXAMPLES = {
    "rbf_sampler": on(RBFSampler(n_components=12, random_state=0)),
    "skewed_chi2_sampler": on(
        SkewedChi2Sampler(skewedness=0.5, n_components=12, random_state=0), positive
    ),
    "additive_chi2_sampler": on(AdditiveChi2Sampler(), positive),
    "additive_chi2_sampler_of_four_steps": on(
        AdditiveChi2Sampler(sample_steps=4, sample_interval=0.3), positive
    ),
    "polynomial_count_sketch": on(PolynomialCountSketch(n_components=10, random_state=0)),
    "polynomial_count_sketch_of_degree_three": on(
        PolynomialCountSketch(degree=3, gamma=0.5, coef0=1.0, n_components=9, random_state=0)
    ),
}


@pytest.mark.parametrize("estimator", [SkewedChi2Sampler(skewedness=0.5), AdditiveChi2Sampler()])
def test_numbers_that_are_too_small_are_refused(estimator):
    converted = penstock.convert(estimator.fit(positive()), positive())
    row = positive().iloc[0].to_dict()
    with pytest.raises(penstock.DataError, match="`normal`"):
        converted.predict(row | {"normal": -0.5})


@pytest.mark.parametrize(
    "estimator", [RBFSampler(), SkewedChi2Sampler(skewedness=9.0), AdditiveChi2Sampler()]
)
def test_samples_in_float32_are_refused(estimator):
    frame = positive().astype("float32")
    assert "float64" in contract.refused(estimator.fit(frame), frame)
