"""Mixtures of normal distributions beside scikit-learn."""

import numpy as np
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests import contract


def scaled(dtype="float64"):
    frame = contract.numbers().drop(columns="constant")
    frame["large"] = np.log(frame["large"])
    return frame.astype(dtype)


def on(estimator, frame=scaled):
    return lambda: (estimator.fit(frame()), frame())


EXAMPLES = {
    **{
        f"gaussian_mixture_{kind}": on(GaussianMixture(3, covariance_type=kind, random_state=0))
        for kind in ("diag", "full", "spherical", "tied")
    },
    "gaussian_mixture_behind_a_scaler": on(
        make_pipeline(StandardScaler(), GaussianMixture(2, reg_covar=1e-3, random_state=0)),
        contract.numbers,
    ),
    "bayesian_gaussian_mixture": on(BayesianGaussianMixture(n_components=4, random_state=0)),
    "bayesian_gaussian_mixture_of_dirichlet_distribution": on(
        BayesianGaussianMixture(
            n_components=3,
            covariance_type="diag",
            weight_concentration_prior_type="dirichlet_distribution",
            random_state=0,
        )
    ),
}


def test_mixtures_of_float32_are_refused():
    array = scaled("float32").to_numpy()
    model = GaussianMixture(2, random_state=0).fit(array)
    assert model.means_.dtype == np.float32
    assert "float32" in contract.refused(model, array)
