"""The Open Inference Protocol by the client that Triton's users have, over HTTP and over gRPC.

`tritonclient[grpc,http]` brings 40 MB of gRPC and of two HTTP stacks, so that it is no requirement
of the tests: they are skipped where it is not installed. `rust/gateway/tests/grpc.rs` speaks gRPC
everywhere.
"""

import pytest

from tests import toys
from tests.gateway.serving import gateway

numpy = pytest.importorskip("numpy")
ROWS = [
    {"distance": 12.5, "carrier": "UA"},
    {"distance": 1.0, "carrier": ""},
    {"distance": 10.0, "carrier": "DL"},
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "late.penstock"
    toys.late(labels=(0, 1)).save(path)
    with gateway(path) as address:
        yield address.removeprefix("http://")


@pytest.fixture(params=["http", "grpc"])
def library(request):
    return pytest.importorskip(f"tritonclient.{request.param}", reason="tritonclient is missing")


@pytest.fixture
def client(library, address):
    with library.InferenceServerClient(address) as client:
        yield client


def tensors(library, rows=ROWS, **options):
    distance = library.InferInput("distance", [len(rows), 1], "FP64")
    values = [[row["distance"]] for row in rows]
    distance.set_data_from_numpy(numpy.array(values), **options)
    carrier = library.InferInput("carrier", [len(rows)], "BYTES")
    values = [row["carrier"] for row in rows]
    carrier.set_data_from_numpy(numpy.array(values, dtype=object), **options)
    return [distance, carrier]


def check(answer):
    expected = [toys.expected_late(row, (0, 1)) for row in ROWS]
    assert answer.as_numpy("label").tolist() == [row["label"] for row in expected]
    assert answer.as_numpy("label").dtype == numpy.int64
    assert answer.as_numpy("raw").tolist() == [row["raw"] for row in expected]
    probabilities = [row["probability"] for row in expected]
    assert answer.as_numpy("probability") == pytest.approx(numpy.array(probabilities), rel=1e-14)


def test_the_client_finds_server_and_model_ready(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("late")
    assert client.is_model_ready("late", "1")


def test_the_client_reads_the_metadata(client):
    for metadata in (client.get_server_metadata(), client.get_model_metadata("late", "1")):
        name = metadata["name"] if isinstance(metadata, dict) else metadata.name
        assert name in ("penstock", "late")


def test_predictions_are_those_of_the_model(library, client):
    check(client.infer("late", tensors(library)))
    check(client.infer("late", tensors(library), model_version="1", request_id="seven"))


def test_outputs_can_be_selected(library, client):
    wanted = [library.InferRequestedOutput("raw")]
    answer = client.infer("late", tensors(library), outputs=wanted)
    assert answer.as_numpy("raw") is not None
    assert answer.as_numpy("label") is None


def test_json_serves_as_well_as_bytes(address):
    http = pytest.importorskip("tritonclient.http", reason="tritonclient is missing")
    with http.InferenceServerClient(address) as client:
        names = ("label", "probability", "raw")
        outputs = [http.InferRequestedOutput(name, binary_data=False) for name in names]
        check(client.infer("late", tensors(http, binary_data=False), outputs=outputs))


def test_what_is_wrong_reaches_the_caller(library, client):
    with pytest.raises(Exception, match="column `carrier` is missing"):
        client.infer("late", tensors(library)[:1])
    with pytest.raises(Exception, match="there is no model `none`"):
        client.infer("none", tensors(library))
    with pytest.raises(Exception, match="no version `9`"):
        client.infer("late", tensors(library), model_version="9")
