"""Columns of a table: their names, their dtypes, how many there are, and tables that are none."""

import datetime
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import penstock
from penstock.schema import Field
from tests import toys

GOOD = {"distance": [12.5, 3.0], "carrier": ["UA", "AA"]}
MAKERS = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "arrow": pa.table,
    "rows": lambda columns: [
        dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
    ],
    "row": lambda columns: {name: values[0] for name, values in columns.items()},
}


def refusal(rows, model=None, error=penstock.SchemaError, **options):
    with pytest.raises(error) as caught:
        (model or toys.late()).predict(rows, **options)
    return str(caught.value)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_misspelt_column_is_told_the_closest_name(kind):
    rows = MAKERS[kind]({"distnace": [1.0, 2.0], "carrier": ["UA", "AA"]})
    message = "column `distnace` is not an input of the model; did you mean `distance`?"
    assert refusal(rows) == message


@pytest.mark.parametrize("kind", MAKERS)
def test_an_extra_column_is_told_what_is_expected(kind):
    rows = MAKERS[kind]({**GOOD, "late": [0, 1]})
    message = "column `late` is not an input of the model; the model expects: `distance`, `carrier`"
    assert refusal(rows) == message


@pytest.mark.parametrize("kind", MAKERS)
def test_a_missing_column_is_named_where_missing_values_are_refused(kind):
    model = toys.late(distance=Field(on_missing="refuse"))
    rows = MAKERS[kind]({"carrier": ["UA", "AA"]})
    message = "column `distance` is missing from the request; the model expects: "
    assert refusal(rows, model) == message + "`distance`, `carrier`"


@pytest.mark.parametrize("kind", MAKERS)
def test_a_missing_column_is_missing_in_every_row_where_that_is_allowed(kind):
    model = toys.echo(Field("x", "number"), Field("t", "text"))
    answers = model.predict(MAKERS[kind]({"t": ["a", "b"]}))
    if kind == "polars":
        answers = answers.to_dicts()
    if hasattr(answers, "to_pylist"):
        answers = answers.to_pylist()
    rows = [answers] if kind == "row" else pd.DataFrame(answers).to_dict("records")
    assert all(pd.isna(row["x_read"]) for row in rows)


def test_names_that_are_far_from_all_inputs_suggest_none():
    model = toys.echo(Field("age", "number"), Field("fare", "number"))
    assert "did you mean `age`?" in refusal({"AGE": 1}, model)
    assert "did you mean `fare`?" in refusal({"fares": 1}, model)
    assert "the model expects: `age`, `fare`" in refusal({"x": 1}, model)


def test_a_polars_type_that_arrow_lacks_is_refused_by_name():
    frame = pl.DataFrame(GOOD).with_columns(pl.col("distance").cast(pl.Int128))
    message = "column `distance` has the Polars type Int128, which Arrow does not have; cast it "
    assert refusal(frame) == message + "to Int64 or Float64"


def test_a_key_that_comes_twice_in_json_is_refused():
    with pytest.raises(penstock.SchemaError) as caught:
        toys.late().predict_json('{"distance": 1, "carrier": "UA", "distance": 2}')
    assert str(caught.value) == "key `distance` is there twice; send it once"


def test_of_many_inputs_thirty_are_listed():
    model = toys.echo(*(Field(f"input {at}", "number") for at in range(40)))
    message = refusal({"zzz": 1}, model)
    assert message.endswith("`input 29` and 10 more")


def test_a_column_that_comes_twice_is_refused():
    frame = pd.DataFrame([[1.0, "UA", 2.0]], columns=["distance", "carrier", "distance"])
    message = "column `distance` comes twice; send each column once"
    assert refusal(frame) == message
    table = pa.table([[1.0], ["UA"], [2.0]], names=["distance", "carrier", "distance"])
    assert refusal(table) == message


