"""Examples of every kind of table: what their columns are, and tables like them with other rows."""

import datetime
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from penstock import ConvertError
from penstock.frames import describe

NAN = float("nan")


def described(**columns):
    return describe(pd.DataFrame(columns))


def column(values):
    (made,) = described(x=values).columns
    return made


@pytest.mark.parametrize(
    ("values", "kind", "dtype", "missing"),
    [
        (pd.Series([1.0, NAN]), "number", "float64", "nan"),
        (pd.Series([1.0], dtype="float32"), "number", "float32", "nan"),
        (pd.Series([1, 2], dtype="uint8"), "number", "uint8", "nan"),
        (pd.Series([1, None], dtype="Int64"), "number", "Int64", "na"),
        (pd.Series([1, None], dtype="int64[pyarrow]"), "number", "Int64", "na"),
        (pd.Series([1.5, None], dtype="Float64"), "number", "Float64", "na"),
        (pd.Series([True, False]), "boolean", "bool", "nan"),
        (pd.Series([True, None], dtype="boolean"), "boolean", "boolean", "na"),
        (pd.Series([True, None], dtype="object"), "boolean", "object", "none"),
        (pd.Series(["a", "b"], dtype="str"), "text", "object", "nan"),
        (pd.Series(["a", None], dtype="string"), "text", "object", "na"),
        (pd.Series(["a", None], dtype="object"), "text", "object", "none"),
        (pd.Series(["a", NAN], dtype="object"), "text", "object", "nan"),
        (pd.Series(["a", pd.NA], dtype="object"), "text", "object", "na"),
        (pd.Series([1, 2.5], dtype="object"), "number", "object", "nan"),
        (pd.Series([pd.Timestamp("2013-01-01")]), "timestamp", "datetime64[us]", "nan"),
    ],
)
def test_pandas_columns_have_kind_dtype_and_marker_of_missing_values(values, kind, dtype, missing):
    made = column(values)
    assert (made.kind, made.dtype, made.missing) == (kind, dtype, missing)


@pytest.mark.parametrize(
    ("categories", "kind"), [(["b", "a"], "text"), ([3, 1], "number"), ([True, False], "boolean")]
)
def test_categories_keep_their_order_and_type(categories, kind):
    made = column(pd.Categorical(categories[:1], categories))
    assert (made.kind, made.dtype, made.categories) == (kind, "category", tuple(categories))
    assert type(made.categories[0]) is type(categories[0])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pd.Series([1, "a"], dtype="object"), "column `x` mixes number and text"),
        (pd.Series([[1], [2]]), "column `x` holds objects of type list"),
        (pd.Series([decimal.Decimal(1)]), "column `x` holds objects of type Decimal"),
        (pd.Series([datetime.date(2013, 1, 1)]), "column `x` holds objects of type date"),
        (pd.Series(["a", None, NAN], dtype="object"), "column `x` mixes None, NaN or NA"),
        (pd.Series([1.0], dtype="float16"), "column `x` has dtype float16"),
        (pd.Series([1.0], dtype="Float32"), "column `x` has dtype Float32"),
        (pd.Series([1 + 2j]), "column `x` has dtype complex128"),
        (pd.Series(pd.arrays.SparseArray([0.0, 1.0])), "column `x` has dtype Sparse"),
        (pd.Series([pd.Timedelta(1)]), "column `x` has dtype timedelta"),
    ],
)
def test_columns_that_no_artifact_takes_are_refused_by_name(values, message):
    with pytest.raises(ConvertError) as error:
        column(values)
    assert message in str(error.value)


def test_two_columns_of_one_name_are_refused():
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(ConvertError, match="two columns of the example have the name `a`"):
        describe(frame)


def test_columns_without_text_names_are_refused_with_the_remedy():
    with pytest.raises(ConvertError, match=r"column name 0 is no text.*to_numpy"):
        describe(pd.DataFrame([[1, 2]]))


@pytest.mark.parametrize("data", [[[1, 2]], {"a": 1}, pd.Series([1]), np.ones(3), "path.csv"])
def test_what_is_no_table_is_refused(data):
    with pytest.raises(ConvertError, match="give a pandas, Polars or Arrow table"):
        describe(data)


@pytest.mark.parametrize("data", [pd.DataFrame({"a": []}), np.empty((3, 0)), pa.table({})])
def test_example_without_rows_or_columns_is_refused(data):
    with pytest.raises(ConvertError, match="no rows or no columns"):
        describe(data)


