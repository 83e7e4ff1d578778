"""`python -m bench.peaks`: the memory that a training takes beside its rows, by algorithm.

Each of two sizes of two tables is trained on in a process of its own: the flights, and their
numbers only. What is added to the resident memory after the rows are read is explained by cells of
numbers, cells of levels, and a constant; the lines that it prints are those of `COSTS` in
src/penstock/data/sizing.py.
"""

import argparse
import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy

from bench.train import DATA, ROOT, write

__all__ = ["main"]

SIZES = (60_000, 240_000)
TABLES = ("numbers", "all")
# What says nothing of memory, and takes long; the size of a forest does.
QUICK: dict[str, dict[str, Any]] = {
    "gbm": {"n_estimators": 40},
    "xgboost": {"n_estimators": 40},
    "forest": {},
    "glm": {},
    "deep": {"max_iter": 4},
    "bayes": {},
    "kmeans": {"n_clusters": 8},
    "isolation": {},
}


def main() -> int:
    """Prints the lines, and how far each run is from them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=list(QUICK), action="append")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, table, size = options.one
        print(json.dumps(_one(name, table, int(size))))
        return 0
    write()
    for name in options.only or QUICK:
        _told(name, [_run(name, table, size) for table in TABLES for size in SIZES])
    return 0


def _told(name: str, runs: list[dict[str, int]]) -> None:
    from scipy.optimize import nnls

    known = numpy.array([[run["numbers"], run["levels"], 1.0] for run in runs])
    peaks = numpy.array([run["bytes"] for run in runs], dtype="float64")
    # In relative terms: a small table is to be estimated as well as a large one.
    found, _ = nnls(known / peaks[:, None], numpy.ones(len(runs)))
    print(f'    "{name}": Cost({found[0]:.0f}, {found[1]:.0f}, {found[2] / 1e6:.0f}),')
    errors = known @ found / peaks - 1
    told = ", ".join(
        f"{run['rows']:,} rows {peak / 1e6:.0f} MB ({error:+.0%})"
        for run, peak, error in zip(runs, peaks, errors, strict=True)
    )
    print(f"    # {told}", flush=True)


def _run(name: str, table: str, size: int) -> dict[str, int]:
    command = [sys.executable, "-m", "bench.peaks", "--one", name, table, str(size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


def _one(name: str, table: str, size: int) -> dict[str, int]:
    """Trains once; cells, and bytes that were added after the rows had been read."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import pandas

    import penstock
    from penstock.data.sizing import Cells
    from penstock.training import memory

    rows = pandas.read_parquet(DATA).sample(size, random_state=0).sort_index()
    if table == "numbers":
        rows = rows.select_dtypes("number")
    before: dict[str, Any] = {}
    check = memory.check

    def checked(learned: Any, features: Any, recipe: Any) -> int:
        wanted = check(learned, features, recipe)
        before["cells"] = memory.cells(learned, features)
        before["resident"] = _resident()
        return wanted

    memory.check = checked
    target = {} if name in ("kmeans", "isolation") else {"target": "late"}
    penstock.train(rows, algorithm=name, parameters=QUICK[name], **target)
    cells: Cells = before["cells"]
    return {
        "rows": cells.rows,
        "numbers": cells.rows * cells.numbers,
        "levels": cells.rows * cells.levels,
        "bytes": _status("VmHWM") - before["resident"],
    }


def _resident() -> int:
    """Bytes that are resident now; from here on the system counts the peak anew."""
    import pyarrow

    pyarrow.default_memory_pool().release_unused()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmRSS")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


if __name__ == "__main__":
    sys.exit(main())