def test_ignored_columns_may_be_sent_and_are_not_read():
    model = toys.model(
        "one",
        (Field("x", "number"), Field("note", "ignored")),
        toys.echo(Field("x", "number")).schema.outputs,
        (toys.Node("all", "concat", ("field:x",)),),
    )
    assert model.predict({"x": 1, "note": object()}) == {"x_read": 1.0}
    assert model.predict(pd.DataFrame({"x": [1.0], "note": [b"x"]}))["x_read"].tolist() == [1.0]
    assert "the model expects: `x`" in refusal({"nope": 1}, model)


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "rows"])
def test_no_rows_give_no_answers(kind):
    typed = {
        "pandas": pd.Series([], dtype=float),
        "polars": [],
        "arrow": pa.array([], pa.float64()),
    }
    rows = MAKERS[kind]({"distance": typed.get(kind, []), "carrier": typed.get(kind, [])})
    answers = toys.late().predict(rows)
    assert len(answers) == 0
    if kind != "rows":
        names = ["label", "probability_no", "probability_yes", "raw"]
        assert list(answers.column_names if kind == "arrow" else answers.columns) == names


def test_no_columns_are_missing_values():
    model = toys.late(distance=Field(on_missing="refuse"))
    assert "column `distance` is missing from the request" in refusal(pd.DataFrame(), model)
    assert "column `distance` is missing from the request" in refusal({}, model)
    answers = toys.late().predict(pd.DataFrame(index=[4, 5]))
    assert answers["raw"].isna().all() and answers.index.tolist() == [4, 5]
    assert toys.late().predict([]) == []
    message = "the array has 0 columns; the model expects 2: `distance`, `carrier`"
    assert refusal(np.zeros((2, 0))) == message


def test_names_that_are_no_text_are_refused():
    message = "column 0 is not named by text; name the columns of the frame"
    assert refusal(pd.DataFrame([[1.0, "UA"]])) == message
    assert "('a', 'b') is not named by text" in refusal(
        pd.DataFrame([[1.0]], columns=pd.MultiIndex.from_tuples([("a", "b")]))
    )
    assert "column `3` is not an input" in refusal({3: 1})


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (pd.Series([1.0]), "a `Series` is not rows; send `series.to_frame()` or a dict"),
        (pl.Series([1.0]), "a `Series` is not rows; send `series.to_frame()` or a dict"),
        (pl.LazyFrame(GOOD), "a `LazyFrame` is not rows; send `frame.collect()`"),
        (
            pd.DataFrame(GOOD)["distance"].to_list(),
            "row 0 is a `float`; each row of a list is a dict",
        ),
        ([{}, None], "row 1 is a `NoneType`; each row of a list is a dict"),
        ('{"distance": 1}', "a `str` is not rows; send a dict, or the text to `predict_json`"),
        (
            iter([{}]),
            "a `list_iterator` is not rows; send a dict, a list of dicts, a frame (pandas",
        ),
        (None, "a `NoneType` is not rows; send a dict"),
        (
            np.array([1.0, 2.0]),
            "the array has 1 dimensions; send rows by columns (2), as in `array.re",
        ),
        (np.ones((2, 3)), "the array has 3 columns; the model expects 2: `distance`, `carrier`"),
        (pa.chunked_array([[1.0]]), "the Arrow stream cannot be read as a table: "),
        (np.float64(3.0), "the array has 0 dimensions"),
    ],
)
def test_what_is_no_table_is_told_what_is(rows, said):
    assert refusal(rows).startswith(said)


def test_a_dict_of_columns_is_one_row_of_lists():
    assert "column `distance` takes a number; got a list" in refusal(GOOD, error=penstock.DataError)


NUMBERS = [1, 0, 1]
NUMBER_DTYPES = {
    **{
        f"numpy {dtype}": np.array(NUMBERS, dtype)
        for dtype in (
            "f2",
            "f4",
            "f8",
            "i1",
            "i2",
            "i4",
            "i8",
            "u1",
            "u2",
            "u4",
            "u8",
            ">f8",
            ">i4",
            "?",
        )
    },
    "numpy long double": np.array(NUMBERS, np.longdouble).astype("f8"),
    **{
        f"pandas {dtype}": pd.array(NUMBERS, dtype=dtype)
        for dtype in (
            "Int8",
            "UInt64",
            "Float32",
            "boolean",
            "int16[pyarrow]",
            "bool[pyarrow]",
            "Sparse[int64]",
            "category",
            "object",
        )
    },
}


