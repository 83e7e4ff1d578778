"""Graphs: arrays become tensors, order is checked, what nobody needs is dropped."""

import math

import numpy as np
import pytest

from penstock import ConvertError
from penstock.converters.context import Context, public_name
from penstock.converters.values import Column, Prediction, numeric_columns
from penstock.graph import Graph, Node, Tensor, Texts


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (np.array([1.5, -0.0]), "F64"),
        (np.array([1.5], "float32"), "F32"),
        (np.array([[1, 2], [3, 4]], "int32"), "I32"),
        (np.array([1, 2], "uint32"), "U32"),
        (np.array([True, False]), "U8"),
        (np.array([7], "int64"), "I64"),
        (b"ab", "U8"),
    ],
)
def test_arrays_become_tensors_of_their_type(array, dtype):
    tensor = Tensor.of(array)
    assert tensor.dtype == dtype
    assert tensor.data == bytes(np.asarray(array).tobytes())


def test_transposed_array_is_kept_in_order_of_rows():
    array = np.arange(6.0).reshape(2, 3).T
    assert Tensor.of(array) == Tensor("F64", (3, 2), np.ascontiguousarray(array).tobytes())


def test_big_endian_array_is_refused():
    with pytest.raises(TypeError, match="no tensor"):
        Tensor.of(np.array([1.0], ">f8"))


def test_texts_are_kept_as_bytes_and_ends():
    tensors = Texts(("a", "", "é")).tensors("n.levels")
    assert tensors["n.levels.bytes"].data == "aé".encode()
    assert np.frombuffer(tensors["n.levels.ends"].data, "<u4").tolist() == [1, 1, 3]


def test_node_names_its_arrays_in_the_manifest():
    node = Node("n", "x", ("field:a",), {"k": Tensor.of(np.ones(2)), "t": Texts(("a",)), "s": 3})
    assert node.to_json()["fields"] == {"k": {"tensor": "n.k"}, "t": {"text": "n.t"}, "s": 3}
    assert sorted(node.tensors()) == ["n.k", "n.t.bytes", "n.t.ends"]


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_number_inline_must_be_finite(number):
    with pytest.raises(ConvertError, match="use a tensor"):
        Node("n", "x", (), {"k": number})


def test_node_before_its_input_is_refused():
    with pytest.raises(ConvertError, match="`a` comes before its input `b`"):
        Graph((Node("a", "x", ("b",)), Node("b", "x", ())))


@pytest.mark.parametrize("name", ["a", "field:a"])
def test_name_that_is_taken_is_refused(name):
    with pytest.raises(ConvertError, match="is taken"):
        Graph((Node("a", "x", ()), Node(name, "x", ())))


def test_nodes_that_no_output_needs_are_dropped():
    graph = Graph(
        (Node("a", "x", ("field:p",)), Node("b", "x", ("field:q",)), Node("c", "x", ("a",)))
    ).reachable(["c"])
    assert [node.name for node in graph.nodes] == ["a", "c"]
    assert graph.fields() == {"p"}


def context(*columns, converters=None):
    return Context(converters or {}, [Column(name, "number") for name in columns], frame="pandas")


def test_selection_of_inputs_reads_only_these():
    made = context("a", "b", "c")
    value = made.select(made.inputs, [2, 0])
    assert value.names == ("c", "a")
    assert made.graph([value.node]).fields() == {"a", "c"}


def test_selection_of_everything_adds_nothing():
    made = context("a", "b")
    assert made.select(made.inputs, [0, 1]) is made.inputs


def test_nodes_of_one_step_are_numbered():
    made = context("a")

    def twice(estimator, value, context):
        value = context.add("x", value, value.columns)
        return context.add("x", value, value.columns)

    made = context("a", converters={public_name(dict): twice})
    value = made.transform({}, made.inputs, "outer.step")
    assert [node.name for node in made.graph([value.node]).nodes[1:]] == [
        "outer_step",
        "outer_step.2",
    ]


def test_integers_beyond_32_bits_are_refused():
    made = context("a")
    with pytest.raises(ConvertError, match="beyond int32"):
        made.add("x", made.inputs, numeric_columns(1), codes=np.array([2**40]))


def test_text_where_numbers_are_due_is_refused():
    made = Context({}, [Column("town", "text", "object")], frame="pandas")
    with pytest.raises(ConvertError, match="column `town` is text"):
        made.number(made.inputs)


def test_predictor_where_a_transformer_is_due_is_refused():
    made = context("a", converters={public_name(dict): lambda *_: Prediction(())})
    with pytest.raises(ConvertError, match=r"step `inner`: `builtins\.dict` predicts"):
        made.transform({}, made.inputs, "inner")


def test_rounding_to_f32_is_left_out_where_it_changes_nothing():
    columns = [Column("a", "number", "float32"), Column("b", "boolean", "bool")]
    made = Context({}, columns, frame="pandas")
    assert made.cast(made.inputs, "f32") is made.inputs
    assert made.inputs.precision == "f32"
