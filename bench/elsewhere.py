"""Contenders in environments of their own: made here, asked through pipes, one worker each."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy

from bench.contender import Absent, Contender, Outputs
from bench.engines.request import Request
from bench.environments import environment
from bench.handover import handover
from bench.models import ROOT, Case
from bench.pipelines import BATCH_ROWS
from bench.timing import Clock, Sample

__all__ = ["ENGINES", "Elsewhere", "explaining", "predicting"]


@dataclass(frozen=True)
class Elsewhere:
    """An engine: its name for people, its file in `bench/engines`, and its environment."""

    name: str
    module: str
    environment: str  # requirements/bench-….txt


ENGINES = {
    "onedal": Elsewhere("oneDAL", "onedal", "onedal"),
    "gtil": Elsewhere("Treelite, GTIL", "treelite_gtil", "treelite"),
    "tl2cgen": Elsewhere("Treelite, TL2cgen", "tl2cgen", "treelite"),
    "lleaves": Elsewhere("lleaves", "lleaves", "lleaves"),
    "ydf": Elsewhere("ydf", "ydf", "ydf"),
}


def predicting(*names: str) -> list[Callable[[Case], list[Contender]]]:
    """What prepares these engines to predict."""
    return [_preparation(name, "engine") for name in names]


def explaining(rows: int, *names: str) -> list[Callable[[Case], list[Contender]]]:
    """What prepares these engines to explain the first rows of the batch."""
    return [_preparation(name, "explaining", rows) for name in names]


def _preparation(
    library: str, function: str, rows: int = BATCH_ROWS
) -> Callable[[Case], list[Contender]]:
    return lambda case: [_contender(case, library, function, rows)]


def _contender(case: Case, library: str, function: str, rows: int) -> Contender:
    engine = ENGINES[library]
    python = environment(engine.environment, engine.name)
    worker = _Worker(engine, python, function, handover(case, engine.module, rows))
    offer = worker.offer

    def outputs() -> Outputs:
        path = case.file(f"-{library}-{function}.outputs.npy")
        worker.ask({"outputs": str(path)})
        answers: Outputs = numpy.load(path)
        path.unlink()
        return answers

    return Contender(
        name=engine.name,
        library=library,
        given=offer["given"],
        dictionary=None,
        prepared=worker.clock("batch", 1, 1),
        batch=lambda count, threads: worker.clock("batch", count, threads),
        outputs=outputs if offer["comparable"] else None,
        load=worker.clock("load") if offer["loads"] else None,
        file=Path(offer["file"]) if offer["file"] else None,
        note=offer["note"],
    )


class _Worker:
    """A process with one engine; ends when its input does."""

    def __init__(self, engine: Elsewhere, python: Path, function: str, request: Request) -> None:
        self._engine = engine
        self._process = subprocess.Popen(
            [str(python), "-m", "bench.worker", engine.module, function],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.offer = self.ask(asdict(request))

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise Absent(self._engine.name, f"its process ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "refused" in answer:
            raise Absent(self._engine.name, answer["refused"].strip().splitlines()[0])
        return answer

    def clock(self, *call: Any) -> Clock:
        return lambda repeat: Sample(**self.ask({"call": call, "repeat": repeat}))
