"""Training on numbers and counts: families of `glm`, offsets, intervals, groups of columns."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import GammaRegressor, LogisticRegression, PoissonRegressor

import penstock
from penstock.errors import DataError, PenstockError
from tests.worlds import asking


def claims(rows=2000, seed=0):
    """Counts that grow with an exposure, which varies a hundredfold."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"age": random.integers(18, 80, rows), "x": random.normal(size=rows)})
    frame["kind"] = random.choice(["a", "b", "c"], rows)
    frame["log_exposure"] = random.uniform(-4, 1, rows)
    rate = np.exp(0.6 * frame["x"] + (frame["kind"] == "b") + frame["log_exposure"])
    frame["claims"] = random.poisson(rate)
    return frame


@pytest.mark.parametrize("algorithm", ["gbm", "glm"])
@pytest.mark.parametrize("folds", [0, 3])
def test_an_offset_is_known_and_not_learned(algorithm, folds):
    options = {"algorithm": algorithm, "folds": folds, "parameters": {}}
    if algorithm == "gbm":
        options["parameters"] = {"num_leaves": 4}
    data = claims()
    result = penstock.train(data, "claims", offset="log_exposure", **options)
    without = penstock.train(data, "claims", drop=["log_exposure"], **options)
    assert result.metrics["poisson_deviance"] < 0.8 * without.metrics["poisson_deviance"]
    row = {"age": 40, "x": 0.5, "kind": "b", "log_exposure": -1.0}
    one = result.model.predict(row)["value"]
    more = result.model.predict({**row, "log_exposure": 0.0})["value"]
    assert more == pytest.approx(np.e * one)
    assert {each.name: each.treatment for each in result.features}["log_exposure"] == "offset"


def test_a_glm_is_that_of_scikit_learn():
    data = claims()[["x", "age", "claims"]]
    result = penstock.train(data, "claims", algorithm="glm", parameters={"alpha": 0.01})
    rows = result.prepared.rows.iloc[result.prepared.parts.learning]
    matrix = result.pipeline[0].transform(rows)
    target = result.prepared.target.iloc[result.prepared.parts.learning]
    expected = PoissonRegressor(alpha=0.01, tol=1e-9, max_iter=1000).fit(matrix, target)
    np.testing.assert_allclose(result.pipeline[-1].coef_, expected.coef_, rtol=1e-3)
    assert result.pipeline[-1].intercept_ == pytest.approx(expected.intercept_, rel=1e-3)


def test_a_glm_of_two_classes_is_a_logistic_regression():
    data, target = asking("binary")
    result = penstock.train(data, target, algorithm="glm", threshold=0.5)
    rows = result.prepared.rows.iloc[result.prepared.parts.learning]
    matrix = result.pipeline[0].transform(rows)
    truth = result.prepared.target.iloc[result.prepared.parts.learning]
    expected = LogisticRegression(C=1.0, tol=1e-8, max_iter=5000).fit(matrix, truth)
    given = result.pipeline[-1].estimator_
    np.testing.assert_allclose(
        given.predict_proba(matrix), expected.predict_proba(matrix), atol=1e-3
    )


@pytest.mark.parametrize(
    ("family", "answers"), [("gamma", GammaRegressor), ("tweedie", None), ("poisson", None)]
)
def test_a_family_can_be_said(family, answers):
    random = np.random.default_rng(1)
    data = pd.DataFrame({"x": random.normal(size=800)})
    data["cost"] = random.gamma(2, np.exp(data["x"]))
    result = penstock.train(data, "cost", algorithm="glm", parameters={"family": family})
    assert answers is None or isinstance(result.pipeline[-1], answers)
    assert result.metrics["r2"] > 0.2
    assert result.model.predict({"x": -9.0})["value"] > 0