@pytest.mark.parametrize("name", NUMBER_DTYPES)
def test_numbers_of_every_dtype_are_read(name):
    model = toys.echo(Field("x", "number"), Field("b", "boolean"))
    values = NUMBER_DTYPES[name]
    answers = model.predict(pd.DataFrame({"x": values, "b": values}))
    assert answers["x_read"].tolist() == answers["b_read"].tolist() == NUMBERS
    if name.startswith("numpy"):
        both = np.stack([values, values], axis=1)
        for order in ("C", "F"):
            assert model.predict(np.array(both, order=order))["x_read"].tolist() == NUMBERS


@pytest.mark.parametrize(
    "dtype", ["Int64", "UInt8", "Float64", "boolean", "int32[pyarrow]", "bool[pyarrow]"]
)
def test_missing_values_of_nullable_dtypes_are_missing(dtype):
    frame = pd.DataFrame({"x": pd.array([1, None, 0], dtype=dtype)})
    assert toys.echo(Field("x", "number")).predict(frame)["x_read"].isna().tolist() == [
        False,
        True,
        False,
    ]


def test_a_nullable_integer_is_refused_rather_than_rounded():
    frame = pd.DataFrame({"x": pd.array([1, None, 2**53 + 1], dtype="Int64")})
    message = refusal(frame, toys.echo(Field("x", "number")), penstock.DataError)
    assert message.startswith("row 2: column `x` got the integer 9007199254740993")


DAY = 86_400_000_000
TIMES = pd.to_datetime(["1969-12-31 23:59:59.999999", None, "2024-01-01"], format="ISO8601")
TIME_COLUMNS = {
    "pandas milliseconds": pd.Series(TIMES).astype("datetime64[ms]"),
    "pandas nanoseconds": pd.Series(TIMES).astype("datetime64[ns]"),
    "pandas microseconds": pd.Series(TIMES).astype("datetime64[us]"),
    "pandas with a zone": pd.Series(TIMES).dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"),
    "pandas Arrow": pd.Series(TIMES).astype("timestamp[us][pyarrow]"),
    "objects": pd.Series([*TIMES], dtype=object),
    "texts": pd.Series(["1969-12-31T23:59:59.999999Z", None, "2024-01-01"], dtype=object),
}


@pytest.mark.parametrize("name", TIME_COLUMNS)
def test_times_of_every_dtype_are_microseconds(name):
    answers = toys.echo(Field("w", "timestamp")).predict(pd.DataFrame({"w": TIME_COLUMNS[name]}))
    expected = [-1.0, None, 19723.0 * DAY]
    if name == "pandas milliseconds":
        expected[0] = -1000.0
    assert [None if np.isnan(x) else x for x in answers["w_read"]] == expected


ARROW = {
    "timestamp[s]": (pa.array([datetime.datetime(1970, 1, 2), None], pa.timestamp("s")), "w", DAY),
    "timestamp[ns, zone]": (
        pa.array([datetime.datetime(1970, 1, 2), None], pa.timestamp("ns", "Asia/Tokyo")),
        "w",
        DAY,
    ),
    "date32": (pa.array([datetime.date(1970, 1, 2), None]), "w", DAY),
    "date64": (pa.array([datetime.date(1970, 1, 2), None], pa.date64()), "w", DAY),
    "decimal with a fraction": (pa.array([decimal.Decimal("0.10"), None]), "x", 0.1),
    "decimal without": (pa.array([decimal.Decimal("12"), None], pa.decimal128(30, 0)), "x", 12),
    "decimal of hundreds": (
        pa.array([decimal.Decimal("1200"), None], pa.decimal256(40, -2)),
        "x",
        1200,
    ),
    "half float": (pa.array([np.float16(0.5), None], pa.float16()), "x", 0.5),
    "uint64": (pa.array([2**53, None], pa.uint64()), "x", 2**53),
    "null": (pa.nulls(2), "x", None),
    "dictionary of numbers": (pa.array([5, None]).dictionary_encode(), "x", 5),
    "dictionary with a null": (
        pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), pa.array(["a", None])),
        "t",
        "a",
    ),
    "bool": (pa.array([True, None]), "b", 1),
}