def test_arrays_have_the_names_of_the_model_or_numbers():
    array = np.ones((2, 2))
    assert describe(array).names == ["x0", "x1"]
    assert describe(array, ["a", "b"]).names == ["a", "b"]
    assert describe(array, ["a"]).names == ["x0", "x1"]


KINDS = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "arrow": pa.table,
}
COLUMNS = {"number": [1.5, None], "integer": [1, 2], "flag": [True, False], "text": ["a", None]}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_plain_and_tables_of_them_are_like_the_example(kind):
    example = describe(KINDS[kind](COLUMNS))
    assert example.kind == kind
    assert [made.kind for made in example.columns] == ["number", "number", "boolean", "text"]
    rows = example.rows([0, 1])
    assert rows == [
        {"number": 1.5, "integer": 1, "flag": True, "text": "a"},
        {"number": None, "integer": 2, "flag": False, "text": None},
    ]
    again = describe(example.build(rows))
    assert [(made.kind, made.dtype) for made in again.columns] == [
        (made.kind, made.dtype) for made in example.columns
    ]
    assert again.rows([0, 1]) == rows


@pytest.mark.parametrize("kind", KINDS)
def test_integers_with_a_fraction_become_floats(kind):
    example = describe(KINDS[kind]({"x": [1, 2]}))
    assert describe(example.build([{"x": 0.5}, {"x": float("inf")}])).columns[0].dtype == "float64"


def test_integers_with_a_missing_value_become_floats_in_pandas():
    example = described(x=[1, 2])
    assert str(example.build([{"x": None}])["x"].dtype) == "float64"
    assert str(example.build([{"x": 3}])["x"].dtype) == "int64"


def test_integers_that_do_not_fit_become_wider():
    example = described(x=pd.Series([1], dtype="int8"))
    assert str(example.build([{"x": 1000}])["x"].dtype) == "int64"


@pytest.mark.parametrize("value", [None, 0.5, 1000])
@pytest.mark.parametrize("library", [pd, pl, pa])
def test_small_integers_beside_float32_become_float32_where_they_do_not_fit(library, value):
    frame = pd.DataFrame({"x": pd.Series([1], dtype="int8")})
    table = {pd: frame, pl: pl.from_pandas(frame), pa: pa.table(frame)}[library]
    made = describe(table).widened(frozenset("x")).build([{"x": value}, {"x": 1}])
    assert str(pa.table(made).schema.field("x").type) == "float"


def test_a_missing_level_of_an_arrow_dictionary_is_refused():
    codes = pa.array(["a", None, "b"]).dictionary_encode()
    assert np.asarray(pa.table({"x": codes})).ravel().tolist() != ["a", None, "b"]
    with pytest.raises(ConvertError, match="`x` is a dictionary with missing values"):
        describe(pa.table({"x": codes}))


def test_unseen_levels_become_new_categories_after_the_known_ones():
    example = described(x=pd.Categorical(["a"], ["b", "a"], ordered=True))
    dtype = example.build([{"x": "new"}, {"x": None}])["x"].dtype
    assert list(dtype.categories) == ["b", "a", "new"] and dtype.ordered


@pytest.mark.parametrize("marker", [None, NAN, pd.NA])
def test_missing_values_stay_what_they_were_in_the_example(marker):
    example = described(x=pd.Series(["a", marker], dtype="object"))
    made = example.build([{"x": None}])["x"].iloc[0]
    assert made is marker or (marker is NAN and made != made)


def test_text_in_objects_stays_in_objects():
    example = described(x=pd.Series(["a", None], dtype="object"))
    assert str(example.build([{"x": "a"}])["x"].dtype) == "object"


def test_missing_booleans_become_objects_as_in_pandas():
    frame = described(x=[True, False]).build([{"x": None}, {"x": True}])
    assert str(frame["x"].dtype) == "object"


def test_arrays_of_text_take_longer_text():
    example = describe(np.array([["a", "b"]]))
    assert example.build([{"x0": "longer", "x1": "b"}]).tolist() == [["longer", "b"]]


def test_arrays_of_objects_keep_types_by_column():
    example = describe(np.array([["a", 1.5], ["b", 2]], dtype="object"))
    assert [made.kind for made in example.columns] == ["text", "number"]


def test_any_arrow_stream_is_an_example():
    class Stream:
        def __arrow_c_stream__(self, requested_schema=None):
            return pa.table(COLUMNS).__arrow_c_stream__(requested_schema)

    assert describe(Stream()).kind == "arrow"
