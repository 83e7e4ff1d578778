"""Runs every comparison and writes `docs/benchmarks.md`: what `make bench` does."""

import statistics
import subprocess
import sys

from bench import flights_forest, flights_lightgbm, flights_logistic
from bench.command import guarded

__all__ = ["main"]

SCRIPTS = (flights_logistic, flights_forest, flights_lightgbm)
IMPORT_RUNS = 9
IMPORT_PROGRAM = """
import time
start = time.perf_counter()
import penstock; penstock.load
print(time.perf_counter() - start)
"""


def main() -> None:
    """Measures everything, then writes the page at once: an interrupted run leaves the old one."""
    from bench import report
    from bench.comparison import compare
    from bench.models import ROOT

    results = [compare(script.comparison()) for script in SCRIPTS]
    text = report.page(results, _import_seconds())
    path = ROOT / "docs" / "benchmarks.md"
    path.write_text(text, encoding="utf-8")
    print(text)
    print(f"written to `{path.relative_to(ROOT)}`", file=sys.stderr)


def _import_seconds() -> float:
    """The median over fresh processes; the interpreter's own start is not in it."""
    command = [sys.executable, "-c", IMPORT_PROGRAM]
    runs = [
        subprocess.run(command, check=True, capture_output=True, text=True)
        for _ in range(IMPORT_RUNS)
    ]
    return statistics.median(float(run.stdout) for run in runs)


if __name__ == "__main__":
    sys.exit(guarded(main))
