"""Encoders of levels beside scikit-learn."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

import penstock
from tests import contract

ROWS = 120
UNKNOWN = {"handle_unknown": "use_encoded_value", "unknown_value": -1}


def fitted(estimator, data):
    def make():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return estimator.fit(data()), data()

    return make


def one_hot(data, **options):
    return fitted(OneHotEncoder(**options), data)


def ordinal(data, **options):
    return fitted(OrdinalEncoder(**options), data)


def target(data, classes=None, **options):
    """Fitted on an amount, or on these classes."""

    def make():
        numbers = contract.numbers(len(data()))
        aim = contract.amount(numbers) if classes is None else contract.answer(numbers, classes)
        return TargetEncoder(random_state=0, **options).fit(data(), aim), data()

    return make


def objects(**columns):
    """Columns of objects: what pandas would make of them by itself is not asked."""
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def texts():
    return texts_with(np.nan)


def texts_with(missing):
    frame = contract.texts(ROWS)
    return frame.astype(object).where(frame.notna(), missing)


def texts_with_none():
    return texts_with(None)


def full_texts():
    return texts_with("other")


def strings():
    return contract.texts(ROWS).astype("str")


def text_array():
    return full_texts().to_numpy().astype(str)


def object_array():
    return texts_with_none().to_numpy()


def dtypes():
    """Integers, floats and booleans: plain, nullable, with NaN, and as categories."""
    frame = contract.mixed(ROWS)[["integer", "flag", "size"]]
    frame["real"] = contract.numbers(ROWS, missing=True)["signed"]
    frame["single"] = frame["real"].fillna(0.1).astype("float32")
    frame["nullable"] = frame["integer"].astype("Int64").mask(frame["integer"] > 40)
    frame["tested"] = frame["flag"].astype("boolean").mask(frame["integer"] == 3)
    frame["grade"] = pd.Categorical(frame["integer"] % 3)
    frame["half"] = pd.Categorical((frame["integer"] % 3) / 2).remove_categories([0.5])
    frame["open"] = pd.Categorical(frame["flag"])
    frame["place"] = frame["size"].mask(frame["real"] == 7.0)
    return frame


def complete():
    """The dtypes in which nothing is missing."""
    return dtypes().drop(columns=["real", "nullable", "tested", "half", "place"])


def number_objects():
    values = {"number": [1, 2.5, None, 0], "flag": [True, None, False, True]}
    return objects(**{name: items * 20 for name, items in values.items()})


def counts():
    return contract.numbers(ROWS)[["counts", "signed"]].to_numpy()


def integer_array():
    return counts().astype("int64")


def beside_numbers():
    frame = contract.mixed(ROWS)
    texts_ = ["color", "town", "flag", "size"]
    columns = make_column_transformer(
        (SimpleImputer(), ["normal", "counts"]),
        (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=0.05), texts_),
        (OrdinalEncoder(**UNKNOWN), ["word", "integer"]),
        remainder="drop",
    )
    return columns.fit(frame), frame


def after_one_another():
    """The codes of one encoder are the levels of the next."""
    steps = make_pipeline(OrdinalEncoder(), OneHotEncoder(drop="first"))
    return steps.fit(complete()), complete()


EXAMPLES = {
    "target_encoder": target(texts),
    "target_encoder_of_two_classes_with_none": target(texts_with_none, ("no", "yes"), smooth=3.0),
    "target_encoder_of_three_classes": target(texts, (30, 10, 20)),
    "target_encoder_of_dtypes": target(complete, target_type="continuous"),
    "one_hot_encoder": one_hot(texts),
    "one_hot_encoder_of_none": one_hot(texts_with_none),
    "one_hot_encoder_without_missing": one_hot(full_texts),
    "one_hot_encoder_of_strings": one_hot(strings),
    "one_hot_encoder_of_an_array_of_texts": one_hot(text_array, handle_unknown="ignore"),
    "one_hot_encoder_of_an_array_of_objects": one_hot(object_array),
    "one_hot_encoder_of_dtypes": one_hot(dtypes),
    "one_hot_encoder_of_complete_dtypes": one_hot(complete),
    "one_hot_encoder_of_number_objects": one_hot(number_objects, handle_unknown="ignore"),
    "one_hot_encoder_of_an_array_of_floats": one_hot(counts, handle_unknown="ignore"),
    "one_hot_encoder_of_an_array_of_integers": one_hot(integer_array, handle_unknown="ignore"),
    "one_hot_encoder_into_an_array": one_hot(texts, sparse_output=False),
    "one_hot_encoder_into_float32": one_hot(texts, dtype=np.float32),
    "one_hot_encoder_into_integers": one_hot(texts, dtype="int8", sparse_output=False),
    "one_hot_encoder_into_booleans": one_hot(texts, dtype=bool),
    "one_hot_encoder_into_a_frame": fitted(
        OneHotEncoder(sparse_output=False).set_output(transform="pandas"), texts
    ),
    "one_hot_encoder_ignoring": one_hot(texts_with_none, handle_unknown="ignore"),
    "one_hot_encoder_ignoring_in_dtypes": one_hot(complete, handle_unknown="ignore"),
    "one_hot_encoder_warning": one_hot(texts, handle_unknown="warn"),
    "one_hot_encoder_warning_with_infrequent_levels": one_hot(
        texts, handle_unknown="warn", max_categories=3
    ),
    "one_hot_encoder_with_infrequent_levels": one_hot(
        texts, handle_unknown="infrequent_if_exist", min_frequency=20
    ),
    "one_hot_encoder_with_infrequent_levels_in_dtypes": one_hot(
        dtypes, handle_unknown="infrequent_if_exist", max_categories=3
    ),
    "one_hot_encoder_with_a_share_of_infrequent_levels": one_hot(
        texts_with_none, min_frequency=0.1, max_categories=5
    ),
    "one_hot_encoder_with_infrequent_levels_only": one_hot(
        texts, handle_unknown="infrequent_if_exist", max_categories=1
    ),
    "one_hot_encoder_ignoring_with_infrequent_levels": one_hot(
        texts, handle_unknown="ignore", min_frequency=20
    ),
    "one_hot_encoder_without_first": one_hot(texts, drop="first"),
    "one_hot_encoder_without_first_in_dtypes": one_hot(
        complete, drop="first", handle_unknown="ignore"
    ),
    "one_hot_encoder_without_first_and_with_infrequent_levels": one_hot(
        texts, drop="first", handle_unknown="infrequent_if_exist", min_frequency=20
    ),
    "one_hot_encoder_without_one_of_two": one_hot(dtypes, drop="if_binary"),
    "one_hot_encoder_without_one_of_two_after_grouping": one_hot(
        texts, drop="if_binary", handle_unknown="infrequent_if_exist", max_categories=2
    ),
    "one_hot_encoder_without_named_levels": one_hot(texts, drop=["green", np.nan, ""]),
    "one_hot_encoder_without_none": one_hot(texts_with_none, drop=[None, "town 3", "東京"]),
    "one_hot_encoder_without_named_and_with_infrequent_levels": one_hot(
        texts, drop=["green", "town 0", "東京"], max_categories=4, handle_unknown="warn"
    ),
    "one_hot_encoder_with_given_levels": one_hot(
        texts_with_none,
        categories=[["red", "blue", "violet", None], ["town 1", "town 0"], ["", "Straße"]],
        handle_unknown="ignore",
    ),
    "one_hot_encoder_with_given_numbers": one_hot(
        counts, categories=[[1, 2, 2.5, np.nan], [-1.5, 7]], handle_unknown="ignore"
    ),
    "one_hot_encoder_with_names_of_its_own": one_hot(
        texts, feature_name_combiner=lambda feature, level: f"{feature}={level}"
    ),
    "one_hot_encoder_beside_numbers": beside_numbers,
    "ordinal_encoder": ordinal(texts),
    "ordinal_encoder_of_none": ordinal(texts_with_none),
    "ordinal_encoder_of_dtypes": ordinal(dtypes),
    "ordinal_encoder_of_an_array": ordinal(counts, **UNKNOWN),
    "ordinal_encoder_of_number_objects": ordinal(number_objects, **UNKNOWN),
    "ordinal_encoder_of_unknown_levels": ordinal(texts, **UNKNOWN),
    "ordinal_encoder_of_unknown_levels_in_dtypes": ordinal(complete, **UNKNOWN),
    "ordinal_encoder_of_unknown_levels_as_missing": ordinal(
        texts_with_none, handle_unknown="use_encoded_value", unknown_value=np.nan
    ),
    "ordinal_encoder_of_unknown_levels_as_zero": ordinal(
        lambda: objects(empty=[np.nan] * 20),
        handle_unknown="use_encoded_value",
        unknown_value=0,
        encoded_missing_value=5,
    ),
    "ordinal_encoder_of_missing_values": ordinal(texts, encoded_missing_value=-2, **UNKNOWN),
    "ordinal_encoder_of_missing_values_in_dtypes": ordinal(
        dtypes, encoded_missing_value=-2, dtype=np.int16, **UNKNOWN
    ),
    "ordinal_encoder_with_infrequent_levels": ordinal(texts, min_frequency=20, **UNKNOWN),
    "ordinal_encoder_with_infrequent_levels_and_missing_values": ordinal(
        dtypes, max_categories=3, encoded_missing_value=99, dtype=np.float32
    ),
    "ordinal_encoder_into_booleans": ordinal(full_texts, dtype=bool),
    "ordinal_encoder_into_wrapping_integers": ordinal(
        lambda: np.arange(300)[:, np.newaxis], dtype=np.int8
    ),
    "ordinal_encoder_with_given_levels": ordinal(
        texts_with_none,
        categories=[["red", "blue", None], ["town 1", "town 0"], ["", "Straße"]],
        **UNKNOWN,
    ),
    "ordinal_encoder_before_one_hot": after_one_another,
}


def test_equal_numbers_are_the_same_level():
    frame = pd.DataFrame({"number": [0, 1, 7] * 5})
    encoder = OneHotEncoder(handle_unknown="ignore").fit(frame)
    rows = [{"number": x} for x in (0, -0.0, 1.0, True, 7.0, 7.5, 2**40, -1e300)]
    contract.same(encoder, frame, rows[:3] + rows[4:])
    model = penstock.convert(encoder, frame)
    assert model.predict({"number": -0.0}) == model.predict({"number": 0})


def test_neighbors_of_a_level_are_other_levels():
    for dtype in ("float64", "float32"):
        frame = pd.DataFrame({"number": np.array([0.1, 0.7, 2.5] * 5, dtype=dtype)})
        encoder = OneHotEncoder(handle_unknown="ignore").fit(frame)
        rows = [{"number": x} for x in (0.1, float(np.float32(0.1)), float(np.nextafter(0.1, 1)))]
        contract.same(encoder, frame, rows)


def test_unseen_category_is_refused():
    for encoder in (OneHotEncoder(), OrdinalEncoder()):
        model = penstock.convert(encoder.fit(full_texts()), full_texts())
        row = full_texts().iloc[0].to_dict()
        with pytest.raises(penstock.DataError, match="town"):
            model.predict(row | {"town": "town 99"})
        with pytest.raises(penstock.DataError, match="color"):
            model.predict(row | {"color": None})


def test_infinity_is_unseen_among_objects_and_refused_among_floats():
    frame = number_objects()[["number"]]
    contract.same(
        OneHotEncoder(handle_unknown="ignore").fit(frame), frame, [{"number": float("inf")}]
    )
    array = counts()
    model = penstock.convert(OneHotEncoder(handle_unknown="ignore").fit(array), array)
    with pytest.raises(penstock.DataError, match="x1"):
        model.predict({"x0": 1.0, "x1": float("inf")})


def test_polars_columns_of_several_kinds_become_objects():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(
        {
            "number": [1.5, None, 2.0] * 10,
            "text": ["x", None, "y"] * 10,
            "flag": [True, False, None] * 10,
        }
    )
    encoder = OneHotEncoder(handle_unknown="ignore").fit(frame)
    contract.same(encoder, frame, [{"number": float("inf"), "text": None, "flag": None}])


def test_none_and_nan_as_levels_are_refused():
    both = objects(word=["a", None, np.nan] * 5)
    encoder = OneHotEncoder().fit(both)
    message = contract.refused(encoder, objects(word=["a", None]))
    assert "column `word` was fitted with both None and NaN" in message


def test_none_as_level_needs_an_example_with_none():
    encoder = OneHotEncoder().fit(objects(word=["a", None]))
    message = contract.refused(encoder, objects(word=["a", "a"]))
    assert "column `word` was fitted with None as a level" in message


def test_levels_of_another_type_than_the_column_are_refused():
    encoder = OneHotEncoder().fit(objects(word=["1", "2"]))
    message = contract.refused(encoder, pd.DataFrame({"word": [1, 2]}))
    assert "column `word` is number in the example, and the fitted level '1' is str" in message


def test_integers_beyond_floats_are_refused():
    frame = pd.DataFrame({"key": [2**53 + 1, 5]})
    message = contract.refused(OneHotEncoder().fit(frame), frame)
    assert "a float64 cannot hold the level" in message


def test_time_stamps_are_refused():
    frame = pd.DataFrame({"day": pd.to_datetime(["2020-01-01", "2021-01-01"])})
    message = contract.refused(OneHotEncoder().fit(frame), frame)
    assert "column `day` is timestamp" in message


@pytest.mark.parametrize("dtype", [object, np.complex64, np.longdouble])
def test_other_output_dtypes_are_refused(dtype):
    encoder = OneHotEncoder(dtype=dtype).fit(texts())
    assert "option `dtype`" in contract.refused(encoder, texts())


def test_codes_that_the_dtype_cannot_hold_are_refused():
    encoder = OrdinalEncoder(
        dtype=np.int8, handle_unknown="use_encoded_value", unknown_value=1000
    ).fit(full_texts())
    message = contract.refused(encoder, full_texts())
    assert "option `unknown_value`: 1000 is no int8" in message
    encoder = OrdinalEncoder(dtype=np.int8, encoded_missing_value=1000).fit(texts())
    message = contract.refused(encoder, texts())
    assert "option `encoded_missing_value`: 1000 is no int8" in message


def test_sparse_output_into_a_frame_is_refused():
    encoder = OneHotEncoder().set_output(transform="pandas").fit(texts())
    assert "set_output" in contract.refused(encoder, texts())


def test_a_sparse_matrix_is_refused():
    frame = complete()
    steps = make_pipeline(OneHotEncoder(), OrdinalEncoder())
    steps.steps[0][1].fit(frame)
    steps.steps[1][1].fit(steps[0].transform(frame).toarray())
    assert "takes no sparse matrix" in contract.refused(steps, frame)


def test_encoders_of_other_versions_are_refused():
    for encoder, attribute in (
        (OneHotEncoder(), "_drop_idx_after_grouping"),
        (OrdinalEncoder(), "_missing_indices"),
    ):
        encoder.fit(texts())
        delattr(encoder, attribute)
        assert "another version of scikit-learn" in contract.refused(encoder, texts())


def test_an_encoder_without_output_is_refused():
    encoder = OneHotEncoder(max_categories=1, drop="first").fit(texts())
    assert "no columns" in contract.refused(encoder, texts())
