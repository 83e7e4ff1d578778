"""Transformers to a normal or uniform distribution, beside scikit-learn."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, QuantileTransformer

import penstock
from tests import contract


def frame():
    return contract.numbers(missing=True).drop(columns="constant")


def positive():
    return frame()[["large", "counts"]] + 0.5


def singles():
    return contract.numbers(missing=True, dtype="float32").drop(columns="constant").to_numpy()


def on(estimator, data=frame):
    return lambda: (estimator.fit(data()), data())


def classifier(estimator):
    def make():
        data = contract.numbers()
        model = make_pipeline(estimator, LogisticRegression())
        return model.fit(data, contract.answer(data)), data

    return make


EXAMPLES = {
    "power_transformer": on(PowerTransformer()),
    "power_transformer_of_one_power": on(PowerTransformer(standardize=False)),
    "power_transformer_box_cox": on(PowerTransformer(method="box-cox"), positive),
    "power_transformer_on_float32": on(PowerTransformer(), singles),
    "power_transformer_in_a_frame": on(PowerTransformer().set_output(transform="pandas")),
    "quantile_transformer": on(QuantileTransformer(n_quantiles=20)),
    "quantile_transformer_of_all_rows": on(QuantileTransformer(n_quantiles=300)),
    "quantile_transformer_to_normal": on(
        QuantileTransformer(n_quantiles=50, output_distribution="normal")
    ),
    "quantile_transformer_on_float32": on(QuantileTransformer(n_quantiles=20), singles),
    "quantile_transformer_before_a_classifier": classifier(QuantileTransformer(n_quantiles=30)),
}


@pytest.mark.parametrize("exponent", [0.0, 1e-20, 2.0, 1.0, -1.5, 3.25])
def test_powers_are_those_of_every_exponent(exponent):
    data = frame()[["normal"]]
    model = PowerTransformer(standardize=False).fit(data)
    model.lambdas_[:] = exponent
    contract.same(model, data, [{"normal": value} for value in (-3.5, -0.1, 0.0, 0.1, 1.0, 9.0)])


def test_numbers_that_are_not_positive_are_refused_by_box_cox():
    data = positive()
    converted = penstock.convert(PowerTransformer(method="box-cox").fit(data), data)
    for value in (0.0, -1.0):
        with pytest.raises(penstock.DataError, match="`large`"):
            converted.predict({"large": value, "counts": 1.0})


def test_exponents_that_are_not_finite_are_refused():
    model = PowerTransformer().fit(frame())
    model.lambdas_[0] = np.nan
    assert "exponent" in contract.refused(model, frame())


def test_normal_quantiles_are_those_of_scipy():
    data = contract.numbers(rows=1000)[["normal"]]
    model = QuantileTransformer(n_quantiles=1000, output_distribution="normal").fit(data)
    given = penstock.convert(model, data).predict(data)
    np.testing.assert_allclose(given, model.transform(data), rtol=1e-12)
    assert np.ravel(given)[data["normal"].argmin()] == pytest.approx(norm.ppf(1e-7), rel=1e-8)
