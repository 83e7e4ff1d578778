"""`Model.explain`: forms of rows, sums, reasons, errors, linear models, and what is refused."""

import json
import pickle
import threading
from functools import cache
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, OneHotEncoder, PolynomialFeatures, StandardScaler

import penstock
from penstock.model import Model
from tests import contract
from tests.hostile.forge import Forgery

FRAME = contract.mixed().drop(columns="word")
INPUTS = ["normal", "large", "counts", "signed", "color", "town"]


def columns(texts=None):
    texts = texts or OneHotEncoder(handle_unknown="ignore")
    return make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), INPUTS[:4]), (texts, INPUTS[4:])
    )


def pipeline(estimator, classes=("no", "yes")):
    return make_pipeline(columns(), estimator).fit(FRAME, contract.answer(FRAME, classes))


@cache
def forest():
    return penstock.convert(pipeline(RandomForestClassifier(5, max_depth=6, random_state=0)), FRAME)


@cache
def binary():
    options = {"n_estimators": 8, "num_leaves": 8, "verbose": -1}
    return penstock.convert(pipeline(lightgbm.LGBMClassifier(**options)), FRAME)


def sums(answer):
    return answer["base"] + sum(answer["contributions"].values())


# -- forms --


@pytest.mark.parametrize("make", [binary, forest])
def test_kernels_explain_and_predict_with_the_same_bits(make, monkeypatch):
    rows = FRAME[INPUTS].head(70)
    expected = [make().explain(rows), make().predict(rows)]
    monkeypatch.setenv("PENSTOCK_KERNEL", "scalar")
    model = pickle.loads(pickle.dumps(make()))
    answers = [model.explain(rows), model.predict(rows)]
    for frame, other in zip(expected, answers, strict=True):
        pd.testing.assert_frame_equal(frame, other, check_exact=True)


def test_a_row_is_explained_by_its_inputs():
    model = binary()
    row = FRAME.iloc[0].to_dict()
    answer = model.explain(row)
    assert list(answer) == ["base", "contributions", "raw"]
    assert list(answer["contributions"]) == INPUTS
    assert answer["raw"] == model.predict(row)["raw"]
    assert answer["raw"] == pytest.approx(sums(answer), abs=1e-12)


def test_several_raw_scores_are_explained_by_class():
    model = forest()
    answer = model.explain(FRAME.iloc[0].to_dict())
    assert [list(part) for part in answer.values()] == [["no", "yes"]] * 3
    assert list(answer["contributions"]["yes"]) == INPUTS
    shares = model.predict(FRAME.iloc[0].to_dict())["probability"]
    assert answer["raw"] == shares
    for name in shares:
        brought = sum(answer["contributions"][name].values())
        assert answer["base"][name] + brought == pytest.approx(shares[name], abs=1e-12)


@pytest.mark.parametrize("make", [binary, forest])
def test_rows_lists_tables_and_threads_give_the_same_bits(make):
    model = make()
    rows = pd.concat([FRAME] * 2, ignore_index=True)
    records = rows.to_dict("records")
    table = model.explain(rows, threads=1)
    assert table.equals(model.explain(rows, threads=3))
    assert (
        table.iloc[7:8]
        .reset_index(drop=True)
        .equals(model.explain(rows.iloc[7:8]).reset_index(drop=True))
    )
    listed = model.explain(records)
    assert listed[::50] == [model.explain(row) for row in records[::50]]
    for at, answer in enumerate(listed):
        assert list(table.iloc[at]) == flat(answer)


def flat(answer):
    """The values of an explanation in the order of the columns of a table."""
    if isinstance(answer["base"], float):
        return [answer["base"], *answer["contributions"].values(), answer["raw"]]
    values = []
    for name in answer["base"]:
        brought = answer["contributions"][name].values()
        values += [answer["base"][name], *brought, answer["raw"][name]]
    return values


