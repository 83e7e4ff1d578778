"""`penstock predict --explain`: files, one row, reasons, and what is refused."""

import json

import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor

import penstock
from tests import contract
from tests.test_cli import run, wrong

FRAME = contract.numbers(missing=True)[["normal", "large", "signed"]]
OPTIONS = {"n_estimators": 5, "num_leaves": 8, "min_child_samples": 5, "verbose": -1}


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A model, saved as `late.penstock` in the folder to work in, beside its rows."""
    monkeypatch.chdir(tmp_path)
    fitted = LGBMClassifier(**OPTIONS).fit(FRAME, contract.answer(FRAME))
    converted = penstock.convert(fitted, FRAME)
    converted.save("late.penstock")
    FRAME.to_parquet("rows.parquet")
    FRAME.to_csv("rows.csv", index=False)
    return converted


def test_a_file_is_explained_beside_its_predictions(model, capfd):
    code, _, err = run(
        capfd, "predict", "late.penstock", "rows.parquet", "-o", "out.parquet", "--explain"
    )
    assert (code, err) == (0, "")
    given, predicted = pd.read_parquet("out.parquet"), model.predict(FRAME)
    explained = model.explain(FRAME)
    assert list(given) == [*predicted, *(name for name in explained if name != "raw")]
    pd.testing.assert_frame_equal(given[list(explained)[:-1]], explained.drop(columns="raw"))
    pd.testing.assert_frame_equal(given[list(predicted)], predicted, check_dtype=False)


def test_reasons_can_be_written_as_csv(model, capfd):
    code, out, _ = run(capfd, "predict", "late.penstock", "rows.csv", "--explain", "2")
    assert code == 0
    header, first, *_ = out.splitlines()
    assert header.endswith("reason_2,reason_2_value,reason_2_contribution")
    answer = model.explain(FRAME.iloc[0].to_dict(), top=2)
    reason = answer["reasons"][1]
    value = "" if pd.isna(reason["value"]) else repr(reason["value"])
    assert first.endswith(f"{reason['input']},{value},{reason['contribution']}")


def test_one_row_is_explained(model, capfd):
    row = json.dumps({"normal": 1.5, "large": 2, "signed": None})
    code, out, _ = run(capfd, "predict", "late.penstock", row, "--explain", "1")
    answer = json.loads(out)
    assert code == 0 and answer.pop("explanation") == model.explain_json(row, 1)
    assert answer["label"] == model.predict_json(row)["label"]


def test_refused_rows_are_neither_predicted_nor_explained(model, capfd):
    with open("rows.csv", "w", encoding="utf-8") as file:
        file.write("normal,large,signed\n1,2,3\nx,2,3\n")
    arguments = ("predict", "late.penstock", "rows.csv", "--explain")
    assert "row 1: column `normal`" in wrong(capfd, *arguments)
    code, out, _ = run(capfd, *arguments, "--on-error", "return")
    assert code == 0 and "row 1: column `normal`" in out.splitlines()[2]


def test_a_model_that_cannot_be_explained_says_why(model, capfd):
    from sklearn.preprocessing import StandardScaler

    penstock.convert(StandardScaler().fit(FRAME), FRAME).save("scaler.penstock")
    message = wrong(capfd, "predict", "scaler.penstock", "rows.csv", "--explain")
    assert message.startswith("the model cannot be explained: output `features`")


def test_an_output_named_as_an_explanation_is_refused(model, capfd):
    fitted = LGBMRegressor(**OPTIONS).fit(FRAME.rename(columns={"normal": "base"}), FRAME["signed"])
    penstock.convert(fitted, FRAME.rename(columns={"normal": "base"})).save("late.penstock")
    FRAME.rename(columns={"normal": "base"}).to_csv("rows.csv", index=False)
    message = wrong(capfd, "predict", "late.penstock", "rows.csv", "--explain", "--columns", "base")
    assert "column `base` is to be kept" in message


@pytest.mark.parametrize("top", ["-1", "1.5", "many"])
def test_a_wrong_number_of_reasons_is_wrong_usage(model, capfd, top):
    arguments = ("predict", "late.penstock", "rows.csv", "--explain", top)
    message = wrong(capfd, *arguments, code=2)
    assert "--explain" in message or "No such option" in message


def test_data_behind_explain_is_not_taken_for_a_number_without_a_word(model, capfd):
    code, _, message = run(capfd, "predict", "late.penstock", "--explain", "rows.csv")
    assert code == 2
    assert "if it is DATA, put it before --explain" in message
