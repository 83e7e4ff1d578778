"""Feature steps against the plain Python function, pandas and Polars; prints rows per second."""

import random
import time

import numpy as np
import pandas as pd

from penstock.steps import Derive, Lookup, count_words, entropy, share

ROWS = 1_000_000
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"
WORDS = frozenset()


def domain(name):
    label = name.lower().split(".")[0]
    return {
        "length": len(label),
        "entropy": entropy(label),
        "vowels": share(label, "aeiou"),
        "words": count_words(label, WORDS),
    }


def timed(rows, run):
    run()
    started = time.perf_counter()
    run()
    return rows / (time.perf_counter() - started)


def main() -> None:
    global WORDS
    chooser = random.Random(1)

    def word(low, high):
        return "".join(chooser.choices(LETTERS, k=chooser.randint(low, high)))

    WORDS = frozenset(word(3, 9) for _ in range(100_000))
    names = pd.DataFrame({"name": [f"{word(6, 20)}.com" for _ in range(100_000)]})
    step = Derive.from_function(domain).fit(names.head(1000))
    few = names["name"].head(2000).tolist()
    plain = timed(len(few), lambda: [domain(name) for name in few])
    engine = timed(len(names), lambda: step.transform(names))
    print(f"domain: function {plain:,.0f}, engine {engine:,.0f}, {engine / plain:.0f} times")
    numbers = np.random.default_rng(1)
    loans = pd.DataFrame(
        {name: numbers.uniform(1, 100, ROWS) for name in ("loan", "income", "dti")}
    )
    derive = Derive(
        ratio="loan / income", high="dti > 20 and loan > 50", root="sqrt(loan) * 2 + dti"
    ).fit(loans.head(100))

    def by_pandas():
        return pd.DataFrame(
            {
                "ratio": loans["loan"] / loans["income"],
                "high": (loans["dti"] > 20) & (loans["loan"] > 50),
                "root": np.sqrt(loans["loan"]) * 2 + loans["dti"],
            }
        )

    report("numbers", derive, loans, by_pandas)
    table = pd.DataFrame({"key": [f"k{at}" for at in range(100_000)], "value": range(100_000)})
    keys = pd.DataFrame({"key": [f"k{at}" for at in numbers.integers(0, 120_000, ROWS)]})
    lookup = Lookup(table, on="key").fit(keys.head(100))
    report("lookup", lookup, keys, lambda: keys.merge(table, on="key", how="left"))


def report(name, step, frame, by_pandas):
    engine = timed(len(frame), lambda: step.transform(frame))
    pandas = timed(len(frame), by_pandas)
    print(f"{name}: pandas {pandas:,.0f}, engine {engine:,.0f}, {engine / pandas:.1f} times")


if __name__ == "__main__":
    main()
