"""What is held out, weighed, constrained and cross-validated when a model is trained."""

import numpy as np
import pytest

import penstock
from penstock.errors import DataError, PenstockError
from penstock.training.metrics import Predictions
from penstock.training.tasks import Task
from penstock.training.thresholds import thresholded
from tests.worlds import asking, flights

BINARY = Task("binary", "", ("no", "yes"), "yes")


def trained(task="binary", **settings):
    data, target = asking(task)
    return penstock.train(data, target, **settings)


def test_rows_are_in_one_part_only():
    for settings in ({}, {"split": "random"}, {"split": "group", "split_column": "carrier"}):
        data, target = asking("binary")
        parts = penstock.train(data.dropna(), target, **settings).prepared.parts
        positions = [*parts.learning, *parts.validation, *parts.holdout]
        assert sorted(positions) == list(range(len(data.dropna())))


def test_a_split_by_time_holds_out_the_last_rows():
    result = trained(split="time", split_column="month")
    parts, month = result.prepared.parts, result.prepared.rows["month"].to_numpy()
    assert month[parts.learning].max() < month[parts.validation].min()
    assert month[parts.validation].max() < month[parts.holdout].min()
    assert "month" not in [each.name for each in result.features if each.treatment != "drop"]


def test_a_split_by_group_keeps_groups_together():
    result = trained(split="group", split_column="hour")
    parts, hour = result.prepared.parts, result.prepared.rows["hour"].to_numpy()
    assert not set(hour[parts.training]) & set(hour[parts.holdout])
    assert not set(hour[parts.learning]) & set(hour[parts.validation])


def test_a_stratified_split_keeps_the_shares_of_classes():
    result = trained("multiclass")
    target, parts = result.prepared.target, result.prepared.parts
    assert parts.kind == "stratified"
    for name in ("low", "middle", "high"):
        shares = [(target.iloc[part] == name).mean() for part in (parts.training, parts.holdout)]
        assert shares[0] == pytest.approx(shares[1], abs=0.01)


@pytest.mark.parametrize("algorithm", ["gbm", "glm"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "count"])
def test_out_of_fold_predictions_are_kept_for_every_row_but_the_hold_out(task, algorithm):
    result = trained(task, algorithm=algorithm, folds=3)
    kept = result.out_of_fold
    assert kept.index.tolist() == result.prepared.parts.training.tolist()
    assert kept["truth"].tolist() == result.prepared.target.loc[kept.index].tolist()
    assert sorted(kept["fold"].unique()) == [1, 2, 3]
    assert len(result.folds) == 3
    names = [name for name in kept.columns if name not in ("fold", "truth")]
    assert len(names) == (3 if task == "multiclass" else 1)
    assert kept.notna().all().all()


def test_a_fold_is_predicted_by_a_model_that_has_not_seen_it():
    result = trained(folds=3, algorithm="forest", parameters={"min_samples_leaf": 1})
    kept = result.out_of_fold
    inside = result.pipeline.predict_proba(result.prepared.rows.loc[kept.index])[:, 1]
    loss = ((kept["prediction"] - (kept["truth"] == "yes")) ** 2).mean()
    assert ((inside - (kept["truth"] == "yes")) ** 2).mean() < loss / 2


def test_folds_by_time_learn_from_the_past_only():
    result = trained(folds=3, split="time", split_column="month")
    kept, month = result.out_of_fold, result.prepared.rows["month"]
    assert month[kept.index[kept["fold"] == 1]].max() <= month[kept.index[kept["fold"] == 3]].min()


def test_weights_change_what_is_learned():
    data, target = asking("binary")
    data["weight"] = np.where(data[target] == "yes", 10.0, 1.0)
    plain = trained(algorithm="glm").metrics
    heavy = penstock.train(data, target, algorithm="glm", weight="weight")
    by_class = trained(algorithm="glm", class_weight={"yes": 10})
    means = [result.holdout.scores.mean() for result in (heavy, by_class)]
    assert means[0] == pytest.approx(means[1], abs=1e-6)
    assert means[0] > trained(algorithm="glm").holdout.scores.mean() + 0.05
    assert heavy.metrics["auc"] != plain["auc"]
    assert heavy.model.schema["weight"].type == "ignored"


def test_balanced_classes_weigh_the_same():
    result = trained(class_weight="balanced")
    weights, target = result.prepared.weights, result.prepared.target
    assert weights[target == "yes"].sum() == pytest.approx(weights[target == "no"].sum())


@pytest.mark.parametrize("algorithm", ["gbm", "xgboost"])
def test_monotone_constraints_hold(algorithm):
    data, target = asking("regression")
    rows = [{"hour": hour, "carrier": "UA", "distance": 500, "heavy": True} for hour in range(24)]
    result = penstock.train(data, target, algorithm=algorithm, monotone={"hour": 1})
    values = [row["value"] for row in result.model.predict(rows)]
    assert values == sorted(values) and values[0] < values[-1]
    result = penstock.train(data, target, algorithm=algorithm, monotone={"hour": -1})
    values = [row["value"] for row in result.model.predict(rows)]
    assert values == sorted(values, reverse=True)


def expected_threshold(found, gain):
    """The best of all thresholds, tried one by one."""
    truth = found.truth == "yes"
    return max(sorted(set(found.scores)), key=lambda cut: gain(truth, found.scores >= cut))


@pytest.mark.parametrize(
    ("wanted", "gain"),
    [
        ("f1", lambda truth, said: 2 * (truth & said).sum() / (truth.sum() + said.sum())),
        (
            {"false_positive": 1, "false_negative": 7},
            lambda truth, said: -(~truth & said).sum() - 7 * (truth & ~said).sum(),
        ),
        ({"rate": 0.2}, lambda truth, said: -abs(said.mean() - 0.2)),
    ],
)
def test_the_threshold_is_the_best_of_all(wanted, gain):
    random = np.random.default_rng(0)
    scores = random.random(500).round(2)
    truth = np.where(random.random(500) < scores**2, "yes", "no")
    found = Predictions(truth, scores)
    cut = thresholded(found, BINARY, wanted)
    assert gain(truth == "yes", scores >= cut) == gain(
        truth == "yes", scores >= expected_threshold(found, gain)
    )


def test_a_threshold_is_not_chosen_on_the_hold_out():
    result = trained()
    validation = result.prepared.parts.validation
    rows = result.prepared.rows.iloc[validation]
    scores = result.pipeline.predict_proba(rows)[:, 1]
    truth = result.prepared.target.iloc[validation].to_numpy()
    assert result.threshold == thresholded(Predictions(truth, scores), BINARY, "f1")
    assert trained(threshold=0.25).threshold == 0.25
    assert trained("count").threshold is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"weight": "carrier"}, "column `carrier` holds no numbers"),
        ({"weight": "distance"}, "weights that are missing, negative or infinite"),
        ({"class_weight": {"maybe": 2}}, "names `maybe`, which is no class"),
        ({"class_weight": "even"}, "`class_weight` is 'even'"),
        ({"split": "time", "split_column": "distance"}, "`distance` has missing values"),
    ],
)
def test_wrong_weights_and_splits_are_refused(settings, said):
    with pytest.raises(PenstockError) as raised:
        trained(**settings)
    assert said in str(raised.value)


def test_a_class_that_is_too_rare_is_refused():
    data = flights().drop(columns=["delay", "bags", "late"])
    data.loc[0, "class"] = "once"
    with pytest.raises(DataError, match="cannot be split"):
        penstock.train(data, "class")
