"""The Open Inference Protocol over raw HTTP, against what the models are made to answer."""

import json
import math
import struct

import pytest

from penstock.graph import Node
from penstock.schema import Field, Output
from tests import toys
from tests.gateway.asking import ask
from tests.gateway.serving import gateway

ROWS = [
    {"distance": 12.5, "carrier": "UA"},
    {"distance": 1.0, "carrier": None},
    {"distance": 10.0, "carrier": "DL"},
]
FORMATS = {"BOOL": "?", "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q", "INT8": "b"}
FORMATS |= {"INT16": "h", "INT32": "i", "INT64": "q", "FP16": "e", "FP32": "f", "FP64": "d"}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    numbers = [Field(name, "number") for name in ("a", "b", "c")]
    mixed = [
        Field("amount", "number"),
        Field("is_new", "boolean"),
        Field("at", "timestamp"),
        Field("note", "ignored"),
    ]
    models = (toys.late(labels=(0, 1)), echo("numbers", numbers), echo("mixed", mixed))
    for model in models:
        model.save(folder / f"{model.name}.penstock")
    with gateway(*sorted(folder.iterdir())) as address:
        yield f"{address}/v2"


def echo(name, fields):
    """Answers with one table of what the engine read."""
    used = tuple(str(field.name) for field in fields if field.type != "ignored")
    nodes = (Node("all", "concat", tuple(f"field:{name}" for name in used)),)
    return toys.model(name, fields, (Output("read", "numbers", "all", names=used),), nodes)


def columns(rows, **datatypes):
    """One tensor per key of the rows."""
    datatypes = {"distance": "FP64", "carrier": "BYTES"} | datatypes
    return [
        {
            "name": name,
            "shape": [len(rows)],
            "datatype": datatypes[name],
            "data": [row[name] for row in rows],
        }
        for name in rows[0]
    ]


def tensor(name, datatype, data, shape=None, **parameters):
    shape = [len(data)] if shape is None else shape
    made = {"name": name, "shape": shape, "datatype": datatype, "data": data}
    return made | ({"parameters": parameters} if parameters else {})


def outputs(answer):
    assert answer.status == 200, answer.body
    return {output["name"]: output for output in answer.json["outputs"]}


def read(url, *tensors, model="numbers"):
    """The numbers that the engine read from the tensors."""
    return outputs(ask(f"{url}/models/{model}/infer", {"inputs": list(tensors)}))["read"]["data"]


def test_the_server_tells_what_it_is_and_that_it_lives(url):
    assert ask(url).json["name"] == "penstock"
    assert ask(f"{url}/health/live").json == {"live": True}
    assert ask(f"{url}/health/ready").json == {"ready": True, "live": True}


@pytest.mark.parametrize("path", ["late", "late/versions/1"])
def test_a_model_tells_its_tensors_with_and_without_version(url, path):
    assert ask(f"{url}/models/{path}/ready").json == {"name": "late", "ready": True}
    told = ask(f"{url}/models/{path}").json
    assert (told["name"], told["versions"], told["platform"]) == ("late", ["1"], "penstock")
    assert [(t["name"], t["datatype"], t["shape"]) for t in told["inputs"]] == [
        ("distance", "FP64", [-1]),
        ("carrier", "BYTES", [-1]),
    ]
    assert [(t["name"], t["datatype"], t["shape"]) for t in told["outputs"]] == [
        ("label", "INT64", [-1]),
        ("probability", "FP64", [-1, 2]),
        ("raw", "FP64", [-1]),
    ]
    assert told["outputs"][1]["parameters"] == {"names": '["0","1"]'}


