"""Domains of sklearn2pmml, by classes of ours that look like them."""

from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import penstock
from tests import contract
from tests.lookalikes import (
    Alias,
    CategoricalDomain,
    ContinuousDomain,
    DataFrameMapper,
    MultiDomain,
    OrdinalDomain,
    TemporalDomain,
)

NUMBERS = ["normal", "counts", "integer"]
AS_VALUE = {"missing_value_treatment": "as_value", "missing_value_replacement": -1.5}


def frame() -> Any:
    return contract.mixed()[["normal", "counts"]].assign(integer=contract.mixed()["integer"])


def texts() -> Any:
    made = contract.texts()[["color", "word"]]
    return made.assign(color=made["color"].where(made["color"].notna(), np.nan))


def target() -> Any:
    return (contract.answer(contract.numbers()) == "yes").astype(int)


def numbers(*, missing: bool = True, **options: Any) -> Any:
    def example() -> tuple[Any, ...]:
        data = frame() if missing else frame().fillna(0.0)
        model = make_pipeline(
            ContinuousDomain(**options), DecisionTreeClassifier(max_depth=4, random_state=0)
        )
        return model.fit(data, target()), data

    return example


def levels(cls: Any = CategoricalDomain, *, missing: bool = True, **options: Any) -> Any:
    def example() -> tuple[Any, ...]:
        data = texts() if missing else texts().fillna("red")
        model = make_pipeline(
            cls(**options), OneHotEncoder(handle_unknown="ignore"), LogisticRegression()
        )
        return model.fit(data, target()), data

    return example


def both() -> Any:
    return frame().join(texts())


def in_a_column_transformer() -> tuple[Any, ...]:
    words = make_pipeline(CategoricalDomain(invalid_value_treatment="as_is"), OneHotEncoder())
    sides = ColumnTransformer(
        [
            ("number", make_pipeline(ContinuousDomain(**AS_VALUE), StandardScaler()), NUMBERS),
            ("level", words, ["word"]),
        ]
    )
    return make_pipeline(sides, LogisticRegression()).fit(both(), target()), both()


def in_a_mapper() -> tuple[Any, ...]:
    mapper = DataFrameMapper(
        [
            (NUMBERS, [ContinuousDomain(**AS_VALUE), StandardScaler()]),
            (["word"], [CategoricalDomain(), OneHotEncoder()]),
        ]
    )
    return make_pipeline(mapper, LogisticRegression()).fit(both(), target()), both()


def of_several() -> tuple[Any, ...]:
    domain = MultiDomain(
        [
            ContinuousDomain(**AS_VALUE),
            None,
            ContinuousDomain(invalid_value_treatment="as_value", invalid_value_replacement=3),
        ]
    )
    model = make_pipeline(domain, DecisionTreeClassifier(max_depth=4, random_state=0))
    return model.fit(frame(), target()), frame()


def named() -> tuple[Any, ...]:
    data = frame()[["integer"]]
    return Alias(StandardScaler(), "scaled").fit(data), data


EXAMPLES = {
    "numbers": numbers(),
    "numbers_replacing_missing": numbers(**AS_VALUE),
    "numbers_refusing_missing": numbers(missing=False, missing_value_treatment="return_invalid"),
    "numbers_with_any": numbers(with_data=False),
    "numbers_with_invalid": numbers(invalid_value_treatment="as_is"),
    "numbers_missing_if_invalid": numbers(invalid_value_treatment="as_missing"),
    "numbers_replaced_if_invalid": numbers(
        invalid_value_treatment="as_value", invalid_value_replacement=0.5, **AS_VALUE
    ),
    "numbers_clipped": numbers(
        with_data=False, outlier_treatment="as_extreme_values", low_value=-0.5, high_value=20
    ),
    "numbers_missing_if_far": numbers(
        outlier_treatment="as_missing_values", low_value=-0.5, high_value=20
    ),
    "levels": levels(),
    "levels_with_invalid": levels(invalid_value_treatment="as_is"),
    "levels_missing_if_invalid": levels(invalid_value_treatment="as_missing"),
    "levels_replaced_if_invalid": levels(
        invalid_value_treatment="as_value", invalid_value_replacement="red"
    ),
    "levels_replacing_missing": levels(
        missing_value_treatment="as_mode", missing_value_replacement="blue"
    ),
    "levels_refusing_missing": levels(missing=False, missing_value_treatment="return_invalid"),
    "levels_in_order": levels(OrdinalDomain, with_data=False),
    "in_a_column_transformer": in_a_column_transformer,
    "in_a_mapper": in_a_mapper,
    "of_several": of_several,
    "named": named,
}


def test_what_is_invalid_is_refused_by_the_schema() -> None:
    model = penstock.convert(*EXAMPLES["numbers"]())
    field = model.schema["integer"]
    assert (field.minimum, field.maximum, field.on_range) == (-5, 49, "refuse")
    levels = penstock.convert(*EXAMPLES["levels"]()).schema["color"]
    assert (levels.on_unseen, set(levels.levels or ())) == ("refuse", {"red", "green", "blue"})


@pytest.mark.parametrize(
    ("option", "options"),
    [
        ("missing_value_treatment", {"missing_value_treatment": "as_median_of_rows"}),
        ("missing_value_replacement", {"missing_value_replacement": 1.0}),
        ("invalid_value_treatment", {"invalid_value_treatment": "as_you_like"}),
        ("invalid_value_replacement", {"invalid_value_replacement": 1.0}),
        ("invalid_value_treatment", {"invalid_value_treatment": "as_missing", **AS_VALUE}),
        (
            "outlier_treatment",
            {
                "outlier_treatment": "as_missing_values",
                "low_value": 0,
                "high_value": 1,
                **AS_VALUE,
            },
        ),
        ("outlier_treatment", {"outlier_treatment": "as_they_come", "low_value": 0}),
    ],
)
def test_treatments_that_are_not_known_are_refused(option: str, options: Any) -> None:
    domain = ContinuousDomain().fit(frame())
    domain.set_params(**options)
    assert f"`{option}`" in contract.refused(domain, frame())


def test_marks_and_casts_are_refused() -> None:
    for options in ({"missing_values": "-"}, {"dtype": str}):
        domain = CategoricalDomain(**options).fit(texts())
        assert f"`{next(iter(options))}`" in contract.refused(domain, texts())


def test_other_attributes_than_those_of_known_versions_are_refused() -> None:
    for name in ("data_min_", "data_max_"):
        domain = ContinuousDomain().fit(frame())
        setattr(domain, name, np.zeros(1))
        assert f"`{name}`" in contract.refused(domain, frame())
        delattr(domain, name)
        assert f"`{name}`" in contract.refused(domain, frame())
    levels = CategoricalDomain().fit(texts())
    levels.data_values_ = ["red", ["x"]]
    assert "`data_values_`" in contract.refused(levels, texts())


def test_what_was_computed_is_not_refused_by_the_schema() -> None:
    model = make_pipeline(StandardScaler(), ContinuousDomain()).fit(frame())
    assert "let the domain come first" in contract.refused(model, frame())


def test_domains_of_times_are_refused() -> None:
    domain = TemporalDomain().fit(texts())
    assert "TemporalDomain" in contract.refused(domain, texts())
