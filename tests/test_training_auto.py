"""`algorithm="auto"`: a leaderboard under a budget, repeatable, interruptible, resumable."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import penstock
from penstock.errors import PenstockError
from penstock.training.events import Event
from penstock.training.fitting import Fit
from tests.worlds import asking

BOTH = ("glm", "gbm")


def auto(task="binary", **settings):
    data, target = asking(task, rows=settings.pop("rows", 400))
    settings = {"algorithms": BOTH, "trials": 5, **settings}
    return penstock.train(data, target, algorithm="auto", **settings)


def tried(result):
    """The leaderboard without the ensemble that is made of its best."""
    return [entry for entry in result.leaderboard if entry.algorithm != "ensemble"]


@pytest.fixture(scope="module")
def result():
    return auto()


def test_the_best_of_the_leaderboard_is_the_model(result):
    scores = [entry.score for entry in result.leaderboard]
    assert scores == sorted(scores, reverse=True) and len(scores) == 6
    assert len(tried(result)) == 5
    result.model.verify()
    assert "leaderboard" in result.summary()


def test_baselines_come_first_and_have_no_parameters(result):
    baselines = [entry for entry in tried(result) if entry.baseline]
    assert sorted(entry.algorithm for entry in baselines) == sorted(BOTH)
    assert all(not entry.parameters for entry in baselines)
    assert all(entry.parameters for entry in tried(result) if not entry.baseline)


def test_every_entry_can_be_taken_as_an_artifact(result):
    for place, entry in enumerate(result.leaderboard):
        taken = result.take(place)
        taken.model.verify()
        made = "auto" if entry.algorithm == "ensemble" else entry.algorithm
        assert taken.recipe.algorithm == made
        assert taken.leaderboard == result.leaderboard
    with pytest.raises(PenstockError, match="the leaderboard has no place 6; it has 6"):
        result.take(6)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression", "count"])
def test_the_ensemble_of_the_best_converts(task, tmp_path):
    result = auto(task, trials=2, rows=600)
    places = [entry.algorithm for entry in result.leaderboard]
    taken = result.take(places.index("ensemble"))
    assert sorted(taken.leaderboard[places.index("ensemble")].parameters["members"]) == [
        "gbm",
        "glm",
    ]
    taken.save(tmp_path / "it.penstock")
    model = penstock.load(tmp_path / "it.penstock")
    rows = taken.prepared.rows.iloc[taken.prepared.parts.holdout]
    answers = model.predict(rows)
    if task in ("binary", "multiclass"):
        given = answers.filter(like="probability_").to_numpy()
        np.testing.assert_allclose(given, taken.pipeline.predict_proba(rows), rtol=1e-9)
    else:
        np.testing.assert_allclose(answers["value"], taken.pipeline.predict(rows), rtol=1e-9)


def test_the_same_seed_gives_the_same_result(result):
    again = auto()
    assert again.model.digest == result.model.digest
    assert [each.score for each in again.leaderboard] == [each.score for each in result.leaderboard]


def test_less_is_better_where_the_metric_is_a_loss():
    scores = [entry.score for entry in auto("regression", trials=3).leaderboard]
    assert scores == sorted(scores)


def test_a_search_goes_on_from_its_journal(tmp_path):
    journal = str(tmp_path / "trials.journal")
    events = []
    first = auto(journal=journal, trials=3)
    second = auto(journal=journal, trials=4, on_event=events.append)
    assert {each.score for each in tried(first)} <= {each.score for each in tried(second)}
    assert len(tried(second)) == 4
    assert next(event.text for event in events if event.kind == "trial").startswith("trial 4 of 4")
    assert "3 trials are taken from the journal" in [event.text for event in events]
    # Other data is another search.
    assert len(tried(auto(journal=journal, trials=2, rows=300))) == 2


def test_an_interrupt_gives_the_best_so_far():
    def interrupt(event: Event):
        if event.kind == "trial" and event.values["trial"] == 2:
            raise KeyboardInterrupt

    events = []
    result = auto(trials=50, on_event=lambda event: (events.append(event), interrupt(event)))
    assert len(result.leaderboard) == 2
    assert "interrupted: the best so far is taken" in [event.text for event in events]
    result.model.verify()


def test_an_interrupt_before_the_first_result_is_one():
    def interrupt(event: Event):
        if event.kind == "progress":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        auto(algorithms=("gbm",), on_event=interrupt)


def test_a_budget_of_time_ends_the_search():
    result = auto(trials=None, seconds=1.5)
    assert 1 <= len(result.leaderboard) < 200


def test_nothing_is_fitted_again_after_the_search(monkeypatch):
    fitted = []
    fit = Fit.fit

    def counted(self, recipe, *rows):
        fitted.append(recipe.algorithm)
        return fit(self, recipe, *rows)

    monkeypatch.setattr(Fit, "fit", counted)
    result = auto(trials=4)
    assert len(fitted) == 4 and len(result.leaderboard) == 5
    taken = [result.take(place).metrics for place in range(5)]
    # The worse ones of an algorithm are.
    assert len(fitted) == 6
    monkeypatch.setattr("penstock.training.searching.Search._keep", lambda *entry: None)
    anew = auto(trials=4)
    assert [anew.take(place).metrics for place in range(5)] == taken


def test_no_trial_is_begun_that_would_end_after_the_budget(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(
        "penstock.training.searching.time", SimpleNamespace(monotonic=lambda: clock[0])
    )

    def passing(event):
        if event.kind == "progress" and "of at most" in event.text:
            clock[0] += 1.0

    result = auto(algorithms=("gbm",), trials=None, seconds=200.0, on_event=passing)
    seconds = [entry.seconds for entry in result.leaderboard]
    assert sum(seconds) <= 170 + sum(seconds) / len(seconds) / 2
    assert sum(seconds) >= 170 - sum(seconds) / len(seconds) / 2


def test_what_would_take_longer_than_there_is_is_left_out(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(
        "penstock.training.searching.time", SimpleNamespace(monotonic=lambda: clock[0])
    )
    fit, learned = Fit.fit, []

    def slow(self, recipe, learning, validation):
        fitted = fit(self, recipe, learning, validation)
        seconds = len(learning) * (10.0 if recipe.algorithm == "forest" else 0.1)
        learned.append((recipe.algorithm, len(learning)))
        clock[0] += seconds
        return replace(fitted, seconds=seconds)

    monkeypatch.setattr(Fit, "fit", slow)
    events = []
    result = auto(algorithms=("glm", "forest"), trials=None, seconds=600.0, on_event=events.append)
    assert {entry.algorithm for entry in result.leaderboard} == {"glm"}
    assert [rows for name, rows in learned if name == "forest"] == [15]
    assert any(event.text.startswith("forest is left out: it would take") for event in events)
    assert clock[0] < 700


def test_folds_score_the_entries_when_there_are_some():
    result = auto(trials=2, folds=3)
    assert len(result.folds) == 3
    assert len(result.leaderboard) == 2


def test_what_cannot_be_trained_is_left_out_or_refused():
    # XGBoost takes no text for a class.
    names = {entry.algorithm for entry in auto(algorithms=(), trials=6).leaderboard}
    assert {"glm", "gbm", "forest", "bayes", "ensemble"} <= names and "xgboost" not in names
    with pytest.raises(PenstockError, match="XGBoost takes the classes 0 to 1 only"):
        auto(algorithms=("xgboost",))
    with pytest.raises(PenstockError, match="`algorithms` has 'svm'"):
        auto(algorithms=("svm",))
