"""Hostile rows: every column gets its missing, unseen, extreme and threshold values."""

import math

import numpy as np
import pandas as pd
import pytest

from penstock.converters.context import Context
from penstock.converters.values import Column, numeric_columns
from penstock.frames import describe
from penstock.proof.hostile import HOSTILE_ROWS, hostile, spread, typical
from penstock.proof.thresholds import thresholds
from tests import contract


def probes(frame, limits=None, **keywords):
    example = describe(frame)
    return hostile(example, typical(example), example.names, limits or {}, **keywords)


def values(found, column, case):
    return [probe.row[column] for probe in found if (probe.column, probe.case) == (column, case)]


def test_every_column_is_missing_once_alone():
    frame = contract.mixed()
    found = probes(frame)
    for name in frame:
        assert None in values(found, name, "missing")


def test_text_and_categories_get_levels_that_were_never_seen():
    frame = contract.mixed()
    found = probes(frame)
    for name in ("color", "town", "size"):
        seen = set(frame[name].dropna())
        assert values(found, name, "unseen") and not seen & set(values(found, name, "unseen"))


def test_every_level_comes_once():
    assert set(values(probes(contract.mixed()), "color", "level")) == {"red", "green", "blue"}


def test_numbers_get_infinities_zeros_and_what_f32_cannot_hold():
    found = probes(contract.numbers())
    assert values(found, "normal", "infinite") == [math.inf, -math.inf]
    numbers = values(found, "normal", "number")
    assert 0.0 in numbers and 1e300 in numbers and 16777217.0 in numbers
    assert any(math.copysign(1, x) < 0 for x in numbers if x == 0)


def test_extremes_lie_beyond_the_data():
    frame = contract.numbers()
    extremes = values(probes(frame), "large", "extreme")
    assert max(extremes) > frame["large"].max()


def test_values_at_and_beside_thresholds_come_in_f64_and_f32():
    found = values(probes(contract.numbers(), {"large": [0.1]}), "large", "threshold")
    assert 0.1 in found and math.nextafter(0.1, 1) in found and math.nextafter(0.1, 0) in found
    assert float(np.float32(0.1)) in found


def test_same_seed_makes_the_same_rows_and_another_makes_others():
    frame = contract.mixed()
    assert repr(probes(frame)) == repr(probes(frame))
    assert repr(probes(frame)) != repr(probes(frame, seed=1))


def test_wide_tables_make_no_more_rows_and_miss_no_column():
    frame = pd.DataFrame({f"x{at}": [0.0, 1.0] for at in range(600)})
    found = probes(frame)
    assert len(found) < HOSTILE_ROWS + 100
    assert {probe.column for probe in found if probe.case == "missing"} >= set(frame)


def test_typical_rows_are_spread_over_the_example():
    rows = typical(describe(pd.DataFrame({"x": range(1000)})), 10)
    assert [row["x"] for row in rows] == list(range(0, 1000, 100))


def test_spread_keeps_the_first_and_the_last():
    assert spread(list(range(100)), 3) == [0, 49, 99]


def graph_of_trees(chain):
    context = Context({}, [Column(name, "number") for name in "ab"], frame="pandas")
    value = context.add(
        "trees",
        chain(context, context.inputs),
        numeric_columns(1),
        features=np.array([1, 0, -1, 1], "int32"),
        thresholds=np.array([2.5, -1.0, 0.0, 3.0]),
        flags=np.array([0, 0, 0, 1], "uint8"),
    )
    return thresholds(context.graph([value.node]), context.widths)


def test_thresholds_are_those_of_numeric_tests_by_field():
    assert graph_of_trees(lambda context, value: value) == {"a": [-1.0], "b": [2.5]}


def test_thresholds_are_found_through_selection_and_rounding():
    def chain(context, value):
        return context.cast(context.select(value, [1, 0]), "f32")

    assert graph_of_trees(chain) == {"a": [2.5], "b": [-1.0]}


def test_thresholds_are_found_through_arithmetic():
    def chain(context, value):
        for function, operands in (("subtract", [1.0, 2.0]), ("divide", [4.0, 2.0])):
            value = context.add(
                "arithmetic",
                value,
                value.columns,
                function=function,
                operands=np.array(operands),
                precision="f64",
            )
        return value

    assert graph_of_trees(chain) == {"a": [-3.0], "b": [7.0]}


@pytest.mark.parametrize("operator", ["normalize", "products"])
def test_thresholds_behind_other_operators_are_left_out(operator):
    assert graph_of_trees(lambda context, value: context.add(operator, value, value.columns)) == {}
