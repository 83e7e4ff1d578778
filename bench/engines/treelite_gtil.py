"""Treelite's own interpreter, GTIL."""

from typing import Any

import numpy

from bench.engines.request import Engine, Request
from bench.engines.trees import read
from bench.timing import Call

__all__ = ["engine"]


def engine(request: Request) -> Engine:
    """GTIL on a dense matrix."""
    from treelite import gtil

    model = read(request)
    # GTIL takes the type of the thresholds: float64, but for XGBoost.
    dtype = numpy.float32 if request.kind == "xgboost" else numpy.float64
    rows = request.rows.astype(dtype)

    def batch(start: int, end: int, threads: int) -> Call:
        part = rows[start:end]
        return lambda: gtil.predict(model, part, nthread=threads)

    def outputs() -> numpy.ndarray[Any, Any]:
        answers: numpy.ndarray[Any, Any] = gtil.predict(model, rows)
        return answers.reshape(len(rows), -1)[:, -1]

    return Engine(
        given=f"the matrix, dense, {numpy.dtype(dtype).name}",
        batch=batch,
        outputs=outputs,
        load=lambda: read(request),
    )
