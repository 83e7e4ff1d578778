"""Columns that feature-engine makes of several, each before a model or by itself."""

from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from tests import contract


def numbers(*, missing: bool = False) -> Any:
    made = contract.numbers(missing=missing)[["normal", "counts", "signed"]]
    return made.assign(whole=contract.mixed()["integer"])


def with_missing() -> Any:
    return numbers(missing=True)


def positive() -> Any:
    return contract.numbers()[["large", "constant"]].assign(other=numbers()["counts"] + 1.0)


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


def target(count: int = contract.ROWS) -> Any:
    return (np.random.default_rng(3).random(count) < 0.5).astype(int)


def using(path: str, data: Any, **options: Any) -> Any:
    """An example of the class at this path, fitted on the data."""

    def example() -> tuple[Any, ...]:
        package, name = path.split(".")
        frame = data()
        model = getattr(import_module(f"feature_engine.{package}"), name)(**options)
        return model.fit(frame, target(len(frame))), frame

    return example


def wrapping(transformer: Any, data: Any = numbers, **options: Any) -> Any:
    return using("wrappers.SklearnTransformerWrapper", data, transformer=transformer, **options)


def in_a_pipeline() -> tuple[Any, ...]:
    from feature_engine.creation import MathFeatures
    from feature_engine.pipeline import Pipeline

    steps = [("sum", MathFeatures(["normal", "counts"], "sum")), ("model", LogisticRegression())]
    return Pipeline(steps).fit(numbers(), target()), numbers()


def math(func: Any, data: Any = numbers, **options: Any) -> Any:
    variables = ["normal", "signed", "counts"]
    return using("creation.MathFeatures", data, variables=variables, func=func, **options)


def relative(*func: str, data: Any = numbers, **options: Any) -> Any:
    return using(
        "creation.RelativeFeatures",
        data,
        variables=["normal", "counts"],
        reference=["signed"],
        func=list(func),
        **options,
    )


def dates(data: Any = times, **options: Any) -> Any:
    # An artifact answers with no times, so all of them are taken.
    return using("datetime.DatetimeFeatures", data, **options)


def differences(data: Any = times, **options: Any) -> Any:
    options = {"variables": ["end"], "reference": ["start"], "drop_original": True} | options
    return using("datetime.DatetimeSubtraction", data, **options)


PLAIN = ["month", "quarter", "year", "day_of_week", "day_of_month", "day_of_year", "hour"]

EXAMPLES = {
    "cycles": using("creation.CyclicalFeatures", positive, drop_original=True),
    "cycles_beside": using("creation.CyclicalFeatures", positive, variables=["other"]),
    **{f"math_{name}": math(name) for name in ("sum", "mean", "min", "max", "prod", "std", "var")},
    "math_all": math(["sum", "mean", "std"], drop_original=True),
    "math_named": math(["min", "max"], new_variables_names=["least", "most"]),
    "math_of_integers": using(
        "creation.MathFeatures", numbers, variables=["whole", "counts"], func=["sum", "max"]
    ),
    "relative_sums": relative("add", "sub", "mul"),
    "relative_sums_with_missing": relative(
        "add", "sub", "mul", data=with_missing, missing_values="ignore"
    ),
    "relative_quotients": relative("div", "truediv", fill_value=-1.0),
    "relative_quotients_with_missing": relative(
        "div", data=with_missing, missing_values="ignore", fill_value=0
    ),
    "relative_whole_quotients": relative("floordiv", "mod", fill_value=7.5, drop_original=True),
    "relative_refusing_zero": using(
        "creation.RelativeFeatures",
        positive,
        variables=["large"],
        reference=["other", "constant"],
        func=["div", "sub"],
    ),
    "relative_integers": using(
        "creation.RelativeFeatures",
        numbers,
        variables=["whole"],
        reference=["counts"],
        func=["add", "div"],
        fill_value=0,
    ),
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
    "box_cox": using("transformation.BoxCoxTransformer", positive, variables=["large", "other"]),
    "yeo_johnson": using(
        "transformation.YeoJohnsonTransformer", numbers, variables=["normal", "signed"]
    ),
    "trees": using("discretisation.DecisionTreeDiscretiser", numbers, regression=False, cv=2),
    "trees_of_numbers": using(
        "discretisation.DecisionTreeDiscretiser",
        lambda: numbers()[["normal", "counts"]],
        regression=False,
        cv=2,
        bin_output="bin_number",
    ),
    "wrapped_scaler": wrapping(StandardScaler(), variables=["signed", "normal"]),
    "wrapped_bins": wrapping(KBinsDiscretizer(3, encode="ordinal"), variables=["normal"]),
    "wrapped_products": wrapping(PolynomialFeatures(2), variables=["normal", "counts"]),
    "wrapped_selection": wrapping(SelectKBest(k=2)),
    "wrapped_levels": wrapping(
        OneHotEncoder(sparse_output=False, handle_unknown="ignore"),
        lambda: contract.texts()[["word"]].assign(number=numbers()["normal"]),
        variables=["word"],
    ),
    "wrapped_positions": wrapping(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        lambda: contract.texts()[["word"]].assign(number=numbers()["normal"]),
        variables=["word"],
    ),
    "in_a_pipeline": in_a_pipeline,
}


@pytest.mark.parametrize(
    ("example", "words"),
    [
        (math("median"), "`func`"),
        (math(np.sum), "`func`"),
        (math("sum", with_missing, missing_values="ignore"), "`missing_values`"),
        (
            using("creation.MathFeatures", numbers, variables=["whole", "normal"], func=["prod"]),
            "overflow",
        ),
        (relative("pow"), "`pow`"),
        (
            using(
                "creation.RelativeFeatures",
                numbers,
                variables=["whole"],
                reference=["whole"],
                func=["mul"],
            ),
            "of integers",
        ),
        (dates(with_missing_times, missing_values="ignore", features_to_extract="all"), "semester"),
        (dates(lambda: times(zone="Asia/Kolkata")), "without a zone"),
        (
            dates(lambda: times().astype({"start": "str"}), variables=["start"]),
            "which pandas parses",
        ),
        (differences(lambda: times(unit="ns")), "counts nanoseconds"),
        (differences(output_unit="ns"), "`output_unit`"),
        (
            using(
                "discretisation.DecisionTreeDiscretiser",
                numbers,
                regression=False,
                cv=2,
                bin_output="boundaries",
                precision=3,
            ),
            "`bin_output`",
        ),
        (
            using(
                "discretisation.DecisionTreeDiscretiser",
                numbers,
                regression=False,
                cv=2,
                precision=3,
            ),
            "`precision`",
        ),
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
