"""`penstock profile`: the numbers are pandas' and numpy's, the warnings are where they belong."""

import re

import numpy as np
import pandas as pd
import pytest

import penstock
from penstock.data import profile as profiling
from penstock.data.profile import profile
from penstock.data.sheets import page, text
from penstock.data.sizing import needs
from tests.test_cli import run, wrong


def frame(rows=3000):
    random = np.random.default_rng(0)
    late = random.random(rows) < 0.3
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "distance": np.where(random.random(rows) < 0.1, np.nan, random.gamma(2, 300, rows)),
            "carrier": random.choice(["UA", "AA", "<b>&"], rows),
            "tail": random.choice([f"N{at}" for at in range(200)], rows),
            "when": pd.date_range("2024-01-01", periods=rows, freq="h"),
            "constant": 1,
            "nothing": np.nan,
            "rare": np.where(np.arange(rows) % 10, np.nan, 1.5) * np.arange(rows),
            "endless": np.where(np.arange(rows) == 7, np.inf, random.random(rows)),
            "delay": np.where(late, random.integers(15, 99, rows), random.integers(-20, 15, rows)),
            "late": np.where(late, "late", "on time"),
        }
    )


FRAME = frame()


def of(found, name):
    return next(column for column in found.columns if column.name == name)


def test_the_numbers_are_those_of_pandas():
    found = profile(penstock.read(FRAME))
    assert (found.row_count, found.sampled) == (3000, 3000)
    for column in found.columns:
        values = FRAME[column.name]
        assert column.missing == values.isna().sum()
        assert column.distinct == values.nunique()
    distance = of(found, "distance")
    values = FRAME["distance"].dropna()
    assert distance.quantiles == np.quantile(values, profiling.QUANTILES).tolist()
    assert distance.mean == pytest.approx(values.mean(), rel=1e-12)
    assert distance.bins == np.histogram(values, profiling.BINS)[0].tolist()
    assert of(found, "carrier").levels == list(FRAME["carrier"].value_counts().items())


def test_counts_are_of_all_rows_and_the_rest_of_a_fair_sample(monkeypatch):
    monkeypatch.setattr(profiling, "SAMPLE_ROWS", 500)
    monkeypatch.setattr("penstock.readers.MOST_ROWS_PER_BATCH", 100)
    found = profile(penstock.read(FRAME))
    assert (found.row_count, found.sampled) == (3000, 500)
    number = of(found, "id")
    assert (number.count, number.minimum, number.maximum, number.mean) == (3000, 0, 2999, 1499.5)
    assert number.distinct == 500
    # The middle of 500 of 3000 numbers lies within five standard errors.
    assert abs(number.quantiles[3] - 1500) < 5 * 3000 / (2 * 500**0.5)
    assert "of a sample of 500" in text(found)


def test_oddities_are_warned_of_and_nothing_else():
    found = profile(penstock.read(FRAME), target="late")
    said = {re.match("`(.*?)`", one)[1]: one for one in found.warnings}
    assert set(said) == {"id", "tail", "constant", "nothing", "rare", "endless", "delay"}
    assert "different in every row" in said["id"]
    assert "has 200 levels" in said["tail"]
    assert "one value only" in said["constant"] and "no value at all" in said["nothing"]
    assert "missing in 90.0% of the rows" in said["rare"]
    assert "infinite" in said["endless"]
    assert "tells `late` nearly alone (score 1.000)" in said["delay"]
    numeric = profile(penstock.read(FRAME.assign(copy=FRAME["delay"] * 2)), target="delay")
    assert any("`copy` tells `delay`" in one for one in numeric.warnings)
    with pytest.raises(penstock.SchemaError, match="has no column `lat`; it has: `id`"):
        profile(penstock.read(FRAME), target="lat")


def test_tables_without_rows_and_odd_types_have_a_profile(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y\n")
    assert "0 rows, 2 columns" in text(profile(penstock.read(path)))
    odd = penstock.read({"list": [[1], [2]], "flag": [True, None]})
    assert of(profile(odd), "flag").levels == [(True, 1)]


def test_the_page_is_whole_and_escapes_what_is_in_the_data():
    found = profile(penstock.read(FRAME))
    shown = page(found)
    assert "<b>&" not in shown and "&lt;b&gt;&amp;" in shown
    assert not re.findall(r"(?:src|href)=|<script|@import|url\(", shown)
    assert shown.count("<svg") == 10
    assert "light-dark(" in shown


def test_needs_grow_with_the_rows_and_a_machine_that_is_too_small_is_told(monkeypatch):
    found = profile(penstock.read(FRAME))
    before = {need.algorithm: need for need in needs(found)}
    found.row_count *= 10
    for need in needs(found):
        assert need.frame == pytest.approx(10 * before[need.algorithm].frame)
        assert need.beside > before[need.algorithm].beside > 1e7
    assert "this machine is enough for every algorithm up to" in text(found)
    monkeypatch.setattr("penstock.data.sheets.memory_here", lambda: 1e6)
    assert "ask for one machine with" in text(found) and "few big ones" in text(found)


def test_the_command_prints_the_profile_and_writes_the_page(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    FRAME.to_csv("flights.csv", index=False)
    command = ("profile", "flights.csv", "--target", "late", "--html", "flights.html")
    code, out, err = run(capfd, *command)
    assert (code, err) == (0, "")
    assert out.startswith("3,000 rows, 11 columns\n")
    assert "warning: `delay` tells `late` nearly alone" in out
    assert (tmp_path / "flights.html").read_text("utf-8").startswith("<!doctype html>")
    assert "No such file" in wrong(capfd, "profile", "none.csv")
    assert "has no column `lat`" in wrong(capfd, "profile", "flights.csv", "--target", "lat")