@pytest.mark.parametrize("name", ARROW)
def test_arrow_types_are_read(name):
    values, column, expected = ARROW[name]
    model = toys.echo(
        *(
            Field(n, t)
            for n, t in zip("xtbw", ("number", "text", "boolean", "timestamp"), strict=True)
        )
    )
    answers = model.predict(pa.table({column: values}))[f"{column}_read"].to_pylist()
    assert answers == [expected, None]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (pa.array([b"x"]), "bytes"),
        (pa.array([b"xy"], pa.binary(2)), "bytes"),
        (pa.array([[1.0]]), "a list"),
        (pa.array([{"a": 1}]), "a struct"),
        (pa.array([datetime.time(1)]), "a time of day"),
        (pa.array([datetime.timedelta(1)]), "a duration"),
        (pa.array([datetime.date(2024, 1, 1)]), "a date or a time"),
        (pa.array([5]), "the number 5"),
    ],
)
def test_arrow_types_that_no_text_is_are_refused(values, said):
    message = refusal(pa.table({"t": values}), toys.echo(Field("t", "text")), penstock.DataError)
    assert message == f"row 0: column `t` takes a text; got {said}"


@pytest.mark.parametrize("kind", ["f8", "f4", "i8", "i4", "u1", "text"])
def test_slices_and_chunks_are_read_as_their_rows(kind):
    random = np.random.default_rng(7)
    is_text = kind == "text"
    values = pa.array(["", "a", "b"]).take(random.integers(0, 3, 999)) if is_text else None
    values = values or pa.array(random.integers(0, 99, 999).astype(kind))
    values = pa.compute.if_else(pa.array(random.random(999) < 0.4), None, values)
    encoded = values.dictionary_encode()
    chunks = [values[3:300], values[300:301], values[301:301], values[301:990]]
    model = toys.echo(Field("t", "text")) if is_text else toys.echo(Field("t", "number"))
    coder = toys.coded(Field("t", "text"), ("a", "b")) if is_text else model
    rows = [{"t": value} for value in values[3:990].to_pylist()]
    for table in (chunks, [encoded[3:300], encoded[300:990]]):
        table = pa.table({"t": pa.chunked_array(table)})
        for each, name in ((model, "t_read"), (coder, None)):
            answers = each.predict(table)
            name = name or answers.column_names[0]
            expected = [row[name] for row in each.predict(rows)]
            assert answers[name].to_pylist() == [None if x != x else x for x in expected]


def test_a_decimal_that_a_float_cannot_hold_is_refused():
    table = pa.table(
        {
            "x": pa.array(
                [decimal.Decimal(2**53 + 1), decimal.Decimal(10) ** 25], pa.decimal128(30, 0)
            )
        }
    )
    for at in (0, 1):
        message = refusal(table.slice(at), toys.echo(Field("x", "number")), penstock.DataError)
        assert "which a 64-bit float cannot hold exactly" in message


def test_a_stream_that_breaks_off_is_reported():
    def batches():
        yield pa.record_batch({"distance": [1.0]})
        raise ValueError("the line went dead")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"distance": pa.float64()}), batches())
    assert "the line went dead" in refusal(reader)


@pytest.mark.parametrize("table", [pa.table, pl.DataFrame], ids=["pyarrow", "polars"])
def test_an_output_with_a_nul_in_its_name_has_no_table(table):
    model = toys.echo(Field("a\0", "number"))
    rows = [{"a\0": 1.0}]
    assert model.predict(rows) == [{"a\0_read": 1.0}]
    message = refusal(table({"b": [1.0]}).select([]), model)
    assert "'a\\x00_read'" in message and "NUL" in message
