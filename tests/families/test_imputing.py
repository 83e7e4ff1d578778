"""Imputers and missing indicators beside scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

import penstock
from tests import contract

# Columns that are empty in training are meant.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def fitted(estimator, data):
    def make():
        return estimator.fit(data()), data()

    return make


def imputer(data, **options):
    return fitted(SimpleImputer(**options), data)


def indicator(data, **options):
    return fitted(MissingIndicator(**options), data)


def numbers():
    return contract.numbers(missing=True)


def single():
    return contract.numbers(missing=True, dtype="float32")


def array():
    return numbers().to_numpy()


def complete():
    return contract.numbers()


def empty():
    return numbers().assign(nothing=np.nan)


def texts(missing=np.nan):
    """Columns of objects in which one kind of missing value is, in all or in some."""
    frame = contract.texts()
    return frame.astype(object).where(frame.notna(), missing)


def texts_with_none():
    return texts(None)


def text_array():
    return texts_with_none().to_numpy()


def strings():
    """pandas' own text, which has NaN, and its nullable text, which has NA."""
    return contract.texts()[["color", "town"]].astype("str")


def nullable_strings():
    return contract.texts()[["color", "town"]].astype("string")


def empty_texts():
    frame = texts_with_none()
    frame["nothing"] = pd.Series([None] * len(frame), dtype=object)
    return frame


def mixed():
    frame = texts()
    frame["number"] = contract.numbers(missing=True)["signed"]
    frame["integer"] = contract.mixed()["integer"]
    frame["size"] = contract.mixed()["size"].mask(frame["number"] == 7.0)
    return frame


def objects():
    """Numbers, booleans and texts, each as objects with None."""
    frame = pd.DataFrame(index=range(120))
    frame["text"] = pd.Series(["a", None, "b"] * 40, dtype=object)
    frame["number"] = pd.Series([1, 2.5, None, 3] * 30, dtype=object)
    frame["flag"] = pd.Series([True, None, False, True] * 30, dtype=object)
    return frame


def object_numbers():
    frame = pd.DataFrame({"number": pd.Series([1, 2.5, np.nan, 3] * 30, dtype=object)})
    return frame


def integers():
    return contract.mixed()[["integer"]].assign(code=lambda frame: frame["integer"] % 4)


def nullable():
    frame = integers().astype("Int64")
    frame["code"] = frame["code"].mask(frame["integer"] > 40)
    frame["flag"] = contract.mixed()["flag"].astype("boolean").mask(frame["integer"] == 2)
    frame["real"] = contract.numbers()["normal"].astype("Float64").mask(frame["integer"] == 3)
    return frame


def flags():
    return contract.mixed()[["flag", "normal"]]


def sparse(*steps):
    def make():
        frame = contract.mixed()[["normal", "signed", "town"]]
        columns = make_column_transformer(
            ("passthrough", ["normal", "signed"]),
            (OneHotEncoder(handle_unknown="ignore"), ["town"]),
            sparse_threshold=1.0,
        )
        return make_pipeline(columns, *steps).fit(frame), frame

    return make


def middle(values):
    """A strategy that is a function of the values that are there."""
    return (np.min(values) + np.max(values)) / 2


def gaps():
    """Numbers of about the same size, no two alike, with gaps, and a column that is empty."""
    frame = contract.numbers(150, missing=True)
    return apart(frame.assign(large=np.log(frame["large"]))).assign(empty=np.nan)


def apart(frame):
    """The frame with numbers of which no two are the same."""
    return frame * np.random.default_rng(9).uniform(0.99, 1.01, size=frame.shape)


def marked():
    return gaps().drop(columns="empty").fillna(-999.0)


def nearest_before_a_classifier():
    frame = apart(contract.numbers(missing=True))
    model = make_pipeline(StandardScaler(), KNNImputer(), LogisticRegression())
    return model.fit(frame, contract.answer(frame)), frame


