"""Polynomial features beside scikit-learn."""

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures

import penstock
from tests import contract

COLUMNS = ["normal", "large", "signed"]


def fitted(degree=2, *, dtype="float64", array=False, **options):
    def make():
        frame = contract.numbers(dtype=dtype)[COLUMNS]
        data = frame.to_numpy() if array else frame
        return PolynomialFeatures(degree, **options).fit(data), data

    return make


def integers():
    frame = contract.mixed(missing=False)[["integer", "flag"]]
    return PolynomialFeatures(3).fit(frame), frame


def indicators():
    """Products of one-hot numbers, which the engine does not build by themselves."""
    frame = contract.mixed()[["color", "size"]]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(encoder, PolynomialFeatures(interaction_only=True)).fit(frame), frame


def sparse(degree, **options):
    def make():
        frame = contract.mixed()[["normal", "signed", "size"]]
        columns = make_column_transformer(
            (SimpleImputer(), ["normal", "signed"]),
            (OneHotEncoder(handle_unknown="ignore"), ["size"]),
            sparse_threshold=1.0,
        )
        return make_pipeline(columns, PolynomialFeatures(degree, **options)).fit(frame), frame

    return make


EXAMPLES = {
    "polynomial_features": fitted(),
    "polynomial_features_of_degree_0": fitted(0),
    "polynomial_features_of_degree_1": fitted(1),
    "polynomial_features_of_degree_4": fitted(4),
    "polynomial_features_of_degrees_2_to_3": fitted((2, 3)),
    "polynomial_features_of_degrees_3_to_3_without_bias": fitted((3, 3), include_bias=False),
    "polynomial_features_of_interactions": fitted(3, interaction_only=True),
    "polynomial_features_of_more_degrees_than_columns": fitted(5, interaction_only=True),
    "polynomial_features_without_bias": fitted(3, include_bias=False),
    "polynomial_features_in_column_order": fitted(3, order="F"),
    "polynomial_features_of_float32": fitted(4, dtype="float32"),
    "polynomial_features_of_an_array": fitted(3, array=True),
    "polynomial_features_of_an_array_of_float32": fitted(3, array=True, dtype="float32"),
    "polynomial_features_of_integers": integers,
    "polynomial_features_of_indicators": indicators,
    "polynomial_features_of_a_sparse_matrix": sparse(2),
    "polynomial_features_of_a_sparse_matrix_of_degree_3": sparse(3),
    "polynomial_features_of_a_sparse_matrix_of_degree_4": sparse(4),
    "polynomial_features_of_a_sparse_matrix_of_degrees_2_to_3": sparse((2, 3), include_bias=False),
    "polynomial_features_of_a_sparse_matrix_of_interactions": sparse(3, interaction_only=True),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_products_round_as_in_scikit_learn(dtype):
    estimator, frame = fitted(4, dtype=dtype)()
    random = np.random.default_rng(6)
    rows = [
        dict(zip(COLUMNS, map(float, values), strict=True))
        for values in random.normal(size=(100, 3)) * 10.0 ** random.integers(-30, 30, (100, 3))
    ]
    contract.same(estimator, frame, rows)


def test_products_of_a_sparse_matrix_round_as_in_scikit_learn():
    estimator, frame = sparse(3)()
    random = np.random.default_rng(7)
    rows = [
        {"normal": float(x), "signed": float(y), "size": size}
        for (x, y), size in zip(random.normal(size=(60, 2)), ["S", "XL", None] * 20, strict=True)
    ]
    contract.same(estimator, frame, rows)


@pytest.mark.parametrize("degree", [2, 3, 4])
def test_overflow_beside_a_zero_is_as_in_scikit_learn(degree):
    estimator, frame = sparse(degree)()
    rows = [
        {"normal": x, "signed": y, "size": "S"}
        for x in (1e300, -1e300, 0.0, -0.0)
        for y in (1e300, 0.0, -0.0)
    ]
    contract.same(estimator, frame, rows)


def test_missing_is_refused():
    estimator, frame = fitted()()
    model = penstock.convert(estimator, frame)
    with pytest.raises(penstock.DataError, match="large"):
        model.predict(frame.iloc[0].to_dict() | {"large": None})