@pytest.mark.parametrize("path", ["late", "late/versions/1"])
def test_one_tensor_per_input_is_predicted(url, path):
    answer = ask(f"{url}/models/{path}/infer", {"id": "seven", "inputs": columns(ROWS)})
    expected = [toys.expected_late(row, (0, 1)) for row in ROWS]
    told = outputs(answer)
    assert answer.json["id"] == "seven"
    assert (answer.json["model_name"], answer.json["model_version"]) == ("late", "1")
    assert told["label"]["data"] == [row["label"] for row in expected]
    assert told["probability"]["shape"] == [3, 2]
    flat = [value for row in expected for value in row["probability"]]
    assert told["probability"]["data"] == pytest.approx(flat, rel=1e-14)
    assert told["raw"]["data"] == [row["raw"] for row in expected]


def test_only_the_outputs_that_are_asked_for_are_answered_in_that_order(url):
    body = {"inputs": columns(ROWS), "outputs": [{"name": "raw"}, {"name": "label"}]}
    assert list(outputs(ask(f"{url}/models/late/infer", body))) == ["raw", "label"]
    body["outputs"] = [{"name": "score"}]
    answer = ask(f"{url}/models/late/infer", body)
    assert answer.status == 400
    assert "no output `score`" in answer.json["error"] and "`probability`" in answer.json["error"]


def test_texts_and_booleans_as_labels_have_their_datatypes(tmp_path):
    for labels, datatype in ((("no", "yes"), "BYTES"), ((False, True), "BOOL"), ((0.5, 2), "FP64")):
        toys.late(labels=labels).save(tmp_path / "late.penstock")
        with gateway(tmp_path / "late.penstock") as address:
            answer = ask(f"{address}/v2/models/late/infer", {"inputs": columns(ROWS)})
            label = outputs(answer)["label"]
            assert (label["datatype"], label["shape"]) == (datatype, [3])
            assert label["data"] == [toys.expected_late(row, labels)["label"] for row in ROWS]


@pytest.mark.parametrize(
    ("datatype", "values"),
    [
        ("UINT8", [0, 255]),
        ("UINT16", [0, 65535]),
        ("UINT32", [0, 2**32 - 1]),
        ("UINT64", [0, 2**53]),
        ("INT8", [-128, 127]),
        ("INT16", [-32768, 32767]),
        ("INT32", [-(2**31), 2**31 - 1]),
        ("INT64", [-(2**53), 2**53]),
        ("FP16", [0.5, -2.0]),
        ("FP32", [0.5, -2.0]),
        ("FP64", [0.1, -1e300]),
        ("BOOL", [False, True]),
    ],
)
def test_every_datatype_of_numbers_is_read(url, datatype, values):
    others = [tensor(name, "FP64", [0.0, 0.0]) for name in ("b", "c")]
    expected = [float(value) for value in values]
    assert read(url, tensor("a", datatype, values), *others)[::3] == expected
    raw = struct.pack(f"<2{FORMATS[datatype]}", *values)
    binary = {"name": "a", "shape": [2, 1], "datatype": datatype}
    binary["parameters"] = {"binary_data_size": len(raw)}
    answer = ask_binary(f"{url}/models/numbers/infer", {"inputs": [binary, *others]}, raw)
    assert outputs(answer)["read"]["data"][::3] == expected


def ask_binary(url, body, raw):
    """A request whose tensors come as bytes behind its JSON."""
    head = json.dumps(body).encode()
    headers = {"Inference_Header_Content_Length": str(len(head))}
    return ask(url, head + raw, content_type="application/octet-stream", **headers)