EXAMPLES = {
    "knn_imputer": fitted(KNNImputer(), gaps),
    "knn_imputer_by_distance": fitted(KNNImputer(n_neighbors=3, weights="distance"), gaps),
    "knn_imputer_with_indicator": fitted(
        KNNImputer(add_indicator=True, keep_empty_features=True), gaps
    ),
    "knn_imputer_of_a_number": fitted(KNNImputer(missing_values=-999.0, n_neighbors=2), marked),
    "knn_imputer_of_numbers_of_all_sizes": fitted(
        KNNImputer(), lambda: apart(contract.numbers(missing=True))
    ),
    "knn_imputer_of_all_rows": fitted(KNNImputer(n_neighbors=500), gaps),
    "knn_imputer_before_a_classifier": nearest_before_a_classifier,
    "simple_imputer": imputer(numbers),
    "simple_imputer_of_float32": imputer(single),
    "simple_imputer_of_an_array": imputer(array),
    "simple_imputer_with_median": imputer(numbers, strategy="median"),
    "simple_imputer_with_median_of_float32": imputer(single, strategy="median"),
    "simple_imputer_with_most_frequent": imputer(numbers, strategy="most_frequent"),
    "simple_imputer_with_most_frequent_of_float32": imputer(single, strategy="most_frequent"),
    "simple_imputer_with_a_constant": imputer(numbers, strategy="constant", fill_value=-1.5),
    "simple_imputer_with_a_constant_for_float32": imputer(
        single, strategy="constant", fill_value=np.float32(0.1)
    ),
    "simple_imputer_with_the_usual_constant": imputer(array, strategy="constant"),
    "simple_imputer_with_a_function": imputer(numbers, strategy=middle),
    "simple_imputer_with_a_function_of_float32": imputer(single, strategy=middle),
    "simple_imputer_with_indicator": imputer(numbers, add_indicator=True),
    "simple_imputer_with_indicator_of_float32": imputer(
        single, add_indicator=True, strategy="constant"
    ),
    "simple_imputer_with_indicator_of_nothing": imputer(complete, add_indicator=True),
    "simple_imputer_of_another_marker": imputer(
        complete, missing_values=-1.5, add_indicator=True, strategy="median"
    ),
    "simple_imputer_of_zero": imputer(complete, missing_values=0, strategy="most_frequent"),
    "simple_imputer_of_another_marker_in_float32": imputer(
        lambda: contract.numbers(dtype="float32").replace(0.25, 0.1), missing_values=0.1
    ),
    "simple_imputer_of_a_float64_marker_in_float32": imputer(
        lambda: contract.numbers(dtype="float32").replace(0.25, 0.1), missing_values=np.float64(0.1)
    ),
    "simple_imputer_without_empty_columns": imputer(empty, add_indicator=True),
    "simple_imputer_without_empty_columns_for_constants": imputer(empty, strategy="constant"),
    "simple_imputer_with_empty_columns": imputer(empty, keep_empty_features=True),
    "simple_imputer_with_empty_columns_for_constants": imputer(
        empty, keep_empty_features=True, strategy="constant", fill_value=9.0, add_indicator=True
    ),
    "simple_imputer_into_a_frame": fitted(
        SimpleImputer(add_indicator=True).set_output(transform="pandas"), empty
    ),
    "simple_imputer_of_integers": imputer(integers),
    "simple_imputer_of_integers_with_most_frequent": imputer(integers, strategy="most_frequent"),
    "simple_imputer_of_integers_of_another_marker": imputer(
        integers, missing_values=3, strategy="constant", fill_value=100, add_indicator=True
    ),
    "simple_imputer_of_nullable_columns": imputer(nullable, strategy="median"),
    "simple_imputer_of_nullable_columns_with_na": imputer(
        nullable, missing_values=pd.NA, strategy="most_frequent", add_indicator=True
    ),
    "simple_imputer_of_booleans": imputer(flags),
    "simple_imputer_of_texts": imputer(texts, strategy="most_frequent", add_indicator=True),
    "simple_imputer_of_texts_with_a_constant": imputer(texts, strategy="constant"),
    "simple_imputer_of_texts_with_none": imputer(
        texts_with_none, missing_values=None, strategy="most_frequent", add_indicator=True
    ),
    "simple_imputer_of_nan_in_texts_with_none": imputer(texts_with_none, strategy="most_frequent"),
    "simple_imputer_of_na_in_texts_with_none": imputer(
        texts_with_none, missing_values=pd.NA, strategy="constant", fill_value="Straße"
    ),
    "simple_imputer_of_a_text": imputer(
        texts_with_none,
        missing_values="red",
        strategy="constant",
        fill_value="",
        add_indicator=True,
    ),
    "simple_imputer_of_an_array_of_texts": imputer(
        text_array, missing_values=None, strategy="most_frequent"
    ),
    "simple_imputer_of_strings": imputer(strings, strategy="most_frequent"),
    "simple_imputer_of_nullable_strings": imputer(
        nullable_strings, missing_values=pd.NA, strategy="most_frequent", add_indicator=True
    ),
    "simple_imputer_without_empty_texts": imputer(
        empty_texts, missing_values=None, strategy="most_frequent"
    ),
    "simple_imputer_with_empty_texts": imputer(
        empty_texts, missing_values=None, strategy="constant", keep_empty_features=True
    ),
    "simple_imputer_of_mixed_columns": imputer(mixed, strategy="most_frequent", add_indicator=True),
    "simple_imputer_of_objects": imputer(objects, missing_values=None, strategy="most_frequent"),
    "simple_imputer_of_objects_of_another_marker": imputer(
        objects, missing_values=1, strategy="constant", fill_value=0, add_indicator=True
    ),
    "simple_imputer_of_object_numbers": imputer(object_numbers),
    "simple_imputer_of_object_numbers_with_a_constant": imputer(
        object_numbers, strategy="constant", fill_value=True
    ),
    "simple_imputer_of_a_sparse_matrix": sparse(SimpleImputer(add_indicator=True)),
    "simple_imputer_of_a_sparse_matrix_of_another_marker": sparse(
        SimpleImputer(), SimpleImputer(missing_values=7, strategy="most_frequent")
    ),
    "simple_imputer_before_one_hot": lambda: _before(OneHotEncoder(handle_unknown="ignore")),
    "simple_imputer_before_ordinals": lambda: _before(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    ),
    "missing_indicator": indicator(lambda: numbers().assign(full=1.0), error_on_new=True),
    "missing_indicator_of_new_columns": indicator(
        lambda: numbers().assign(full=1.0), error_on_new=False
    ),
    "missing_indicator_of_all": indicator(
        lambda: single().assign(full=np.float32(1)), features="all"
    ),
    "missing_indicator_into_a_sparse_matrix": indicator(array, sparse=True),
    "missing_indicator_of_another_marker": indicator(complete, missing_values=-1.5),
    "missing_indicator_of_integers": indicator(integers, missing_values=2, features="all"),
    "missing_indicator_of_texts": indicator(texts),
    "missing_indicator_of_texts_with_none": indicator(texts_with_none, missing_values=None),
    "missing_indicator_of_nan_in_texts_with_none": indicator(texts_with_none, features="all"),
    "missing_indicator_of_a_text": indicator(texts_with_none, missing_values="red"),
    "missing_indicator_of_mixed_columns": indicator(mixed),
    "missing_indicator_into_a_frame": fitted(
        MissingIndicator().set_output(transform="pandas"), numbers
    ),
    "missing_indicator_of_a_sparse_matrix": sparse(MissingIndicator(features="all")),
    "missing_indicator_of_a_sparse_matrix_into_an_array": sparse(MissingIndicator(sparse=False)),
}