def test_penalties_are_chosen_by_cross_validation():
    random = np.random.default_rng(2)
    data = pd.DataFrame(random.normal(size=(600, 12)), columns=[f"x{at}" for at in range(12)])
    data["y"] = 3 * data["x0"] + random.normal(size=600)
    chosen = {"cv": 3, "l1_ratio": [0.5, 1.0], "n_alphas": 8}
    result = penstock.train(data, "y", algorithm="glm", parameters=chosen)
    weights = result.pipeline[-1].coef_
    assert abs(weights[0]) > 2.5 and (weights == 0).sum() > 2


@pytest.mark.parametrize(
    ("algorithm", "folds"), [("gbm", 0), ("gbm", 3), ("xgboost", 0), ("forest", 0), ("glm", 3)]
)
def test_intervals_hold_what_they_promise(algorithm, folds):
    data, target = asking("regression", rows=2500)
    result = penstock.train(data, target, algorithm=algorithm, intervals=0.8, folds=folds)
    assert 0.75 < result.metrics["coverage"] < 0.85
    answer = result.model.predict({"hour": 12})
    assert answer["lower"] < answer["value"] < answer["upper"]
    result.model.verify()


def test_intervals_of_quantiles_are_as_wide_as_it_takes():
    random = np.random.default_rng(3)
    data = pd.DataFrame({"x": random.uniform(0, 4, 4000)})
    data["y"] = random.normal(size=4000) * data["x"]
    result = penstock.train(data, "y", intervals={"coverage": 0.8, "method": "quantiles"})
    assert 0.75 < result.metrics["coverage"] < 0.85
    narrow, wide = (result.model.predict({"x": x}) for x in (0.5, 3.5))
    assert wide["upper"] - wide["lower"] > 3 * (narrow["upper"] - narrow["lower"])


def test_intervals_of_counts_do_not_go_below_zero():
    result = penstock.train(claims(), "claims", intervals=0.9)
    answers = result.model.predict(claims(seed=1).drop(columns="claims"))
    assert answers["lower"].min() == 0


@pytest.mark.parametrize("algorithm", ["gbm", "xgboost"])
def test_columns_of_other_groups_do_not_meet(algorithm):
    data, target = asking("regression")
    result = penstock.train(data, target, algorithm=algorithm, interactions=[["hour", "distance"]])
    rows = data.drop(columns=target).dropna().head(40)

    def changes(model, carrier):
        """What an hour late in the day changes for this carrier."""
        late, early = (
            model.predict(rows.assign(carrier=carrier, hour=hour))["value"] for hour in (22, 6)
        )
        return (late - early).to_numpy()

    np.testing.assert_allclose(
        changes(result.model, "UA"), changes(result.model, "AA"), rtol=1e-4, atol=1e-4
    )
    free = penstock.train(data, target, algorithm=algorithm).model
    assert not np.allclose(changes(free, "UA"), changes(free, "AA"), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"offset": "kind"}, "column `kind` holds no numbers"),
        ({"offset": "exposure"}, "`offset` names `exposure`, which is no column"),
        ({"offset": "x", "algorithm": "forest"}, '"forest" cannot; `gbm` and `glm` can'),
        ({"intervals": 90}, "`intervals` is 90; it must be a share as 0.9"),
        ({"intervals": {"method": "guess"}}, "it must be a share as 0.9"),
        ({"intervals": 0.999}, "are too few for a share of 0.999; it takes 999"),
        (
            {"intervals": {"method": "quantiles"}, "algorithm": "glm"},
            'quantiles are for algorithm "gbm"',
        ),
    ],
)
def test_what_cannot_be_is_refused(settings, said):
    with pytest.raises(PenstockError) as raised:
        penstock.train(claims(600), "claims", **settings)
    assert said in str(raised.value)


def test_intervals_and_offsets_are_for_numbers():
    data, target = asking("binary")
    with pytest.raises(PenstockError, match="the task is binary, and they are around numbers"):
        penstock.train(data, target, intervals=0.9)
    with pytest.raises(PenstockError, match="it is for numbers and counts"):
        penstock.train(data, target, offset="distance")
    gaps = claims(600)
    gaps.loc[3, "log_exposure"] = np.nan
    with pytest.raises(DataError, match="has values missing or infinite"):
        penstock.train(gaps, "claims", offset="log_exposure")
