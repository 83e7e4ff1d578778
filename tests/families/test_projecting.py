"""Projections beside scikit-learn."""

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.cross_decomposition import CCA, PLSCanonical, PLSRegression
from sklearn.decomposition import PCA, FactorAnalysis, FastICA, IncrementalPCA, TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests import contract


def scaled(dtype="float64"):
    frame = contract.numbers().drop(columns="constant")
    frame["large"] = np.log(frame["large"])
    return frame.astype(dtype)


def singles():
    return scaled("float32").to_numpy()


def on(estimator, frame=scaled):
    return lambda: (estimator.fit(frame()), frame())


def sparse(estimator):
    def make():
        frame = contract.mixed(missing=False)
        columns = make_column_transformer(
            (OneHotEncoder(), ["color", "size"]), ("passthrough", ["signed"]), sparse_threshold=1.0
        )
        return make_pipeline(columns, estimator).fit(frame), frame

    return make


def classifier(estimator):
    def make():
        frame = contract.numbers()
        model = make_pipeline(StandardScaler(), estimator, LogisticRegression())
        return model.fit(frame, contract.answer(frame)), frame

    return make


def regressor(estimator, width):
    def make():
        amount = contract.amount(scaled())
        target = np.stack([amount, -3 * amount + scaled()["normal"]], axis=1)[:, :width]
        return estimator.fit(scaled(), target[:, 0] if width == 1 else target), scaled()

    return make


EXAMPLES = {
    "pca": on(PCA(2)),
    "pca_of_all_components_in_a_frame": on(PCA().set_output(transform="pandas")),
    "pca_whitened": on(PCA(3, whiten=True)),
    "pca_on_float32": on(PCA(2), singles),
    "pca_on_float64_fitted_on_float32": lambda: (PCA(2).fit(singles()), scaled().to_numpy()),
    "pca_far_from_zero": on(PCA(3), lambda: scaled() + 4000.0),
    "pca_on_numbers_of_all_sizes": on(PCA(2), contract.numbers),
    "pca_on_a_sparse_matrix": sparse(PCA(2, svd_solver="arpack", random_state=0)),
    "pca_before_a_classifier": classifier(PCA(3)),
    "incremental_pca": on(IncrementalPCA(2, batch_size=50)),
    "truncated_svd": on(TruncatedSVD(2, random_state=0)),
    "truncated_svd_on_a_sparse_matrix": sparse(TruncatedSVD(2, random_state=0)),
    "fast_ica": on(FastICA(3, random_state=0)),
    "fast_ica_without_whitening": on(FastICA(whiten=False, random_state=0)),
    "factor_analysis": on(FactorAnalysis(2, random_state=0)),
    "pls_regression": regressor(PLSRegression(2), 1),
    "pls_regression_of_two_targets": regressor(PLSRegression(2, scale=False), 2),
    "pls_canonical": regressor(PLSCanonical(2), 2),
    "cca": regressor(CCA(1), 2),
}
