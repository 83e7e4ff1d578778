"""Clocks for the comparisons: contenders take turns, so that a busy machine slows all alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = [
    "FULL",
    "QUICK",
    "Call",
    "Clock",
    "Effort",
    "Measured",
    "Sample",
    "clock",
    "interleave",
    "quickest",
]

Call = Callable[[], object]

# A sample lasts at least this long: far above the clock's resolution, short beside a disturbance.
SAMPLE_SECONDS = 0.02
# Pools of threads keep spinning for some milliseconds after a call; the next one shall not pay.
PAUSE_SECONDS = 0.005


@dataclass(frozen=True)
class Effort:
    """How long a run takes pains: samples per contender, and the rows of the largest batch."""

    row_rounds: int
    batch_rounds: int
    load_rounds: int
    largest: int


FULL = Effort(row_rounds=25, batch_rounds=5, load_rounds=9, largest=100_000)
QUICK = Effort(row_rounds=5, batch_rounds=2, load_rounds=3, largest=20_000)


@dataclass(frozen=True)
class Sample:
    """Seconds per call, elapsed and of all processors."""

    seconds: float
    processor_seconds: float


Clock = Callable[[int], Sample]  # makes a call so many times


@dataclass(frozen=True)
class Measured:
    """Seconds per call; `threads` is CPU time over elapsed time."""

    median: float
    fastest: float
    threads: float


def clock(call: Call) -> Clock:
    """The clock of a call in this process."""

    def sample(repeat: int) -> Sample:
        processor, start = time.process_time(), time.perf_counter()
        for _ in range(repeat):
            call()
        seconds, processor_seconds = time.perf_counter() - start, time.process_time() - processor
        return Sample(seconds / repeat, processor_seconds / repeat)

    return sample


def interleave(clocks: Mapping[str, Clock], rounds: int) -> dict[str, Measured]:
    """One sample of each contender per round, in turn; the medians over the rounds."""
    repeats = {name: _calibrate(sample) for name, sample in clocks.items()}
    samples: dict[str, list[Sample]] = {name: [] for name in clocks}
    for _ in range(rounds):
        for name, sample in clocks.items():
            time.sleep(PAUSE_SECONDS)
            samples[name].append(sample(repeats[name]))
    return {name: _summary(taken) for name, taken in samples.items()}


def quickest(calls: Mapping[str, Call], rounds: int = 3) -> str:
    """The name of the call that takes least: how a contender gets the best of its own settings."""
    measured = interleave({name: clock(call) for name, call in calls.items()}, rounds)
    return min(measured, key=lambda name: measured[name].median)


def _calibrate(sample: Clock) -> int:
    """How many calls make a sample. Also warms up: the first call counts only where it is long."""
    first = sample(1).seconds
    seconds = first if first > 10 * SAMPLE_SECONDS else sample(1).seconds
    return max(1, round(SAMPLE_SECONDS / seconds))


def _summary(samples: list[Sample]) -> Measured:
    seconds = [sample.seconds for sample in samples]
    return Measured(
        median=statistics.median(seconds),
        fastest=min(seconds),
        threads=sum(sample.processor_seconds for sample in samples) / sum(seconds),
    )