def test_a_table_is_explained_by_a_table_of_the_same_kind():
    model = forest()
    pandas_answer = model.explain(FRAME.set_index(FRAME.index + 7))
    assert list(pandas_answer.index[:2]) == [7, 8]
    names = [
        name
        for label in ("no", "yes")
        for name in (
            f"base_{label}",
            *(f"contribution_{label}_{field}" for field in INPUTS),
            f"raw_{label}",
        )
    ]
    assert list(pandas_answer.columns) == names
    frame = FRAME.drop(columns="size")
    polars_answer = model.explain(polars.from_pandas(frame), 1)
    assert isinstance(polars_answer, polars.DataFrame)
    arrow_answer = model.explain(pyarrow.Table.from_pandas(frame), 1)
    assert isinstance(arrow_answer, pyarrow.Table)
    assert arrow_answer.column_names == polars_answer.columns
    for name in names:
        np.testing.assert_array_equal(polars_answer[name].to_numpy(), pandas_answer[name])
        np.testing.assert_array_equal(arrow_answer[name].to_numpy(), pandas_answer[name])


def test_an_array_is_explained_by_arrays():
    values = FRAME[["normal", "signed"]].fillna(0).to_numpy()
    model = penstock.convert(LinearRegression().fit(values, values.sum(axis=1)), values)
    answer = model.explain(values)
    assert list(answer) == ["base", "contribution_x0", "contribution_x1", "raw"]
    np.testing.assert_allclose(answer["raw"], values.sum(axis=1), atol=1e-9)


def test_a_table_without_rows_has_the_columns():
    answer = binary().explain(FRAME.iloc[:0], 2)
    assert len(answer) == 0 and list(answer.columns[-3:]) == [
        *("reason_2", "reason_2_value", "reason_2_contribution"),
    ]


def test_threads_of_python_share_a_model():
    model = binary()
    expected = model.explain(FRAME)
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(model.explain(FRAME))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4 and all(answer.equals(expected) for answer in answers)


# -- reasons --


def test_reasons_are_the_inputs_that_bring_most_as_they_were_sent():
    row = FRAME.iloc[3].to_dict()
    answer = binary().explain(row, top=3)
    ranked = sorted(answer["contributions"].items(), key=lambda item: -abs(item[1]))
    assert answer["reasons"] == [
        {"input": name, "value": row[name], "contribution": brought} for name, brought in ranked[:3]
    ]


def test_reasons_of_a_table_are_columns():
    model = binary()
    rows = FRAME.assign(town=None)
    rows.loc[0, "town"] = "nowhere, ever"
    table = model.explain(rows, top=6)
    for at, answer in enumerate(model.explain(rows.to_dict("records"), top=6)):
        for place in range(1, 7):
            found = table.loc[at, [f"reason_{place}{end}" for end in ("", "_value")]].tolist()
            if place > len(answer["reasons"]):
                assert pd.isna(found).all()
                continue
            reason = answer["reasons"][place - 1]
            assert found[0] == reason["input"]
            assert table.loc[at, f"reason_{place}_contribution"] == reason["contribution"]
            if pd.isna(reason["value"]):
                assert pd.isna(found[1])
            elif isinstance(reason["value"], float):
                assert float(found[1]) == reason["value"]
            else:
                assert found[1] == reason["value"]


def test_an_input_that_brings_nothing_is_no_reason():
    frame = pd.DataFrame({"a": [0.0, 1.0] * 20, "b": [5.0] * 40})
    options = {"n_estimators": 1, "min_child_samples": 1, "verbose": -1}
    model = penstock.convert(lightgbm.LGBMRegressor(**options).fit(frame, frame["a"]), frame)
    answer = model.explain({"a": 1, "b": 5}, top=2)
    assert answer["contributions"]["b"] == 0
    assert [reason["input"] for reason in answer["reasons"]] == ["a"]


def test_reasons_by_class_are_listed_by_class():
    answer = forest().explain(FRAME.iloc[0].to_dict(), top=1)
    assert list(answer["reasons"]) == ["no", "yes"]
    assert all(len(reasons) == 1 for reasons in answer["reasons"].values())


@pytest.mark.parametrize("top", [0, -1, 1.5, True, "3"])
def test_a_wrong_number_of_reasons_is_refused(top):
    with pytest.raises(penstock.PenstockError, match=r"`top` is .*at least 1"):
        binary().explain(FRAME, top=top)


# -- errors as those of predictions --