def _before(encoder):
    """Text after imputation, as the encoder that follows sees it."""
    steps = make_pipeline(SimpleImputer(strategy="most_frequent"), encoder)
    return steps.fit(mixed()), mixed()


def test_a_missing_value_that_is_no_marker_is_refused():
    frame = complete()
    model = penstock.convert(SimpleImputer(missing_values=-1.5).fit(frame), frame)
    with pytest.raises(penstock.DataError, match="normal"):
        model.predict(frame.iloc[0].to_dict() | {"normal": None})


@pytest.mark.parametrize("marker", [-1, 999, -5.0, 4])
def test_a_marker_that_is_no_category_is_replaced_and_not_refused(marker):
    grades = np.arange(300) % 3 + 1
    frame = pd.DataFrame({"grade": pd.Categorical(grades), "x": contract.numbers()["signed"]})
    grade = make_pipeline(
        SimpleImputer(missing_values=marker, strategy="most_frequent"), OneHotEncoder()
    )
    columns = make_column_transformer((grade, ["grade"]), remainder="passthrough")
    converted = penstock.convert(columns.fit(frame), frame)
    rows = pd.DataFrame({"grade": pd.Categorical([1, marker, 3]), "x": [0.5, 1.5, 2.5]})
    for way in (rows, rows.astype(float), rows.to_dict("records")):
        answers = pd.DataFrame(converted.predict(way))
        np.testing.assert_array_equal(answers.to_numpy(), columns.transform(rows))
    unseen = rows.assign(grade=pd.Categorical([1, 2, 7]))
    with pytest.raises(ValueError, match="unknown categories"):
        columns.transform(unseen)
    with pytest.raises(penstock.DataError, match="`grade` got 7"):
        converted.predict(unseen)


