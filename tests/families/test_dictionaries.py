"""Dictionaries to columns and to buckets; scikit-learn, asked with dictionaries, is the oracle."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MaxAbsScaler, Normalizer, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

import penstock
from tests import contract

CITIES = ["London", "東京", "", "a=b", "Ärger", "London "]


def rows(count: int = 160, *, seed: int = 0) -> list[dict[str, Any]]:
    """Texts, numbers, whole numbers and truths, each of which a row may lack."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        row = {
            "city": str(random.choice(CITIES)),
            "temperature": float(random.normal(scale=20)),
            "rooms": int(random.integers(0, 7)),
            "garden": bool(random.random() < 0.4),
            "Straße": str(random.choice(["x", "y"])),
        }
        made.append({key: value for key, value in row.items() if random.random() > 0.15})
    return made


def target(count: int = 160) -> Any:
    return np.random.default_rng(1).random(count) < 0.5


def before(*steps: Any, data: Any = rows) -> Any:
    def example() -> tuple[Any, ...]:
        return make_pipeline(*steps).fit(data(), target()), data()

    return example


def alone(step: Any, data: Any = rows) -> Any:
    return lambda: (step.fit(data()), data())


def texts_only() -> list[dict[str, Any]]:
    return [
        {key: value for key, value in row.items() if isinstance(value, str)} for row in rows(seed=3)
    ]


def always_there() -> list[dict[str, Any]]:
    return [{"height": at / 7, "width": at % 5, "kind": "ab"[at % 2]} for at in range(160)]


def many() -> list[dict[str, Any]]:
    """More than are added in order where they share a bucket."""
    random = np.random.default_rng(5)
    return [{f"n{at}": float(random.normal()) for at in range(24)} for _ in range(160)]


def without_some() -> tuple[Any, ...]:
    vectorizer = DictVectorizer().fit(rows())
    chosen = [name not in ("city=London", "rooms") for name in vectorizer.feature_names_]
    return vectorizer.restrict(np.array(chosen)), rows()


def with_missing_numbers() -> tuple[Any, ...]:
    data = [row | {"height": float("nan")} if row["width"] == 3 else row for row in always_there()]
    model = make_pipeline(DictVectorizer(sparse=False), DecisionTreeClassifier(max_depth=3))
    return model.fit(data, target()), data


EXAMPLES = {
    "dict_vectorizer": alone(DictVectorizer()),
    "dict_vectorizer_dense": alone(DictVectorizer(sparse=False)),
    "dict_vectorizer_unsorted": alone(DictVectorizer(sort=False)),
    "dict_vectorizer_in_float32": alone(DictVectorizer(dtype=np.float32)),
    "dict_vectorizer_with_separator": alone(DictVectorizer(separator=" is ")),
    "dict_vectorizer_of_texts": alone(DictVectorizer(), texts_only),
    "dict_vectorizer_of_keys_always_there": alone(DictVectorizer(), always_there),
    "dict_vectorizer_with_missing_numbers": with_missing_numbers,
    "dict_vectorizer_without_some": without_some,
    "dict_vectorizer_before_a_model": before(DictVectorizer(), LogisticRegression()),
    "dict_vectorizer_in_float32_before_a_model": before(
        DictVectorizer(dtype=np.float32), LogisticRegression()
    ),
    "dict_vectorizer_before_a_tree": before(DictVectorizer(), DecisionTreeClassifier(max_depth=4)),
    "dict_vectorizer_before_scaling": before(
        DictVectorizer(), StandardScaler(with_mean=False), LinearSVC()
    ),
    "dict_vectorizer_before_selecting": before(
        DictVectorizer(), SelectKBest(chi2, k=2), LogisticRegression(), data=texts_only
    ),
    "dict_vectorizer_in_a_union": before(
        FeatureUnion([("one", DictVectorizer()), ("other", FeatureHasher(8))]),
        LogisticRegression(),
    ),
    "feature_hasher": alone(FeatureHasher(32)),
    "feature_hasher_with_collisions": alone(FeatureHasher(2)),
    "feature_hasher_of_one": alone(FeatureHasher(1)),
    "feature_hasher_unsigned": alone(FeatureHasher(8, alternate_sign=False)),
    "feature_hasher_in_float32": alone(FeatureHasher(8, dtype=np.float32)),
    "feature_hasher_in_float32_before_a_model": before(
        FeatureHasher(8, dtype=np.float32, alternate_sign=False), LogisticRegression()
    ),
    "feature_hasher_before_a_model": before(FeatureHasher(), LogisticRegression()),
    "feature_hasher_of_texts": before(FeatureHasher(64), LogisticRegression(), data=texts_only),
    "feature_hasher_of_many": before(FeatureHasher(4), LogisticRegression(), data=many),
    "feature_hasher_before_scaling": before(
        FeatureHasher(16), MaxAbsScaler(), Normalizer(), LogisticRegression()
    ),
}


