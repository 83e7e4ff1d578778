"""Converts every class of scikit-learn on many kinds of data: `python -m tests.examination [NAME]`.

By hand, as it takes many minutes: it prints each refusal that the proof makes (*unproved*: without
it the model would be wrong), each error that is none of ours, and how many of each there are.
"""

import sys
import traceback
import warnings
from collections import Counter

import numpy as np
import pandas as pd

import penstock
from penstock.converters import table
from tests import contract
from tests.operators_page import answering, classes

ROWS = 150


def scaled():
    frame = contract.numbers(ROWS)
    return frame.assign(large=np.log(frame["large"])).drop(columns="constant")


def whole():
    frame = contract.numbers(ROWS)
    return pd.DataFrame({name: (frame[name] * 3).round().clip(-50, 50) for name in frame})


WORLDS = {
    "frame": scaled,
    "array": lambda: scaled().to_numpy(),
    "float32": lambda: scaled().to_numpy(dtype="float32"),
    "positive": lambda: scaled().abs(),
    "whole": lambda: whole().abs().astype("int64"),
    "whole floats": whole,
    "zero or one": lambda: (scaled() > 0.5).astype("float64"),
    "missing": lambda: contract.numbers(ROWS, missing=True),
    "all sizes": lambda: contract.numbers(ROWS),
    "one column": lambda: scaled()[["normal"]],
    "booleans": lambda: scaled() > 0.5,
    "mixed": lambda: contract.mixed(ROWS, missing=False),
    "texts": lambda: contract.texts(ROWS, missing=False),
}


def targets(data):
    """Targets to try, the simplest first; the first that fits is taken."""
    frame = scaled()
    amount = contract.amount(frame)
    yield contract.answer(frame, ("a", "b", "c"))
    yield contract.answer(frame, (0, 1))
    yield amount
    yield np.abs(amount) + 0.1
    yield np.stack([contract.answer(frame, (0, 1), seed=seed) for seed in (4, 5)], axis=1)
    yield np.stack([amount, -3 * amount], axis=1)
    yield None


def instances(cls):
    """The class with options that scikit-learn tests it with."""
    from sklearn.utils._test_common.instance_generator import _construct_instances

    try:
        yield from _construct_instances(cls)
    except Exception as error:
        print(f"  no instance of {cls.__name__}: {error}")


def fitted(estimator, data):
    """The estimator after the first target that it takes."""
    for target in targets(data):
        try:
            return estimator.fit(data, target)
        except Exception:
            continue
    return None


def outcome(estimator, data):
    """What becomes of the conversion, and the message."""
    try:
        penstock.convert(estimator, data)
    except penstock.ConvertError as error:
        kind = "unproved" if "the source library" in str(error) else "refused"
        return kind, str(error)
    except Exception:
        return "CRASH", traceback.format_exc(limit=-3)
    return "converts", ""


def examine(name, cls):
    """Every instance on every world: how often there is which outcome."""
    counts = Counter()
    for estimator in instances(cls):
        for world, make in WORLDS.items():
            data = make()
            model = fitted(estimator, data)
            if model is None:
                counts["not fitted"] += 1
                continue
            kind, message = outcome(model, data)
            counts[kind] += 1
            if kind in ("unproved", "CRASH") or "--all" in sys.argv:
                print(f"  {kind}: {estimator} on {world}: {message[:700]}", flush=True)
    return counts


def main(wanted):
    """Prints the outcomes of the classes whose names contain one of these texts."""
    warnings.simplefilter("ignore")
    total = Counter()
    for name, cls in sorted(answering(classes()).items()):
        if name in table() and (not wanted or any(part in name for part in wanted)):
            counts = examine(name, cls)
            total += counts
            print(name, dict(counts), flush=True)
    print(dict(total))


if __name__ == "__main__":
    main([part for part in sys.argv[1:] if part != "--all"])
