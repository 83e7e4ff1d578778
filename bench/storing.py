"""What `penstock predict --to` takes: memory against the number of rows, work by target."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.command import print_section

if TYPE_CHECKING:
    from bench.timing import Effort

FEW, MANY = 250_000, 1_000_000
CARRIERS = ("UA", "AA", "DL", "B6", "WN", "EV", "MQ", "US")
TREES = 100


@dataclass(frozen=True)
class Target:
    """Where predictions go: `options` of the command, with the name of the folder to work in."""

    name: str
    server: Callable[[], Any] | None
    address: str
    options: tuple[str, ...] = ()


def targets() -> list[Target]:
    """Each kind, and the mode that keeps the table as well."""
    from tests import databases

    key, table = ("--key", "id"), ("--table", "scores")
    upsert = (*table, *key, "--mode", "upsert")
    kinds = [
        ("SQLite", None, "sqlite:{folder}/scores.db"),
        ("DuckDB", None, "duckdb:{folder}/scores.duckdb"),
        ("PostgreSQL", databases.postgresql, "{server}"),
        ("MariaDB", databases.mariadb, "{server}"),
    ]
    made = [Target("Parquet folder", None, "{folder}/scores/", ("--columns", "id"))]
    for name, server, address in kinds:
        made += [Target(f"{name}, new table", server, address, (*table, *key))]
        made += [Target(f"{name}, upsert", server, address, upsert)]
    return made


def section(effort: "Effort") -> str:
    """Peaks and work of fresh processes, rows from a Parquet file."""
    from bench.table import table

    cells = []
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as name:
        folder = Path(name)
        _prepare(folder)
        least = None
        for target in targets():
            try:
                few, many = _measured(target, folder)
            except BaseException as error:
                if type(error).__name__ != "Skipped":
                    raise
                cells.append([target.name, str(error), "", "", ""])
                continue
            print(f"{target.name}: {few}, {many}", file=sys.stderr, flush=True)
            least = least or many[1]
            cells.append(
                [
                    target.name,
                    f"{few[0] / 1e6:,.0f} MB",
                    f"{many[0] / 1e6:,.0f} MB",
                    f"{many[0] / few[0]:.2f}",
                    f"{many[1] / least:.1f}",
                ]
            )
    titles = ["target", f"peak, {FEW:,} rows", f"peak, {MANY:,} rows", "ratio", "work"]
    about = (
        f"`penstock predict --to` of rows in a Parquet file, by {TREES} trees of LightGBM: the "
        "peak of the resident set of the command, in fresh processes, and the seconds of "
        "processors that the larger number of rows takes against those of the Parquet folder. "
        "Servers are not counted."
    )
    return f"## Predictions into tables\n\n{about}\n\n{table(titles, cells)}\n"


def _prepare(folder: Path) -> None:
    import lightgbm
    import numpy
    import pandas

    import penstock

    random = numpy.random.default_rng(0)
    frame = pandas.DataFrame(
        {
            "distance": random.normal(1000, 400, MANY),
            "hour": random.integers(0, 24, MANY).astype(float),
            "carrier": pandas.Categorical(random.choice(CARRIERS, MANY)),
        }
    )
    train = frame.head(20_000)
    late = train["distance"] / 100 + train["hour"] + random.normal(0, 4, len(train)) > 22
    model = lightgbm.LGBMClassifier(n_estimators=TREES, verbose=-1).fit(train, late)
    penstock.convert(model, train, name="late").save(folder / "late.penstock")
    rows = frame.assign(id=numpy.arange(MANY), carrier=frame["carrier"].astype(str))
    for count in (FEW, MANY):
        rows.head(count).to_parquet(folder / f"{count}.parquet", row_group_size=1 << 16)


def _measured(target: Target, folder: Path) -> list[tuple[int, float]]:
    """Peak in bytes and seconds, for few rows and for many; upserts meet as many rows of before."""
    found = []
    for count in (FEW, MANY):
        with tempfile.TemporaryDirectory(dir=folder) as work, _started(target.server) as server:
            address = target.address.format(folder=work, server=server)
            command = [sys.executable, "-m", "penstock", "predict", "late.penstock"]
            command += [f"{count}.parquet", "--to", address, *target.options]
            if "upsert" in target.options:
                _run(command, folder)
            found.append(_run(command, folder))
    return found


@contextlib.contextmanager
def _started(server: Callable[[], Any] | None) -> Iterator[str]:
    if server is None:
        yield ""
        return
    with server() as url:
        yield url


def _run(command: list[str], folder: Path) -> tuple[int, float]:
    with open(folder / "said", "w+") as said:
        process = subprocess.Popen(command, cwd=folder, stderr=said)
        peak, seconds = 0, 0.0
        # Not by `wait4`, whose peak has that of the process that started it in it.
        while process.poll() is None:
            with contextlib.suppress(OSError, StopIteration, IndexError):
                peak, seconds = _used(Path("/proc") / str(process.pid))
            time.sleep(0.02)
        said.seek(0)
        if process.returncode:
            raise RuntimeError(
                f"`{' '.join(command)}` ended with {process.returncode}: {said.read()}"
            )
    return peak, seconds


def _used(process: Path) -> tuple[int, float]:
    """Bytes that a process has had in memory at most so far, and seconds of processors."""
    lines = (process / "status").read_text().splitlines()
    peak = int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
    # Behind the name, which may have spaces, as proc(5) has it.
    figures = (process / "stat").read_text().rpartition(")")[2].split()
    return peak, (int(figures[11]) + int(figures[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    raise SystemExit(print_section(section))
