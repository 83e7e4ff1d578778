"""Runs one engine in an environment of its own: orders come in as lines of JSON, answers go out.

`bench.elsewhere` is at the other end. The clock stands here, so that no pipe is in any figure.
"""

import importlib
import importlib.metadata
import json
import os
import sys
from dataclasses import asdict
from typing import IO, Any

import numpy

from bench.engines.request import Engine, Refused, Request
from bench.timing import Call, Clock, clock, quickest

__all__ = ["main"]

# Rows per call: some engines are quickest where the rows of a call stay in the cache.
BLOCK_ROWS = (1_000, 5_000, 20_000)


def main(module: str, function: str) -> None:
    """Answers until the input ends; engines that print do so to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    request = Request(**json.loads(sys.stdin.readline()))
    try:
        engine: Engine = getattr(importlib.import_module(f"bench.engines.{module}"), function)(
            request
        )
        block = _block(engine, request.limit)
        _answer(answers, _offer(engine, block))
    except Refused as refused:
        _answer(answers, {"refused": str(refused)})
        return
    except Exception as error:
        # Whatever an engine raises is a reason on the page, with what it said.
        _answer(answers, {"refused": f"{type(error).__name__}: {error}"})
        return
    clocks: dict[str, Clock] = {}
    for line in sys.stdin:
        _answer(answers, _obey(json.loads(line), engine, block, clocks))


def _block(engine: Engine, limit: int) -> int:
    """The rows per call with which the engine gets through most rows in a second."""
    tried = min(limit, max(BLOCK_ROWS))
    calls = {str(rows): _batch(engine, tried, 1, rows) for rows in BLOCK_ROWS if rows <= tried}
    return int(quickest(calls, rounds=1)) if len(calls) > 1 else limit


def _batch(engine: Engine, count: int, threads: int, block: int) -> Call:
    calls = [
        engine.batch(start, min(start + block, count), threads) for start in range(0, count, block)
    ]
    return calls[0] if len(calls) == 1 else lambda: [call() for call in calls]


def _offer(engine: Engine, block: int) -> dict[str, Any]:
    return {
        "given": f"{engine.given}; {block:,} rows at a time",
        "note": engine.note,
        "file": str(engine.file) if engine.file else None,
        "loads": engine.load is not None,
        "comparable": engine.outputs is not None,
    }


def _obey(
    order: dict[str, Any], engine: Engine, block: int, clocks: dict[str, Clock]
) -> dict[str, Any]:
    if "outputs" in order:
        assert engine.outputs is not None
        numpy.save(order["outputs"], engine.outputs())
        return {}
    name = json.dumps(order["call"])
    if name not in clocks:
        clocks[name] = clock(_call(order["call"], engine, block))
    return asdict(clocks[name](order["repeat"]))


def _call(call: list[Any], engine: Engine, block: int) -> Call:
    if call[0] == "batch":
        return _batch(engine, call[1], call[2], block)
    assert engine.load is not None
    return engine.load


def _answer(answers: IO[str], answer: dict[str, Any]) -> None:
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
