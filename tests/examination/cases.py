"""The cases of each class that is examined, and what becomes of them."""

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from itertools import islice
from typing import Any

from penstock.converters import table
from tests.examination import options, others
from tests.examination.data import WORLDS
from tests.examination.given import ONLY
from tests.examination.judging import fitted, outcome
from tests.operators_page import answering
from tests.operators_page import classes as scikit_learn

__all__ = ["examine", "examined"]


def cases(cls: type, instances: Any) -> Iterator[tuple[str, Any, str]]:
    """The name of a case, a fitted estimator, and the world that it was fitted on.

    The plain instance meets all worlds; each value of an option one after the other of those that
    fit, or the next one where the value does not, and texts where texts fit.
    """
    worlds = []
    for world in ONLY.get(cls.__name__, WORLDS):
        plain = instances.base(cls)
        if plain is not None and fitted(plain, WORLDS[world]) is not None:
            worlds.append(world)
            yield world, plain, world
    wordy = [world for world in ("texts", "missing texts") if world in worlds]
    for at, (name, estimator) in enumerate(instances.variants(cls) if worlds else ()):
        turn = [worlds[(at + step) % len(worlds)] for step in range(len(worlds))]
        first = next((world for world in turn if _fits(estimator, world)), None)
        for world in dict.fromkeys([first, *wordy]):
            if world is not None and _fits(estimator, world):
                yield f"{name} on {world}", estimator, world


def _fits(estimator: Any, world: str) -> bool:
    return fitted(estimator, WORLDS[world]) is not None


def examine(
    name: str, *, most: int | None = None, refusals: bool = False
) -> tuple[Counter, list[str]]:
    """How often there is which outcome, and what went wrong; of the first cases, or of all."""
    cls, instances = examined()[name]
    counts: Counter = Counter()
    faults = []
    with redirect_stdout(StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case, estimator, world in islice(cases(cls, instances), most):
            kind, message = outcome(estimator, WORLDS[world])
            counts[kind] += 1
            if kind in ("wrong", "crash") or (refusals and kind == "refused"):
                faults.append(f"{kind}: {cls.__name__} {case}: {message}")
    return counts, faults


@cache
def examined() -> dict[str, tuple[type, Any]]:
    """The classes by name, and the module that makes instances of each."""
    found = {
        name: (cls, options)
        for name, cls in answering(scikit_learn()).items()
        if name in table() and options.base(cls) is not None
    }
    found |= {name: (cls, others) for name, cls in others.classes().items()}
    return dict(sorted(found.items()))
