"""lleaves: a LightGBM model compiled by LLVM; needs an old llvmlite."""

from typing import Any

import numpy

from bench.engines.request import Engine, Refused, Request
from bench.timing import Call

__all__ = ["engine"]


def engine(request: Request) -> Engine:
    """Machine code as `compile()` makes it, with its own defaults."""
    if request.kind != "lightgbm":
        raise Refused("it reads models of LightGBM only")
    import lleaves

    kept = request.keep(".lleaves")

    def load() -> Any:
        model = lleaves.Model(model_file=request.model)
        model.compile(cache=str(kept))
        return model

    model = load()
    rows = numpy.ascontiguousarray(request.rows, dtype=numpy.float64)

    def batch(start: int, end: int, threads: int) -> Call:
        part = rows[start:end]
        return lambda: model.predict(part, n_jobs=threads)

    return Engine(
        given="the matrix, dense, float64",
        batch=batch,
        outputs=lambda: model.predict(rows),
        load=load,
        file=kept,
        note="lleaves loads machine code that it compiled before, for a minute or longer.",
    )
