"""Columns that feature-engine makes of several, and of what estimators say of them."""

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


def tree_features_of_amounts() -> tuple[Any, ...]:
    from feature_engine.creation import DecisionTreeFeatures

    model = DecisionTreeFeatures(
        variables=["normal", "counts"], cv=2, precision=1, drop_original=True, random_state=0
    )
    return model.fit(numbers(), contract.amount(contract.numbers())), numbers()


def places(**options: Any) -> Any:
    """Two places of each row, far apart and near."""

    def frame() -> Any:
        random = np.random.default_rng(5)
        latitudes, longitudes = random.uniform(-89, 89, 200), random.uniform(-179, 179, 200)
        near = np.where(np.arange(200) % 2, 1e-4, 1.0)
        return pd.DataFrame(
            {
                "lat": latitudes,
                "lon": longitudes,
                "to_lat": latitudes * (1 - near) + near * random.uniform(-89, 89, 200),
                "to_lon": longitudes * (1 - near) + near * random.uniform(-179, 179, 200),
            }
        )

    options = {"lat1": "lat", "lon1": "lon", "lat2": "to_lat", "lon2": "to_lon"} | options
    return using("creation.GeoDistanceFeatures", frame, **options)


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
    "tree_features": using(
        "creation.DecisionTreeFeatures", numbers, regression=False, cv=2, features_to_combine=2
    ),
    "tree_features_of_amounts": tree_features_of_amounts,
    **{f"distances_{method}": places(method=method) for method in ("euclidean", "manhattan")},
    "distances": places(),
    "distances_in_feet": places(output_unit="feet", output_col="far", drop_original=True),
    "area_sines": using("transformation.ArcSinhTransformer", numbers, loc=0.5, scale=3.0),
    "matched": using("preprocessing.MatchVariables", numbers, verbose=False),
    "matched_types": using(
        "preprocessing.MatchVariables", positive, match_dtypes=True, verbose=False
    ),
    "matched_with_gaps": using(
        "preprocessing.MatchVariables", contract.texts, missing_values="ignore", verbose=False
    ),
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
        (
            using("preprocessing.MatchVariables", lambda: contract.texts(missing=False)),
            "`missing_values`",
        ),
        (using("preprocessing.MatchVariables", numbers, match_dtypes=True), "`match_dtypes`"),
    ],
)
def test_what_is_not_exact_is_refused(example: Any, words: str) -> None:
    assert words in contract.refused(*example())
