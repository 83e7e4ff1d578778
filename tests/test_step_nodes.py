"""Nodes of feature steps that lie are refused when an artifact is opened, by name."""

import numpy as np
import pytest

from penstock import ArtifactError
from penstock.artifact import Draft
from penstock.graph import Graph, Node, Tensor, Texts
from penstock.model import Model
from penstock.schema import Field, Output, Schema


def opened(operator, inputs, fields):
    """A model of one node over a number `x`, a text `t` and two codes of it."""
    stored = {
        name: Tensor.of(np.array(value)) if isinstance(value, list) else value
        for name, value in fields.items()
    }
    one = Tensor.of(np.array([0], dtype="int32"))
    end = Tensor.of(np.array([1], dtype="int32"))
    none = Tensor.of(np.array([-1], dtype="int32"))
    levels = {"levels": Texts(("a",)), "ends": end, "codes": one}
    codes = Node(
        "c", "encode_text", ("field:t",), levels | {"missing_codes": none, "unseen_codes": none}
    )
    nodes = (codes, Node("n", operator, inputs, stored), Node("end", "concat", ("n",)))
    schema = Schema(
        (Field(name="x", type="number").complete(), Field(name="t", type="text").complete()),
        (Output("features", "features", "end", names=("f",)),),
    )
    graph = Graph(nodes)
    return Model.from_entries(Draft("m", "1", schema, graph, {}, {}).entries(), verify=False)


X, T, C = "field:x", "field:t", "c"
LIES = {
    "combine: unknown function": (
        "combine",
        (X, X),
        {"function": "hypot"},
        "unknown function `hypot`",
    ),
    "combine: one input": ("combine", (X,), {"function": "add"}, "takes exactly 2 inputs"),
    "combine: a text": ("combine", (X, T), {"function": "add"}, "takes numbers"),
    "choose: two inputs": ("choose", (X, X), {}, "takes exactly 3 inputs"),
    "choose: text and number": ("choose", (X, T, X), {}, "takes texts"),
    "math: unknown function": ("math", (X,), {"function": "gamma"}, "unknown function `gamma`"),
    "round: digits": ("round", (X,), {"digits": 23}, "`digits` is more than 22"),
    "round: unknown field": ("round", (X,), {"digits": 2, "base": 10}, "unknown field `base`"),
    "constant_text: lengths": (
        "constant_text",
        (),
        {"values": Texts(("a",)), "present": [1, 1]},
        "has 2 values, not 1",
    ),
    "change_case: number": ("change_case", (X,), {"to": "lower"}, "takes texts"),
    "change_case: unknown": ("change_case", (T,), {"to": "title"}, "unknown variant `title`"),
    "replace_text: empty": ("replace_text", (T,), {"old": "", "new": "a"}, "`old` is empty"),
    "part_text: empty": ("part_text", (T,), {"separator": "", "index": 0}, "`separator` is empty"),
    "extract_text: pattern": ("extract_text", (T,), {"pattern": "("}, "`pattern`"),
    "match_text: a pattern that closes": ("match_text", (T,), {"pattern": "a)|(b"}, "`pattern`"),
    "match_text: length": ("match_text", (T,), {"pattern": "a" * 1025}, "the most is 1024"),
    "find_text: empty": ("find_text", (T,), {"function": "count", "text": ""}, "`text` is empty"),
    "count_words: empty": ("count_words", (T,), {"words": Texts(("a", ""))}, "`words` is empty"),
    "digest_bucket: none": (
        "digest_bucket",
        (T,),
        {"method": "md5", "buckets": 0},
        "`buckets` are 1 to 1048576",
    ),
    "digest_bucket: too many": (
        "digest_bucket",
        (T,),
        {"method": "sha1", "buckets": 1048577},
        "`buckets` are 1 to 1048576",
    ),
    "digest_bucket: unknown": ("digest_bucket", (T,), {"method": "md4", "buckets": 2}, "md4"),
    "hash_bucket: none": ("hash_bucket", (T,), {"buckets": 0}, "`buckets` is 0"),
    "compare_text: number": ("compare_text", (T, X), {"function": "less"}, "takes texts"),
    "join_text: one": ("join_text", (T,), {}, "takes exactly 2 inputs"),
    "parse_time: format": ("parse_time", (T,), {"format": "%Q"}, "`format` `%Q` is not supported"),
    "time_part: text": ("time_part", (T,), {"part": "year"}, "takes numbers"),
    "floor_time: unit": ("floor_time", (X,), {"unit": "decade"}, "unknown variant `decade`"),
    "zone_time: lengths": (
        "zone_time",
        (X,),
        {"transitions": [0.0], "offsets": [0]},
        "has 1 values, not 0",
    ),
    "zone_time: order": (
        "zone_time",
        (X,),
        {"transitions": [1.0, 0.0], "offsets": [0, 1, 2]},
        "`transitions` do not ascend",
    ),
    "pair_codes: numbers": (
        "pair_codes",
        (X, C),
        {"first": [0], "second": [0], "refuse": False},
        "takes codes",
    ),
    "pair_codes: lengths": (
        "pair_codes",
        (C, C),
        {"first": [0], "second": [0, 1], "refuse": False},
        "has 2 values, not 1",
    ),
    "hash_category: codes": ("hash_category", (C,), {}, "takes texts or numbers"),
    "hash_entries: codes": (
        "hash_entries",
        (C,),
        {"names": Texts(("a",)), "buckets": 2, "signed": True, "precision": "f64"},
        "takes texts and numbers",
    ),
    "hash_entries: none": (
        "hash_entries",
        (X,),
        {"names": Texts(("a",)), "buckets": 0, "signed": True, "precision": "f64"},
        "has no `buckets`",
    ),
    "hash_entries: names": (
        "hash_entries",
        (X,),
        {"names": Texts(("a", "b")), "buckets": 2, "signed": True, "precision": "f32"},
        "has 2 values, not 1",
    ),
    "write_number: text": ("write_number", (T,), {}, "takes numbers"),
    "encode_hashes: texts": ("encode_hashes", (T,), {"hashes": [1, 0]}, "takes numbers"),
    "encode_hashes: halves": ("encode_hashes", (X,), {"hashes": [1, 0, 2]}, "no pairs"),
    "encode_hashes: twice": ("encode_hashes", (X,), {"hashes": [1, 2, 1, 2]}, "comes twice"),
    "lookup_text: lengths": (
        "lookup_text",
        (C,),
        {"values": Texts(("a",)), "present": [1, 0], "absent": None},
        "has 2 values, not 1",
    ),
}