def test_a_marker_that_is_no_text_of_the_example_is_replaced_and_not_refused():
    frame = pd.DataFrame({"color": ["red", "blue", "green"] * 20})
    model = make_pipeline(
        SimpleImputer(missing_values="?", strategy="most_frequent"), OneHotEncoder()
    ).fit(frame)
    converted = penstock.convert(model, frame)
    expected = model.transform(pd.DataFrame({"color": ["?"]})).toarray()[0].tolist()
    assert list(converted.predict({"color": "?"}).values()) == expected


def test_nan_is_refused_where_none_is_the_marker():
    frame = texts_with_none()
    frame["word"] = frame["word"].where(frame["word"] != "", np.nan)
    imputer = SimpleImputer(missing_values=None, strategy="most_frequent")
    model = penstock.convert(imputer.fit(texts_with_none()), frame.dropna(subset=["word"]))
    row = {"color": None, "town": "town 1", "word": "naïve"}
    assert model.predict(row)["color"] == imputer.statistics_[0]
    with pytest.raises(penstock.DataError, match="word"):
        model.predict(row | {"word": None})


def test_a_new_missing_column_is_refused_by_the_indicator():
    frame = numbers().assign(full=1.0)
    model = penstock.convert(MissingIndicator().fit(frame), frame)
    with pytest.raises(penstock.DataError, match="full"):
        model.predict(frame.iloc[1].to_dict() | {"full": None})


def test_a_new_marker_in_texts_is_refused_by_the_indicator():
    frame = texts_with_none()
    model = penstock.convert(MissingIndicator(missing_values="red").fit(frame), frame)
    with pytest.raises(penstock.DataError, match="town"):
        model.predict({"color": "red", "town": "red", "word": ""})


def test_columns_that_were_empty_still_refuse_infinity():
    model = penstock.convert(SimpleImputer().fit(empty()), empty())
    with pytest.raises(penstock.DataError, match="nothing"):
        model.predict(numbers().iloc[0].to_dict() | {"nothing": float("inf")})


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"strategy": "constant", "fill_value": 5}, "fill_value"),
        ({"strategy": "most_frequent", "keep_empty_features": True}, "strategy"),
    ],
)
def test_numbers_among_texts_are_refused(options, option):
    frame = empty_texts()
    imputer = SimpleImputer(missing_values=None, **options).fit(frame)
    message = contract.refused(imputer, frame)
    assert f"option `{option}`" in message
    assert "in a column of text" in message


