"""Rows that hypothesis finds for trees: missing, infinite, denormal, ties at thresholds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMRegressor
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from xgboost import XGBRegressor

import penstock
from penstock.errors import DataError

WIDTH = 3
# Values that training data shares with the rows, so that rows meet the thresholds.
GRID = np.round(np.linspace(-2, 2, 17), 2)
SPECIAL = [0.0, -0.0, 5e-324, -5e-324, 1e-35, 1e-38, 3.4028235e38, 1e300, np.nan, np.inf, -np.inf]


def fitted(estimator, missing):
    random = np.random.default_rng(0)
    data = random.choice(GRID, size=(300, WIDTH))
    if missing:
        data[random.random(data.shape) < 0.1] = np.nan
    target = np.nan_to_num(data[:, 0]) * 2 + np.nan_to_num(data[:, 1]) ** 2
    return estimator.fit(data, target), data


ESTIMATORS = {
    "forest": (RandomForestRegressor(20, random_state=0), False),
    "forest with missing values": (RandomForestRegressor(20, random_state=0), True),
    "extra trees": (ExtraTreesRegressor(20, random_state=0), False),
    "gradient boosting": (GradientBoostingRegressor(n_estimators=30, random_state=0), False),
    "histogram gradient boosting": (HistGradientBoostingRegressor(max_iter=30), True),
    "LightGBM": (LGBMRegressor(n_estimators=30, verbose=-1), True),
    "XGBoost": (XGBRegressor(n_estimators=30), True),
}


@pytest.fixture(scope="module", params=ESTIMATORS)
def world(request):
    """An estimator, its model, and the values that rows are made of: thresholds and neighbors."""
    estimator, data = fitted(*ESTIMATORS[request.param])
    middles = (GRID[1:] + GRID[:-1]) / 2
    beside = [np.nextafter(value, side) for value in middles for side in (-np.inf, np.inf)]
    values = [float(value) for value in (*GRID, *middles, *beside, *SPECIAL)]
    return estimator, penstock.convert(estimator, data), values


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_engine_answers_and_refuses_as_the_library_does(world, data):
    estimator, model, values = world
    number = st.one_of(st.sampled_from(values), st.floats(allow_nan=True, allow_infinity=True))
    rows = data.draw(st.lists(st.lists(number, min_size=WIDTH, max_size=WIDTH), min_size=1))
    for row in np.array(rows):
        try:
            expected = estimator.predict(row.reshape(1, -1))[0]
        except ValueError:
            with pytest.raises(DataError):
                model.predict({f"x{at}": value for at, value in enumerate(row)})
            continue
        given_row = {f"x{at}": value for at, value in enumerate(row.tolist())}
        assert np.float64(model.predict(given_row)["value"]) == np.float64(expected)
