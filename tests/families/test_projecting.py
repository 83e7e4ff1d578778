"""Projections beside scikit-learn."""

import numpy as np
from sklearn.cluster import FeatureAgglomeration
from sklearn.compose import make_column_transformer
from sklearn.cross_decomposition import CCA, PLSSVD, PLSCanonical, PLSRegression
from sklearn.decomposition import (
    PCA,
    DictionaryLearning,
    FactorAnalysis,
    FastICA,
    IncrementalPCA,
    MiniBatchDictionaryLearning,
    MiniBatchSparsePCA,
    SparseCoder,
    SparsePCA,
    TruncatedSVD,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection
from sklearn.tree import DecisionTreeRegressor

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


def supervised(estimator):
    return lambda: (estimator.fit(scaled(), contract.answer(scaled(), ("a", "b", "c"))), scaled())


def shares():
    return (scaled().rank(pct=True) > 0.4).astype(float)


ATOMS = np.random.default_rng(0).normal(size=(6, 4))
CODED = {"n_components": 3, "transform_algorithm": "threshold", "random_state": 0}


def trees_behind_components_of_texts():
    texts = [f"{'wet' if at % 2 else 'dry'} {'cold' if at % 3 else 'warm'}" for at in range(60)]
    components = make_pipeline(TfidfVectorizer(), TruncatedSVD(3, random_state=0))
    return make_pipeline(components, DecisionTreeRegressor(max_depth=2)).fit(
        texts, range(60)
    ), texts


EXAMPLES = {
    "trees_behind_components_of_texts": trees_behind_components_of_texts,
    "feature_agglomeration": on(FeatureAgglomeration(n_clusters=2)),
    "plssvd": regressor(PLSSVD(2), 2),
    "sparse_pca": on(SparsePCA(2, random_state=0, max_iter=50)),
    "mini_batch_sparse_pca": on(MiniBatchSparsePCA(2, random_state=0, max_iter=50)),
    "neighborhood_components_analysis": supervised(
        NeighborhoodComponentsAnalysis(2, random_state=0, max_iter=10)
    ),
    "bernoulli_rbm": on(BernoulliRBM(3, random_state=0, n_iter=3), shares),
    "gaussian_random_projection": on(GaussianRandomProjection(3, random_state=0)),
    "gaussian_random_projection_on_float32": on(
        GaussianRandomProjection(3, random_state=0), singles
    ),
    "sparse_random_projection": on(SparseRandomProjection(3, density=0.5, random_state=0)),
    "dictionary_learning": on(DictionaryLearning(**CODED, transform_alpha=0.3, max_iter=5)),
    "dictionary_learning_of_signs": on(
        MiniBatchDictionaryLearning(**CODED, split_sign=True, max_iter=5)
    ),
    "sparse_coder": on(SparseCoder(ATOMS, transform_algorithm="threshold", transform_alpha=0.5)),
    "sparse_coder_of_positive_codes": on(
        SparseCoder(ATOMS, transform_algorithm="threshold", positive_code=True)
    ),
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


def test_codes_that_are_searched_are_refused():
    model = DictionaryLearning(3, transform_algorithm="omp", random_state=0, max_iter=3)
    assert "`transform_algorithm`" in contract.refused(model.fit(scaled()), scaled())


def test_functions_that_pool_features_are_refused():
    model = FeatureAgglomeration(n_clusters=2, pooling_func=np.max).fit(scaled())
    assert "`pooling_func`" in contract.refused(model, scaled())


def test_components_that_are_almost_the_same_are_refused():
    model = SparsePCA(2, random_state=0, max_iter=5, ridge_alpha=1e-14).fit(scaled())
    model.components_[1] = model.components_[0]
    assert "`ridge_alpha`" in contract.refused(model, scaled())
