"""Runs every script and writes `docs/benchmarks.md`: what `make bench` does."""

import argparse
import importlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bench.command import chosen, effort, guarded

if TYPE_CHECKING:
    from bench.timing import Effort

__all__ = ["main"]

# In the order of the page. Comparisons have a `comparison`, the others a `section`.
SCRIPTS = (
    *("flights_lightgbm", "numeric_xgboost", "deep_forest", "flights_logistic"),
    *("native_categories", "explanations", "kernels", "growth", "memory", "steps", "gateway"),
    "counters",
)
SLOW = ("counters",)  # not in a quick run, unless asked for
IMPORT_RUNS = 9
IMPORT_PROGRAM = """
import time
start = time.perf_counter()
import penstock; penstock.load
print(time.perf_counter() - start)
"""

INTRODUCTION = """\
# Benchmarks

Written by `make bench`; do not edit. Everything below was measured in one run, on this machine.

{facts}

**Workloads**: flights of 2013 from New York, late or not, with pipelines as people write them, and
made numbers where a section says so (`bench/pipelines.py`). Contenders get their inputs ready made,
in the form that each likes best; only penstock, scikit-learn and, where it is given columns, ONNX
Runtime do the work of the pipeline in their time. What each is given stands below its table, and
who is not there, with the reason.

**How**: the contenders take turns, one sample each per round, so that a disturbance meets all of
them; the figures are medians, on one thread where nothing else is said. *From a dict*: the time
from a Python dictionary to the prediction; *prepared*: with one row ready in the engine's own form.
*Load*: from the file to a model that can predict, the library being imported; penstock checks the
hashes and runs the examples of the file in that time. *Memory*: what the resident set of a fresh
process grows by per model when the file, loaded once, is loaded eight more times. *Difference*: the
largest one of a probability to the source library's, over 100,000 rows.

**Goals** are ratios in this run, set for a machine with AVX-512; without it, half of each.

**Again**: `make bench` runs all of it and writes this page; `python -m bench.run --quick` (in
`.venv`) runs fewer rounds and writes nothing, `--only NAME` runs one of {names}.
Trained models are kept under `build/bench/`, and so are the environments of engines that do not
share ours (`requirements/bench-*.txt`).
"""


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SCRIPTS, action="append", help="print this section alone")
    parser.add_argument("--write", action="store_true", help="write the sections of --only")
    options = chosen(parser)
    return guarded(lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    """Writes the page at once at the end: an interrupted run leaves the old one."""
    skipped = SLOW if options.quick else ()
    names = options.only or [name for name in SCRIPTS if name not in skipped]
    sections = []
    for name in names:
        start = time.monotonic()
        sections.append(_section(name)(effort(options)))
        print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    if options.only and not options.write:
        print("\n".join(sections))
        return
    text = "\n".join([_introduction(names), *sections])
    print(text)
    if options.quick:
        print("not written anywhere: a quick run is rough", file=sys.stderr)
        return
    from bench.models import ROOT

    path = ROOT / "docs" / "benchmarks.md"
    path.write_text(text, encoding="utf-8")
    print(
        f"written to `{path.relative_to(ROOT)}`; copy its figures to the table of the README",
        file=sys.stderr,
    )


def _section(name: str) -> "Callable[[Effort], str]":
    from bench.report import compared

    script = importlib.import_module(f"bench.{name}")
    if hasattr(script, "section"):
        section: Callable[[Effort], str] = script.section
        return section
    return lambda effort: compared(script.comparison(), effort)


def _introduction(names: Sequence[str]) -> str:
    from bench import machine

    facts = {
        **machine.describe(),
        "`import penstock; penstock.load`": f"{_import_seconds() * 1e3:.0f} ms (median)",
    }
    left = [f"`{name}`" for name in SCRIPTS if name not in names]
    if left:
        facts["not run this time"] = ", ".join(left)
    listed = "\n".join(f"- **{name}**: {value}" for name, value in facts.items())
    return INTRODUCTION.format(facts=listed, names=", ".join(f"`{name}`" for name in SCRIPTS))


def _import_seconds() -> float:
    """The median over fresh processes; the interpreter's own start is not in it."""
    command = [sys.executable, "-c", IMPORT_PROGRAM]
    runs = [
        subprocess.run(command, check=True, capture_output=True, text=True)
        for _ in range(IMPORT_RUNS)
    ]
    return statistics.median(float(run.stdout) for run in runs)


if __name__ == "__main__":
    sys.exit(main())