def test_short_floats_are_rounded_however_they_are_sent(url):
    others = [tensor(name, "FP64", [0.0]) for name in ("b", "c")]
    short = struct.unpack("<f", struct.pack("<f", 0.1))[0]
    assert read(url, tensor("a", "FP32", [0.1]), *others)[0] == short
    assert read(url, tensor("a", "FP64", [0.1]), *others)[0] == 0.1


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        ("UINT8", 256),
        ("INT8", -129),
        ("UINT32", -1),
        ("INT64", 1.5),
        ("INT64", 2**64),
        ("INT64", -(2**63) - 1),
        ("INT64", "5"),
        ("FP64", "five"),
        ("FP64", True),
        ("BOOL", 2),
        ("BYTES", 5),
    ],
)
def test_a_value_that_is_none_of_its_datatype_is_refused(url, datatype, value):
    others = [tensor(name, "FP64", [0.0, 0.0]) for name in ("b", "c")]
    body = {"inputs": [tensor("a", datatype, [None, value]), *others]}
    answer = ask(f"{url}/models/numbers/infer", body)
    assert answer.status == 422
    assert answer.json["error"].startswith("tensor `a` has ") and "at 1" in answer.json["error"]


def test_integers_that_a_float_cannot_hold_are_refused_and_not_rounded(url):
    others = [tensor(name, "FP64", [0.0]) for name in ("b", "c")]
    cases = [("INT64", 2**53 + 1), ("UINT64", 2**53 + 1), ("UINT64", 2**63), ("FP64", 2**60)]
    for datatype, value in [*cases, ("FP64", 10**20), ("FP64", -(10**20))]:
        body = {"inputs": [tensor("a", datatype, [value]), *others]}
        answer = ask(f"{url}/models/numbers/infer", body)
        assert answer.json["code"] == "integer_too_large"
    assert read(url, tensor("a", "FP64", [1e20]), *others)[0] == 1e20
    short = struct.unpack("<f", struct.pack("<f", 1e20))[0]
    assert read(url, tensor("a", "FP32", [10**20]), *others)[0] == short


def test_null_nan_and_listed_positions_are_missing(url):
    told = [
        columns([{"distance": 1.0, "carrier": None}]),
        [tensor("distance", "FP64", [1.0]), tensor("carrier", "BYTES", ["UA"], missing="0")],
    ]
    expected = toys.expected_late({"distance": 1.0, "carrier": None}, (0, 1))["raw"]
    for inputs in told:
        answer = ask(f"{url}/models/late/infer", {"inputs": inputs})
        assert outputs(answer)["raw"]["data"] == [expected]
    a = tensor("a", "INT64", [1, 2, 3], missing="0, 2")
    b = tensor("b", "FP64", ["NaN", "Infinity", None])
    c = tensor("c", "BOOL", [True, False, True], missing="1")
    flat = read(url, a, b, c)
    assert flat[::3] == [None, 2.0, None]
    assert flat[1::3] == [None, "Infinity", None]
    assert flat[2::3] == [1.0, None, 1.0]


@pytest.mark.parametrize("missing", ["3", "-1", "x", "0;1", 0])
def test_positions_of_missing_values_that_are_none_are_refused(url, missing):
    others = [tensor(name, "FP64", [0.0, 0.0]) for name in ("b", "c")]
    body = {"inputs": [tensor("a", "FP64", [0.0, 0.0], missing=missing), *others]}
    answer = ask(f"{url}/models/numbers/infer", body)
    assert answer.status == 422 and "`missing`" in answer.json["error"]


def test_times_are_texts_or_microseconds(url):
    others = [tensor("amount", "FP64", [1.0]), tensor("is_new", "BOOL", [True])]
    micros = 1_714_566_600_000_000
    for at in (
        tensor("at", "BYTES", ["2024-05-01T12:30:00Z"]),
        tensor("at", "BYTES", ["2024-05-01T12:30:00Z"], content_type="datetime"),
        tensor("at", "INT64", [micros], content_type="datetime"),
    ):
        assert read(url, *others, at, model="mixed") == [1.0, 1.0, micros]
    answer = ask(
        f"{url}/models/mixed/infer", {"inputs": [*others, tensor("at", "INT64", [micros])]}
    )
    assert answer.status == 422 and "takes a time" in answer.json["error"]


