"""One model behind the paths and payloads of MLflow, SageMaker and Vertex AI."""

import json
import math
import socket

import pytest

from penstock.schema import Field
from tests import toys
from tests.gateway.asking import ask
from tests.gateway.serving import gateway

ROWS = [{"distance": 12.5, "carrier": "UA"}, {"distance": 1, "carrier": None}]
LABELS = [toys.expected_late(row)["label"] for row in ROWS]
HUGE = "got an integer beyond 64 bits"
PROBABILITIES = [toys.expected_late(row)["probability"] for row in ROWS]
LISTS = [[row["distance"], row["carrier"]] for row in ROWS]
CSV = b"12.5,UA\n1,\n"
#: The routes that Vertex AI gives to containers unless it is told others.
VERTEX = "/v1/endpoints/12/deployedModels/34"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "late.penstock"
    toys.late().save(path)
    return path


@pytest.fixture(scope="module")
def url(path):
    with gateway(path) as address:
        yield address


def predictions(answer):
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    return answer.json["predictions"]


def test_health_is_told_as_sagemaker_and_mlflow_ask_for_it(url):
    for path in ("/ping", "/health"):
        answer = ask(url + path)
        assert (answer.status, answer.body) == (200, b"")
    assert ask(f"{url}/version").body.startswith(b"0.")


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["distance", "carrier"], "data": LISTS}},
        {
            "dataframe_split": {
                "index": [7, 8],
                "columns": ["carrier", "distance"],
                "data": [row[::-1] for row in LISTS],
            }
        },
        {"dataframe_split": {"columns": [0, 1], "data": LISTS}},
        {"dataframe_records": ROWS},
        {"instances": ROWS},
        {"instances": LISTS},
        {"inputs": {"carrier": ["UA", None], "distance": [12.5, 1]}},
        {"inputs": {"carrier": [["UA"], [None]], "distance": [[12.5], [1]]}},
        {"inputs": LISTS},
        {"inputs": ROWS},
    ],
    ids=lambda body: "-".join(body),
)
def test_the_four_payloads_of_mlflow_are_answered_by_labels(url, body):
    assert predictions(ask(f"{url}/invocations", body)) == LABELS


def test_nan_is_missing_as_mlflow_writes_it(url):
    """MLflow 3.17, `convert_input_example_to_serving_input`."""
    split = {"columns": ["distance", "carrier"], "data": [[12.5, "UA"], [1.0, math.nan]]}
    body = json.dumps({"dataframe_split": split}).encode()
    assert b"NaN" in body
    assert predictions(ask(f"{url}/invocations", body, content_type="application/json")) == LABELS
    lines = b'[12.5, "UA"]\n[1, NaN]\n'
    answer = ask(f"{url}/invocations", lines, content_type="application/jsonlines")
    assert [json.loads(line)["prediction"] for line in answer.body.splitlines()] == LABELS


def test_params_choose_another_output(url):
    body = {"dataframe_records": ROWS, "params": {"output": "probability"}}
    told = predictions(ask(f"{url}/invocations", body))
    assert told == [pytest.approx(row, rel=1e-14) for row in PROBABILITIES]
    body["params"] = {"output": "all"}
    told = predictions(ask(f"{url}/invocations", body))
    assert [row["label"] for row in told] == LABELS
    assert list(told[0]["probability"]) == ["no", "yes"]
    assert list(told[0]) == ["label", "probability", "raw"]
    body["params"] = {"output": "score"}
    answer = ask(f"{url}/invocations", body)
    assert answer.status == 400 and "`label`, `probability`, `raw`" in answer.json["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {"instances": [{"features": row} for row in LISTS]},
        {"instances": [{"data": {"features": {"values": row}}} for row in LISTS]},
        {"instances": [{"configuration": {}, "data": {"features": row}} for row in LISTS]},
        LISTS,
        ROWS,
    ],
)
def test_json_of_sagemaker_is_read(url, body):
    assert predictions(ask(f"{url}/invocations", body)) == LABELS


