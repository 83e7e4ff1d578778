"""`penstock.train`: what is trained converts and answers as its pipeline; what is odd is told."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.metrics import roc_auc_score
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

import penstock
from penstock.errors import DataError, PenstockError
from penstock.training.report import page
from tests.worlds import asking, flights

ABLE = ["gbm", "xgboost", "forest", "glm"]
TASKS = ["binary", "multiclass", "regression", "count"]
# Links and sums, as docs/python.md promises; XGBoost's in float32.
TOLERANCES = {"xgboost": 1e-6, "deep": 1e-9, "bayes": 1e-8}


def trained(task="binary", rows=600, **settings):
    data, target = asking(task, rows=rows)
    if settings.get("algorithm") == "xgboost" and task in ("binary", "multiclass"):
        data[target] = pd.factorize(data[target])[0]
        settings.setdefault("task", task)
    return penstock.train(data, target, **settings)


@pytest.mark.parametrize(
    ("algorithm", "task"),
    [
        *((algorithm, task) for algorithm in (*ABLE, "deep") for task in TASKS),
        ("bayes", "binary"),
        ("bayes", "multiclass"),
    ],
)
def test_what_is_trained_answers_as_its_pipeline(algorithm, task, tmp_path):
    result = trained(task, algorithm=algorithm)
    assert result.task == task
    held = result.prepared.rows.iloc[result.prepared.parts.holdout]
    result.save(tmp_path / "it.penstock")
    model = penstock.load(tmp_path / "it.penstock")
    model.verify()
    answers = model.predict(held)
    if task in ("binary", "multiclass"):
        given = answers.filter(like="probability_").to_numpy()
        expected = result.pipeline.predict_proba(held)
    else:
        given, expected = answers["value"].to_numpy(), result.pipeline.predict(held)
    np.testing.assert_allclose(given, expected, rtol=TOLERANCES.get(algorithm, 1e-11))


@pytest.mark.parametrize("algorithm", ABLE)
def test_what_is_trained_has_learned(algorithm):
    assert trained(algorithm=algorithm).metrics["auc"] > 0.85
    assert trained("regression", algorithm=algorithm).metrics["r2"] > 0.6


@pytest.mark.parametrize(
    ("algorithm", "task", "said"),
    [
        ("bayes", "regression", '"bayes" has no regression; take one of `gbm`'),
    ],
)
def test_an_algorithm_that_cannot_is_refused_by_name(algorithm, task, said):
    with pytest.raises(PenstockError) as raised:
        trained(task, algorithm=algorithm)
    assert said in str(raised.value)


def test_metrics_are_those_of_the_source_library():
    result = trained()
    held = result.prepared.parts.holdout
    rows, truth = result.prepared.rows.iloc[held], result.prepared.target.iloc[held]
    expected = roc_auc_score(truth == "yes", result.pipeline.predict_proba(rows)[:, 1])
    assert result.metrics["auc"] == pytest.approx(expected, abs=1e-12)
    assert result.primary == ("auc", result.metrics["auc"])


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([0, 1], "binary"),
        (["a", "b"], "binary"),
        ([True, False], "binary"),
        ([0.5, 0.7], "regression"),
        (["a", "b", "c"], "multiclass"),
        ([0, 1, 2, 7], "count"),
        ([-1, 0, 1], "regression"),
        ([0.0, 1.5, 2.0], "regression"),
        ([5, 6, 7, 8], "regression"),
    ],
)
def test_the_task_is_seen_from_the_target(values, task):
    data = pd.DataFrame({"x": np.arange(240.0) % 7, "y": (values * 120)[:240]})
    assert penstock.train(data, "y").task == task


def test_a_task_can_be_said():
    data = pd.DataFrame({"x": np.arange(240.0) % 7, "y": [0, 1, 2] * 80})
    assert penstock.train(data, "y", task="multiclass").task == "multiclass"
    with pytest.raises(DataError, match="has 3 values; say `multiclass`"):
        penstock.train(data, "y", task="binary")


def odd():
    frame = flights()[["hour", "carrier", "late"]]
    rows = len(frame)
    frame["same"] = 1
    frame["id"] = np.arange(rows)
    frame["code"] = [f"K{at:05}" for at in range(rows)]
    frame["day"] = pd.date_range("2025-01-01", periods=rows, freq="h")
    frame["written"] = frame["day"].dt.strftime("%Y-%m-%d %H:%M")
    frame["note"] = [f"the plane was late by {at} minutes" for at in range(rows)]
    frame["told"] = np.where(frame["late"] == "yes", 1.0, 0.0)
    frame["flag"] = pd.Series([True, False, None] * (rows // 3), dtype="object")
    frame["lists"] = [[1]] * rows
    return frame


def test_columns_that_are_no_features_are_left_out_with_a_reason():
    result = penstock.train(odd(), "late")
    treated = {each.name: (each.type, each.treatment) for each in result.features}
    assert treated == {
        "hour": ("number", "number"),
        "carrier": ("text", "levels"),
        "same": ("number", "drop"),
        "id": ("number", "drop"),
        "code": ("text", "drop"),
        "day": ("date", "dates"),
        "written": ("date", "drop"),
        "note": ("free text", "text"),
        "told": ("number", "number"),
        "flag": ("number", "number"),
    }
    warned = "\n".join(result.warnings)
    for name in ("id", "code", "written", "told", "lists"):
        assert f"column `{name}`" in warned
    assert "column `told` alone tells the target" in warned
    assert "`same`" not in warned


def by_weekday(zone=None):
    """What only the day of the week and the hour tell."""
    moments = pd.Series(pd.date_range("2024-01-01", periods=1500, freq="97min", tz=zone))
    late = (moments.dt.day_of_week >= 5) | (moments.dt.hour < 6)
    return pd.DataFrame({"at": moments.where(moments.index % 50 > 0), "late": late})


@pytest.mark.parametrize("algorithm", ["gbm", "glm", "forest"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_parts_of_dates_are_learned_from(algorithm, zone):
    data = by_weekday(zone)
    result = penstock.train(data, "late", algorithm=algorithm)
    assert [(each.type, each.treatment) for each in result.features] == [("date", "dates")]
    assert result.metrics["auc"] > (0.9 if algorithm == "glm" else 0.98)
    answers = result.model.predict(data.drop(columns="late").tail(20))
    assert answers["label"].tolist() == result.pipeline.predict(data.tail(20)).tolist()


def reviews(rows=600):
    """Whether people liked it, which they tell in words, if at all."""
    random = np.random.default_rng(0)
    words = ["the", "a", "room", "bed", "staff", "food", "was", "very", "and", "with", "Zürich"]
    liked = random.random(rows) < 0.5
    texts = [" ".join(random.choice(words, 9)) for _ in range(rows)]
    marks = [random.choice(["lovely", "great"] if each else ["awful", "dirty"]) for each in liked]
    data = pd.DataFrame({"review": [f"{a}, {b}!" for a, b in zip(texts, marks, strict=True)]})
    data["nights"] = random.integers(1, 9, rows)
    data.loc[::20, "review"] = None
    return data.assign(liked=np.where(liked, "yes", "no"))


@pytest.mark.parametrize("algorithm", ["gbm", "forest", "glm", "bayes", "deep"])
def test_words_of_free_text_are_learned_from(algorithm):
    data = reviews()
    result = penstock.train(data, "liked", algorithm=algorithm)
    assert {each.name: each.treatment for each in result.features} == {
        "review": "text",
        "nights": "number",
    }
    assert result.metrics["auc"] > 0.9 and not result.warnings
    rows = data.drop(columns="liked").head(60)
    given = result.model.predict(rows)["probability_yes"]
    expected = result.pipeline.predict_proba(rows.fillna({"review": ""}))[:, 1]
    np.testing.assert_allclose(given, expected, rtol=1e-8)
    told = result.model.predict({"review": "Lovely staff", "nights": 2})["probability"]["yes"]
    assert told > 0.8


def test_free_text_is_as_said_and_has_a_report():
    data = reviews().drop(columns="nights").assign(room=["single", "double"] * 300)
    said = penstock.train(data, "liked", features={"room": "text", "review": "levels"})
    assert [each.treatment for each in said.features] == ["levels", "text"]
    result = penstock.train(data, "liked")
    assert "free text" in page(result)
    odd = penstock.train(data, "liked", algorithm="isolation")
    assert odd.features[0].treatment == "drop" and "free text" in odd.warnings[0]
    with pytest.raises(PenstockError, match="do not go with free text"):
        penstock.train(reviews(), "liked", monotone={"nights": 1})


def test_dates_among_constraints_are_one_column():
    data = by_weekday()
    data["x"] = np.arange(len(data)) % 7 + 0.0
    settings = {"monotone": {"x": 1}, "interactions": [["at"], ["x"]]}
    assert penstock.train(data, "late", **settings).metrics["auc"] > 0.98


def test_a_report_tells_of_dates(tmp_path):
    result = penstock.train(by_weekday(), "late")
    result.report(tmp_path / "report.html")
    assert "dates" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("positive", ["yes", "no"])
def test_the_artifact_says_yes_from_the_threshold_on(positive):
    result = trained(positive=positive, threshold={"rate": 0.2})
    rows = result.prepared.rows.iloc[result.prepared.parts.holdout]
    answers = result.model.predict(rows)
    said = answers["label"] == positive
    assert said.tolist() == (answers[f"probability_{positive}"] >= result.threshold).tolist()
    assert said.tolist() == (result.pipeline.predict(rows) == positive).tolist()
    assert 0.1 < said.mean() < 0.35 and result.threshold > 0.6


@pytest.mark.parametrize(
    # Isotonic may say 0 and 1, for which the log loss has no mercy.
    ("method", "metric", "folds"),
    [("sigmoid", "log_loss", 0), ("sigmoid", "log_loss", 3), ("isotonic", "brier", 0)],
)
def test_probabilities_are_corrected_by_rows_that_were_not_learned_from(method, metric, folds):
    settings = {"rows": 3000, "algorithm": "bayes", "folds": folds, "validation": 0.3}
    plain, better = trained(**settings), trained(**settings, calibration=method)
    assert better.metrics[metric] < plain.metrics[metric]
    rows = better.prepared.rows.iloc[better.prepared.parts.holdout]
    given = better.model.predict(rows)["probability_yes"]
    np.testing.assert_allclose(given, better.pipeline.predict_proba(rows)[:, 1], rtol=1e-8)


def test_steps_that_few_rows_are_to_tell_are_warned_of():
    told = "\n".join(trained(calibration="isotonic").warnings)
    assert "`calibration` is isotonic, and has 48 validation rows" in told
    assert not trained(calibration="sigmoid").warnings


@pytest.mark.parametrize("weight", [None, "heaviness"])
def test_naive_bayes_of_a_sparse_matrix_is_that_of_the_source_library(weight):
    data, target = asking("multiclass", rows=2000)
    random = np.random.default_rng(0)
    data["city"] = random.integers(0, 30, len(data)).astype(str)
    data["heaviness"] = random.random(len(data))
    result = penstock.train(data, target, algorithm="bayes", weight=weight)
    at = result.prepared.parts.learning
    columns, model = clone(result.pipeline[0]), result.pipeline[-1]
    made = columns.fit_transform(result.prepared.rows.iloc[at])
    assert isinstance(made, np.ndarray) and (made != 0).mean() < 0.3
    weights = None if weight is None else data[weight].to_numpy()[at]
    expected = GaussianNB().fit(made, data[target].iloc[at], sample_weight=weights)
    for name in ("theta_", "var_", "class_prior_", "class_count_"):
        given = getattr(model, name)
        np.testing.assert_allclose(given, getattr(expected, name), rtol=1e-9, atol=1e-12)
    assert model.epsilon_ == pytest.approx(expected.epsilon_)
    assert model.classes_.tolist() == expected.classes_.tolist()


def test_numbers_are_not_calibrated():
    with pytest.raises(PenstockError, match="the task is regression; it is for classes"):
        trained("regression", calibration="sigmoid")


def test_columns_that_are_left_out_may_be_sent_to_the_model():
    data = odd().drop(columns=["lists"])
    model = penstock.train(data, "late").model
    assert len(model.predict(data.drop(columns="late"))) == len(data)
    assert model.schema["id"].type == "ignored"


def test_treatments_can_be_said():
    result = penstock.train(odd(), "late", drop=["told"], features={"hour": "levels"})
    treated = {each.name: (each.treatment, each.reason) for each in result.features}
    assert treated["hour"] == ("levels", "as said")
    assert treated["told"] == ("drop", "as said")


def test_steps_of_ones_own_take_the_place_of_what_is_proposed():
    steps = make_column_transformer((StandardScaler(), ["hour"]))
    data, target = asking("binary")
    result = penstock.train(data, target, algorithm="glm", steps=steps)
    assert result.pipeline[0].transformers_[0][2] == ["hour"]
    assert [field.name for field in result.model.schema.inputs if field.type != "ignored"] == [
        "hour"
    ]


def test_many_levels_are_grouped_and_unseen_ones_are_taken():
    random = np.random.default_rng(0)
    data = pd.DataFrame({"city": random.integers(0, 300, 3000).astype(str), "x": 1.0})
    data["late"] = random.random(3000) < 0.3
    for algorithm in ("gbm", "glm", "forest"):
        model = penstock.train(data, "late", algorithm=algorithm).model
        assert 0 < model.predict({"city": "elsewhere"})["probability"][True] < 1


def test_data_comes_in_any_form(tmp_path):
    data, target = asking("binary")
    digest = penstock.train(data, target).model.digest
    data.to_parquet(tmp_path / "rows.parquet")
    assert penstock.train(tmp_path / "rows.parquet", target).model.digest == digest
    table = pa.Table.from_pandas(data)
    assert penstock.train(table, target).model.predict({"hour": 8})["label"] in ("yes", "no")


def test_the_same_recipe_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        trained(seed=7).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    trained(seed=8).save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


def test_the_artifact_keeps_where_it_comes_from():
    result = trained(parameters={"num_leaves": 7})
    provenance = result.model.manifest["provenance"]
    assert provenance["training"]["recipe"] == result.recipe.digest
    assert provenance["metrics"]["auc"] == result.metrics["auc"]
    assert provenance["recipe"] == {"target": "late", "parameters": {"num_leaves": 7}}
    assert "algorithm gbm" in result.model.card


def test_whatever_happens_is_told():
    events = []
    trained(on_event=events.append)
    kinds = [event.kind for event in events]
    assert kinds[0] == "data" and kinds[-1] == "model"
    assert {"step", "progress"} <= set(kinds)
    assert all(event.text for event in events)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"algoritm": "gbm"}, "no setting `algoritm`; did you mean `algorithm`?"),
        ({"algorithm": "svm"}, "`algorithm` is 'svm'; it must be one of `auto`"),
        ({"holdout": 2}, "`holdout` is 2; it must be at most 0.9"),
        ({"holdout": True}, "`holdout` is True; it must be a number"),
        ({"calibration": "platt"}, "it must be one of `sigmoid`, `isotonic`"),
        ({"interactions": ["hour"]}, "it must be lists of columns, as [["),
        ({"interactions": [["hours"]]}, "`interactions` names `hours`, which is no column"),
        ({"interactions": [["hour"]], "algorithm": "forest"}, '"forest" cannot; `gbm` and'),
        ({"parameters": {"family": "normal"}, "algorithm": "glm"}, "`family` is 'normal'; it must"),
        ({"parameters": {"family": "gamma"}, "algorithm": "glm"}, "does not fit a binary target"),
        ({"drop": ["hours"]}, "`drop` names `hours`, which is no column"),
        ({"features": {"hour": "date"}}, "the treatment of `hour` is 'date'"),
        ({"features": {"hour": "dates"}}, "`hour` cannot be dates, as it holds number"),
        ({"features": {"hour": "text"}}, "`hour` cannot be text, as it holds number"),
        ({"split": "time"}, "needs `split_column`"),
        ({"parameters": {"leaves": 3}, "algorithm": "glm"}, "has no parameter `leaves`"),
        ({"monotone": {"hour": 1}, "algorithm": "glm"}, '"glm" cannot; `gbm` and `xgboost` can'),
        ({"monotone": {"carrier": 1}}, "`carrier` is no number that the model reads"),
        ({"threshold": "best"}, "`threshold` is 'best'; it must be"),
        ({"positive": "maybe"}, "`positive` is 'maybe', which column `late` never is"),
        ({"memory": 0.01, "rows": 90000}, "GB are free; take fewer rows"),
    ],
)
def test_wrong_settings_are_refused(settings, said):
    with pytest.raises(PenstockError) as raised:
        trained(**settings)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (pd.DataFrame({"x": [1, 2], "y": [1, 1]}), "has only the value [1]"),
        (pd.DataFrame({"x": [1, 2], "y": [None, None]}), "missing in every row"),
        (pd.DataFrame({"x": [1] * 90, "y": [0, 1, 0] * 30}), "no column is left to learn from"),
        (pd.DataFrame({"x": [1, 2, 3], "y": [0, 1, 0]}), "the rows cannot be split"),
        ({"x": [1]}, "`target` is `y`, which is no column; there are `x`"),
        (17, "a `int` is no table"),
        ("s4://rows.csv", "`s4:` is not known"),
    ],
)
def test_data_that_nothing_can_be_learned_from_is_refused(data, said):
    with pytest.raises(PenstockError) as raised:
        penstock.train(data, "y")
    assert said in str(raised.value)
