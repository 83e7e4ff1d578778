"""Gaussian processes beside scikit-learn."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    ExpSineSquared,
    Matern,
    PairwiseKernel,
    RationalQuadratic,
    WhiteKernel,
)

from tests import contract

THREE = ("a", "b", "c")


def scaled():
    frame = contract.numbers(100)
    return frame.assign(large=np.log(frame["large"]))


def regressor(kernel=None, target=lambda amount: amount, **options):
    def make():
        model = GaussianProcessRegressor(kernel, alpha=1e-2, optimizer=None, **options)
        return model.fit(scaled(), target(contract.amount(scaled()))), scaled()

    return make


def classifier(classes, kernel=None, **options):
    def make():
        model = GaussianProcessClassifier(kernel, optimizer=None, **options)
        return model.fit(scaled(), contract.answer(scaled(), classes)), scaled()

    return make


def periodic():
    frame = scaled()[["normal"]]
    kernel = ExpSineSquared(1.1, 3.0) * ConstantKernel(0.5)
    model = GaussianProcessRegressor(kernel, alpha=1e-2, optimizer=None)
    return model.fit(frame, contract.amount(scaled())), frame


EXAMPLES = {
    "process_regressor": regressor(),
    "process_regressor_with_lengths": regressor(
        2.0 * RBF([1.0, 2.0, 3.0, 1.0, 0.5]) + WhiteKernel(0.1), normalize_y=True
    ),
    **{
        f"process_regressor_matern_{nu}": regressor(Matern(length_scale=1.5, nu=nu))
        for nu in (0.5, 1.5, 2.5, np.inf)
    },
    "process_regressor_rational": regressor(RationalQuadratic(length_scale=1.2, alpha=0.7)),
    "process_regressor_periodic": periodic,
    "process_regressor_dot_product": regressor(DotProduct(0.5) ** 2),
    "process_regressor_of_two_targets": regressor(
        RBF(2.0), lambda amount: np.stack([amount, -2 * amount], axis=1)
    ),
    "process_classifier": classifier(("no", "yes")),
    "process_classifier_with_a_sum": classifier((0, 1), 3.0 * Matern() + DotProduct(0.3)),
    "process_classifier_of_three": classifier(THREE, 2.0 * RBF(2.0)),
    "process_classifier_of_three_by_pairs": classifier(
        THREE, 2.0 * RBF(2.0), multi_class="one_vs_one"
    ),
}


@pytest.mark.parametrize("kernel", [Matern(nu=0.7), PairwiseKernel(gamma=0.1)])
def test_kernels_of_processes_that_are_not_known_are_refused(kernel):
    model, frame = regressor(kernel)()
    assert "`kernel`" in contract.refused(model, frame)


def test_a_process_that_is_not_fitted_is_refused():
    assert "fit" in contract.refused(GaussianProcessRegressor(), scaled())


def test_sums_of_kernels_that_cancel_to_noise_are_refused():
    # Rows that come twice make the matrix of kernels singular, but for a tiny alpha.
    frame = (scaled() > 0).astype("float64")
    model = GaussianProcessRegressor().fit(frame, contract.amount(scaled()))
    assert "alpha" in contract.refused(model, frame)