TYPES = {"hashes": "uint32", "transitions": "float64"}


@pytest.mark.parametrize("name", LIES)
def test_a_node_that_lies_is_refused(name):
    operator, inputs, fields, message = LIES[name]
    typed = {
        key: list(np.array(value, dtype=TYPES.get(key, "int32")))
        if isinstance(value, list)
        else value
        for key, value in fields.items()
    }
    with pytest.raises(ArtifactError) as error:
        opened(operator, inputs, typed)
    assert message in str(error.value)
    assert f"node `n` (operator `{operator}`)" in str(error.value)


def test_texts_that_double_end_as_missing():
    """Thirty joins of a text with itself would take a gigabyte for each row."""
    nodes = [Node("j0", "join_text", ("field:t", "field:t"))]
    nodes += [Node(f"j{at}", "join_text", (f"j{at - 1}",) * 2) for at in range(1, 30)]
    nodes.append(Node("short", "measure_text", ("j9",), {"function": "length"}))
    nodes.append(Node("long", "measure_text", ("j29",), {"function": "length"}))
    nodes.append(Node("end", "concat", ("short", "long")))
    schema = Schema(
        (Field(name="t", type="text").complete(),),
        (Output("features", "features", "end", names=("short", "long")),),
    )
    draft = Draft("m", "1", schema, Graph(tuple(nodes)), {}, {})
    model = Model.from_entries(draft.entries(), verify=False)
    answer = model.predict({"t": "ab"})
    assert answer["short"] == 2048
    assert answer["long"] != answer["long"]
