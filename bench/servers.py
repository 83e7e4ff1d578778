"""Servers for the comparison: started on a free port of loopback, on cores of their own."""

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.contender import Absent
from bench.environments import environment
from bench.load import SERVER_CORES, Question, pinned
from bench.models import ROOT

__all__ = ["GATEWAY", "Running", "Server", "gateway", "peers", "running"]

GATEWAY = ROOT / "rust" / "target" / "release" / "penstock-gateway"
START_SECONDS = 120


@dataclass(frozen=True)
class Server:
    """How a server is started and asked."""

    name: str
    command: Callable[[int], list[str]]  # by its port
    question: Question
    alive: str  # a path that answers 200 once it is ready
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = ROOT
    scheme: str = "http"


@dataclass(frozen=True)
class Running:
    """A server that answers; `ready` is the time from its start to its first answer, in seconds."""

    server: Server
    address: str
    process: "subprocess.Popen[bytes]"
    ready: float

    @contextlib.contextmanager
    def asleep(self) -> Iterator[None]:
        """Without a share of the processor: servers go on with requests whose clients are gone."""
        family = _family(self.process.pid)
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in family:
                os.kill(pid, signal.SIGCONT)

    @property
    def resident_bytes(self) -> int:
        """Memory of the process and those that it started."""
        return sum(_resident(pid) for pid in _family(self.process.pid))


@contextlib.contextmanager
def running(server: Server) -> Iterator[Running]:
    """The server, until the end of the block."""
    port = _free_port()
    told = {**os.environ, "OMP_NUM_THREADS": "1", **server.environment}
    start = time.perf_counter()
    process = subprocess.Popen(
        pinned(server.command(port), SERVER_CORES),
        env=told,
        cwd=server.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"{server.scheme}://127.0.0.1:{port}"
    try:
        while not _answers(f"{address}{server.alive}"):
            if process.poll() is not None or time.perf_counter() - start > START_SECONDS:
                raise Absent(server.name, "it did not come up here")
            time.sleep(0.001)
        yield Running(server, address, process, time.perf_counter() - start)
    finally:
        process.terminate()
        process.wait(timeout=30)


def gateway(
    source: Path,
    question: Question,
    options: tuple[str, ...] = (),
    scheme: str = "http",
) -> Server:
    """The gateway, as `make gateway` builds it."""
    if not GATEWAY.exists():
        raise Absent("penstock", "its gateway is not built; run `make gateway`")
    return Server(
        name="penstock",
        command=lambda port: [str(GATEWAY), str(source), "--port", str(port), *options],
        question=question,
        alive="/readyz",
        scheme=scheme,
    )


def peers(folder: Path, bodies: Mapping[str, Path]) -> dict[str, Callable[[], Server]]:
    """What makes the others ready, by their names; `folder` has the model for all of them."""
    return {
        "FastAPI, scikit-learn": lambda: _fastapi(
            "FastAPI, scikit-learn", "fastapi_sklearn", folder, bodies["row"]
        ),
        "FastAPI, ONNX Runtime": lambda: _fastapi(
            "FastAPI, ONNX Runtime", "fastapi_onnx", folder, bodies["row"]
        ),
        "BentoML": lambda: _bentoml(folder, bodies["bentoml"]),
        "MLServer": lambda: _mlserver(folder, bodies["mlserver"]),
    }


def _fastapi(name: str, module: str, folder: Path, body: Path) -> Server:
    """uvicorn with uvloop and httptools, its quickest; one worker on one core."""
    python = environment("fastapi", name)
    options = ("--host", "127.0.0.1", "--no-access-log", "--log-level", "warning")
    app = f"bench.services.{module}:app"
    return Server(
        name=name,
        command=lambda port: [str(python), "-m", "uvicorn", app, "--port", str(port), *options],
        question=Question("/predict", body),
        alive="/openapi.json",
        environment={"PENSTOCK_BENCH_FOLDER": str(folder)},
    )


def _bentoml(folder: Path, body: Path) -> Server:
    python = environment("bentoml", "BentoML")
    serve = ("-m", "bentoml", "serve", "bench.services.bentoml_service:Flights")
    return Server(
        name="BentoML",
        command=lambda port: [str(python), *serve, "--host", "127.0.0.1", "--port", str(port)],
        question=Question("/predict", body),
        alive="/readyz",
        environment={
            "PENSTOCK_BENCH_FOLDER": str(folder),
            "BENTOML_DO_NOT_TRACK": "True",
            "BENTOML_HOME": str(folder / "bentoml"),
        },
    )


def _mlserver(folder: Path, body: Path) -> Server:
    """Without processes for inference: its documentation advises so for light models."""
    python = environment("mlserver", "MLServer")
    own = folder / "mlserver"
    own.mkdir(exist_ok=True)
    settings = {
        "name": "late",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(folder / "model.pkl")},
    }
    (own / "model-settings.json").write_text(json.dumps(settings))

    def command(port: int) -> list[str]:
        shared = {"host": "127.0.0.1", "parallel_workers": 0, "debug": False}
        ports = {"http_port": port, "grpc_port": _free_port(), "metrics_port": _free_port()}
        (own / "settings.json").write_text(json.dumps(shared | ports))
        return [str(python.with_name("mlserver")), "start", str(own)]

    return Server(
        name="MLServer",
        command=command,
        question=Question("/v2/models/late/infer", body),
        alive="/v2/models/late/ready",
        folder=own,
    )


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    # The certificates of these servers are made here and now, and signed by nobody.
    unchecked = ssl._create_unverified_context() if url.startswith("https") else None
    try:
        with urllib.request.urlopen(url, timeout=5, context=unchecked) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _family(pid: int) -> list[int]:
    family = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            family += _family(int(child))
    return family


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)
