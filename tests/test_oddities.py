"""What profile and training warn of is one thing: identifiers, free text, leaks."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import penstock
from penstock.data.oddities import Outcome, binned, counts_rows, strength
from penstock.data.profile import profile


def halves(rows, seed=0):
    chosen = np.random.default_rng(seed).permutation(rows)
    return chosen[: rows // 2], chosen[rows // 2 :]


def test_of_two_classes_the_strength_is_the_area_under_the_curve():
    random = np.random.default_rng(1)
    groups = random.integers(0, 9, 1000)
    flags = (random.random(1000) < groups / 9).astype("float64")
    first, second = halves(1000)
    means = pd.Series(flags[first]).groupby(groups[first]).mean()
    expected = roc_auc_score(flags[second], means.reindex(groups[second]))
    assert strength(groups, Outcome(flags, 2)) == pytest.approx(expected, rel=1e-12)


def test_of_several_classes_the_strength_is_the_share_that_is_right():
    random = np.random.default_rng(1)
    groups = random.integers(0, 6, 1000)
    codes = np.where(random.random(1000) < 0.8, groups % 3, random.integers(0, 3, 1000))
    first, second = halves(1000)
    modes = pd.Series(codes[first]).groupby(groups[first]).agg(lambda part: part.mode()[0])
    expected = (modes.reindex(groups[second]).to_numpy() == codes[second]).mean()
    assert strength(groups, Outcome(codes, 3)) == pytest.approx(expected)
    assert strength(groups, Outcome(np.where(np.arange(1000) % 20, 1, codes), 3)) == 0


def test_of_numbers_the_strength_is_the_variance_that_is_explained():
    random = np.random.default_rng(1)
    x = random.normal(size=2000)
    assert strength(binned(x), Outcome(x * 3 + 1)) > 0.95
    assert strength(binned(x), Outcome(random.normal(size=2000))) < 0.1


def test_groups_of_one_row_each_tell_nothing():
    assert strength(np.arange(1000), Outcome(np.arange(1000) % 2.0, 2)) == 0
    assert strength(np.array([], dtype="int64"), Outcome(np.array([]), 2)) == 0


@pytest.mark.parametrize(
    ("numbers", "counted"),
    [
        (np.arange(300), True),
        (np.arange(1_000_000, 1_003_000, 10), True),
        (np.random.default_rng(0).choice(1000, 300, replace=False), True),
        (np.random.default_rng(0).choice(10**7, 300, replace=False), False),
        (np.arange(300) // 2, False),
        (np.arange(20), False),
        (np.arange(300) * 2.0**60, False),
    ],
)
def test_numbers_that_count_rows_are_told_from_others(numbers, counted):
    assert counts_rows(numbers, len(numbers)) is counted


def test_profile_and_training_warn_of_the_same():
    random = np.random.default_rng(0)
    late = random.random(900) < 0.3
    frame = pd.DataFrame(
        {
            "hour": random.integers(0, 24, 900),
            "id": np.arange(900) + 5,
            "code": [f"K{at:05}" for at in range(900)],
            "note": [f"the plane was late by {at} minutes" for at in range(900)],
            "told": np.where(late, "a", "b"),
            "delay": np.where(late, 20.0, 0.0) + random.random(900),
            "price": random.integers(0, 10**8, 900),
            "late": np.where(late, "yes", "no"),
        }
    )
    said = profile(penstock.read(frame), target="late").warnings
    trained = penstock.train(frame, "late", algorithm="glm").warnings
    odd = ["id", "code", "told", "delay"]
    assert [name for name in frame.columns if any(f"`{name}`" in one for one in trained)] == odd
    # Of free text it is said what becomes of it.
    assert {one.split("`")[1] for one in said} == {*odd, "note"}
