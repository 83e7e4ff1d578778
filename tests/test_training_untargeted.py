"""`kmeans` and `isolation`: what is trained without a target, and how it is judged."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

import penstock
from penstock.errors import DataError, PenstockError
from penstock.training.report import page
from tests.test_cli import run, wrong

CENTERS = np.array([[0, 0, 0], [9, 0, 3], [0, 9, 6]])


def customers(rows=600, seed=0):
    """Three groups, told by numbers and by a level, that nobody has named."""
    random = np.random.default_rng(seed)
    group = random.integers(0, 3, rows)
    points = CENTERS[group] + random.normal(size=(rows, 3))
    frame = pd.DataFrame(points, columns=["spent", "visits", "age"])
    frame["city"] = np.array(["Rome", "Oslo", "Lima"])[group]
    frame["city"] = frame["city"].where(random.random(rows) < 0.9, "Rome")
    frame["since"] = pd.date_range("2024-01-01", periods=rows, freq="7h")
    frame.loc[::11, "age"] = np.nan
    frame.loc[::13, "city"] = None
    return frame.assign(group=np.array(["a", "b", "c"])[group])


def payments(rows=2000, seed=0):
    """One in a hundred is large and from a city that hardly ever is seen."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "amount": random.gamma(2, 40, rows),
            "hour": random.normal(14, 3, rows),
            "city": random.choice(["Rome", "Oslo", "Lima", None], rows),
        }
    )
    odd = np.arange(rows) % 100 == 50
    frame.loc[odd, "amount"] *= 10
    frame.loc[odd, "city"] = "Vaduz"
    return frame.assign(fraud=np.where(odd, "yes", "no"))


def held(result):
    return result.prepared.rows.iloc[result.prepared.parts.holdout]


@pytest.fixture(scope="module")
def grouped():
    return penstock.train(customers().drop(columns=["group", "since"]), algorithm="kmeans")


@pytest.fixture(scope="module")
def odd():
    return penstock.train(payments(), "fraud", algorithm="isolation", rate=0.02)


def test_the_number_of_clusters_is_that_of_the_best_silhouette(grouped):
    assert grouped.task == "clustering" and grouped.pipeline[-1].n_clusters == 3
    counts = [entry.parameters["n_clusters"] for entry in grouped.leaderboard]
    assert sorted(counts) == list(range(2, 11)) and counts[0] == 3
    other = grouped.take(1)
    assert other.pipeline[-1].n_clusters == counts[1]
    assert "3 clusters" in grouped.summary()


def test_clusters_are_those_of_the_pipeline(grouped, tmp_path):
    rows = held(grouped)
    grouped.save(tmp_path / "it.penstock")
    model = penstock.load(tmp_path / "it.penstock")
    model.verify()
    answers = model.predict(rows)
    assert answers["cluster"].tolist() == grouped.pipeline.predict(rows).tolist()
    given = answers.filter(like="distance_").to_numpy()
    np.testing.assert_allclose(given, grouped.pipeline.transform(rows), rtol=1e-7)


def test_metrics_of_clusters_are_those_of_the_source_library(grouped):
    rows = held(grouped)
    space, labels = grouped.pipeline[:-1].transform(rows), grouped.pipeline.predict(rows)
    nearest = grouped.pipeline.transform(rows).min(axis=1)
    assert dict(grouped.metrics) == pytest.approx(
        {
            "silhouette": metrics.silhouette_score(space, labels),
            "davies_bouldin": metrics.davies_bouldin_score(space, labels),
            "calinski_harabasz": metrics.calinski_harabasz_score(space, labels),
            "inertia": (nearest**2).sum(),
        }
    )
    assert grouped.primary == ("silhouette", grouped.metrics["silhouette"])


def test_a_target_judges_clusters_and_is_not_learned():
    data = customers()
    data.loc[::7, "group"] = None
    result = penstock.train(data, "group", algorithm="kmeans", clusters=3)
    assert not result.leaderboard
    assert "group" not in {field.name for field in result.model.schema.inputs}
    truth = data["group"].iloc[result.prepared.parts.holdout]
    labels = result.pipeline.predict(held(result))
    there = truth.notna().to_numpy()
    expected = metrics.adjusted_rand_score(truth[there], labels[there])
    assert result.metrics["adjusted_rand"] == pytest.approx(expected) and expected > 0.9
    assert "Clusters and the target" in page(result)


