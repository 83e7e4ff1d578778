"""The operator `linear_leaves` by hand: what it answers, and lies about it."""

import math

import numpy as np
import pytest

from penstock import ArtifactError
from penstock.artifact import Draft
from penstock.graph import Graph, Node, Tensor
from penstock.model import Model
from penstock.schema import Field, Output, Schema

# Three leaves, 10 + x, 0.5 - 2 x + y, and 7; two trees add to two outputs.
FIELDS = {
    "constants": [10.0, 0.5, 7.0],
    "ends": np.array([1, 3, 3], "int32"),
    "features": np.array([0, 0, 1], "int32"),
    "coefficients": [1.0, -2.0, 1.0],
    "values": [-1.0, -2.0, -3.0],
    "outputs": np.array([0, 1], "int32"),
    "start": [100.0, 200.0],
    "flush_zero": True,
}


def opened(fields=FIELDS, inputs=("leaves", "numbers")):
    """The node behind the inputs `first` and `second`, leaves, and `x` and `y`."""
    stored = {
        name: value if isinstance(value, bool) else Tensor.of(np.asarray(value))
        for name, value in fields.items()
    }
    nodes = (
        Node("leaves", "concat", ("field:first", "field:second")),
        Node("numbers", "concat", ("field:x", "field:y")),
        Node("sums", "linear_leaves", inputs, stored),
    )
    schema = Schema(
        tuple(Field(name, "number").complete() for name in ("first", "second", "x", "y")),
        (Output("value", "numbers", "sums", names=("a", "b")),),
    )
    return Model.from_entries(Draft("m", "1", schema, Graph(nodes), {}, {}).entries(), verify=False)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ((0, 1, 3.0, 5.0), (113.0, 199.5)),
        ((1, 0, 3.0, 5.0), (99.5, 213.0)),
        ((2, 2, 3.0, 5.0), (107.0, 207.0)),
        ((0, 1, 3.0, None), (113.0, 198.0)),
        ((0, 1, None, 5.0), (99.0, 198.0)),
        ((2, 1, None, None), (107.0, 198.0)),
        ((0, 1, 1e-35, 1e-35), (110.0, 200.5)),
        ((1, 2, math.inf, math.inf), (math.nan, 207.0)),
        ((3, 0, 1.0, 1.0), (math.nan, 211.0)),
        ((-1, 0.5, 1.0, 1.0), (math.nan, math.nan)),
        ((None, math.inf, 1.0, 1.0), (math.nan, math.nan)),
    ],
)
def test_leaves_are_sums_of_their_terms(row, expected):
    names = ("first", "second", "x", "y")
    model = opened()
    answer = model.predict(dict(zip(names, row, strict=True)))["value"]
    np.testing.assert_array_equal([answer["a"], answer["b"]], expected)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ends", np.array([1, 3, 4], "int32"), "must ascend"),
        ("ends", np.array([1, 3], "int32"), "has 2 values, not 3"),
        ("ends", np.array([3, 1, 3], "int32"), "must ascend"),
        ("features", np.array([0, 0, 2], "int32"), "multiplies element 2, of 2"),
        ("features", np.array([0, 0, -1], "int32"), "multiplies element -1, of 2"),
        ("coefficients", [1.0], "has 1 values, not 3"),
        ("values", [1.0], "has 1 values, not 3"),
        ("outputs", np.array([0, 2], "int32"), "adds to output 2, of 2"),
        ("outputs", np.array([0], "int32"), "has 1 values, not 2"),
        ("start", [1.0], "adds to output 1, of 1"),
        ("start", [1.0, 1.0, 1.0], "`value`"),
    ],
)
def test_fields_that_do_not_fit_are_refused(name, value, message):
    with pytest.raises(ArtifactError, match=message):
        opened(FIELDS | {name: value})


@pytest.mark.parametrize("inputs", [("leaves",), ("leaves", "numbers", "numbers")])
def test_other_than_two_inputs_are_refused(inputs):
    with pytest.raises(ArtifactError, match="takes two inputs"):
        opened(inputs=inputs)
