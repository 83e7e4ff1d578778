"""Estimators on kernels beside scikit-learn."""

import numpy as np
import pytest
from sklearn.decomposition import KernelPCA
from sklearn.kernel_approximation import Nystroem
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KernelCenterer, StandardScaler
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from tests import contract

KERNELS = ("cosine", "laplacian", "linear", "poly", "rbf", "sigmoid")
THREE = ("a", "b", "c")


def scaled(dtype="float64"):
    frame = contract.numbers(120)
    frame["large"] = np.log(frame["large"])
    return frame.astype(dtype)


def regressor(estimator, target=lambda amount: amount):
    return lambda: (estimator.fit(scaled(), target(contract.amount(scaled()))), scaled())


def on(estimator):
    return lambda: (estimator.fit(scaled()), scaled())


def partly_labeled(estimator, classes=THREE):
    def make():
        codes = np.unique(contract.answer(scaled(), classes), return_inverse=True)[1]
        codes[::3] = -1
        return estimator.fit(scaled(), codes), scaled()

    return make


def centerer():
    similar = rbf_kernel(scaled())[:20, :20]
    return KernelCenterer().fit(similar), similar


def before_a_classifier():
    model = make_pipeline(StandardScaler(), Nystroem(n_components=8, random_state=0))
    model = make_pipeline(model, LogisticRegression())
    return model.fit(scaled(), contract.answer(scaled(), THREE)), scaled()


EXAMPLES = {
    **{f"kernel_ridge_{kernel}": regressor(KernelRidge(kernel=kernel)) for kernel in KERNELS},
    "kernel_ridge_of_two_targets": regressor(
        KernelRidge(kernel="rbf", gamma=0.2), lambda amount: np.stack([amount, -amount], axis=1)
    ),
    **{
        f"kernel_pca_{kernel}": on(KernelPCA(3, kernel=kernel))
        for kernel in ("linear", "rbf", "poly")
    },
    "kernel_centerer": centerer,
    "nystroem": on(Nystroem(n_components=10, random_state=0)),
    "nystroem_poly": on(
        Nystroem(kernel="polynomial", degree=2, gamma=0.1, n_components=10, random_state=0)
    ),
    "nystroem_before_a_classifier": before_a_classifier,
    "label_propagation": partly_labeled(LabelPropagation(gamma=0.5)),
    "label_spreading": partly_labeled(LabelSpreading(gamma=0.5), ("a", "b")),
    "label_spreading_of_neighbors": partly_labeled(LabelSpreading(kernel="knn", n_neighbors=5)),
}


@pytest.mark.parametrize(
    "options, option",
    [
        ({"kernel": "chi2", "gamma": 1.0}, "kernel"),
        ({"kernel": lambda left, right: float(left @ right)}, "kernel"),
        ({"kernel": "poly", "degree": 2.5}, "degree"),
    ],
)
def test_kernels_that_are_not_known_are_refused(options, option):
    frame = scaled().abs()
    model = KernelRidge(**options).fit(frame, contract.amount(frame))
    assert f"`{option}`" in contract.refused(model, frame)


def test_options_by_name_of_a_nystroem_are_refused():
    model = Nystroem(kernel="poly", kernel_params={"degree": 2}, n_components=5, random_state=0)
    assert "`kernel_params`" in contract.refused(model.fit(scaled()), scaled())


def test_kernels_in_float32_are_refused():
    frame = scaled("float32")
    model = KernelRidge(kernel="rbf").fit(frame, contract.amount(frame))
    assert "float32" in contract.refused(model, frame)