@pytest.mark.parametrize(
    "rows", [ROWS, LISTS, [{"features": row} for row in LISTS]], ids=["rows", "lists", "features"]
)
def test_json_lines_are_answered_by_json_lines(url, rows):
    body = "".join(json.dumps(row) + "\n" for row in rows).encode()
    answer = ask(f"{url}/invocations", body, content_type="application/jsonlines")
    assert answer.headers["content-type"] == "application/jsonlines"
    told = [json.loads(line) for line in answer.body.splitlines()]
    assert told == [{"prediction": label} for label in LABELS]


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/csv", CSV),
        ("text/csv; header=absent", CSV),
        ("text/csv", b"carrier,distance\nUA,12.5\n,1\n"),
        ("text/csv; charset=utf-8; header=present", b'"distance","carrier"\r\n12.5,"UA"\r\n1,\r\n'),
        ("text/csv", b"\xef\xbb\xbf" + CSV),
    ],
)
def test_csv_is_read_with_a_header_and_without(url, media_type, body):
    assert predictions(ask(f"{url}/invocations", body, content_type=media_type)) == LABELS
    answer = ask(f"{url}/invocations", body, content_type=media_type, accept="text/csv")
    assert answer.headers["content-type"] == "text/csv"
    assert answer.body.decode().split() == LABELS


def test_a_header_with_a_slip_is_no_row(url):
    body = b"distance,carier\n12.5,UA\n"
    answer = ask(f"{url}/invocations", body, content_type="text/csv")
    assert answer.status == 422 and "did you mean `carrier`?" in answer.json["detail"]


def test_csv_of_all_outputs_is_one_line_per_row(path):
    with gateway(path, "--invocations-output", "all") as url:
        answer = ask(f"{url}/invocations", CSV, content_type="text/csv", accept="text/csv")
        first = answer.body.decode().splitlines()[0].split(",")
        assert first[0] == LABELS[0]
        assert [float(cell) for cell in first[1:3]] == pytest.approx(PROBABILITIES[0], rel=1e-14)