def test_anomalies_are_those_of_the_pipeline(odd):
    rows = held(odd)
    answers = odd.model.predict(rows)
    assert answers["label"].tolist() == odd.pipeline.predict(rows).tolist()
    np.testing.assert_allclose(answers["score"], odd.pipeline.score_samples(rows), rtol=1e-12)


def test_a_target_judges_anomalies_and_is_not_learned(odd):
    rows, truth = held(odd), odd.prepared.target.iloc[odd.prepared.parts.holdout] == "yes"
    scores = odd.pipeline.score_samples(rows)
    assert "fraud" not in {field.name for field in odd.model.schema.inputs}
    assert odd.primary == ("auc", pytest.approx(metrics.roc_auc_score(truth, -scores)))
    assert odd.metrics["auc"] > 0.95
    assert odd.metrics["rate"] == (odd.pipeline.predict(rows) == -1).mean()
    assert odd.metrics["score_p50"] == pytest.approx(np.median(scores))


def test_anomalies_need_no_target_and_are_as_rare_as_said():
    data = payments().drop(columns="fraud")
    for rate in (0.01, 0.1):
        result = penstock.train(data, algorithm="isolation", rate=rate)
        learned = result.prepared.rows.iloc[result.prepared.parts.training]
        assert (result.pipeline.predict(learned) == -1).mean() == pytest.approx(rate, abs=0.002)
        assert next(iter(result.metrics)) == "rate"


def test_rare_levels_are_odder_than_frequent_ones(odd):
    row = {"amount": 80.0, "hour": 14.0}
    scores = {
        city: odd.model.predict({**row, "city": city})["score"]
        for city in ("Rome", "Oslo", "Vaduz", "nowhere")
    }
    assert max(scores["Vaduz"], scores["nowhere"]) < min(scores["Rome"], scores["Oslo"])


@pytest.mark.parametrize("algorithm", ["kmeans", "isolation"])
def test_the_same_recipe_gives_the_same_bytes(algorithm):
    data = customers().drop(columns="group")
    digests = {
        penstock.train(data, algorithm=algorithm, threads=threads).model.digest
        for threads in (1, 2, None)
    }
    assert len(digests) == 1


def test_weights_are_learned_by():
    data = customers().drop(columns=["group", "since"])
    data["often"] = np.where(data["spent"] > 5, 50.0, 1.0)
    plain, weighted = (
        penstock.train(data, algorithm="kmeans", clusters=2, **settings)
        for settings in ({"drop": ["often"]}, {"weight": "often"})
    )
    centers = [result.pipeline[-1].cluster_centers_ for result in (plain, weighted)]
    assert not np.allclose(*centers)


def test_the_artifact_tells_where_it_comes_from(grouped, odd):
    training = grouped.model.manifest["provenance"]["training"]
    assert (training["algorithm"], training["task"]) == ("kmeans", "clustering")
    assert "target" not in training
    assert "silhouette" in grouped.model.card and grouped.model.name == "kmeans"
    assert odd.model.manifest["provenance"]["training"]["target"] == "fraud"


def test_what_is_tried_is_told():
    events = []
    data = customers(200).drop(columns="group")
    penstock.train(data, algorithm="kmeans", most_clusters=4, on_event=events.append)
    told = [event.values["clusters"] for event in events if event.kind == "trial"]
    assert told == [2, 3, 4]
    assert events[0].text == "200 rows, 5 columns; clustering"
    assert "silhouette" in events[-1].text


def test_reports_show_clusters_and_oddest_rows(grouped, odd):
    told = page(grouped)
    for title in ("Number of clusters", "Sizes", "Change when shuffled", "cluster 2"):
        assert title in told
    told = page(odd)
    for title in ("Scores", "Oddest rows", "ROC", "Where most anomalies are", "stands out by"):
        assert title in told
    assert "Vaduz" in told and "amount, city" in told


