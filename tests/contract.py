"""The contract that every family's examples are held to, and small worlds to fit them on.

A family's test file, `tests/families/test_<family>.py`, has a table of examples:

    from sklearn.preprocessing import StandardScaler
    from tests import contract

    def standard_scaler():
        frame = contract.numbers()
        return StandardScaler().fit(frame), frame

    EXAMPLES = {"standard_scaler": standard_scaler}

A name is a sentence's worth of words: estimator, then the option that is different
(`standard_scaler_without_mean`). A function takes nothing, fits with fixed seeds on a few hundred
rows, and returns `(fitted estimator, example)`, or `(fitted estimator, example, policies)`.
`tests/test_contract.py` finds every table and runs, for each example:

- `convert`, which proves parity on typical and hostile rows;
- other hostile rows than those that `convert` saw;
- row by row equals batch, and one thread equals many;
- columns in another order;
- save, load, save: identical bytes; examples verify;
- refusals: what the source library refuses, the model refuses.

What is refused by name is tested in the family's file with `refused`:

    def test_linear_trees_are_refused():
        assert "linear_tree" in contract.refused(estimator, frame)
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Example = Callable[[], tuple[Any, ...]]

ROWS = 300


def numbers(
    rows: int = ROWS, *, missing: bool = False, dtype: str = "float64", seed: int = 0
) -> Any:
    """Numbers on different scales: a constant, integers in floats, ties, zeros, negatives."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "normal": random.normal(size=rows),
            "large": random.lognormal(8, 2, size=rows),
            "counts": random.poisson(3, size=rows).astype(float),
            "constant": np.full(rows, 2.5),
            "signed": random.choice([-1.5, 0.0, 0.25, 7.0], size=rows),
        }
    ).astype(dtype)
    if missing:
        for at, name in enumerate(frame):
            frame.loc[frame.index % (7 + at) == 0, name] = np.nan
    return frame


def texts(rows: int = ROWS, *, missing: bool = True, seed: int = 1) -> Any:
    """A frame of text columns: few levels, many levels with rare ones, letters beyond ASCII."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "color": random.choice(["red", "green", "blue"], size=rows),
            "town": random.choice([f"town {at}" for at in range(20)], size=rows, p=_rare(20)),
            "word": random.choice(["Straße", "naïve", "東京", ""], size=rows),
        },
        dtype="object",
    )
    if missing:
        frame.loc[frame.index % 11 == 0, "color"] = None
        frame.loc[frame.index % 13 == 0, "town"] = np.nan
    return frame


def mixed(rows: int = ROWS, *, missing: bool = True, seed: int = 2) -> Any:
    """Numbers, integers, booleans, text and pandas categories in one frame."""
    random = np.random.default_rng(seed)
    frame = pd.concat([numbers(rows, missing=missing), texts(rows, missing=missing)], axis=1)
    frame["integer"] = random.integers(-5, 50, size=rows)
    frame["flag"] = random.random(rows) < 0.3
    frame["size"] = pd.Categorical(
        random.choice(["S", "M", "L"], size=rows), categories=["S", "M", "L", "XL"]
    )
    return frame


def amount(frame: Any, seed: int = 3) -> Any:
    """A target to regress on: depends on the numbers of the frame, with noise."""
    random = np.random.default_rng(seed)
    total = frame.select_dtypes("number").fillna(0).rank(pct=True).sum(axis=1)
    return (total + random.normal(scale=0.1, size=len(frame))).to_numpy()


def answer(frame: Any, classes: Any = ("no", "yes"), seed: int = 4) -> Any:
    """A target to classify: about equal shares, depending on the numbers of the frame."""
    value = amount(frame, seed)
    edges = np.quantile(value, np.linspace(0, 1, len(classes) + 1)[1:-1])
    return np.asarray(classes)[np.searchsorted(edges, value)]


def refused(estimator: Any, example: Any, **keywords: Any) -> str:
    """The message with which `convert` refuses; fails if it does not."""
    import penstock

    try:
        penstock.convert(estimator, example, **keywords)
    except penstock.ConvertError as error:
        return str(error)
    raise AssertionError(f"{type(estimator).__name__} was converted, not refused")


def _rare(count: int) -> Any:
    weights = 1.0 / np.arange(1, count + 1) ** 2
    return weights / weights.sum()
