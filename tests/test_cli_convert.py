"""`penstock convert`: model files of every kind, what is refused, and what their rows are."""

import contextlib
import json
import pickle
import sqlite3
from pathlib import Path

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import penstock
from tests.test_cli import run, wrong


def frame(rows=120):
    random = np.random.default_rng(0)
    made = pd.DataFrame(
        {"normal": random.normal(size=rows), "count": random.integers(0, 9, size=rows) + 0.5}
    )
    made["late"] = (made["normal"] + made["count"] > 4).astype(int)
    return made


INPUTS = ["normal", "count"]


def fitted(estimator):
    data = frame()
    return estimator.fit(data[INPUTS], data["late"])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in that has rows in every format."""
    monkeypatch.chdir(tmp_path)
    data = frame()
    data.to_csv("rows.csv", index=False)
    data.to_parquet("rows.parquet")
    data.to_feather("rows.arrow")
    data.to_json("rows.ndjson", orient="records", lines=True, double_precision=15)
    return tmp_path


def lightgbm_text(path):
    fitted(lightgbm.LGBMClassifier(n_estimators=4, verbose=-1)).booster_.save_model(path)


def xgboost_file(path):
    fitted(xgboost.XGBClassifier(n_estimators=4)).get_booster().save_model(path)


def pipeline():
    return fitted(make_pipeline(StandardScaler(), LogisticRegression()))


FILES = {
    "late.txt": lightgbm_text,
    "late.json": xgboost_file,
    "late.ubj": xgboost_file,
    "late.skops": lambda path: skops.io.dump(pipeline(), path),
}


@pytest.mark.parametrize("name", FILES)
def test_model_files_that_hold_data_only_convert_directly(folder, capfd, name):
    FILES[name](name)
    code, out, err = run(
        capfd, "convert", name, "--example", "rows.parquet", "-o", "late.penstock", "--drop", "late"
    )
    assert (code, out) == (0, ""), err
    assert err.startswith("`late.penstock`: late 1, 2 inputs, ")
    model = penstock.load("late.penstock")
    assert [field.name for field in model.schema.inputs] == INPUTS
    assert model.examples


@pytest.mark.parametrize("data", ["rows.csv", "rows.parquet", "rows.arrow", "rows.ndjson"])
def test_a_model_that_knows_its_columns_finds_them_in_rows_of_any_format(folder, capfd, data):
    skops.io.dump(pipeline(), "late.skops")
    options = ("--name", "flights", "--version", "7")
    code, _, err = run(
        capfd, "convert", "late.skops", "--example", data, "-o", "late.penstock", *options
    )
    assert code == 0, err
    model = penstock.load("late.penstock")
    assert (model.name, model.version) == ("flights", "7")
    expected = pipeline().predict_proba(frame()[INPUTS])[:, 1]
    given = model.predict(frame()[INPUTS])["probability_1"]
    np.testing.assert_allclose(given, expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["late.pkl", "late.pickle", "late.joblib"])
def test_pickles_need_trust_because_they_run_code(folder, capfd, name):
    dump = (
        joblib.dump
        if name.endswith("joblib")
        else lambda m, p: Path(p).write_bytes(pickle.dumps(m))
    )
    dump(pipeline(), name)
    command = ("convert", name, "--example", "rows.csv", "-o", "late.penstock")
    assert wrong(capfd, *command) == (
        f"`{name}` is a pickle, and loading it runs code that is in it; "
        "if you trust whoever made it, load it with --trust"
    )
    assert not Path("late.penstock").exists()
    assert run(capfd, *command, "--trust")[0] == 0


class Explosive:
    def __reduce__(self):
        return exec, ("open('exploded', 'w').close()",)


def test_no_code_runs_without_trust(folder, capfd):
    for name in ("late.pkl", "late.joblib", "late.skops", "late.txt", "late.json", "late.ubj"):
        Path(name).write_bytes(pickle.dumps(Explosive()))
        wrong(capfd, "convert", name, "--example", "rows.csv", "-o", "late.penstock")
    assert not Path("exploded").exists()


def test_types_that_skops_does_not_know_need_trust(folder, capfd):
    strange = make_pipeline(
        FunctionTransformer(np.log1p), lightgbm.LGBMClassifier(n_estimators=2, verbose=-1)
    )
    data = frame()
    strange.fit(data[INPUTS].abs(), data["late"])
    skops.io.dump(strange, "late.skops")
    command = ("convert", "late.skops", "--example", "rows.csv", "-o", "late.penstock")
    said = wrong(capfd, *command)
    assert said.startswith("`late.skops` holds types that skops does not know to be safe: ")
    assert "`lightgbm.sklearn.LGBMClassifier`" in said
    assert said.endswith("if you trust the file, load it with --trust")
    assert "does not know" not in run(capfd, *command, "--trust")[2]


def test_files_that_cannot_be_loaded_are_named(folder, capfd):
    rows = ("--example", "rows.csv", "-o", "late.penstock")
    said = wrong(capfd, "convert", "late.onnx", *rows)
    assert said.startswith("`late.onnx` is no model file by its name; known are `.txt`, `.json`")
    assert "No such file" in wrong(capfd, "convert", "late.txt", *rows)
    Path("late.txt").write_text("no tree at all")
    assert wrong(capfd, "convert", "late.txt", *rows, "--drop", "late")
    Path("late.json").write_text("{}")
    assert wrong(capfd, "convert", "late.json", *rows, "--drop", "late")
    Path("late.pkl").write_bytes(b"cmissing_library\nThing\n.")
    said = wrong(capfd, "convert", "late.pkl", *rows, "--trust")
    assert said.startswith(
        "`late.pkl` cannot be loaded (ModuleNotFoundError: No module named 'missing"
    )
    Path("late.pkl").write_bytes(pickle.dumps({"model": 1}))
    assert "`builtins.dict` is not supported" in wrong(
        capfd, "convert", "late.pkl", *rows, "--trust"
    )


def test_examples_that_do_not_fit_are_told_why(folder, capfd):
    skops.io.dump(pipeline(), "late.skops")
    command = ("convert", "late.skops", "-o", "late.penstock", "--example")
    assert "No such file" in wrong(capfd, *command, "none.csv")
    Path("rows.word").write_text("")
    assert "the format of `rows.word` is not known" in wrong(capfd, *command, "rows.word")
    said = wrong(capfd, *command, "rows.csv", "--drop", "latte")
    assert said == "--drop: the example has no column `latte`"
    frame().drop(columns="count").to_csv("short.csv", index=False)
    said = wrong(capfd, *command, "short.csv")
    assert said == (
        "the example has no column `count`, which the model was trained on; "
        "it has: `normal`, `late`"
    )
    Path("broken.parquet").write_bytes(b"nothing of the kind")
    assert "`broken.parquet` cannot be read as parquet" in wrong(capfd, *command, "broken.parquet")
    Path("empty.csv").write_text("")
    assert "`empty.csv` cannot be read as csv" in wrong(capfd, *command, "empty.csv")
    frame().iloc[:0].to_csv("none.csv", index=False)
    assert "no rows" in wrong(capfd, *command, "none.csv")
    said = wrong(capfd, "convert", "late.skops", "-o", "late.penstock", code=2)
    assert "Missing option '--example'" in said


@pytest.mark.parametrize("name", ["late.txt", "late.json", "late.ubj"])
def test_a_file_of_a_booster_finds_its_columns(folder, capfd, name):
    FILES[name](name)
    command = ("convert", name, "-o", "late.penstock", "--example")
    assert run(capfd, *command, "rows.csv")[0] == 0
    renamed = frame().rename(columns={"count": "other"})
    renamed.to_csv("renamed.csv", index=False)
    assert wrong(capfd, *command, "renamed.csv") == (
        "the model was trained on 2 columns, and the example has 3: `normal`, `other`, `late`; "
        "name with --drop those that it was not trained on"
    )


def test_without_a_proof_the_artifact_is_made_as_well(folder, capfd):
    skops.io.dump(pipeline(), "late.skops")
    command = ("convert", "late.skops", "--example", "rows.csv", "-o", "late.penstock")
    assert run(capfd, *command, "--no-verify")[0] == 0
    assert run(capfd, "verify", "late.penstock")[0] == 0
    answer = run(capfd, "predict", "late.penstock", '{"normal": 1, "count": 2}')[1]
    assert json.loads(answer)["label"] in (0, 1)


def test_the_example_may_be_a_query_of_a_database(folder, capfd):
    lightgbm_text("late.txt")
    with contextlib.closing(sqlite3.connect("rows.db")) as connection:
        frame().to_sql("flights", connection, index=False)
    command = ("convert", "late.txt", "--example", "sqlite:rows.db", "-o", "late.penstock")
    assert "name a `query` or a `table`" in wrong(capfd, *command)
    for options in (("--from-table", "flights"), ("--query", "SELECT * FROM flights")):
        code, _, err = run(capfd, *command, *options, "--drop", "late")
        assert code == 0 and "2 inputs" in err
    options = ("--from-table", "flights", "--types", "count=text", "--drop", "late")
    assert "count" in wrong(capfd, *command, *options)
