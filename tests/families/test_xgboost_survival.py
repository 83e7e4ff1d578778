"""XGBoost's models of survival times, some of which are not known to the end, beside XGBoost."""

import numpy as np
import xgboost

from tests import contract
from tests.families.test_xgboost import DROPOUT, NATIVE, QUICK, _shares


def _survival(**parameters):
    """Times that are known, that are beyond a bound, below one, and between two."""
    frame = contract.numbers(missing=True)
    data = xgboost.DMatrix(frame)
    times = 1 + 3 * _shares(frame)
    kind = np.arange(len(frame)) % 4
    data.set_float_info("label_lower_bound", np.where(kind == 2, 0.0, times))
    data.set_float_info("label_upper_bound", np.choose(kind, [times, np.inf, times, times + 1]))
    return xgboost.train({**NATIVE, "objective": "survival:aft", **parameters}, data, 5), frame


def booster_of_survival_times():
    return _survival()


def booster_of_survival_times_with_extreme_values():
    options = {"aft_loss_distribution": "extreme", "aft_loss_distribution_scale": 0.7}
    return _survival(**options, base_score=2.5)


def booster_of_survival_times_with_dropout():
    return _survival(aft_loss_distribution="logistic", **DROPOUT)


def regressor_of_hazards():
    """Times below zero are of those who were not seen to the end."""
    frame = contract.numbers(missing=True)
    times = 1 + 3 * _shares(frame)
    estimator = xgboost.XGBRegressor(objective="survival:cox", **QUICK)
    return estimator.fit(frame, np.where(frame.index % 3 == 0, -times, times)), frame


# Every function above whose name begins with what it fits.
FITTED = ("booster_", "regressor")
EXAMPLES = {name: make for name, make in globals().items() if name.startswith(FITTED)}
