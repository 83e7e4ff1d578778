"""Models of transformed targets, beside scikit-learn."""

import numpy as np
from sklearn.compose import (
    TransformedTargetRegressor,
)
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from tests import contract


def transformed_target(**keywords):
    def make():
        frame = contract.numbers()
        regressor = TransformedTargetRegressor(LinearRegression(), **keywords)
        return regressor.fit(frame, contract.amount(frame) + 1), frame

    return make


def transformed_target_in_a_pipeline():
    frame = contract.numbers()
    regressor = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), Ridge()), func=np.log1p, inverse_func=np.expm1
    )
    return make_pipeline(MinMaxScaler(), regressor).fit(frame, contract.amount(frame) + 1), frame


def transformed_targets():
    frame = contract.numbers()
    targets = np.stack([contract.amount(frame), contract.amount(frame, seed=9) * 100], axis=1)
    return TransformedTargetRegressor(Ridge(), transformer=StandardScaler()).fit(
        frame, targets
    ), frame


def transformed_negatives():
    """Of both signs, and so skewed that the exponent is above 2."""
    frame = contract.numbers()
    target = -np.exp(contract.amount(frame)) + 5
    return TransformedTargetRegressor(Ridge(), transformer=PowerTransformer()).fit(
        frame, target
    ), frame


def transformed_by_quantiles():
    frame = contract.numbers()
    targets = np.stack([contract.amount(frame), np.round(contract.amount(frame, seed=9))], axis=1)
    transformer = QuantileTransformer(n_quantiles=30, output_distribution="normal")
    model = TransformedTargetRegressor(Ridge(), transformer=transformer)
    return model.fit(frame, targets), frame


EXAMPLES = {
    "transformed_target_in_a_pipeline": transformed_target_in_a_pipeline,
    "transformed_targets": transformed_targets,
    "transformed_target_with_functions": transformed_target(func=np.log, inverse_func=np.exp),
    "transformed_target_without_a_transformer": transformed_target(),
    "transformed_target_standardized": transformed_target(transformer=StandardScaler()),
    "transformed_target_centered": transformed_target(transformer=StandardScaler(with_std=False)),
    "transformed_target_in_a_range": transformed_target(transformer=MinMaxScaler()),
    "transformed_target_by_largest": transformed_target(transformer=MaxAbsScaler()),
    "transformed_target_robust": transformed_target(transformer=RobustScaler()),
    **{
        f"transformed_target_by_{method}": transformed_target(transformer=PowerTransformer(method))
        for method in ("box-cox", "yeo-johnson")
    },
    "transformed_target_by_powers_not_standardized": transformed_target(
        transformer=PowerTransformer(standardize=False)
    ),
    "transformed_target_by_powers_of_negatives": transformed_negatives,
    "transformed_target_by_quantiles": transformed_target(
        transformer=QuantileTransformer(n_quantiles=40)
    ),
    "transformed_target_by_normal_quantiles": transformed_target(
        transformer=QuantileTransformer(n_quantiles=40, output_distribution="normal")
    ),
    "transformed_targets_by_quantiles": transformed_by_quantiles,
}


def test_target_transformer_without_a_known_inverse_is_refused():
    frame = contract.numbers()
    model = TransformedTargetRegressor(Ridge(), transformer=KBinsDiscretizer(encode="ordinal"))
    model.fit(frame, contract.amount(frame) + 1)
    message = contract.refused(model, frame)
    assert "KBinsDiscretizer" in message and "option `transformer`" in message


def test_powers_of_a_target_in_float32_are_refused():
    frame = contract.numbers(dtype="float32")
    model = TransformedTargetRegressor(Ridge(), transformer=PowerTransformer())
    model.fit(frame, contract.amount(frame).astype("float32") + 1)
    assert "float64" in contract.refused(model, frame)
