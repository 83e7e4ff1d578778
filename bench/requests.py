"""What the servers are asked: one row and batches of flights in every form, and routes."""

import json
import re
import shutil
import statistics
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas
import pyarrow
import pyarrow.csv

import penstock
from bench.contender import Absent
from bench.environments import environment
from bench.load import LOAD_CORES, Question, pinned
from bench.models import FOLDER, Case
from bench.onnx_runtime import onnx_runtime
from bench.servers import Running, Server, gateway
from demo.data import TEXTS, first_row

__all__ = ["BATCH", "PLAIN", "World", "extras", "grpc_rates", "prepared"]

BATCH = 1_000
PLAIN = "plain"
PREDICT = "/v1/models/late/predict"
ARROW = "application/vnd.apache.arrow.stream"
GRPC = "gRPC, over HTTP/2"
GRPC_PATH = "/inference.GRPCInferenceService/ModelInfer"
GRPC_REQUESTS = 100_000


@dataclass(frozen=True)
class World:
    """The model in all forms, and the requests for it."""

    folder: Path
    artifact: Path
    bodies: Mapping[str, Path]
    row: Question
    batches: Mapping[str, Question]


def prepared(case: Case) -> World:
    """Writes the files of servers and requests, anew at each run."""
    folder = FOLDER / "gateway"
    folder.mkdir(parents=True, exist_ok=True)
    artifact = folder / "late.penstock"
    penstock.convert(case.model, case.train, name="late", version="1").save(artifact)
    shutil.copyfile(case.file(".pickle"), folder / "model.pkl")
    onnx_runtime(case)
    shutil.copyfile(case.file("-columns.onnx"), folder / "model.onnx")
    # Others fail on a missing text, or answer otherwise: all get a row that has everything.
    row = first_row(case.texts(case.batch.dropna()))
    bodies = {
        "row": _json(folder / "row.json", row),
        "bentoml": _json(folder / "bentoml.json", {"row": row}),
        "v2": _json(folder / "v2.json", {"inputs": _tensors(row)}),
        "mlserver": _json(folder / "mlserver.json", _for_mlserver(row)),
    }
    batches = _batches(folder, case.texts(case.batch.head(BATCH)))
    return World(folder, artifact, bodies, Question(PREDICT, bodies["row"]), batches)


def extras(world: World) -> dict[str, tuple[Server, Question]]:
    """Servers by what is different in them or in the request."""
    plain = gateway(world.artifact, world.row)
    asked = {
        PLAIN: (plain, world.row),
        "explained, three reasons": (
            plain,
            Question(f"{PREDICT}?explain=3", world.bodies["row"]),
        ),
        "Open Inference Protocol, JSON": (
            plain,
            Question("/v2/models/late/infer", world.bodies["v2"]),
        ),
    }
    version: dict[str, Any] = {"artifact": "late.penstock"}
    shadowed = _routes(world, "shadow", versions=[version], shadows=[version])
    asked["with a shadow, the same model"] = (gateway(shadowed, world.row), world.row)
    captured = _routes(world, "capture", versions=[version], capture={"share": 1.0})
    option = ("--capture", str(world.folder / "captured"))
    asked["all captured"] = (gateway(captured, world.row, options=option), world.row)
    certificate = _certificate(world.folder)
    if certificate:
        asked["TLS 1.3"] = (
            gateway(world.artifact, world.row, options=certificate, scheme="https"),
            world.row,
        )
    return asked


def grpc_rates(world: World, server: Running, rounds: int) -> dict[str, float]:
    """Requests per second over gRPC, the median of some runs; none without h2load."""
    if shutil.which("h2load") is None:
        return {}
    try:
        python = environment("mlserver", "gRPC")
    except Absent:
        return {}
    frame = world.folder / "grpc.bin"
    make = [str(python), "-m", "bench.services.grpc_request", "late"]
    made = subprocess.run(
        make, input=world.bodies["v2"].read_bytes(), check=True, capture_output=True
    )
    frame.write_bytes(made.stdout)
    headers = ("--header", "content-type: application/grpc", "--header", "te: trailers")
    load = ("--requests", str(GRPC_REQUESTS), "--clients", "32", "--max-concurrent-streams", "1")
    command = ["h2load", *load, *headers, "--data", str(frame), f"{server.address}{GRPC_PATH}"]
    rates = []
    for _ in range(rounds):
        done = subprocess.run(
            pinned(command, LOAD_CORES), check=True, capture_output=True, text=True
        )
        found = re.search(r"finished in .*?, ([\d.]+) req/s", done.stdout)
        is_whole = f"{GRPC_REQUESTS} succeeded" in done.stdout
        if found is None or not is_whole:
            raise Absent(GRPC, "some of its requests failed")
        rates.append(float(found[1]))
    return {GRPC: statistics.median(rates)}


def _batches(folder: Path, rows: pandas.DataFrame) -> dict[str, Question]:
    # Missing values are null.
    records = json.loads(rows.to_json(orient="records"))
    json_rows = _json(folder / "rows.json", {"rows": records})
    lines = folder / "rows.ndjson"
    lines.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    table = pyarrow.Table.from_pandas(rows, preserve_index=False)
    pyarrow.csv.write_csv(table, folder / "rows.csv")
    with pyarrow.ipc.new_stream(folder / "rows.arrow", table.schema) as writer:
        writer.write_table(table)
    return {
        "JSON": Question(PREDICT, json_rows),
        "JSON lines": Question(PREDICT, lines, "application/x-ndjson"),
        "CSV": Question(PREDICT, folder / "rows.csv", "text/csv"),
        "Arrow": Question(PREDICT, folder / "rows.arrow", ARROW),
    }


def _json(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def _for_mlserver(row: Mapping[str, Any]) -> dict[str, Any]:
    """The tensors with the hint that they are columns of a frame, and what is asked of it."""
    parameters, outputs = {"content_type": "pd"}, [{"name": "predict_proba"}]
    return {"parameters": parameters, "inputs": _tensors(row), "outputs": outputs}


def _tensors(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row as the Open Inference Protocol has it."""
    texts = {*TEXTS}
    return [
        {
            "name": name,
            "shape": [1, 1],
            "datatype": "BYTES" if name in texts else "FP64",
            "data": [value],
            **({"parameters": {"content_type": "str"}} if name in texts else {}),
        }
        for name, value in row.items()
    ]


def _routes(world: World, name: str, **route: Any) -> Path:
    folder = world.folder / name
    folder.mkdir(exist_ok=True)
    shutil.copyfile(world.artifact, folder / "late.penstock")
    _json(folder / "routes.json", {"routes": [{"name": "late", **route}]})
    return folder


def _certificate(folder: Path) -> tuple[str, ...]:
    """The options that name a certificate made now; none without openssl."""
    if shutil.which("openssl") is None:
        return ()
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    files = ("-keyout", str(key), "-out", str(certificate))
    names = ("-subj", "/CN=localhost", "-days", "2", "-addext", "subjectAltName=IP:127.0.0.1")
    command = ["openssl", "req", "-x509", *curve, *files, *names]
    subprocess.run(command, check=True, capture_output=True)
    return ("--tls-cert", str(certificate), "--tls-key", str(key))
