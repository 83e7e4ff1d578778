"""What people send: every kind of table, wrong columns and values, policies, warnings, threads."""

import datetime
import decimal
import json
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import penstock
from penstock import DataError, Field
from tests import toys

NAN = float("nan")
EXPECTS = "the model expects: `distance`, `carrier`"
GOOD = {"distance": 12.5, "carrier": "UA"}


class Stream:
    """Any object with an Arrow stream, of a library that nobody knows."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


def objects(columns):
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def typed(number, text):
    def make(columns):
        return objects(columns).astype({"distance": number, "carrier": text})

    return make


FRAMES = {
    "pandas objects": objects,
    "pandas": typed("float64", "str"),
    "pandas nullable": typed("Float64", "string"),
    "pandas categories": typed("float64", "category"),
    "pandas arrow": typed("float64[pyarrow]", "string[pyarrow]"),
    "polars": pl.DataFrame,
    "polars categories": lambda columns: pl.DataFrame(
        columns, schema_overrides={"carrier": pl.Categorical}
    ),
    "pyarrow": pa.table,
    "pyarrow batch": pa.RecordBatch.from_pydict,
    "pyarrow dictionary": lambda columns: pa.table(
        {
            "distance": columns["distance"],
            "carrier": pa.array(columns["carrier"]).dictionary_encode(),
        }
    ),
    "pyarrow large text": lambda columns: pa.table(
        {
            "distance": columns["distance"],
            "carrier": pa.array(columns["carrier"], pa.large_string()),
        }
    ),
    "pyarrow chunks": lambda columns: pa.concat_tables(
        [pa.table(columns).slice(at, 1) for at in range(len(columns["carrier"]))]
    ),
    "stream": lambda columns: Stream(pa.table(columns)),
}
# Kinds that keep a value of any type as it is.
LOOSE = {"pandas objects": objects, "polars": pl.DataFrame, "pyarrow": pa.table}


def columns_of(rows):
    return {name: [row[name] for row in rows] for name in ("distance", "carrier")}


def rows_of(answer):
    """A table of answers as a list of dicts; missing is None."""
    if isinstance(answer, dict):
        answer = pa.table({name: pa.array(list(values)) for name, values in answer.items()})
    elif isinstance(answer, pd.DataFrame):
        answer = pa.Table.from_pandas(answer, preserve_index=False)
    elif isinstance(answer, pl.DataFrame):
        answer = answer.to_arrow()
    rows = pa.table(answer).to_pylist()
    return [{key: None if value != value else value for key, value in row.items()} for row in rows]


def flat(answer):
    """The answer to a dict as a table has it."""
    numbers = {
        "probability_no": answer["probability"]["no"],
        "probability_yes": answer["probability"]["yes"],
        "raw": answer["raw"],
    }
    missing = {key: None if value != value else value for key, value in numbers.items()}
    return {"label": answer["label"], **missing}


def error_of(model, rows, **keywords):
    with pytest.raises(penstock.PenstockError) as caught:
        model.predict(rows, **keywords)
    return caught.value


# -- every kind of table --


@pytest.mark.parametrize("kind", FRAMES)
def test_every_kind_of_table_gets_the_same_answers(kind):
    model = toys.late()
    rows = [
        GOOD,
        {"distance": None, "carrier": "AA"},
        {"distance": -1e300, "carrier": None},
        {"distance": 9.5, "carrier": "never seen"},
        {"distance": 0.1 + 0.2, "carrier": ""},
    ]
    expected = [flat(model.predict(row)) for row in rows]
    assert [flat(answer) for answer in model.predict(rows)] == expected
    assert rows_of(model.predict(FRAMES[kind](columns_of(rows)))) == expected


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("pandas", pd.DataFrame),
        ("polars", pl.DataFrame),
        ("pyarrow", pa.Table),
        ("pyarrow batch", pa.RecordBatch),
    ],
)
def test_answers_are_the_kind_of_table_that_the_rows_were(kind, type_):
    assert type(toys.late().predict(FRAMES[kind](columns_of([GOOD])))) is type_


def test_answers_to_an_unknown_table_are_a_stream():
    assert hasattr(toys.late().predict(FRAMES["stream"](columns_of([GOOD]))), "__arrow_c_stream__")


def test_pandas_keeps_its_index():
    frame = objects(columns_of([GOOD, GOOD])).set_index(pd.Index(["b", "a"], name="flight"))
    assert toys.late().predict(frame).index.equals(frame.index)


def test_dict_in_dict_out_and_list_in_list_out():
    model = toys.late()
    answer = model.predict(GOOD)
    assert type(answer) is dict and list(answer) == ["label", "probability", "raw"]
    assert model.predict([GOOD]) == [answer] and model.predict((GOOD,)) == [answer]
    assert model.predict_json('{"distance": 12.5, "carrier": "UA"}') == answer


@pytest.mark.parametrize("field", ["distance", "carrier"])
@pytest.mark.parametrize(
    "value", [2**53 + 1, 2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**25, -(10**25)], ids=str
)
def test_an_integer_in_json_is_refused_as_in_a_dict(value, field):
    model, row = toys.late(), GOOD | {field: value}
    with pytest.raises(penstock.DataError) as caught:
        model.predict(row)
    with pytest.raises(penstock.DataError) as caught_in_json:
        model.predict_json(json.dumps(row))
    assert str(caught_in_json.value) == str(caught.value)
    assert caught_in_json.value.code == caught.value.code


@pytest.mark.parametrize("text", ["1e20", "-1E300", "100000000000000000000.0", "2.5", "7", "-0.0"])
def test_a_number_in_json_is_that_of_a_dict(text):
    model = toys.echo(Field("x", "number"))
    assert model.predict_json(f'{{"x": {text}}}') == model.predict({"x": json.loads(text)})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[1]",
            "the row is not a JSON object: invalid type: sequence, expected a row as an object",
        ),
        ('{"distance": 1', "the row is not a JSON object: EOF"),
        ('{"distance": NaN}', 'send null, or the texts "NaN" and "Infinity"'),
        ('{"zzz": 1, "aaa": 2}', "column `zzz` is not an input of the model"),
        ("{}", "column `distance` is missing from the request; the model expects: `distance`"),
    ],
)
def test_json_that_is_no_row_is_told_why(text, said):
    model = toys.late(distance=Field(on_missing="refuse"))
    with pytest.raises(penstock.SchemaError) as caught:
        model.predict_json(text)
    assert said in str(caught.value)


@pytest.mark.parametrize("labels", [("no", "yes"), (0, 1), (False, True), (0.5, 1.5)], ids=repr)
def test_labels_keep_their_type(labels):
    model = toys.late(labels=labels)
    model.verify()
    answers = [
        model.predict(GOOD)["label"],
        model.predict([GOOD])[0]["label"],
        *(rows_of(model.predict(FRAMES[kind](columns_of([GOOD]))))[0]["label"] for kind in FRAMES),
    ]
    assert {(type(answer), answer) for answer in answers} == {(type(labels[1]), labels[1])}


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "i1", "u8", "?", ">f8", "O"])
def test_arrays_are_columns_in_the_order_of_the_inputs(dtype):
    model = toys.echo(Field("a", "number"), Field("b", "number"))
    array = np.array([[0, 1], [1, 1], [1, 0]], dtype=dtype)
    for layout in (array, np.asfortranarray(array), array[::-1][::-1]):
        answers = model.predict(layout)
        assert answers["a_read"].tolist() == [0, 1, 1] and answers["b_read"].tolist() == [1, 1, 0]


NUMBERS = ["float32", "int8", "uint64", "bool", "Int64", "boolean", "UInt8", "Float32"]


@pytest.mark.parametrize("dtype", [*NUMBERS, "int64[pyarrow]", "bool[pyarrow]", "category", "O"])
def test_numbers_of_every_dtype_are_numbers(dtype):
    model = toys.echo(Field("a", "number"))
    column = pd.Series([0, 1], dtype="category" if dtype == "category" else dtype)
    assert model.predict(pd.DataFrame({"a": column}))["a_read"].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    "value",
    [
        "2024-05-01T12:30:00Z",
        "2024-05-01T14:30:00+02:00",
        datetime.datetime(2024, 5, 1, 12, 30),
        datetime.datetime(2024, 5, 1, 12, 30, tzinfo=datetime.UTC),
        pd.Timestamp("2024-05-01 14:30", tz="Europe/Paris"),
        np.datetime64("2024-05-01T12:30"),
    ],
    ids=repr,
)
def test_a_time_is_the_same_in_every_form(value):
    model = toys.echo(Field("at", "timestamp"))
    expected = {"at_read": 1714566600000000.0}
    assert model.predict({"at": value}) == expected
    if not isinstance(value, str):
        frame = pd.DataFrame({"at": [pd.Timestamp(value)]})
        for table in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame)):
            assert rows_of(model.predict(table)) == [expected]


# -- wrong values --

HUGE = "which a 64-bit float cannot hold exactly; send at most 2^53, or a float"
# Value, what a column of numbers says, what a column of texts says; None: it is taken.
VALUES = {
    "text": ("far", 'takes a number; got the text "far"', None),
    "number as text": ("3.0", 'takes a number; got the text "3.0"', None),
    "NA": ("NA", 'takes a number; got the text "NA"', None),
    "empty": ("", 'takes a number; got the text ""', None),
    "None": (None, None, None),
    "NaN": (NAN, None, None),
    "pd.NA": (pd.NA, None, None),
    "pd.NaT": (pd.NaT, None, None),
    "number": (3.5, None, "takes a text; got the number 3.5"),
    "integer": (3, None, "takes a text; got the number 3"),
    "boolean": (True, None, "takes a text; got the boolean true"),
    "infinity": (np.inf, None, "takes a text; got the number inf"),
    "2^53": (2**53, None, "takes a text; got the number 9007199254740992"),
    "2^53 + 1": (
        2**53 + 1,
        f"got the integer 9007199254740993, {HUGE}",
        "takes a text; got the number 9007199254740993",
    ),
    "2^80": (2**80, f"got an integer beyond 64 bits, {HUGE}", "takes a text; got an integer"),
    "date": (datetime.date(2020, 1, 1), "takes a number; got a date", "takes a text; got a date"),
    "time": (pd.Timestamp("2020"), "takes a number; got a date", "takes a text; got a date"),
    "list": ([1], "takes a number; got a list", "takes a text; got a list"),
    "bytes": (b"x", "takes a number; got bytes", "takes a text; got bytes"),
    "decimal": (decimal.Decimal("1.5"), None, "takes a text; got the number 1.5"),
    "complex": (1j, "takes a number; got a complex number", "takes a text; got a complex number"),
    "object": (object(), "takes a number; got an object", "takes a text; got an object"),
}
NUMPY = {"numpy number": np.float32(3.5), "numpy integer": np.int8(3), "numpy boolean": np.True_}
VALUES |= {
    name: (value, None, f"takes a text; got the {'boolean' if name[6:] == 'boolean' else 'number'}")
    for name, value in NUMPY.items()
}
# What these libraries have no type for, or turn into another.
UNTYPED = {
    "polars": {"pd.NA", "2^80", "complex", "object", "pd.NaT", *NUMPY, "time"},
    "pyarrow": {"pd.NA", "2^80", "complex", "object", "pd.NaT", *NUMPY},
}


@pytest.mark.parametrize("field", ["distance", "carrier"])
@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_taken_or_refused_by_name_whatever_it_comes_in(name, field):
    model = toys.late()
    value, *messages = VALUES[name]
    message = messages[field == "carrier"]
    row = GOOD | {field: value}
    rows = [GOOD, row]
    tables = [rows]
    for kind, make in LOOSE.items():
        # Every value alone, since columns of these have one type.
        if name not in UNTYPED.get(kind, ()):
            tables.append(make(columns_of([row] if kind != "pandas objects" else rows)))
    for table in (row, *tables):
        if message is None:
            model.predict(table)
            continue
        error = error_of(model, table)
        assert type(error) is DataError
        at = None if isinstance(table, dict) else len(table) - 1
        where = "" if at is None else f"row {at}: "
        assert str(error).startswith(f"{where}column `{field}` {message}")
        code = "integer_too_large" if HUGE in message else "invalid"
        assert (error.row, error.field, error.code) == (at, field, code)


def test_missing_in_any_form_is_missing():
    model = toys.late()
    for field in ("distance", "carrier"):
        expected = repr(model.predict(GOOD | {field: None}))
        for missing in (NAN, pd.NA, pd.NaT, np.float32("nan"), decimal.Decimal("NaN")):
            assert repr(model.predict(GOOD | {field: missing})) == expected


def test_texts_are_texts_whatever_they_say():
    model = toys.coded(Field("c", "text"), ["NA", "", "3.0", "nan", "null"])
    for at, text in enumerate(["NA", "", "3.0", "nan", "null"]):
        assert model.predict({"c": text}) == {"value": float(at)}
        assert model.predict(pd.DataFrame({"c": [text]}))["value"].tolist() == [at]


# -- policies, warnings, errors per row --


RANGE = {"minimum": 0, "maximum": 10}


def test_messages_of_policies_say_what_is_allowed():
    for field, value, message in (
        (Field("n", "number", **RANGE), 11, "got 11, which is outside the range 0 to 10"),
        (Field("n", "number", minimum=0), -1, "got -1, which is outside the range from 0"),
        (Field("n", "number", maximum=0), 1, "got 1, which is outside the range up to 0"),
        (Field("n", "number", infinite="refuse"), np.inf, "takes finite numbers only"),
        (Field("n", "number", on_missing="refuse"), None, "must not be missing; send a value"),
        (Field("n", "boolean"), 2, "takes a boolean; got the number 2"),
        (Field("n", "timestamp"), "noon", 'as 2024-05-01T12:30:00Z; got the text "noon"'),
    ):
        assert message in str(error_of(toys.echo(field), {"n": value}))


def test_an_encoder_that_refuses_says_what_it_was_given():
    model = toys.coded(Field("c", "text"), ["a"], unseen=-2)
    error = error_of(model, [{"c": "a"}, {"c": "z"}])
    assert (error.row, error.field, error.code) == (1, "c", "unseen_level")
    assert 'column `c` got "z", a level that was not seen in training' in str(error)


@pytest.mark.parametrize("kind", LOOSE)
def test_refused_rows_are_returned_and_the_others_answered(kind):
    model = toys.late(Field(minimum=0))
    rows = [GOOD, GOOD | {"distance": -1.0}, GOOD]
    good, refused, again = model.predict(rows, on_error="return")
    assert good == again == model.predict(GOOD)
    assert isinstance(refused, DataError) and refused.row == 1
    alone = model.predict(rows[1], on_error="return")
    assert isinstance(alone, DataError) and alone.code == "out_of_range"
    table = rows_of(model.predict(LOOSE[kind](columns_of(rows)), on_error="return"))
    assert [row.pop("error") for row in table] == [None, str(refused), None]
    assert table[0] == table[2] == flat(good)
    assert set(table[1].values()) == {None}


@pytest.mark.parametrize("kind", LOOSE)
def test_warnings_come_with_each_row(kind):
    rows = [GOOD, GOOD | {"carrier": "new"}]
    expected = [[], [{"field": "carrier", "code": "unseen_level", "value": '"new"'}]]
    model = toys.late()
    answers = model.predict(rows, warnings=True)
    expected[1][0]["value"] = answers[1]["warnings"][0]["value"]
    assert [answer["warnings"] for answer in answers] == expected
    table = model.predict(LOOSE[kind](columns_of(rows)), warnings=True)
    assert [row["warnings"] for row in rows_of(table)] == expected


def test_options_that_do_not_exist_are_refused():
    model = toys.late()
    assert "`on_error` is 'ignore'" in str(error_of(model, GOOD, on_error="ignore"))
    for threads in (0, -1, 1.5, "2"):
        error = error_of(model, objects(columns_of([GOOD])), threads=threads)
        assert f"`threads` is {threads!r}" in str(error)


# -- other processes --


def test_a_model_travels_to_other_processes(tmp_path):
    model = toys.late()
    again = pickle.loads(pickle.dumps(model))
    assert again.digest == model.digest and again.predict(GOOD) == model.predict(GOOD)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    code = (
        "import pickle; model = pickle.load(open('model.pickle', 'rb')); "
        f"print(model.predict({GOOD!r}))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == repr(model.predict(GOOD))


def test_verify_tells_the_first_difference():
    good = toys.late()
    assert len(good.examples) == 2
    good.verify()
    wrong = toys.late(wrong=True)
    with pytest.raises(penstock.ArtifactError, match=r"2 of the examples differ; .*`raw`"):
        wrong.verify()
