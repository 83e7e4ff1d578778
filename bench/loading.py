"""How each kind of file is loaded; run as a program, it prints what a loaded file weighs."""

import gc
import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["LOADERS", "load", "onnx_session"]


FURTHER_MODELS = 8


def onnx_session(path: Path, threads: int) -> Any:
    """A session of ONNX Runtime with so many threads; with one, the calling thread computes."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _penstock(path: Path) -> object:
    import penstock

    return penstock.load(path)


def _onnx(path: Path) -> object:
    return onnx_session(path, 1)


def _pickle(path: Path) -> object:
    return pickle.loads(path.read_bytes())


def _lightgbm(path: Path) -> object:
    from lightgbm import Booster

    return Booster(model_file=str(path))


def _xgboost(path: Path) -> object:
    from xgboost import Booster

    return Booster(model_file=str(path))


LOADERS: dict[str, Callable[[Path], object]] = {
    ".penstock": _penstock,
    ".onnx": _onnx,
    ".pickle": _pickle,
    ".txt": _lightgbm,
    ".ubj": _xgboost,
}


def load(path: Path) -> object:
    """The model in the file, as its own library loads it."""
    return LOADERS[path.suffix](path)


def _bytes_per_model(path: Path) -> int | None:
    """What the resident set grows by for each further model, or None where the system cannot tell.

    The first model is not counted: it brings in the library and the library's own set-up. The
    later ones share whatever working memory it left, so several are loaded and all are kept.
    """
    models = [load(path)]
    gc.collect()
    before = _resident_bytes()
    models.extend(load(path) for _ in range(FURTHER_MODELS))
    gc.collect()
    after = _resident_bytes()
    if before is None or after is None:
        return None
    return (after - before) // FURTHER_MODELS


def _resident_bytes() -> int | None:
    status = Path("/proc/self/smaps_rollup")
    if not status.exists():
        return None
    # Counted page by page; the sum in `/proc/self/status` lags by up to 64 pages per thread.
    line = next(line for line in status.read_text().splitlines() if line.startswith("Rss:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    print(json.dumps(_bytes_per_model(Path(sys.argv[1]))))
