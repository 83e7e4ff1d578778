"""Offsets and intervals around regressors: the engine beside the classes of training."""

import numpy as np
import pytest
from lightgbm import LGBMRegressor
from sklearn.linear_model import LinearRegression, PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBRegressor

import penstock
from penstock.training.adjusting import IntervalRegressor, OffsetRegressor
from tests import contract

SMALL = {"n_estimators": 8, "n_jobs": 1, "random_state": 0}


def booster(**options):
    return LGBMRegressor(num_leaves=7, verbosity=-1, **SMALL, **options)


def numbers():
    frame = contract.numbers()
    frame["large"] = np.log(frame["large"])
    return frame


def with_offset(link, **options):
    """The offset is the last column."""

    def make():
        frame = numbers()
        target = contract.amount(frame)
        target = np.round(target) if link == "exp" else target
        return OffsetRegressor(booster(**options), link).fit(frame.to_numpy(), target), (
            frame.to_numpy()
        )

    return make


def interval(regressor, **options):
    def make():
        frame = numbers()
        target = contract.amount(frame)
        fitted = regressor.fit(frame, target)
        ends = {name: make.fit(frame, target) for name, make in options.pop("ends", {}).items()}
        return IntervalRegressor(fitted, 0.25, 0.5, **ends, **options), frame

    return make


QUANTILES = {
    "lower": booster(objective="quantile", alpha=0.1),
    "upper": booster(objective="quantile", alpha=0.9),
}
EXAMPLES = {
    "offset_of_numbers": with_offset("identity"),
    "offset_of_counts": with_offset("exp", objective="poisson"),
    "interval_of_lightgbm": interval(booster()),
    "interval_of_lightgbm_between_quantiles": interval(booster(), ends=dict(QUANTILES)),
    "interval_of_xgboost": interval(XGBRegressor(**SMALL)),
    "interval_of_a_linear_model": interval(make_pipeline(StandardScaler(), LinearRegression())),
    "interval_of_counts": interval(make_pipeline(StandardScaler(), PoissonRegressor()), least=0.0),
}


def test_an_offset_that_is_missing_is_refused():
    estimator, rows = EXAMPLES["offset_of_counts"]()
    model = penstock.convert(estimator, rows)
    broken = rows[:2].copy()
    broken[1, -1] = np.nan
    with pytest.raises(ValueError, match="the offset is missing"):
        estimator.predict(broken)
    with pytest.raises(penstock.DataError):
        model.predict(broken)


def test_an_offset_of_one_more_is_a_count_e_times_as_large():
    estimator, rows = EXAMPLES["offset_of_counts"]()
    model = penstock.convert(estimator, rows)
    more = rows.copy()
    more[:, -1] += 1
    ratio = model.predict(more)["value"] / model.predict(rows)["value"]
    np.testing.assert_allclose(ratio, np.e, rtol=1e-12)


def test_the_interval_is_around_the_value():
    estimator, frame = EXAMPLES["interval_of_a_linear_model"]()
    answers = penstock.convert(estimator, frame).predict(frame)
    np.testing.assert_allclose(answers["upper"] - answers["value"], 0.5, rtol=1e-9)
    np.testing.assert_allclose(answers["value"] - answers["lower"], 0.25, rtol=1e-9)
