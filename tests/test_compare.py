"""`penstock compare`: metrics with intervals, disagreements, segments, and exit codes."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import penstock
from penstock.errors import PenstockError
from penstock.training.comparing import compare
from tests.test_cli import run, wrong
from tests.worlds import asking, flights


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A good model, a bad one that knows no hour, and rows that neither has seen."""
    folder = tmp_path_factory.mktemp("models")
    data, target = asking("binary")
    penstock.train(data, target, algorithm="glm").save(folder / "good.penstock")
    penstock.train(data, target, algorithm="glm", drop=["hour"]).save(folder / "bad.penstock")
    flights(500, seed=1).to_csv(folder / "rows.csv", index=False)
    return folder


@pytest.fixture(autouse=True)
def inside(folder, monkeypatch):
    monkeypatch.chdir(folder)
    # Enough to tell these models apart.
    monkeypatch.setattr("penstock.training.comparing.RESAMPLES", 40)


def test_metrics_are_those_of_the_source_library():
    found = compare("bad.penstock", "good.penstock", "rows.csv", "late")
    rows = flights(500, seed=1)
    inputs = [field.name for field in penstock.load("good.penstock").schema.inputs]
    scores = penstock.load("good.penstock").predict(rows[inputs])["probability_yes"]
    assert found.primary.second == pytest.approx(roc_auc_score(rows["late"] == "yes", scores))
    assert found.rows == 500


def test_a_worse_model_is_seen_to_be_worse_beyond_chance():
    found = compare("good.penstock", "bad.penstock", "rows.csv", "late")
    assert found.primary.worse and found.primary.high < 0
    assert found.primary.low < found.primary.second - found.primary.first < found.primary.high
    assert not compare("bad.penstock", "good.penstock", "rows.csv", "late").primary.worse
    assert 0 < found.disagreement < 1
    assert found.segments


def test_a_model_differs_from_itself_in_nothing():
    found = compare("good.penstock", "good.penstock", "rows.csv", "late")
    assert all(each.low == each.high == 0 for each in found.differences)
    assert found.disagreement == 0


def test_each_model_says_yes_from_its_own_threshold_on():
    data, target = asking("binary")
    models = [penstock.train(data, target, threshold=cut).model for cut in (0.5, 0.9)]
    found = compare(*models, data, target)
    rows = data.drop(columns=target)
    labels = [model.predict(rows)["label"] for model in models]
    assert found.disagreement == (labels[0] != labels[1]).mean() > 0
    assert found.metrics(1)["recall"] < found.metrics(0)["recall"]
    assert found.primary.first == found.primary.second


def test_numbers_are_compared_as_well():
    data, target = asking("regression")
    models = [penstock.train(data, target, algorithm=name).model for name in ("gbm", "glm")]
    found = compare(*models, data, target)
    assert found.primary.metric == "rmse"
    values = models[1].predict(data.drop(columns=target))["value"]
    expected = np.sqrt(((values - data[target]) ** 2).mean())
    assert found.primary.second == pytest.approx(expected)


def test_the_command_tells_and_passes(capfd):
    command = ("compare", "bad.penstock", "good.penstock", "rows.csv", "--target", "late")
    gates = ("--require", "auc>=0.8", "--no-worse-than", "bad.penstock")
    code, out, err = run(capfd, *command, *gates)
    assert (code, err) == (0, "")
    assert "auc" in out and "rows with another label" in out and "where the second does" in out


def test_the_command_refuses_what_is_worse(capfd):
    command = ("compare", "good.penstock", "bad.penstock", "rows.csv", "--target", "late")
    assert run(capfd, *command)[0] == 0
    code, _, err = run(capfd, *command, "--no-worse-than", "good.penstock")
    assert code == 1
    assert err.startswith("`bad.penstock` is worse than `good.penstock`: auc 0.")
    code, _, err = run(capfd, *command, "--require", "auc>=0.99")
    assert code == 1 and "`auc>=0.99` is not met" in err
    code, _, err = run(capfd, *command, "--no-worse-than", "other.penstock")
    assert code == 2 and "--no-worse-than takes the first artifact" in err
    assert "there is no metric `gini`" in wrong(capfd, *command, "--require", "gini>1")


def test_models_of_different_questions_are_refused():
    data, target = asking("regression")
    number = penstock.train(data, target).model
    with pytest.raises(PenstockError, match="the models answer different questions"):
        compare("good.penstock", number, "rows.csv", "late")
    with pytest.raises(PenstockError, match="which is no class of the models"):
        compare("good.penstock", "bad.penstock", "rows.csv", "class")
    with pytest.raises(PenstockError, match="`target` is `lat`, which is no column"):
        compare("good.penstock", "bad.penstock", "rows.csv", "lat")
