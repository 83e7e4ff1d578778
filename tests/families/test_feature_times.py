"""Numbers that feature-engine makes of times, each before a model or by itself."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests import contract
from tests.families.test_feature_creation import using


def times(*, unit: str = "us", zone: str | None = None, missing: bool = False) -> Any:
    random = np.random.default_rng(7)

    def column(low: int, high: int) -> Any:
        seconds = pd.Series(random.integers(low, high, 200))
        made = pd.to_datetime(seconds, unit="s").astype(f"datetime64[{unit}]")
        made = made if zone is None else made.dt.tz_localize(zone)
        return made.where(made.index % 9 > 0) if missing else made

    made = {"start": column(-(10**9), 10**9), "end": column(10**9, 2 * 10**9)}
    return pd.DataFrame(made).assign(number=random.normal(size=200))


def with_missing_times() -> Any:
    return times(missing=True)


def dates(data: Any = times, **options: Any) -> Any:
    # An artifact answers with no times, so all of them are taken.
    return using("datetime.DatetimeFeatures", data, **options)


def differences(data: Any = times, **options: Any) -> Any:
    options = {"variables": ["end"], "reference": ["start"], "drop_original": True} | options
    return using("datetime.DatetimeSubtraction", data, **options)


def days(data: Any = times, **options: Any) -> Any:
    return using("datetime.DatetimeOrdinal", data, **options)


PLAIN = ["month", "quarter", "year", "day_of_week", "day_of_month", "day_of_year", "hour"]

EXAMPLES = {
    "dates": dates(),
    "dates_all": dates(features_to_extract="all"),
    "dates_of_one": dates(
        lambda: times().drop(columns="start"), features_to_extract=["weekend", "week"]
    ),
    "dates_with_missing": dates(
        with_missing_times, missing_values="ignore", features_to_extract=PLAIN
    ),
    "dates_in_seconds": dates(lambda: times(unit="s"), features_to_extract="all"),
    "dates_of_utc": dates(lambda: times(zone="UTC"), features_to_extract="all"),
    "dates_in_utc": dates(
        lambda: times(zone="Asia/Kolkata"), utc=True, features_to_extract=["hour", "year_end"]
    ),
    "differences": differences(),
    "differences_in_hours": differences(output_unit="h"),
    "differences_both_ways": differences(variables=["end", "start"], reference=["start", "end"]),
    "differences_named": differences(
        output_unit="s", new_variables_names=["took"], missing_values="raise"
    ),
    "differences_with_missing": differences(with_missing_times, output_unit="m"),
    "differences_of_seconds": differences(lambda: times(unit="s"), output_unit="W"),
    "days": days(),
    "days_since": days(start_date="2001-02-03"),
    "days_of_utc": days(lambda: times(zone="UTC")),
    "days_in_seconds": days(lambda: times(unit="s")),
}


@pytest.mark.parametrize(
    ("example", "words"),
    [
        (dates(with_missing_times, missing_values="ignore", features_to_extract="all"), "semester"),
        (dates(lambda: times(zone="Asia/Kolkata")), "without a zone"),
        (
            dates(lambda: times().astype({"start": "str"}), variables=["start"]),
            "which pandas parses",
        ),
        (differences(lambda: times(unit="ns")), "counts nanoseconds"),
        (differences(output_unit="ns"), "`output_unit`"),
        (days(with_missing_times, missing_values="ignore"), "`missing_values`"),
    ],
)
def test_what_is_not_exact_is_refused(example: Any, words: str) -> None:
    assert words in contract.refused(*example())


def test_the_index_is_refused() -> None:
    data = times().set_index("start", drop=False)
    model = using("datetime.DatetimeFeatures", lambda: data, variables="index")()[0]
    assert "`variables`" in contract.refused(model, data)


def test_every_day_of_a_calendar_has_its_parts() -> None:
    model, data = dates(features_to_extract="all")()
    days = pd.date_range("1896-01-01", "1904-12-31", freq="1D", unit="us")[::1]
    rows = [{"start": f"{day.isoformat()}Z", "end": f"{day.isoformat()}Z"} for day in days]
    contract.same(model, data, [row | {"number": 0.5} for row in rows])


def test_the_first_and_the_last_microsecond_of_a_day_have_its_number() -> None:
    model, data = days()()
    moments = pd.date_range("1700-01-01", "2240-01-01", freq="777D", unit="us")
    last = pd.Timedelta(86_399_999_999, unit="us")
    rows = [
        {"start": f"{moment.isoformat()}Z", "end": f"{(moment + last).isoformat()}Z", "number": 0.5}
        for moment in moments
    ]
    contract.same(model, data, rows)
