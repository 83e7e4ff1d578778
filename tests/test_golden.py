"""An artifact of every format version that was released keeps loading, and answers as ever."""

import json
from pathlib import Path

import pytest

import penstock
from penstock.artifact import FORMAT
from tests.foreign_reader import Reader

FOLDER = Path(__file__).parent / "golden"
ARTIFACTS = sorted(FOLDER.glob("*.penstock"))


def recorded(path):
    return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


def test_every_format_version_has_a_golden_artifact():
    versions = range(1, FORMAT + 1)
    assert [path.name for path in ARTIFACTS] == [f"format-{at}.penstock" for at in versions]


@pytest.mark.parametrize("path", ARTIFACTS, ids=lambda path: path.stem)
def test_a_golden_artifact_loads_and_verifies(path):
    model = penstock.load(path)
    model.verify()
    assert model.digest == recorded(path)["digest"]
    assert Reader(path.read_bytes()).verify() == len(model.examples) > 20


@pytest.mark.parametrize("path", ARTIFACTS, ids=lambda path: path.stem)
def test_a_golden_artifact_answers_what_the_source_library_answered(path):
    known = recorded(path)
    answers = penstock.load(path).predict(known["rows"])
    assert [answer["label"] for answer in answers] == known["label"]
    assert [list(answer["probability"].values()) for answer in answers] == known["probability"]


@pytest.mark.parametrize("path", ARTIFACTS, ids=lambda path: path.stem)
def test_a_golden_artifact_is_saved_as_it_is(path, tmp_path):
    penstock.load(path).save(tmp_path / "again.penstock")
    assert (tmp_path / "again.penstock").read_bytes() == path.read_bytes()