def test_refused_rows_are_refused():
    model = binary()
    rows = [FRAME.iloc[0].to_dict(), {**FRAME.iloc[1].to_dict(), "normal": "much"}]
    with pytest.raises(penstock.DataError, match="row 1: column `normal` takes a number"):
        model.explain(rows)
    good, bad = model.explain(rows, on_error="return")
    assert good["raw"] == pytest.approx(sums(good)) and bad.code == "invalid" and bad.row == 1
    frame = FRAME.assign(normal=FRAME["normal"].astype(object))
    frame.loc[5, "normal"] = "much"
    table = model.explain(frame, 1, on_error="return", warnings=True)
    assert table.iloc[5].isna().sum() == len(INPUTS) + 2 + 3
    assert table.loc[5, "error"].startswith("row 5: column `normal`")
    assert table["error"].isna().sum() == len(frame) - 1 and table["warnings"][0] == []
    with pytest.raises(penstock.SchemaError, match="`nothing` is not an input"):
        model.explain({"nothing": 1})


def test_warnings_come_as_with_predictions():
    model = binary()
    row = {**FRAME.iloc[0].to_dict(), "town": "nowhere"}
    assert (
        model.explain(row, warnings=True)["warnings"]
        == model.predict(row, warnings=True)["warnings"]
    )


def test_one_row_of_json_is_explained():
    model = binary()
    row = {"normal": 0.5, "color": "red", "large": None}
    text = json.dumps(row)
    assert model.explain_json(text, 2) == model.explain(row, 2)
    escaped = model.explain_json('{"normal": 2, "color": "r\\u0065d", "large": 7e1}', 3)
    assert escaped == model.explain({"normal": 2, "color": "red", "large": 70.0}, 3)
    for row in ({"normal": 10**20}, {"nothing": 1}):
        with pytest.raises(penstock.PenstockError) as caught:
            model.explain(row)
        with pytest.raises(type(caught.value)) as caught_in_json:
            model.explain_json(json.dumps(row))
        assert str(caught_in_json.value) == str(caught.value)


def test_a_loaded_model_explains_as_before(tmp_path):
    model = forest()
    model.save(tmp_path / "model.penstock")
    loaded = penstock.load(tmp_path / "model.penstock")
    assert loaded.explain(FRAME).equals(model.explain(FRAME))


# -- linear models --


def linear_elements(model, estimator):
    """Coefficient times element, less its mean, by column, of a pipeline of `columns()`."""
    elements = model[:-1].transform(FRAME)
    elements = elements.toarray() if hasattr(elements, "toarray") else elements
    encoder = model[0].named_transformers_["onehotencoder"]
    widths = [1] * 4 + [len(levels) for levels in encoder.categories_]
    owners = np.repeat(np.arange(len(INPUTS)), widths)
    for coefficients in np.atleast_2d(estimator.coef_):
        brought = elements * coefficients
        by_input = np.stack([brought[:, owners == at].sum(axis=1) for at in range(6)], axis=1)
        yield by_input - by_input.mean(axis=0)


@pytest.mark.parametrize("classes", [("no", "yes"), ("a", "b", "c")])
def test_linear_models_are_explained_against_the_means_of_the_example(classes):
    fitted = pipeline(LogisticRegression(max_iter=500), classes)
    model = penstock.convert(fitted, FRAME)
    answers = model.explain(FRAME)
    raw = [name for name in answers if name.startswith("raw")]
    scores = fitted.decision_function(FRAME).reshape(len(FRAME), -1)
    np.testing.assert_allclose(answers[raw], scores, rtol=0, atol=1e-9)
    labels = classes if len(classes) > 2 else ("",)
    for at, wanted in enumerate(linear_elements(fitted, fitted[-1])):
        end = f"_{labels[at]}" if labels[at] else ""
        given = answers[[f"contribution{end}_{name}" for name in INPUTS]]
        np.testing.assert_allclose(given, wanted, rtol=0, atol=1e-9)
        base = answers[f"base{end}"]
        assert base.nunique() == 1 and base[0] == pytest.approx(scores[:, at].mean(), abs=1e-9)


