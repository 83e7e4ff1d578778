"""Instructions and cache misses per row and tree, for the flights with LightGBM: what bounds it.

Reads the counters of the processor through `perf`; where there are none, as in most virtual
machines, valgrind's cachegrind counts instructions exactly and simulates the caches.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.command import print_section

if TYPE_CHECKING:
    from bench.timing import Effort

PERF = "instructions:u,cycles:u,branch-misses:u,L1-dcache-load-misses:u,cache-misses:u"
PERF_REPEATS = 50
# Cachegrind takes some fifty times as long as the processor.
SIMULATED_ROWS, SIMULATED_REPEATS = 2_000, 1
SIMULATE = ("--tool=cachegrind", "--cache-sim=yes", "--branch-sim=yes")
# Cachegrind's columns by what they are: data misses of the first and last level, wrong branches.
SIMULATED = {
    "instructions": ("Ir",),
    "first level misses": ("D1mr", "D1mw"),
    "last level misses": ("DLmr", "DLmw"),
    "branch misses": ("Bcm", "Bim"),
}


def section(effort: "Effort") -> str:
    """A table of what one row costs in one tree, by kernel; the rest of the pipeline included."""
    import penstock
    from bench.kernels import KERNELS, VARIABLE
    from bench.models import prepare
    from bench.table import table

    case = prepare("lightgbm")
    path = case.file(".penstock")
    penstock.convert(case.model, case.train, name=case.name, version="bench").save(path)
    rows = _rows(case.batch.head(SIMULATED_ROWS), case.workload.texts, case.file(".few.arrow"))
    trees = case.predictor.booster_.num_trees()
    count = _perf if _counts() else _cachegrind if shutil.which("valgrind") else None
    if count is None:
        return "## Counters\n\nThere are no counters here, and no valgrind.\n"
    cells, titles = [], [f"`{VARIABLE}`"]
    for kernel in KERNELS:
        found = count([str(path), str(rows)], {**os.environ, VARIABLE: kernel})
        if not found:
            continue
        titles = [f"`{VARIABLE}`", *found]
        cells.append([f"`{kernel}`", *(f"{each / trees:.3g}" for each in found.values())])
    how = "perf" if count is _perf else "cachegrind, which simulates the caches"
    about = f"Per row and tree of batches of {SIMULATED_ROWS:,} rows, one thread, by {how}."
    return f"## Counters\n\n{about}\n\n{table(titles, cells)}\n"


def _rows(frame: "object", texts: "object", path: Path) -> Path:
    import pyarrow

    rows = pyarrow.Table.from_pandas(frame, preserve_index=False)
    with pyarrow.ipc.new_file(path, rows.schema) as writer:
        writer.write_table(rows)
    return path


def _counts() -> bool:
    """Whether `perf` is there and the processor lets it count."""
    if shutil.which("perf") is None:
        return False
    tried = subprocess.run(
        ["perf", "stat", "-x", ";", "-e", "instructions:u", "true"], capture_output=True, text=True
    )
    return tried.returncode == 0 and "not supported" not in tried.stderr


def _perf(arguments: list[str], environment: dict[str, str]) -> dict[str, float]:
    """Events per row: of many repeats, less those of none."""
    found: dict[str, float] = {}
    for repeats, sign in ((PERF_REPEATS, 1), (0, -1)):
        command = ["perf", "stat", "-x", ";", "-e", PERF, *_program(arguments, repeats)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            return {}
        for line in done.stderr.splitlines():
            value, _, event, *_ = [*line.split(";"), "", "", ""]
            if value.isdigit():
                name = event.removesuffix(":u")
                share = int(value) / SIMULATED_ROWS / PERF_REPEATS
                found[name] = found.get(name, 0.0) + sign * share
    return found


def _cachegrind(arguments: list[str], environment: dict[str, str]) -> dict[str, float]:
    """Events per row: of one repeat, less those of none; empty for a kernel that is not there."""
    found = dict.fromkeys(SIMULATED, 0.0)
    for repeats, sign in ((SIMULATED_REPEATS, 1), (0, -1)):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out"
            program = _program(arguments, repeats)
            command = ["valgrind", *SIMULATE, f"--cachegrind-out-file={out}", *program]
            done = subprocess.run(command, env=environment, capture_output=True)
            if done.returncode:
                return {}
            totals = _totals(out.read_text())
        for name, columns in SIMULATED.items():
            events = sum(totals[column] for column in columns)
            found[name] += sign * events / SIMULATED_ROWS / SIMULATED_REPEATS
    return found


def _totals(text: str) -> dict[str, int]:
    names = re.search(r"^events: (.*)$", text, re.MULTILINE)
    sums = re.search(r"^summary: (.*)$", text, re.MULTILINE)
    assert names and sums
    return dict(zip(names[1].split(), map(int, sums[1].split()), strict=True))


def _program(arguments: list[str], repeats: int) -> list[str]:
    return [sys.executable, "-m", "bench.counters", *arguments, str(repeats)]


def _predict(artifact: str, rows: str, repeats: int) -> None:
    """The child: everything is ready and warm before the repeats."""
    import pyarrow

    import penstock

    model = penstock.load(artifact, verify=False)
    with pyarrow.OSFile(rows) as file:
        table = pyarrow.ipc.open_file(file).read_all()
    for _ in range(1 + repeats):
        model.predict(table, threads=1)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        _predict(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(print_section(section))
