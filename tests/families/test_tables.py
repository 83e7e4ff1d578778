"""Lookup and Levels: dictionaries of Python are the oracle."""

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import penstock
from penstock import ConvertError, DataError
from penstock.steps import Derive, Levels, Lookup
from tests import contract

ROWS = 200


def flights():
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "origin": pd.Series(random.choice(["JFK", "LGA", "EWR", "東京"], ROWS), dtype="object"),
            "month": random.integers(1, 14, ROWS).astype(float),
            "hour": random.integers(0, 24, ROWS).astype(float),
        }
    )
    frame.loc[frame.index % 17 == 0, "origin"] = None
    frame.loc[frame.index % 19 == 0, "month"] = np.nan
    return frame


def weather():
    rows = [(place, month) for place in ("JFK", "EWR", "東京") for month in (1.0, 2.0, 5.0, 12.0)]
    return pd.DataFrame(
        {
            "origin": pd.Series([place for place, _ in rows], dtype="object"),
            "month": [month for _, month in rows],
            "wind": [float(at) if at % 5 else math.nan for at in range(len(rows))],
            "sky": pd.Series(
                [None if at % 4 == 0 else f"sky {at % 3}" for at in range(len(rows))],
                dtype="object",
            ),
        }
    )


def looked_up(frame, table, on, name, default):
    known = {tuple(row[key] for key in on): row[name] for row in table.to_dict("records")}
    values = [known.get(tuple(row[key] for key in on), default) for row in frame.to_dict("records")]
    return [None if value is None or value != value else value for value in values]


def plain(values):
    return [None if value is None or value != value else value for value in values]


@pytest.mark.parametrize("on", [["origin", "month"], ["month", "origin"]])
def test_what_is_looked_up_is_what_a_dictionary_has(on):
    step = Lookup(weather(), on=on, default={"sky": "?"}).fit(flights())
    given = step.transform(flights())
    assert plain(given["wind"]) == looked_up(flights(), weather(), on, "wind", None)
    assert plain(given["sky"]) == looked_up(flights(), weather(), on, "sky", "?")


def test_one_key_of_numbers_is_looked_up():
    table = pd.DataFrame({"hour": [float(hour) for hour in range(0, 24, 3)], "load": range(8)})
    step = Lookup(table, on="hour", take="load", default={"load": -1.0}).fit(flights())
    given = step.transform(flights())["load"]
    assert plain(given) == looked_up(flights(), table, ["hour"], "load", -1.0)


def test_a_row_that_is_not_in_the_table_is_refused_where_that_is_asked():
    table = pd.DataFrame({"origin": ["JFK"], "far": [1.0]})
    for on, data in (("origin", table), (["origin", "month"], table.assign(month=1.0))):
        step = Lookup(data, on=on, unmatched="refuse").fit(flights())
        good = pd.DataFrame({"origin": ["JFK"], "month": [1.0], "hour": [0.0]})
        assert step.transform(good)["far"].tolist() == [1.0]
        with pytest.raises(DataError, match="origin"):
            step.transform(good.assign(origin="LGA"))


@pytest.mark.parametrize(
    "change, message",
    {
        "twice": "has the key 'JFK' more than once",
        "missing": "a key is missing in column `origin`",
        "lacking": "the table has no column `nothing`",
        "number": "the key `month` is text in the table, number in the data",
    }.items(),
)
def test_a_wrong_table_is_refused(change, message):
    table = {
        "twice": pd.DataFrame({"origin": ["JFK", "JFK"], "far": [1.0, 2.0]}),
        "missing": pd.DataFrame({"origin": ["JFK", None], "far": [1.0, 2.0]}),
        "lacking": pd.DataFrame({"origin": ["JFK"], "far": [1.0]}),
        "number": pd.DataFrame({"month": ["1"], "far": [1.0]}),
    }[change]
    on = {"number": "month", "lacking": "nothing"}.get(change, "origin")
    with pytest.raises(ConvertError, match=message):
        Lookup(table, on=on).fit(flights())


def test_rare_and_unseen_levels_become_one():
    frame = pd.DataFrame({"t": pd.Series(["a"] * 5 + ["b"] * 3 + ["c", "d", None], dtype="object")})
    new = pd.DataFrame({"t": pd.Series(["a", "b", "c", "new", None], dtype="object")})
    step = Levels(min_count=2).fit(frame)
    assert plain(step.transform(new)["t"]) == ["a", "b", "other", "other", None]
    step = Levels(max_levels=1, other="rest", unseen="missing").fit(frame)
    assert plain(step.transform(new)["t"]) == ["a", "rest", "rest", None, None]
    with pytest.raises(DataError, match="new"):
        Levels(unseen="refuse").fit(frame).transform(new)


def lookup_before_a_model():
    data = flights()
    steps = (
        Lookup(weather(), on=["origin", "month"]),
        Derive(wind="default(wind, 0)", clear="sky == 'sky 1'", long="len(default(sky, ''))"),
        LogisticRegression(),
    )
    return make_pipeline(*steps).fit(data, contract.answer(data)), data


EXAMPLES = {
    "lookup": lambda: (Lookup(weather(), on=["origin", "month"]).fit(flights()), flights()),
    "lookup_before_a_model": lookup_before_a_model,
    "levels": lambda: (Levels(min_count=45).fit(flights()[["origin"]]), flights()[["origin"]]),
    "levels_that_refuse": lambda: (
        Levels(unseen="refuse").fit(flights()[["origin"]]),
        flights()[["origin"]],
    ),
}


def test_a_table_travels_in_the_artifact(tmp_path):
    step, data = EXAMPLES["lookup"]()
    penstock.convert(step, data).save(tmp_path / "lookup.penstock")
    model = penstock.load(tmp_path / "lookup.penstock")
    assert model.predict({"origin": "JFK", "month": 2, "hour": 1}) == {"wind": 1.0, "sky": "sky 1"}
