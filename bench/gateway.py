"""The gateway beside other servers of the flights: one row, batches, and what else costs."""

import argparse
import contextlib
import re
import statistics
import sys
import urllib.request
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bench.command import chosen, effort, guarded

if TYPE_CHECKING:
    from bench.load import Load
    from bench.servers import Running
    from bench.timing import Effort

CONNECTIONS = (1, 32, 256)
COMPARED = 32  # the number of connections that goals are about
LIVE = "penstock, `GET /livez`"
OWN = "penstock"
GOALS = (
    # Who it is compared with, and how many times its requests per second.
    ("its own `GET /livez`", lambda name: name == LIVE, 0.7),
    ("the best of the others", lambda name: OWN not in name, 10),
    ("MLServer", lambda name: name == "MLServer", 100),
)
SETTLE_SECONDS = 1
ABOUT = """\
The flights with LightGBM, 500 trees of 63 leaves, served with {cores} for the server and {load}
for the load, which is wrk. One row is 27 fields of JSON. Who answers gets each load in turn; the
figures are medians over {rounds} rounds of {seconds} s. For comparison, of the design's first
prototype, measured in another run: 459 requests/s, p50 3 ms, p95 16 ms, p99 406 ms."""


def section(effort: "Effort") -> str:
    """All tables."""
    from bench import requests
    from bench.contender import Absent
    from bench.models import prepare

    try:
        world = requests.prepared(prepare("lightgbm"))
        parts = [_one_row(world, effort), _batches(world, effort), _extras(world, effort)]
    except Absent as absent:
        return f"## The gateway\n\nNot measured: {absent.name}: {absent.reason}.\n"
    return "\n".join(parts)


