"""What predicting a million rows from an Arrow stream takes beside its inputs and outputs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.command import print_section

if TYPE_CHECKING:
    from bench.timing import Effort

TIMES = 10  # the batch of 100,000, so often
LIMIT_MB = 64
STATUS = Path("/proc/self/status")


def section(effort: "Effort") -> str:
    """The peak of a fresh process, on one thread and on all."""
    import pyarrow

    import penstock
    from bench.contender import ALL_THREADS
    from bench.models import prepare
    from bench.table import table

    case = prepare("lightgbm")
    path, rows = case.file(".penstock"), case.file(".arrow")
    penstock.convert(case.model, case.train, name=case.name, version="bench").save(path)
    batch = pyarrow.Table.from_pandas(case.texts(case.batch), preserve_index=False)
    with pyarrow.ipc.new_file(rows, batch.schema) as writer:
        writer.write_table(batch)
    if not STATUS.exists():
        return "## Memory\n\nThis system does not tell the peak of a process.\n"
    cells = []
    for threads in sorted({1, ALL_THREADS}):
        command = [sys.executable, "-m", "bench.memory", str(path), str(rows), str(threads)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout)
        beyond = found["growth"] - found["outputs"]
        verdict = "reached" if beyond / 1e6 <= LIMIT_MB else "**missed**"
        figures = [f"{size / 1e6:,.1f}" for size in (found["inputs"], found["outputs"], beyond)]
        cells.append([f"{threads}", *figures, f"≤ {LIMIT_MB}", verdict])
    titles = ["threads", "inputs, MB", "outputs, MB", "beyond them, MB", "goal", ""]
    about = (
        "A stream of 1,000,000 flights into the LightGBM pipeline: the peak of the resident set in "
        "a fresh process that has predicted before, less what it held and what it gave."
    )
    return f"## Memory\n\n{about}\n\n{table(titles, cells)}\n"


def _measure(artifact: str, rows: str, threads: int) -> dict[str, int]:
    """In a fresh process: how the resident set grows at most, and the sizes of what is passed."""
    import pyarrow

    import penstock

    model = penstock.load(artifact)
    with pyarrow.OSFile(rows) as file:
        batch = pyarrow.ipc.open_file(file).read_all()
    table = pyarrow.concat_tables([batch] * TIMES)
    model.predict(batch.slice(0, 1_000), threads=threads)
    before = _status("VmRSS")
    # Starts the record of the peak again (proc(5), `clear_refs`).
    Path("/proc/self/clear_refs").write_text("5")
    predictions = model.predict(table.to_reader(), threads=threads)
    growth = _status("VmHWM") - before
    outputs = pyarrow.table(predictions).nbytes
    return {"inputs": table.nbytes, "outputs": outputs, "growth": growth}


def _status(name: str) -> int:
    lines = STATUS.read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps(_measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
    else:
        sys.exit(print_section(section))
