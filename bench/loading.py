"""How each kind of file is loaded; run as a program, it prints what one loaded file costs."""

import gc
import importlib
import json
import pickle
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["LOADERS", "Cost", "load", "one_thread"]


@dataclass(frozen=True)
class Cost:
    """What loading one file took in a process of its own, apart from importing the library."""

    seconds: float
    resident_bytes: int | None  # None where the system does not tell


def one_thread() -> Any:
    """Options for a session of ONNX Runtime that computes in the calling thread only."""
    from onnxruntime import SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return options


def _penstock(path: Path) -> object:
    import penstock

    return penstock.load(path)


def _onnx(path: Path) -> object:
    from onnxruntime import InferenceSession

    return InferenceSession(path, one_thread(), providers=["CPUExecutionProvider"])


def _pickle(path: Path) -> object:
    return pickle.loads(path.read_bytes())


def _lightgbm(path: Path) -> object:
    from lightgbm import Booster

    return Booster(model_file=str(path))


LOADERS: dict[str, Callable[[Path], object]] = {
    ".penstock": _penstock,
    ".onnx": _onnx,
    ".pickle": _pickle,
    ".txt": _lightgbm,
}
# Imported before the clock starts: the cost is that of the model, not of the library.
LIBRARIES: dict[str, tuple[str, ...]] = {
    ".penstock": ("penstock",),
    ".onnx": ("onnxruntime",),
    ".pickle": ("sklearn.compose", "sklearn.ensemble", "sklearn.linear_model", "lightgbm"),
    ".txt": ("lightgbm",),
}


def load(path: Path) -> object:
    """The model in the file, as its own library loads it."""
    return LOADERS[path.suffix](path)


def _cost(path: Path) -> Cost:
    for library in LIBRARIES[path.suffix]:
        importlib.import_module(library)
    gc.collect()
    before, start = _resident_bytes(), time.perf_counter()
    model = load(path)
    seconds = time.perf_counter() - start
    gc.collect()
    after = _resident_bytes()
    del model
    resident = None if before is None or after is None else after - before
    return Cost(seconds, resident)


def _resident_bytes() -> int | None:
    status = Path("/proc/self/smaps_rollup")
    if not status.exists():
        return None
    # Counted page by page; the sum in `/proc/self/status` lags by up to 64 pages per thread.
    line = next(line for line in status.read_text().splitlines() if line.startswith("Rss:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    print(json.dumps(asdict(_cost(Path(sys.argv[1])))))