def _one_row(world: Any, effort: "Effort") -> str:
    from bench.contender import Absent
    from bench.load import LOAD_CORES, SERVER_CORES, Question
    from bench.servers import gateway, peers, running
    from bench.table import table

    absent: list[Absent] = []
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(running(gateway(world.artifact, world.row)))
        asked: dict[str, tuple[Running, Question]] = {
            OWN: (own, world.row),
            LIVE: (own, Question("/livez")),
        }
        for name, made in peers(world.folder, world.bodies).items():
            try:
                server = stack.enter_context(running(made()))
                asked[name] = (server, server.server.question)
            except Absent as reason:
                print(reason, file=sys.stderr, flush=True)
                absent.append(reason)
        loads = {count: _in_turn(asked, count, effort) for count in CONNECTIONS}
        sizes = {name: running for name, (running, _) in asked.items() if name != LIVE}
        weights = [
            [name, f"{one.ready * 1e3:,.0f}", f"{one.resident_bytes / 1e6:,.0f}"]
            for name, one in sizes.items()
        ]
    cells = [
        [name, f"{count}", f"{load.rate:,.0f}", *_latencies(load), f"{load.failures}"]
        for name in asked
        for count, load in ((count, loads[count][name]) for count in CONNECTIONS)
    ]
    titles = ["", "connections", "requests/s", "p50, ms", "p99, ms", "p99.9, ms", "failed"]
    cores, load = (f"{len(some) or 'all'} core(s)" for some in (SERVER_CORES, LOAD_CORES))
    about = ABOUT.format(cores=cores, load=load, rounds=_rounds(effort), seconds=_seconds(effort))
    parts = [
        f"## The gateway\n\n{about}",
        table(titles, cells),
        _goals(loads[COMPARED]),
        "\n".join(f"- {one.name} is not there: {one.reason}." for one in absent),
        "From the start to the first answer, and the memory after all that:",
        table(["", "ready, ms", "resident, MB"], weights),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _goals(loads: Mapping[str, "Load"]) -> str:
    from bench.table import table

    cells = []
    for whom, is_it, factor in GOALS:
        rates = [load.rate for name, load in loads.items() if is_it(name)]
        if not rates:
            cells.append([whom, "not measured", f"≥ {factor:g}", ""])
            continue
        ratio = loads[OWN].rate / max(rates)
        verdict = "reached" if ratio >= factor else f"**missed**: {ratio / factor:.0%} of it"
        cells.append(
            [whom, f"{ratio:.2g}" if ratio < 10 else f"{ratio:.0f}", f"≥ {factor:g}", verdict]
        )
    return table([f"requests/s with {COMPARED} connections, times", "measured", "goal", ""], cells)


def _batches(world: Any, effort: "Effort") -> str:
    """Bodies of 1,000 rows, one after the other on one connection."""
    from bench.requests import BATCH
    from bench.servers import gateway, running
    from bench.table import table

    with running(gateway(world.artifact, world.row)) as server:
        asked = {name: (server, question) for name, question in world.batches.items()}
        loads = _in_turn(asked, 1, effort)
        cells = []
        for name, (_, question) in asked.items():
            before = _stages(server)
            _ask(server, question, 1, 2)
            spent = {stage: after - before[stage] for stage, after in _stages(server).items()}
            shares = [f"{spent[stage] / sum(spent.values()):.0%}" for stage in spent]
            size = question.body.stat().st_size if question.body else 0
            load = loads[name]
            cells.append(
                [name, f"{size / 1e3:,.0f}", f"{load.rate * BATCH:,.0f}", f"{load.p50:.1f}"]
            )
            cells[-1] += shares
    titles = ["", "body, kB", "rows/s", "p50, ms", "parse", "predict", "write"]
    about = (
        f"Bodies of {BATCH:,} rows, answered in their own form, on one connection; the shares of "
        "its time by the gateway's own counters (`penstock_stage_duration_seconds`)."
    )
    return f"### Batches\n\n{about}\n\n{table(titles, cells)}\n"


def _extras(world: Any, effort: "Effort") -> str:
    """One row with something more, beside one row without."""
    from bench import requests
    from bench.servers import running
    from bench.table import table

    with contextlib.ExitStack() as stack:
        asked = {}
        for name, (server, question) in requests.extras(world).items():
            asked[name] = (stack.enter_context(running(server)), question)
        loads = _in_turn(asked, COMPARED, effort)
        grpc = requests.grpc_rates(world, asked[requests.PLAIN][0], _rounds(effort))
    plain = loads[requests.PLAIN].rate
    cells = [
        [name, f"{load.rate:,.0f}", f"{load.rate / plain:.2f}", *_latencies(load)]
        for name, load in loads.items()
    ]
    for name, rate in grpc.items():
        cells.append([name, f"{rate:,.0f}", f"{rate / plain:.2f}", "", "", ""])
    titles = ["", "requests/s", "times plain", "p50, ms", "p99, ms", "p99.9, ms"]
    about = f"One row with {COMPARED} connections; drift and metrics are always on."
    return f"### What else costs\n\n{about}\n\n{table(titles, cells)}\n"


def _in_turn(
    asked: Mapping[str, "tuple[Running, Any]"], connections: int, effort: "Effort"
) -> dict[str, "Load"]:
    """The medians; every one is asked once in each round."""
    print(f"gateway: {connections} connections ...", file=sys.stderr, flush=True)
    loads: dict[str, list[Load]] = {name: [] for name in asked}
    servers = {server.process.pid: server for server, _ in asked.values()}
    for turn in range(1 + _rounds(effort)):
        for name, (server, question) in asked.items():
            with contextlib.ExitStack() as others:
                for pid, other in servers.items():
                    if pid != server.process.pid:
                        others.enter_context(other.asleep())
                seconds = _seconds(effort) if turn else SETTLE_SECONDS
                load = _ask(server, question, connections, seconds)
            if turn:
                loads[name].append(load)
    return {name: _median(taken) for name, taken in loads.items()}


def _ask(server: "Running", question: Any, connections: int, seconds: int) -> "Load":
    from bench.load import put_load

    return put_load(server.address, question, connections, seconds)


def _median(loads: Iterable["Load"]) -> "Load":
    from bench.load import Load

    loads = [*loads]

    def middle(name: str) -> float:
        return statistics.median(float(getattr(load, name)) for load in loads)

    requests, rate = sum(load.requests for load in loads), middle("rate")
    return Load(
        requests=requests,
        seconds=requests / rate if rate else 0.0,  # so that the rate is the median of the rates
        failures=sum(load.failures for load in loads),
        **{name: middle(name) for name in ("p50", "p99", "p999")},
    )


def _latencies(load: "Load") -> list[str]:
    return [f"{value:,.2f}" for value in (load.p50, load.p99, load.p999)]


def _stages(server: "Running") -> dict[str, float]:
    """Seconds so far in each stage."""
    with urllib.request.urlopen(f"{server.address}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    pattern = r'^penstock_stage_duration_seconds_sum\{.*stage="(\w+)".*\} (\S+)$'
    found = dict(re.findall(pattern, text, re.MULTILINE))
    return {stage: float(found[stage]) for stage in ("parse", "predict", "write")}


def _rounds(effort: "Effort") -> int:
    return effort.load_rounds // 3


def _seconds(effort: "Effort") -> int:
    return 1 if effort.load_rounds < 5 else 4


def soak(minutes: int) -> None:
    """Half of the load that it can take: a line for each minute."""
    from bench import requests
    from bench.load import put_load
    from bench.models import prepare
    from bench.servers import gateway, running

    world = requests.prepared(prepare("lightgbm"))
    with running(gateway(world.artifact, world.row)) as server:
        full = put_load(server.address, world.row, 256, 10)
        pause = max(1, round(2 * 256 / full.rate * 1e3))
        print(f"full: {full.rate:,.0f} requests/s; each of 256 connections waits {pause} ms")
        for minute in range(1, minutes + 1):
            load = put_load(server.address, world.row, 256, 60, pause)
            memory = server.resident_bytes / 1e6
            print(
                f"{minute:>3} min  {load.rate:>8,.0f} requests/s  p50 {load.p50:.2f} ms  "
                f"p99 {load.p99:.2f} ms  p99.9 {load.p999:.2f} ms  failed {load.failures}  "
                f"resident {memory:.1f} MB",
                flush=True,
            )


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--soak", type=int, metavar="MINUTES", help="half load for so long, alone")
    options = chosen(parser)
    if options.soak:
        return guarded(lambda: soak(options.soak))
    return guarded(lambda: print(section(effort(options))))


if __name__ == "__main__":
    sys.exit(main())
