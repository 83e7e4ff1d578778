"""docs/format.md is enough to write a reader: one on zipfile, json, numpy and safetensors alone."""

import hashlib
import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load as load_tensors
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

import penstock


class Reader:
    """A reader of the format that shares no line with Penstock."""

    def __init__(self, data):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        self.manifest = json.loads(entries["manifest.json"])
        assert self.manifest["min_reader"] <= 1
        for name, entry in self.manifest["entries"].items():
            assert hashlib.sha256(entries[name]).hexdigest() == entry["sha256"]
            assert len(entries[name]) == entry["size"]
        self.tensors = load_tensors(entries["tensors.safetensors"])
        self.examples = json.loads(entries["examples.json"])

    def predict(self, row):
        values = {f"field:{name}": [number(value)] for name, value in row.items()}
        for node in self.manifest["graph"]["nodes"]:
            inputs = [values[name] for name in node["inputs"]]
            values[node["name"]] = OPERATORS[node["operator"]](self, node["fields"], inputs)
        return {
            output["name"]: values[output["node"]][0]
            for output in self.manifest["schema"]["outputs"]
        }

    def tensor(self, field):
        return self.tensors[field["tensor"]]


def number(value):
    spelled = {None: np.nan, "Infinity": np.inf, "-Infinity": -np.inf}
    return float(spelled.get(value, value))


def concat(reader, fields, inputs):
    return [element for value in inputs for element in value]


def select(reader, fields, inputs):
    return [inputs[0][index] for index in reader.tensor(fields["indices"])]


def require(reader, fields, inputs):
    return inputs[0]


def arithmetic(reader, fields, inputs):
    functions = {"subtract": np.subtract, "divide": np.divide, "add": np.add}
    operands = reader.tensor(fields["operands"])
    return list(functions[fields["function"]](inputs[0], operands))


def linear(reader, fields, inputs):
    coefficients = reader.tensor(fields["coefficients"])
    coefficients = coefficients.reshape(-1, len(inputs[0]))
    return list(coefficients @ np.array(inputs[0]) + reader.tensor(fields["intercepts"]))


def trees(reader, fields, inputs):
    assert fields["comparison"] == "less_equal"
    assert fields["accumulate"] == "f64"
    arrays = {name: reader.tensor(fields[name]) for name in TREE_ARRAYS}
    leaves = reader.tensor(fields["leaves"])
    sums = reader.tensor(fields["start"]).copy()
    first = 0
    for end, output in zip(arrays["ends"], arrays["outputs"], strict=True):
        node = first
        while arrays["features"][node] >= 0:
            x = inputs[0][arrays["features"][node]]
            x = float(np.float32(x)) if fields["precision"] == "f32" else x
            side = "left" if x <= arrays["thresholds"][node] else "right"
            node = first + arrays[side][node]
        sums[output] += leaves.reshape(len(leaves), -1)[arrays["left"][node], 0]
        first = end
    return list(sums / fields["divisor"])


TREE_ARRAYS = ("ends", "features", "thresholds", "left", "right", "outputs")
OPERATORS = {
    "arithmetic": arithmetic,
    "concat": concat,
    "linear": linear,
    "require": require,
    "select": select,
    "trees": trees,
}

ESTIMATORS = {
    "linear model": make_pipeline(StandardScaler(), LinearRegression()),
    "tree": DecisionTreeRegressor(max_depth=4, random_state=0),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_foreign_reader_evaluates_the_artifact(name, tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(200, 3)), columns=["a", "b", "c"])
    estimator = ESTIMATORS[name].fit(frame, frame["a"] * 2 + frame["b"].abs())
    path = tmp_path / "model.penstock"
    penstock.convert(estimator, frame).save(path)

    reader = Reader(path.read_bytes())

    rows = [row for row in frame.to_dict("records")]
    answers = [reader.predict(row)["value"] for row in rows]
    np.testing.assert_allclose(answers, estimator.predict(frame), rtol=1e-12)
    pairs = zip(reader.examples["rows"], reader.examples["expected"], strict=True)
    answered = [(row, expected) for row, expected in pairs if "error" not in expected]
    assert len(answered) > 10
    for row, expected in answered:
        assert reader.predict(row)["value"] == pytest.approx(number(expected["value"]), rel=1e-12)


def test_the_same_model_gives_the_same_bytes(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]})
    estimator = LinearRegression().fit(frame, [1.0, 2.0, 3.0, 5.0])
    for name in ("first", "second"):
        penstock.convert(estimator, frame, name="line").save(tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
