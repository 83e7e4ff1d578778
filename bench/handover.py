"""A case as files, for engines in environments of their own; each file is written once."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pandas

from bench.contender import ALL_THREADS
from bench.engines.request import Request
from bench.models import Case, keep

__all__ = ["SUFFIXES", "handover", "save_model"]

# The file of the last step alone, in the form that its own library writes.
SUFFIXES = {
    "lightgbm": ".txt",
    "xgboost": ".ubj",
    "forest": "-alone.pickle",
    "linear": "-alone.pickle",
}


def handover(case: Case, engine: str, limit: int) -> Request:
    """The request to an engine of that name, for the first rows of the batch."""

    def written(suffix: str, write: Callable[[Path], object]) -> str:
        return str(keep(case.file(suffix), write))

    return Request(
        workload=case.name,
        kind=case.workload.kind,
        model=str(save_model(case)),
        matrix=written(".npy", lambda path: numpy.save(path, case.dense)),
        columns=written(".columns.npz", lambda path: numpy.savez(path, **_plain(case, case.batch))),
        train=written(
            ".train.npz",
            lambda path: numpy.savez(
                path, **_plain(case, case.train), target=case.target.to_numpy()
            ),
        ),
        kept=str(case.file(f"-{engine}")),
        threads=ALL_THREADS,
        limit=limit,
    )


def save_model(case: Case) -> Path:
    """The last step alone."""

    def pickled(path: Path) -> None:
        path.write_bytes(pickle.dumps(case.predictor))

    savers: dict[str, Callable[[Path], object]] = {
        "lightgbm": lambda path: case.predictor.booster_.save_model(path),
        "xgboost": lambda path: case.predictor.get_booster().save_model(path),
        "forest": pickled,
        "linear": pickled,
    }
    kind = case.workload.kind
    return keep(case.file(SUFFIXES[kind]), savers[kind])


def _plain(case: Case, rows: pandas.DataFrame) -> dict[str, Any]:
    """Columns by name: float32, and texts; where a value is missing, NaN and an empty text."""
    texts = set(case.workload.texts)
    return {
        str(name): column.astype(object).fillna("").to_numpy(dtype=str)
        if name in texts
        else column.to_numpy(numpy.float32)
        for name, column in rows.items()
    }
