"""The entries of an artifact: canonical JSON, the safetensors layout, the card."""

import hashlib
import json
import math

import numpy as np
import pytest
import safetensors.numpy

from penstock import ConvertError, Field, Schema
from penstock.artifact import Draft, canonical_json
from penstock.artifact import safetensors as written
from penstock.card import card
from penstock.description import steps
from penstock.graph import Graph, Node, Tensor
from penstock.schema import Output


def draft(name="late", column="a"):
    node = Node("scale", "arithmetic", (f"field:{column}",), {"operands": Tensor.of(np.ones(1))})
    return Draft(
        name=name,
        version="1",
        schema=Schema(
            (Field(name=column, type="number").complete(),), (Output("value", "number", "scale"),)
        ),
        graph=Graph((node,)),
        provenance={"library": "sklearn", "versions": {"sklearn": "1.9"}},
        baseline={column: {"count": 2, "missing": 1, "minimum": 1.0, "maximum": 4.5}},
        examples=[({column: None}, {"value": math.nan})],
    )


def test_json_is_sorted_and_short_and_ends_with_a_newline():
    assert canonical_json({"b": [1, 0.1], "a": "é"}) == '{"a":"é","b":[1,0.1]}\n'.encode()


def test_missing_is_null_and_infinities_are_texts():
    assert canonical_json([math.nan, math.inf, -math.inf]) == b'[null,"Infinity","-Infinity"]\n'


def test_numbers_come_back_with_the_same_bits():
    numbers = [0.1, 1e300, 5e-324, -0.0, 1 / 3, 2**53]
    back = json.loads(canonical_json(numbers))
    assert [x.hex() for x in map(float, back)] == [float(x).hex() for x in numbers]


def test_half_a_character_is_refused():
    with pytest.raises(ConvertError, match="no valid Unicode"):
        canonical_json({"name": "\ud800"})


def test_manifest_is_indented_by_one_space():
    assert draft().entries().manifest.startswith(b'{\n "baseline": {\n  "a": {\n')


def test_same_draft_gives_the_same_bytes():
    assert draft().entries() == draft().entries()


def test_manifest_has_size_and_hash_of_every_other_entry():
    entries = draft().entries()
    listed = json.loads(entries.manifest)["entries"]
    contents = {
        "tensors.safetensors": entries.tensors,
        "examples.json": entries.examples,
        "card.md": entries.card,
    }
    assert listed == {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in contents.items()
    }


def test_tensors_are_read_by_the_library_of_the_format():
    arrays = {
        "b": np.array([1, 2, 3], "uint8"),
        "a": np.array([[1.5], [2.5]], "float32"),
        "c": np.array([math.pi, -0.0]),
        "none": np.array([], "int32"),
    }
    data = written({name: Tensor.of(array) for name, array in arrays.items()})
    loaded = safetensors.numpy.load(data)
    assert {name: array.tobytes() for name, array in loaded.items()} == {
        name: array.tobytes() for name, array in arrays.items()
    }
    assert loaded["a"].shape == (2, 1)


def test_every_tensor_is_aligned_to_its_items():
    arrays = {"a": b"abc", "b": np.ones(2), "c": np.ones(1, "f4")}
    data = written({name: Tensor.of(array) for name, array in arrays.items()})
    length = int.from_bytes(data[:8], "little")
    assert length % 8 == 0
    for info in json.loads(data[8 : 8 + length]).values():
        assert info["data_offsets"][0] % (int(info["dtype"][1:]) // 8) == 0


def test_card_shows_names_as_they_are():
    text = draft(name="<script>", column="a|b*").entries().card.decode()
    assert "# &lt;script\\>" in text
    assert "| a\\|b\\* | number |" in text


def test_card_tells_inputs_outputs_steps_and_source():
    text = draft().entries().card.decode()
    for part in ("## Inputs", "1 to 4.5, 1 missing", "the same bits", "scale: arithmetic"):
        assert part in text
    assert "- versions: sklearn 1.9" in text


def test_steps_are_a_tree_of_the_pipeline():
    names = ["columns/numbers/scale", "columns/numbers/scale.2", "columns/texts", "classifier"]
    nodes = [{"name": name, "operator": "x", "fields": {}} for name in names]
    assert steps({"graph": {"nodes": nodes}}).splitlines() == [
        "├─ columns",
        "│  ├─ numbers",
        "│  │  └─ scale: x (2)",
        "│  └─ texts: x",
        "└─ classifier: x",
    ]


def test_card_of_a_wide_model_stays_short():
    manifest = json.loads(draft().entries().manifest)
    manifest["schema"]["inputs"] = [
        manifest["schema"]["inputs"][0] | {"name": f"x{at}"} for at in range(5000)
    ]
    assert "and 4800 more columns" in card(manifest)