def test_vertex_chooses_port_and_paths(path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("AIP_HTTP_PORT", str(port))
    monkeypatch.setenv("AIP_HEALTH_ROUTE", VERTEX)
    monkeypatch.setenv("AIP_PREDICT_ROUTE", f"{VERTEX}:predict")
    with gateway(path) as url:
        assert url.endswith(f":{port}")
        assert (ask(url + VERTEX).status, ask(url + VERTEX).body) == (200, b"")
        body = {"instances": ROWS, "parameters": {"output": "probability"}}
        told = predictions(ask(f"{url}{VERTEX}:predict", body))
        assert told == [pytest.approx(row, rel=1e-14) for row in PROBABILITIES]
        assert predictions(ask(f"{url}{VERTEX}:predict", {"instances": LISTS})) == LABELS
        assert ask(f"{url}{VERTEX}:predict").status == 404
        assert ask(f"{url}/livez").status == 200


def test_a_model_without_label_answers_with_its_first_output(tmp_path):
    toys.echo(Field("a", "number"), Field("b", "number")).save(tmp_path / "echo.penstock")
    with gateway(tmp_path / "echo.penstock") as url:
        assert predictions(ask(f"{url}/invocations", {"inputs": [[1, 2], [3, 4]]})) == [
            [1.0, 2.0],
            [3.0, 4.0],
        ]


def test_a_model_of_one_input_takes_single_values(tmp_path):
    toys.coded(Field("carrier", "text"), ["AA", "UA"]).save(tmp_path / "coded.penstock")
    with gateway(tmp_path / "coded.penstock") as url:
        assert predictions(ask(f"{url}/invocations", {"instances": ["UA", "AA"]})) == [1.0, 0.0]
        answer = ask(f"{url}/invocations", {"instances": ["UA", 2**64]})
        assert answer.status == 422 and HUGE in answer.json["detail"]


def test_several_models_have_no_such_paths(path, tmp_path):
    toys.echo(Field("a", "number")).save(tmp_path / "echo.penstock")
    with gateway(path, tmp_path / "echo.penstock") as url:
        for answer in (ask(f"{url}/ping"), ask(f"{url}/invocations", {"inputs": LISTS})):
            assert answer.status == 404
            assert "exactly one model is served; here are 2" in answer.json["detail"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "the body"),
        (b"5", 400, "list of rows"),
        (b"[5]", 400, "a row must be an object or a list"),
        (b'{"instances": [[Infinity, "UA"]]}', 400, 'send the text "Infinity"'),
        (b'{"instances": [[1, "UA"], [2]]}', 400, "a list of 2 values"),
        (b'{"instances": [[1, "UA"], [2, "UA", 3]]}', 400, "a list of 2 values"),
        (b'{"instances": [[1, "UA"], {"distance": 2}]}', 400, "a list of 2 values"),
        (b'{"instances": [{"distance": 2}, [1, "UA"]]}', 400, "a row as an object"),
        (b'{"instances": [[1]]}', 422, "in this order: `distance`, `carrier`"),
        (b'{"instances": [["far", "UA"]]}', 422, "column `distance` takes a number"),
        (b'{"instances": [[[1], "UA"]]}', 422, "got a list"),
        (b'{"instances": [{"distanze": 1}]}', 422, "did you mean `distance`?"),
        (b'{"instances": [], "inputs": []}', 400, "`instances` and `inputs`"),
        (b'{"instances": [], "signature_name": "x"}', 400, "`signature_name`"),
        (b'{"instances": [], "parameters": {"k": 5}}', 400, "the only option is `output`"),
        (b'{"dataframe": []}', 422, "`dataframe_split`, `dataframe_records`"),
        (b'{"dataframe_split": {"columns": ["distance"]}}', 400, "missing field `data`"),
        (
            b'{"dataframe_split": {"columns": ["distance", "x"], "data": [[1, 2]]}}',
            422,
            "column `x` is not an input",
        ),
        (
            b'{"dataframe_split": {"columns": ["distance", "distance"], "data": [[1, 2]]}}',
            422,
            "comes twice",
        ),
        (b'{"inputs": {"distance": [1, 2], "carrier": ["UA"]}}', 422, "rows and `carrier` has 1"),
        (b'{"inputs": {"distance": [[1, 2]]}}', 422, "lists of 2 values"),
        (b'{"instances": [[1, "UA"], [99999999999999999999, "UA"]]}', 422, HUGE),
        (b'{"instances": [[[], 1e20], [99999999999999999999, "UA"]]}', 422, "got a list"),
        (b'{"instances": [{"distance": -99999999999999999999}]}', 422, HUGE),
        (
            b'{"inputs": {"distance": [[1e20], [99999999999999999999]], "carrier": ["]", ","]}}',
            422,
            HUGE,
        ),
        (b'{"inputs": {"distance": 1, "carrier": [99999999999999999999]}}', 422, HUGE),
    ],
)
def test_what_cannot_be_read_is_refused(url, body, status, words):
    answer = ask(f"{url}/invocations", body, content_type="application/json")
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json["detail"]


def test_forms_that_are_not_known_are_refused(url):
    answer = ask(f"{url}/invocations", b"x", content_type="application/x-recordio-protobuf")
    assert answer.status == 415 and "`text/csv`" in answer.json["detail"]
    answer = ask(f"{url}/invocations", {"inputs": LISTS}, accept="image/png")
    assert answer.status == 406 and "`application/json`" in answer.json["detail"]


def test_more_rows_than_allowed_are_refused_in_every_form(path):
    with gateway(path, "--max-rows", "2") as url:
        three = [*ROWS, ROWS[0]]
        columns = {"distance": [1, 2, 3], "carrier": ["UA"] * 3}
        for body in ({"instances": three}, {"inputs": columns}, three):
            assert ask(f"{url}/invocations", body).status == 413
        assert ask(f"{url}/invocations", CSV + CSV, content_type="text/csv").status == 413
        lines = b"\n".join(json.dumps(row).encode() for row in three)
        assert ask(f"{url}/invocations", lines, content_type="application/jsonlines").status == 413