def test_one_table_of_numbers_has_its_columns_in_the_order_of_the_schema(url):
    flat = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    nested = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    for data in (flat, nested):
        assert read(url, tensor("whatever", "FP64", data, [2, 3])) == flat
    narrow = ask(f"{url}/models/numbers/infer", {"inputs": [tensor("x", "FP64", flat, [3, 2])]})
    assert "has 2 columns; the model has 3 inputs" in narrow.json["error"]
    texts = ask(f"{url}/models/late/infer", {"inputs": [tensor("x", "FP64", flat, [3, 2])]})
    assert "`carrier`" in texts.json["error"] and "one tensor per input" in texts.json["error"]


def test_lists_of_unequal_lengths_are_refused(url):
    ragged = tensor("x", "FP64", [[1.0], [2.0, 3.0, 4.0, 5.0, 6.0]], [2, 3])
    answer = ask(f"{url}/models/numbers/infer", {"inputs": [ragged]})
    assert answer.status == 400
    turned = tensor("x", "FP64", [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [2, 3])
    answer = ask(f"{url}/models/numbers/infer", {"inputs": [turned]})
    assert answer.status == 422 and "its shape is [2, 3]" in answer.json["error"]


def test_a_partial_set_of_inputs_is_refused_by_name(url):
    for left_out in ("distance", "carrier"):
        inputs = [tensor for tensor in columns(ROWS) if tensor["name"] != left_out]
        answer = ask(f"{url}/models/late/infer", {"inputs": inputs})
        assert answer.status == 422
        assert f"column `{left_out}` is missing" in answer.json["error"]


def test_unknown_and_double_inputs_are_refused_by_name(url):
    inputs = columns([{**row, "carier": "x"} for row in ROWS], carier="BYTES")
    answer = ask(f"{url}/models/late/infer", {"inputs": inputs})
    assert answer.status == 422 and "did you mean `carrier`?" in answer.json["error"]
    answer = ask(f"{url}/models/late/infer", {"inputs": columns(ROWS) + columns(ROWS)[:1]})
    assert answer.status == 422 and "`distance` comes twice" in answer.json["error"]


def test_columns_of_unequal_lengths_are_refused(url):
    inputs = [*columns(ROWS)[:1], *columns(ROWS[:2])[1:]]
    answer = ask(f"{url}/models/late/infer", {"inputs": inputs})
    assert answer.status == 422
    assert "tensor `carrier` has 2 rows and tensor `distance` has 3" in answer.json["error"]


def test_a_row_that_the_model_refuses_is_named(url):
    rows = [{"distance": None, "carrier": "UA"}, {"distance": "far", "carrier": "UA"}]
    answer = ask(f"{url}/models/late/infer", {"inputs": columns(rows, distance="BYTES")})
    assert answer.status == 422
    assert (answer.json["code"], answer.json["row"]) == ("invalid", 1)
    assert answer.json["error"].startswith("row 1: column `distance` takes a number")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "the body"),
        (b"{", 400, "EOF"),
        (b"[]", 400, "the body"),
        (b'{"inputs": 5}', 400, "the body"),
        (b'{"input": []}', 400, "unknown field `input`"),
        (b'{"inputs": []}', 422, "`distance` is missing"),
        (b'{"inputs": [{"name": "distance"}]}', 400, "missing field `shape`"),
        (
            b'{"inputs": [{"name": "distance", "shape": [1], "datatype": "FP64"}]}',
            422,
            "has no `data`",
        ),
        (
            b'{"inputs": [{"name": "distance", "shape": [1], "datatype": "FP64", "data": [NaN]}]}',
            400,
            "send null",
        ),
        (
            b'{"inputs": [{"name": "distance", "shape": [1], "datatype": "DOUBLE", "data": [1]}]}',
            422,
            "there is no datatype `DOUBLE`",
        ),
        (
            b'{"inputs": [{"name": "distance", "shape": [2], "datatype": "FP64", "data": [1]}]}',
            422,
            "has 1 value; its shape [2] needs 2",
        ),
        (
            b'{"inputs": [{"name": "distance", "shape": [-1], "datatype": "FP64", "data": [1]}]}',
            422,
            "cannot have the shape",
        ),
        (
            b'{"inputs": [{"name": "d", "shape": [4294967296, 4294967296], "datatype": "FP64",'
            b' "data": []}]}',
            422,
            "cannot have the shape",
        ),
        (
            b'{"inputs": [{"name": "distance", "shape": [1], "datatype": "FP64", "data": [{}]}]}',
            400,
            "`distance`",
        ),
        (b'{"inputs": [{"name": "\xff"}]}', 400, "the body"),
    ],
)
def test_a_body_that_is_no_request_is_refused(url, body, status, words):
    answer = ask(f"{url}/models/late/infer", body)
    assert answer.status == status, answer.body
    assert words in answer.json["error"]


