"""Times on their way through a conversion: rows have them as text, tables as counts of a unit."""

import datetime
import json

import numpy as np
import pandas as pd
import pytest

import penstock
from penstock.frames import describe
from penstock.proof.hostile import TIMES
from penstock.schema import Field
from penstock.steps import Dates
from penstock.times import is_zoned, ticks, unit
from tests import toys

LATE = "2024-02-29T23:59:59.000001Z"


def frame(count, zone):
    times = pd.Series(pd.to_datetime(["2024-02-29T12:00:00", None]).astype(f"datetime64[{count}]"))
    return pd.DataFrame(
        {"at": times if zone is None else times.dt.tz_localize("UTC").dt.tz_convert(zone)}
    )


def tables(count, zone):
    """The same times in every kind of table that counts in this unit."""
    import polars
    import pyarrow

    data = frame(count, zone)
    arrow = pyarrow.Table.from_pandas(data)
    yield data
    yield data.astype({"at": pd.ArrowDtype(arrow.schema.field("at").type)})
    yield arrow
    if count != "s":
        yield polars.from_arrow(arrow)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("count", ["s", "ms", "us", "ns"])
def test_hostile_times_fit_the_tables_that_are_made_of_them(count, zone):
    texts = [*TIMES[count], None]
    for data in tables(count, zone):
        example = describe(data)
        dtype = example.columns[0].dtype
        assert (unit(dtype), is_zoned(dtype)) == (count, zone is not None)
        built = example.build([{"at": text} for text in texts])
        made = counted(built)
        assert made == [ticks(text, count) for text in texts]


def counted(built):
    """The counts in a table, as Arrow has them."""
    import pyarrow

    column = pyarrow.table(built)["at"]
    return column.combine_chunks().cast(pyarrow.int64()).to_pylist()


def test_rows_have_times_as_text_in_utc():
    zone = frame("us", "Europe/Berlin")
    assert describe(zone).rows([0, 1]) == [{"at": "2024-02-29T12:00:00Z"}, {"at": None}]
    late = pd.DataFrame({"at": pd.to_datetime(["1969-12-31T23:59:59.999999999"])})
    assert describe(late).rows([0]) == [{"at": "1969-12-31T23:59:59.999999999Z"}]


def test_a_time_that_nanoseconds_cannot_count_makes_microseconds():
    built = describe(frame("ns", None)).build([{"at": "9999-12-31T00:00:00Z"}])
    assert built["at"].dtype == "datetime64[us]"


def test_less_than_a_microsecond_is_cut_wherever_a_time_comes_from():
    data = pd.DataFrame(
        {"at": pd.to_datetime(["1969-12-31T23:59:59.999999999", "2024-01-01T00:00:00.0"])}
    )
    model = penstock.convert(Dates(parts=["year", "microsecond"]).fit(data), data)
    wanted = {"at_year": 1969.0, "at_microsecond": 999_999.0}
    moment = datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999)
    for at in ("1969-12-31T23:59:59.9999999Z", moment, data["at"][0], np.datetime64(-1, "ns")):
        assert model.predict({"at": at}) == wanted, repr(at)
    assert model.predict(data).iloc[0].to_dict() == wanted
    assert model.predict_json(json.dumps({"at": "1969-12-31T23:59:59.999999Z"})) == wanted


def test_the_baseline_of_times_are_microseconds():
    data = frame("ns", "Europe/Berlin")
    model = penstock.convert(Dates().fit(data), data)
    seen = model.manifest["baseline"]["at"]
    assert (seen["count"], seen["missing"]) == (2, 1)
    assert seen["minimum"] == seen["maximum"] == 1_709_208_000_000_000
    assert seen["bins"]["counts"] == [0, 1, 0]


def test_times_that_no_double_holds_are_refused_in_rows_and_tables():
    data = frame("us", None)
    model = penstock.convert(Dates(parts=["year"]).fit(data), data)
    for rows in ({"at": "9999-12-31T23:59:59.999999Z"}, [{"at": "9999-12-31T23:59:59.999999Z"}]):
        with pytest.raises(penstock.DataError, match="column `at`"):
            model.predict(rows)
    far = pd.DataFrame({"at": np.array(["9999-12-31T23:59:59.999999"], dtype="datetime64[us]")})
    with pytest.raises(penstock.DataError, match="column `at`"):
        model.predict(far)


@pytest.mark.parametrize("count", ["s", "ms"])
def test_times_beyond_what_microseconds_count_are_refused(count):
    model = toys.echo(Field("at", "timestamp"))
    far = np.array([0, 2**61, -(2**61)], dtype="int64").view(f"datetime64[{count}]")
    for at in (1, 2):
        with pytest.raises(penstock.DataError, match="row 1: column `at`"):
            model.predict(pd.DataFrame({"at": far[[0, at]]}))


def test_the_first_nanosecond_is_what_it_is():
    ends = np.array([-(2**63) + 1, -(2**63)], dtype="int64").view("datetime64[ns]")
    given = toys.echo(Field("at", "timestamp")).predict(pd.DataFrame({"at": ends}))["at_read"]
    assert given[0] == -9_223_372_036_854_776.0
    assert np.isnan(given[1])