def test_texts_among_numbers_are_refused():
    imputer = SimpleImputer(strategy="constant").fit(mixed())
    message = contract.refused(imputer, mixed())
    assert "option `fill_value`: 'missing_value' takes the place" in message


def test_a_constant_of_another_dtype_is_refused():
    frame = integers()
    imputer = SimpleImputer(strategy="constant").fit(frame.astype("float64"))
    assert "option `fill_value`: was fitted on float64" in contract.refused(imputer, frame)


def test_zero_as_marker_in_a_sparse_matrix_is_refused():
    pipeline, frame = sparse(SimpleImputer(), SimpleImputer(missing_values=7))()
    pipeline[-1].missing_values = 0
    assert "option `missing_values`: 0 is refused" in contract.refused(pipeline, frame)


def test_na_is_refused_by_the_indicator():
    estimator = MissingIndicator(missing_values=pd.NA, features="all").fit(complete())
    message = contract.refused(estimator, complete())
    assert "option `missing_values`: pandas.NA" in message


def test_a_text_marker_in_numbers_is_refused():
    imputer = SimpleImputer(strategy="constant").fit(complete())
    imputer.missing_values = "?"
    message = contract.refused(imputer, complete())
    assert "option `missing_values`: '?' is refused in an array of numbers" in message


def test_booleans_alone_are_refused():
    imputer = SimpleImputer(strategy="most_frequent").fit(contract.numbers()[["signed"]])
    message = contract.refused(imputer, flags()[["flag"]])
    assert "takes no array of booleans" in message


@pytest.mark.parametrize(
    "estimator", [SimpleImputer(strategy="most_frequent"), MissingIndicator(features="all")]
)
def test_booleans_beside_numbers_are_refused(estimator):
    message = contract.refused(estimator.fit(flags()), flags())
    assert "booleans beside numbers become objects" in message


def test_text_is_refused_by_the_mean():
    frame = contract.numbers()[["normal"]]
    message = contract.refused(SimpleImputer().fit(frame), frame.assign(normal="text"))
    assert "column `normal` is text" in message


def test_an_imputer_of_another_version_is_refused():
    imputer = SimpleImputer().fit(complete())
    del imputer._fill_dtype
    assert "another version of scikit-learn" in contract.refused(imputer, complete())


def test_an_indicator_of_nothing_is_refused():
    message = contract.refused(MissingIndicator().fit(complete()), complete())
    assert "no columns" in message


def test_booleans_that_became_numbers_are_refused_where_a_missing_one_makes_objects():
    frame = contract.mixed(missing=False)[["large", "flag"]]
    columns = ColumnTransformer([("flag", "passthrough", ["flag"])], remainder=StandardScaler())
    imputer = SimpleImputer(strategy="most_frequent")
    message = contract.refused(make_pipeline(columns, imputer).fit(frame), frame)
    assert "step `simpleimputer`: booleans beside numbers become objects" in message


@pytest.mark.parametrize(
    "options, option",
    [
        ({"weights": lambda distances: 1 / (1 + distances)}, "weights"),
        ({"metric": lambda left, right, **_: abs(left - right).sum()}, "metric"),
    ],
)
def test_functions_of_neighbors_are_refused(options, option):
    model = KNNImputer(**options).fit(marked())
    assert f"`{option}`" in contract.refused(model, marked())


def test_rows_of_training_that_are_equally_near_are_refused():
    frame = contract.numbers(150, missing=True)[["counts", "signed"]]
    frame["more"] = frame["counts"].shift(1) % 4
    assert "argpartition" in contract.refused(KNNImputer(n_neighbors=4).fit(frame), frame)


def test_neighbors_in_float32_are_refused():
    frame = gaps().astype("float32").to_numpy()
    assert "float32" in contract.refused(KNNImputer().fit(frame), frame)