def test_two_models_of_clusters_are_compared_by_their_rows(grouped):
    data = customers(seed=1).drop(columns="since")
    same = penstock.compare(grouped.model, grouped.model, data)
    assert same.disagreement == 0 and not same.differences
    assert "rows in another cluster: 0.0000" in same.summary()
    with pytest.raises(PenstockError, match="neither better nor worse"):
        _ = same.primary
    two = penstock.train(
        customers().drop(columns=["group", "since"]), algorithm="kmeans", clusters=2
    )
    found = penstock.compare(grouped.model, two.model, data, "group")
    assert found.primary.metric == "adjusted_rand" and found.primary.worse
    assert 0.2 < found.disagreement < 0.5


def test_two_models_of_anomalies_are_compared(odd):
    half = penstock.train(payments(), algorithm="isolation", drop=["amount", "fraud"])
    found = penstock.compare(odd.model, half.model, payments(seed=1), "fraud")
    assert found.primary.metric == "auc"
    plain = penstock.compare(odd.model, half.model, payments(seed=1))
    assert plain.primary.metric == "rate" and not plain.primary.worse
    with pytest.raises(PenstockError, match="different questions: one tells anomaly"):
        clusters = penstock.train(payments(), algorithm="kmeans", clusters=2, drop=["fraud"])
        penstock.compare(odd.model, clusters.model, payments())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "`target` is not given: the column to predict; only `kmeans` and `isolation`"),
        ({"algorithm": "kmeans", "task": "binary"}, "`target` is not given"),
        ({"algorithm": "kmeans", "target": "city", "task": "multiclass"}, "has no multiclass"),
        ({"algorithm": "gbm", "target": "city", "clusters": 3}, '`clusters` is for algorithm "km'),
        ({"algorithm": "kmeans", "rate": 0.1}, '`rate` is for algorithm "isolation"'),
        ({"algorithm": "kmeans", "folds": 3}, "`folds` is 3, which is for a target that is learn"),
        ({"algorithm": "isolation", "split": "stratified"}, "`split` is 'stratified', which is"),
        ({"algorithm": "isolation", "threshold": 0.3}, "`threshold` is 0.3, which is for a targ"),
        ({"algorithm": "isolation", "target": "group"}, "`group` has 3 values; to judge anomaly"),
        ({"algorithm": "kmeans", "target": "spent"}, "it must have 2 to 100 values"),
        ({"algorithm": "kmeans", "target": "sent"}, "`target` is `sent`, which is no column"),
        ({"algorithm": "kmeans", "target": "group", "positive": "d"}, "which column `group` never"),
    ],
)
def test_what_goes_with_no_target_is_refused(settings, said):
    with pytest.raises(PenstockError) as raised:
        penstock.train(customers(), **settings)
    assert said in str(raised.value)


def test_too_few_rows_have_no_clusters():
    data = pd.DataFrame({"x": [1.0, 2.0] * 5, "y": [1, 1] * 5})
    with pytest.raises(DataError, match="not different enough"):
        penstock.train(data.iloc[:4], algorithm="kmeans", holdout=0.5)


def test_the_commands_train_and_compare_without_a_target(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    customers().drop(columns="group").to_csv("customers.csv", index=False)
    assert run(capfd, "init", "customers.csv", "--algorithm", "kmeans", "-o", "a.toml")[0] == 0
    code, out, err = run(capfd, "train", "a.toml", "-o", "a.penstock", "--report", "a.html")
    assert code == 0, err
    assert "3 clusters: silhouette" in err and "calinski_harabasz" in out
    code, out, err = run(capfd, "compare", "a.penstock", "a.penstock", "customers.csv")
    assert (code, err) == (0, "") and "rows in another cluster: 0.0000" in out
    code, _, err = run(
        capfd, "train", "customers.csv", "--algorithm", "isolation", "--rate", "0.05",
        "--require", "rate>=0.5", "-o", "b.penstock",
    )  # fmt: skip
    assert code == 1 and "`rate>=0.5` is not met" in err
    assert run(capfd, "init", "customers.csv", "-o", "b.toml")[0] == 2
    assert "neither better" in wrong(
        capfd, "compare", "a.penstock", "a.penstock", "customers.csv", "--no-worse-than",
        "a.penstock",
    )  # fmt: skip
