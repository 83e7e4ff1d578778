"""docs/format.md is true, and enough to write a reader: `tests/foreign_reader.py` is one."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor
from xgboost import XGBClassifier

import penstock
from penstock import _core
from penstock.artifact import canonical_json, safetensors
from penstock.graph import Tensor
from penstock.model import Model
from penstock.schema import WORDS
from tests import contract
from tests.foreign_reader import Reader, Refused

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
NUMBERS = ["normal", "large", "counts"]
TEXTS = ["color", "town"]


def linear_model():
    frame = contract.numbers()
    pipeline = make_pipeline(StandardScaler(), LinearRegression())
    return pipeline.fit(frame, contract.amount(frame)), frame


def tree():
    frame = contract.numbers()
    return DecisionTreeRegressor(max_depth=4).fit(frame, contract.amount(frame)), frame


def columns(texts):
    return make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMBERS),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), texts), TEXTS),
    )


def logistic_pipeline():
    frame = contract.mixed()
    pipeline = make_pipeline(columns(OneHotEncoder()), LogisticRegression())
    return pipeline.fit(frame, contract.answer(frame)), frame


def forest_pipeline():
    frame = contract.mixed()
    encoder = OneHotEncoder(handle_unknown="ignore", drop="first")
    forest = RandomForestClassifier(n_estimators=5, max_depth=5, random_state=0)
    pipeline = make_pipeline(columns(encoder), forest)
    return pipeline.fit(frame, contract.answer(frame, ["a", "b", "c"])), frame


def ordinal_boosting():
    frame = contract.mixed()
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    transformer = make_column_transformer(("passthrough", NUMBERS), (codes, TEXTS))
    boosting = HistGradientBoostingClassifier(max_iter=5, categorical_features=[3, 4])
    return make_pipeline(transformer, boosting).fit(frame, contract.answer(frame)), frame


def categories():
    frame = contract.numbers(missing=True)
    frame["size"] = contract.mixed()["size"]
    return frame


def lightgbm_with_categories():
    frame = categories()
    model = LGBMClassifier(n_estimators=5, num_leaves=7, min_child_samples=5, verbosity=-1)
    return model.fit(frame, contract.answer(frame, [1, 2, 3])), frame


def xgboost_with_categories():
    frame = categories()
    model = XGBClassifier(n_estimators=5, max_depth=3, enable_categorical=True)
    return model.fit(frame, contract.answer(frame, [0, 1])), frame


MODELS = (
    *(linear_model, tree, logistic_pipeline, forest_pipeline, ordinal_boosting),
    *(lightgbm_with_categories, xgboost_with_categories),
)


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_a_foreign_reader_answers_the_examples(make, tmp_path):
    penstock.convert(*make()).save(tmp_path / "model.penstock")

    reader = Reader((tmp_path / "model.penstock").read_bytes())

    assert reader.verify() > 20


@pytest.mark.parametrize("make", [linear_model, tree], ids=lambda make: make.__name__)
def test_a_foreign_reader_predicts_as_the_source_library(make, tmp_path):
    estimator, frame = make()
    penstock.convert(estimator, frame).save(tmp_path / "model.penstock")

    reader = Reader((tmp_path / "model.penstock").read_bytes())

    answers = [reader.predict(row)["value"] for row in frame.to_dict("records")]
    np.testing.assert_allclose(answers, estimator.predict(frame), rtol=1e-12)


def test_policies_mean_what_the_page_says(tmp_path):
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 5.0, 1.0]})
    pipeline = make_pipeline(SimpleImputer(), LinearRegression())
    policies = {
        "a": penstock.Field(minimum=0, maximum=2, on_range="clip", infinite="refuse"),
        "b": penstock.Field(minimum=0, on_invalid="missing"),
    }
    model = penstock.convert(pipeline.fit(frame, [1.0, 2.0, 3.0, 5.0]), frame, policies=policies)
    model.save(tmp_path / "model.penstock")
    reader = Reader((tmp_path / "model.penstock").read_bytes())
    rows = [(a, b) for a in (-1, 1.5, 9, None, "x", 2**60) for b in (-1, 0, None, "x", 2**60)]

    for a, b in [*rows, (np.inf, 1), (-np.inf, 1)]:
        (given,) = model.predict([{"a": a, "b": b}], on_error="return")
        if isinstance(given, penstock.DataError):
            with pytest.raises(Refused):
                reader.predict({"a": a, "b": b})
        else:
            assert reader.predict({"a": a, "b": b})["value"] == pytest.approx(given["value"])


def test_the_same_model_gives_the_same_bytes(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]})
    estimator = LinearRegression().fit(frame, [1.0, 2.0, 3.0, 5.0])
    for name in ("first", "second"):
        penstock.convert(estimator, frame, name="line").save(tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


# -- the page against the code --


def rows(title):
    """The cells of the tables in a section, without heads and rulers."""
    section = PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [
        row for at, row in enumerate(cells) if not ruled(cells, at) and not ruled(cells, at + 1)
    ]


def ruled(cells, at):
    return at < len(cells) and set("".join(cells[at])) == {"-"}


def test_the_page_has_every_operator():
    # The fields of `trees` have a table of their own, in which every name is followed by a type.
    named = {row[0].strip("`") for row in rows("Operators, all version 1") if len(row) > 2}
    assert dict.fromkeys(named | {"trees"}, 1) == dict(_core.operators())


def test_the_page_has_every_function():
    (listed,) = re.findall(r"Functions are those of numpy.*?;(?s:.)*?`sigmoid`", PAGE, re.DOTALL)
    assert sorted(re.findall(r"`(\w+)`", listed)) == sorted(_core.functions())


def test_the_page_has_every_word_of_a_field():
    listed = {row[0].strip("`"): re.findall(r"`(\w+)`", row[1]) for row in rows("manifest.json")}
    for key in WORDS.keys() - {"kind"}:
        assert listed[key] == list(WORDS[key])


def test_the_page_has_every_limit_as_it_is():
    source = "".join(
        (ROOT / "rust" / "core" / "src" / name).read_text()
        for name in ("budgets.rs", "trees/mod.rs")
    )
    constants = re.findall(r"pub const ((?:MAX|FREE)_\w+): \w+ = ([\d_]+)(?: << (\d+))?;", source)
    limits = {name: int(value) << int(shift or 0) for name, value, shift in constants}
    assert {row[2].strip("`"): int(row[1].replace(",", "")) for row in rows("Limits")} == limits


TYPES = {"F64": "<f8", "I32": "<i4", "U32": "<u4", "U8": "u1"}


def example():
    """The artifact at the end of the page, as its bytes and its digest."""
    section = PAGE.split("## A whole artifact\n", 1)[1]
    manifest, examples = map(json.loads, re.findall(r"```json\n(.*?)```", section, re.DOTALL))
    tensors = {}
    for name, dtype, shape, values in rows("A whole artifact"):
        array = np.array(json.loads(f"[{values}]"), TYPES[dtype]).reshape(json.loads(shape))
        tensors[name.strip("`")] = Tensor(dtype, array.shape, array.tobytes())
    (card,) = re.findall(r"`card.md` is the line `(.*)`", section)
    (digest,) = re.findall(r"^`([0-9a-f]{64})`", section, re.MULTILINE)
    entries = (
        canonical_json(manifest, indent=1),
        safetensors(tensors),
        canonical_json(examples),
        f"{card}\n".encode(),
    )
    return entries, digest


def test_the_artifact_on_the_page_loads_and_has_its_digest():
    entries, digest = example()

    model = Model(_core.pack(*entries))

    assert len(model.examples) == 5
    assert model.digest == digest == hashlib.sha256(entries[0]).hexdigest()


def test_a_foreign_reader_answers_the_artifact_on_the_page():
    entries, digest = example()

    reader = Reader(_core.pack(*entries))

    assert (reader.verify(), reader.digest) == (5, digest)
