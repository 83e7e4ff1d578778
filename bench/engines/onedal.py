"""oneDAL by way of daal4py's converters of models."""

import pickle
from pathlib import Path
from typing import Any

import numpy

from bench.engines.request import Engine, Refused, Request
from bench.engines.trees import read
from bench.timing import Call, quickest

__all__ = ["engine", "explaining"]

TYPES = ("float32", "float64")
TRIED_ROWS = 10_000


def engine(request: Request) -> Engine:
    """Predicts from float32 or float64, whichever is quicker here."""
    model = _linear(request) if request.kind == "linear" else _trees(request)
    # Forests become a regression to the share of class 1; see its `gbt_convertors.py`.
    predict = getattr(model, "predict" if request.kind == "forest" else "predict_proba")
    return _engine(request, predict, lambda answers: answers.reshape(len(answers), -1)[:, -1])


def explaining(request: Request) -> Engine:
    """Contributions of trees, the bias in the last column."""
    model = _trees(request)
    return _engine(
        request, lambda rows: model.predict(rows, pred_contribs=True), lambda answers: answers
    )


def _engine(request: Request, predict: Any, late: Any) -> Engine:
    import daal4py

    made = {dtype: request.rows.astype(dtype) for dtype in TYPES}
    count = min(TRIED_ROWS, len(request.rows))
    best = quickest({dtype: _call(predict, made[dtype][:count]) for dtype in TYPES}, rounds=1)
    rows = made[best]

    def batch(start: int, end: int, threads: int) -> Call:
        part = rows[start:end]

        def call() -> object:
            if daal4py.num_threads() != threads:
                daal4py.daalinit(threads)
            return predict(part)

        return call

    return Engine(
        given=f"the matrix, dense, {best}",
        batch=batch,
        outputs=lambda: late(predict(rows)),
    )


def _call(predict: Any, rows: numpy.ndarray[Any, Any]) -> Call:
    return lambda: predict(rows)


def _trees(request: Request) -> Any:
    from daal4py.mb import convert_model

    try:
        return convert_model(_booster(request) if request.kind == "lightgbm" else read(request))
    except TypeError as error:
        raise Refused(f"`convert_model` says: {error}") from error


def _booster(request: Request) -> Any:
    """LightGBM's own: from Treelite's, the weights that contributions need would be missing."""
    from lightgbm import Booster

    return Booster(model_file=request.model)


def _linear(request: Request) -> Any:
    from daal4py.mb import convert_model

    # Our own file, written by `bench.models` from a model that it had just trained.
    return convert_model(pickle.loads(Path(request.model).read_bytes()))
