"""Small tables to train on, with everything in them that real ones have."""

import numpy as np
import pandas as pd

CARRIERS = ["UA", "AA", "B6", "DL"]


def flights(rows=600, seed=0):
    """Numbers and text with gaps, a flag, and the targets `late`, `delay`, `bags` and `class`."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "distance": random.gamma(2, 400, rows).round(),
            "hour": random.integers(5, 23, rows),
            "carrier": random.choice(CARRIERS, rows),
            "heavy": random.random(rows) < 0.4,
            "month": np.arange(rows) * 12 // rows + 1,
        }
    )
    raw = frame["hour"] / 5 + 2 * (frame["carrier"] == "UA") + random.normal(size=rows) / 2
    frame["late"] = np.where(raw > 3.2, "yes", "no")
    frame["delay"] = raw * 10 - 20.5
    frame["bags"] = random.poisson(np.exp(raw / 3))
    frame["class"] = pd.cut(raw, [-99, 2, 3.5, 99], labels=["low", "middle", "high"]).astype(str)
    frame.loc[::17, "carrier"] = None
    frame.loc[::13, "distance"] = np.nan
    return frame


TARGETS = {"binary": "late", "regression": "delay", "count": "bags", "multiclass": "class"}


def asking(task, **rows):
    """The table with one target only, and its name."""
    target = TARGETS[task]
    others = [name for name in TARGETS.values() if name != target]
    return flights(**rows).drop(columns=others), target
