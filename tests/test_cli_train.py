"""`penstock train` and `penstock init`: options, recipes, conditions, and what is told where."""

import json
import re
import sqlite3
import tomllib
from pathlib import Path

import jsonschema
import pytest

import penstock
from penstock.training.recipes import schema
from tests.pages import ROOT
from tests.test_cli import run, wrong
from tests.worlds import asking


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in that has rows."""
    monkeypatch.chdir(tmp_path)
    asking("binary")[0].to_csv("flights.csv", index=False)
    return tmp_path


def test_train_writes_an_artifact_and_shows_what_it_did(folder, capfd):
    code, out, err = run(capfd, "train", "flights.csv", "--target", "late", "-o", "late.penstock")
    assert code == 0, err
    assert "metrics on 120 held-out rows" in out and "carrier   text" in out
    assert "600 rows, 5 columns; `late` is binary" in err
    assert err.splitlines()[-1].startswith("`late.penstock`: ")
    model = penstock.load("late.penstock")
    assert model.name == "late"
    assert set(model.predict({"hour": 22})["probability"]) == {"yes", "no"}


def test_options_are_the_settings_of_a_recipe(folder, capfd):
    options = ("--algorithm", "glm", "--drop", "heavy,month", "--folds", "3", "--name", "mine")
    lines = ("--set", "parameters.alpha=0.5", "--set", "threshold={rate=0.1}")
    code, _, err = run(
        capfd, "train", "flights.csv", "--target", "late", *options, *lines, "-o", "x.penstock"
    )
    assert code == 0, err
    assert "fold 3 of 3" in err
    model = penstock.load("x.penstock")
    assert model.name == "mine"
    assert model.manifest["provenance"]["recipe"] == {
        "target": "late",
        "algorithm": "glm",
        "name": "mine",
        "drop": ["heavy", "month"],
        "parameters": {"alpha": 0.5},
        "folds": 3,
        "threshold": {"rate": 0.1},
    }


def test_a_condition_that_is_not_met_ends_with_1_and_no_artifact(folder, capfd):
    command = ("train", "flights.csv", "--target", "late", "-o", "late.penstock")
    code, _, err = run(capfd, *command, "--require", "auc>=0.5", "--require", "log_loss<0.001")
    assert code == 1
    assert "`log_loss<0.001` is not met: log_loss is 0." in err
    assert not Path("late.penstock").exists()
    assert run(capfd, *command, "--require", "auc>=0.5")[0] == 0
    assert wrong(capfd, *command, "--require", "auc") == (
        "`auc` is no condition; write one as `auc>=0.79`"
    )


def test_a_recipe_that_init_writes_trains_as_it_is(folder, capfd):
    assert run(capfd, "init", "flights.csv", "--target", "late", "-o", "late.toml")[0] == 0
    with Path("late.toml").open("a") as file:
        file.write("\n[parameters]\nnum_leaves = 5\n")
    text = Path("late.toml").read_text().replace("# output = ", "output = ")
    Path("late.toml").write_text(text)
    code, _, err = run(capfd, "train", "late.toml")
    assert code == 0, err
    first = Path("model.penstock").read_bytes()
    assert run(capfd, "train", "late.toml")[0] == 0
    assert Path("model.penstock").read_bytes() == first
    options = ("--seed", "1", "-o", "other.penstock")
    assert run(capfd, "train", "late.toml", *options)[0] == 0
    recipe = penstock.load("other.penstock").manifest["provenance"]["recipe"]
    assert recipe == {"target": "late", "seed": 1, "parameters": {"num_leaves": 5}}


def test_a_recipe_reads_a_database_beside_it(folder, capfd):
    Path("there").mkdir()
    with sqlite3.connect("there/flights.db") as connection:
        asking("binary")[0].to_sql("flights", connection, index=False)
    code, _, err = run(
        capfd, "init", "sqlite:there/flights.db", "--target", "late", "-o", "there/late.toml"
    )
    assert code == 0, err
    lines = Path("there/late.toml").read_text()
    assert 'source = "sqlite:flights.db"' in lines
    lines = lines.replace('# query = "SELECT * FROM flights"', 'query = "SELECT * FROM flights"')
    Path("there/late.toml").write_text(lines)
    code, out, err = run(capfd, "train", "there/late.toml", "--set", 'types.month = "text"')
    assert code == 0, err
    assert "600 rows, 5 columns" in err
    assert "month     text" in out


def test_bad_lines_are_left_out_and_told(folder, capfd):
    with Path("flights.csv").open("a") as file:
        file.write("1,2\n")
    code, _, err = run(capfd, "train", "flights.csv", "--target", "late")
    assert code == 0, err
    assert "warning: 1 bad line left out: row 600 of the CSV file has 2 fields" in err


def test_init_does_not_overwrite(folder, capfd):
    Path("recipe.toml").write_text("mine")
    said = wrong(capfd, "init", "flights.csv", "--target", "late")
    assert said.startswith("`recipe.toml` is there already")


def test_every_comment_of_a_recipe_is_a_setting_that_may_stand_there(folder, capfd):
    run(capfd, "init", "flights.csv", "--target", "late")
    lines = Path("recipe.toml").read_text().splitlines()
    alive = [line.removeprefix("# ") for line in lines if re.match(r"(# )?(\w+ = |\[)", line)]
    found = tomllib.loads("\n".join(alive))
    jsonschema.validate(found, schema())
    assert set(found) == set(schema()["properties"]) - {"x"}


def test_the_schema_of_recipes_is_published():
    page = json.loads((ROOT / "docs" / "recipe.schema.json").read_text(encoding="utf-8"))
    assert page == schema()
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"source": "a", "target": "b", "algorithm": "svm"}, page)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('target = "late"', "`source` is not given"),
        ('source = "flights.csv"', "`target` is not given"),
        ('source = "flights.csv"\ntarget = "late"\nfold = 3', "did you mean `folds`?"),
        ("source = flights", "`recipe.toml` is no TOML"),
        ('source = "gone.csv"\ntarget = "late"', "`gone.csv`: No such file"),
        ('source = "flights.csv"\ntarget = "late"\nrequire = "auc"', "must be a list"),
    ],
)
def test_wrong_recipes_are_refused(folder, capfd, text, said):
    Path("recipe.toml").write_text(text)
    assert said in wrong(capfd, "train", "recipe.toml").replace("./", "")