@pytest.mark.parametrize("vectorizer", [DictVectorizer(), FeatureHasher(16)])
def test_keys_that_are_absent_and_texts_that_were_never_seen(vectorizer: Any) -> None:
    model = make_pipeline(vectorizer, LogisticRegression()).fit(rows(), target())
    hostile: list[dict[str, Any]] = [
        {},
        {"city": "Rome"},
        {"city": ""},
        {"city": "x" * 70_000, "rooms": 2},
        {"city": "=", "temperature": 1e300},
        {"temperature": -0.0, "rooms": -7, "garden": False},
        {"Straße": "x", "garden": True},
    ]
    converted = penstock.convert(model, rows())
    expected = model.predict_proba(hostile)[:, 1]
    for given in (hostile, [dict.fromkeys(rows(9)[0]) | row for row in hostile]):
        found = [answer["probability"][True] for answer in converted.predict(given)]
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    one = converted.predict([hostile[1]])[0]["probability"][True]
    np.testing.assert_allclose(one, expected[1], rtol=1e-12)
    assert converted.predict([]) == []


def test_a_table_is_predicted_as_its_dictionaries() -> None:
    model = make_pipeline(DictVectorizer(), LogisticRegression()).fit(rows(), target())
    table = pd.DataFrame(rows()).astype({"garden": "boolean"})
    found = penstock.convert(model, rows()).predict(table)["raw"]
    np.testing.assert_allclose(found, model.decision_function(rows()), rtol=1e-12)


def test_a_table_as_the_example_is_refused() -> None:
    model = make_pipeline(DictVectorizer(), LogisticRegression()).fit(rows(), target())
    assert "list of dictionaries" in contract.refused(model, pd.DataFrame(always_there()))


def test_dictionaries_for_a_model_of_tables_are_refused() -> None:
    data = [{"height": row["height"]} for row in always_there()]
    model = LogisticRegression().fit(pd.DataFrame(data), target())
    assert "gets dictionaries" in contract.refused(model, data)


def test_a_feature_that_no_row_of_the_example_has_is_refused() -> None:
    model = DictVectorizer().fit([*rows(), {"attic": 1.0}])
    assert "`attic`" in contract.refused(model, rows())


def test_two_keys_of_one_feature_are_refused() -> None:
    data = [{"a": "b", "a=b": 2.0, "a=b=c": 1.0}, {"a": "x"}]
    assert "`a=b`" in contract.refused(DictVectorizer().fit(data), data)


def test_integers_that_cut_are_refused() -> None:
    for model in (DictVectorizer(dtype=np.int64), FeatureHasher(8, dtype=np.int32)):
        assert "`dtype`" in contract.refused(model.fit(rows()), rows())


def test_rows_of_pairs_and_of_texts_are_refused() -> None:
    for kind in ("pair", "string"):
        refused = contract.refused(FeatureHasher(8, input_type=kind), rows())
        assert "`input_type`" in refused
        assert 'input_type="dict"' in refused


def test_a_million_features_by_themselves_are_refused() -> None:
    # With a model behind them they convert.
    assert "with the model behind it" in contract.refused(FeatureHasher(), rows())


def test_more_buckets_than_the_engine_has_are_refused() -> None:
    assert "n_features" in contract.refused(FeatureHasher(2**21), rows())


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "is None"),
        ("tall", "mixes number and text"),
        (["a", "b"], "objects of type list"),
        ({"a": 1}, "objects of type dict"),
    ],
)
def test_values_that_are_no_column_are_refused(value: Any, words: str) -> None:
    data = [*always_there(), {"height": value}]
    assert words in contract.refused(FeatureHasher(8), data)


def test_texts_beside_nan_are_refused() -> None:
    data = [*always_there(), {"kind": float("nan"), "height": 1.0, "width": 2}]
    for model in (DictVectorizer(), FeatureHasher(8)):
        assert "`kind`" in contract.refused(model.fit(data), data)


def test_nan_is_not_hashed() -> None:
    data = [*always_there(), {"kind": "a", "height": float("nan"), "width": 2}]
    assert "`height`" in contract.refused(FeatureHasher(8), data)