def test_the_score_before_the_link_of_a_regressor_is_explained():
    frame = contract.numbers()[["normal", "signed"]]
    fitted = PoissonRegressor().fit(frame, contract.amount(frame))
    answers = penstock.convert(fitted, frame).explain(frame)
    np.testing.assert_allclose(np.exp(answers["raw"]), fitted.predict(frame), rtol=1e-9)


def test_several_linear_targets_are_explained_each():
    frame = contract.numbers()[["normal", "signed"]]
    fitted = Ridge().fit(frame, np.column_stack([frame["normal"], frame["signed"] * 2]))
    answer = penstock.convert(fitted, frame).explain(frame.iloc[0].to_dict())
    assert list(answer["raw"].values()) == pytest.approx(fitted.predict(frame.head(1))[0].tolist())


def test_linear_boosters_of_xgboost_are_explained():
    frame = contract.numbers()
    fitted = xgboost.XGBRegressor(booster="gblinear", n_estimators=5)
    fitted.fit(frame, contract.amount(frame))
    answers = penstock.convert(fitted, frame).explain(frame)
    data = xgboost.DMatrix(frame)
    theirs = fitted.get_booster().predict(data, pred_contribs=True)[:, :-1]
    given = answers[[f"contribution_{name}" for name in frame]]
    np.testing.assert_allclose(given, theirs - theirs.mean(axis=0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(answers["raw"], fitted.predict(frame), rtol=1e-5)


# -- what cannot be explained --


def refusal(estimator, frame=None, target=None):
    frame = contract.numbers() if frame is None else frame
    target = contract.answer(frame) if target is None else target
    model = penstock.convert(estimator.fit(frame, target), frame)
    row = frame.iloc[0].to_dict()
    model.predict(row)
    with pytest.raises(penstock.PenstockError) as caught:
        model.explain(row)
    assert str(caught.value).startswith("the model cannot be explained: ")
    return str(caught.value)


@pytest.mark.parametrize(
    "step, operator", [(PolynomialFeatures(2), "products"), (Normalizer(), "normalize")]
)
@pytest.mark.parametrize(
    "estimator", [LogisticRegression(max_iter=500), HistGradientBoostingClassifier(max_iter=3)]
)
def test_elements_of_several_inputs_are_refused_by_the_name_of_the_node(step, operator, estimator):
    message = refusal(make_pipeline(StandardScaler(), step, estimator))
    assert f"(operator `{operator}`)" in message and "`normal`, `large`" in message


def test_transformers_are_refused():
    assert "output `features`" in refusal(StandardScaler())


def test_several_models_are_refused_by_the_name_of_the_node_that_joins_them():
    model = Model(Forgery().bytes())
    with pytest.raises(penstock.PenstockError, match="by way of node `both`"):
        model.explain(model.examples[0][0])


def test_artifacts_without_training_rows_predict_and_are_not_explained():
    model = penstock.load(Path(__file__).parent / "golden" / "format-1.penstock")
    row, expected = model.examples[0]
    assert model.predict(row)["label"] == expected["label"]
    with pytest.raises(penstock.PenstockError, match=r"node `.*converted without `c"):
        model.explain(row)


def forged(cover):
    """A tree of three tests with this cover, as a regressor."""
    forgery = Forgery(examples=b'{"expected":[],"rows":[]}\n')
    forgery.tensors["trees.cover"] = np.array(cover, "f8")
    output = {"kind": "number", "names": None, "node": "trees"}
    forgery.manifest["schema"]["outputs"][0] |= output
    return Model(forgery.bytes())


@pytest.mark.parametrize(
    "cover",
    [[0] * 7, [10, 6, 4, 0, 6, 4, 0], [10, 0, 10, 0, 0, 5, 5], [1, 5, 3, 1, 2, 9, 7]],
    ids=["nothing", "empty leaves", "an empty half", "children above their parents"],
)
def test_nodes_without_training_rows_are_explained_in_finite_numbers(cover):
    model = forged(cover)
    for distance in (0.25, 0.75, 3.0, None):
        for carrier in ("UA", "AA", None):
            row = {"distance": distance, "carrier": carrier}
            answer = model.explain(row)
            assert sums(answer) == pytest.approx(answer["raw"], abs=1e-12)
            assert answer["raw"] == model.predict(row)["value"]
            assert all(np.isfinite(list(answer["contributions"].values())))
