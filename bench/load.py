"""Load on a server: wrk sends one request over and over, on processors that the server has not."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.contender import Absent
from bench.models import ROOT

__all__ = ["LOAD_CORES", "SERVER_CORES", "Load", "Question", "pinned", "put_load"]

SCRIPT = ROOT / "bench" / "wrk.lua"
TIMEOUT_SECONDS = 30

_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
# Half of them each; where they cannot be told apart, both get all.
SERVER_CORES = _CORES[: len(_CORES) // 2] or _CORES
LOAD_CORES = _CORES[len(_CORES) // 2 :]


@dataclass(frozen=True)
class Question:
    """A request: its path, and the file of its body, if it has one."""

    path: str
    body: Path | None = None
    media_type: str = "application/json"


@dataclass(frozen=True)
class Load:
    """What came of it; latencies in milliseconds."""

    requests: int
    seconds: float
    failures: int
    p50: float
    p99: float
    p999: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds if self.seconds else 0.0


def pinned(command: Sequence[str], cores: Sequence[int]) -> list[str]:
    """The command on these cores only, where the system can do that."""
    if not cores or shutil.which("taskset") is None:
        return [*command]
    return ["taskset", "--cpu-list", ",".join(map(str, cores)), *command]


def put_load(
    address: str, question: Question, connections: int, seconds: int, pause: int = 0
) -> Load:
    """Asks without an end, or with a pause of so many milliseconds after each answer.

    Raises `Absent` if wrk is not installed.
    """
    if shutil.which("wrk") is None:
        raise Absent("wrk", "it is not installed; it is Debian's package `wrk`")
    told = {**os.environ, "PENSTOCK_BENCH_PAUSE": str(pause)}
    if question.body is not None:
        told |= {"PENSTOCK_BENCH_BODY": str(question.body)}
        told |= {"PENSTOCK_BENCH_TYPE": question.media_type}
    threads = max(1, min(len(LOAD_CORES), connections))
    options = [f"--threads={threads}", f"--connections={connections}", f"--duration={seconds}s"]
    options += [f"--timeout={TIMEOUT_SECONDS}s", f"--script={SCRIPT}"]
    command = pinned(["wrk", *options, f"{address}{question.path}"], LOAD_CORES)
    done = subprocess.run(command, env=told, check=True, capture_output=True, text=True)
    return Load(**json.loads(done.stdout.splitlines()[-1]))