def test_unknown_models_and_versions_are_not_found(url):
    for path in ("none", "late/versions/2", "none/ready", "late/versions/2/ready"):
        answer = ask(f"{url}/models/{path}")
        assert answer.status == 404 and answer.json["error"]
    for path in ("none/infer", "late/versions/2/infer"):
        assert ask(f"{url}/models/{path}", {"inputs": columns(ROWS)}).status == 404


def test_shared_memory_and_classification_are_refused_and_not_ignored(url):
    for parameters in ({"shared_memory_region": "x"}, {"classification": 2}):
        body = {"inputs": columns(ROWS), "outputs": [{"name": "raw", "parameters": parameters}]}
        answer = ask(f"{url}/models/late/infer", body)
        assert answer.status == 422 and "not supported" in answer.json["error"]


def test_answers_come_as_bytes_if_they_are_asked_for(url):
    body = {"inputs": columns(ROWS), "parameters": {"binary_data_output": True}}
    body["outputs"] = [
        {"name": "label"},
        {"name": "raw", "parameters": {"binary_data": False}},
        {"name": "probability"},
    ]
    answer = ask(f"{url}/models/late/infer", body)
    length = int(answer.headers["inference-header-content-length"])
    told = json.loads(answer.body[:length])["outputs"]
    sizes = [output.get("parameters", {}).get("binary_data_size") for output in told]
    assert sizes == [24, None, 48]
    label, probability = answer.body[length:][:24], answer.body[length:][24:]
    expected = [toys.expected_late(row, (0, 1)) for row in ROWS]
    assert list(struct.unpack("<3q", label)) == [row["label"] for row in expected]
    flat = [value for row in expected for value in row["probability"]]
    assert list(struct.unpack("<6d", probability)) == pytest.approx(flat, rel=1e-14)


def test_bytes_that_do_not_come_out_even_are_refused(url):
    def binary(size, raw):
        inputs = [{"name": "distance", "shape": [1], "datatype": "FP64"}]
        inputs[0]["parameters"] = {"binary_data_size": size}
        body = {"inputs": [*inputs, *columns([{"distance": 1, "carrier": "UA"}])[1:]]}
        return ask_binary(f"{url}/models/late/infer", body, raw)

    fine = binary(8, struct.pack("<d", 12.5))
    assert outputs(fine)["raw"]["data"] == [toys.expected_late(ROWS[0])["raw"]]
    assert "beyond the 7 bytes" in binary(8, b"1234567").json["error"]
    assert "8 does not divide" in binary(7, b"1234567").json["error"]
    assert "1 bytes are left" in binary(8, b"123456789").json["error"]


def test_nan_in_bytes_is_missing(url):
    raw = struct.pack("<3d", math.nan, 2.0, math.inf)
    inputs = [{"name": "x", "shape": [1, 3], "datatype": "FP64"}]
    inputs[0]["parameters"] = {"binary_data_size": len(raw)}
    answer = ask_binary(f"{url}/models/numbers/infer", {"inputs": inputs}, raw)
    assert outputs(answer)["read"]["data"] == [None, 2.0, "Infinity"]
