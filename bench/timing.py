"""Clocks for the comparisons: contenders take turns, so that a busy machine slows all alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["Call", "Measured", "interleave", "quickest"]

Call = Callable[[], object]

# A sample lasts at least this long: far above the clock's resolution, short beside a disturbance.
SAMPLE_SECONDS = 0.02


@dataclass(frozen=True)
class Measured:
    """Seconds per call; `threads` is CPU time over elapsed time."""

    median: float
    fastest: float
    threads: float


@dataclass(frozen=True)
class _Sample:
    seconds: float
    processor_seconds: float


def interleave(calls: Mapping[str, Call], rounds: int) -> dict[str, Measured]:
    """One sample of each contender per round, in turn; the medians over the rounds."""
    repeats = {name: _calibrate(call) for name, call in calls.items()}
    samples: dict[str, list[_Sample]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            samples[name].append(_sample(call, repeats[name]))
    return {name: _summary(taken) for name, taken in samples.items()}


def quickest(calls: Mapping[str, Call], rounds: int = 3) -> str:
    """The name of the call that takes least: how a contender gets the best of its own settings."""
    measured = interleave(calls, rounds)
    return min(measured, key=lambda name: measured[name].median)


def _calibrate(call: Call) -> int:
    """How many calls make a sample. Also warms up: the first call is not counted."""
    call()
    seconds = _sample(call, 1).seconds
    return max(1, round(SAMPLE_SECONDS / seconds))


def _sample(call: Call, repeat: int) -> _Sample:
    processor, start = time.process_time(), time.perf_counter()
    for _ in range(repeat):
        call()
    seconds, processor_seconds = time.perf_counter() - start, time.process_time() - processor
    return _Sample(seconds / repeat, processor_seconds / repeat)


def _summary(samples: list[_Sample]) -> Measured:
    seconds = [sample.seconds for sample in samples]
    return Measured(
        median=statistics.median(seconds),
        fastest=min(seconds),
        threads=sum(sample.processor_seconds for sample in samples) / sum(seconds),
    )
