"""The generated examination of the converters: first cases always, all of them if asked for."""

import pytest

from penstock import convert
from tests.examination import judging
from tests.examination.cases import examine, examined
from tests.examination.pipelines import MIXED, pipeline
from tests.operators_page import counted

FEW = 3
# Of pipelines that scikit-learn can fit: some encoders leave gaps that a model does not take.
SEEDS = (0, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)
COUNTS = counted()


@pytest.mark.parametrize("name", COUNTS)
def test_first_cases_are_neither_wrong_nor_crash(name):
    _, faults = examine(name, most=FEW)
    assert faults == []


@pytest.mark.slow
@pytest.mark.parametrize("name", COUNTS)
def test_all_cases_are_as_the_page_counts_them(name):
    counts, faults = examine(name)
    assert faults == []
    assert {"pass": counts["pass"], "refused": counts["refused"]} == COUNTS[name]


@pytest.mark.parametrize("seed", SEEDS)
def test_pipelines_made_by_chance_pass(seed):
    model = judging.fitted(pipeline(seed), MIXED)
    assert judging.outcome(model, MIXED) == ("pass", "")


def test_all_that_can_be_examined_is_on_the_page():
    assert examined().keys() <= COUNTS.keys()


def test_an_answer_that_differs_is_wrong(monkeypatch):
    from sklearn.linear_model import LinearRegression

    from tests.examination.data import WORLDS

    model = judging.fitted(LinearRegression(), WORLDS["numbers"])
    assert judging.outcome(model, WORLDS["numbers"]) == ("pass", "")
    monkeypatch.setattr(judging.penstock, "convert", converted_otherwise)
    kind, message = judging.outcome(model, WORLDS["numbers"])
    assert kind == "wrong"
    assert "the source" in message


def converted_otherwise(estimator, example):
    """What becomes of the model with another intercept."""
    from sklearn.base import clone

    other = clone(estimator).fit(example, estimator.predict(example))
    other.intercept_ += 1e-3
    return convert(other, example)
