"""What becomes of the other rows when some are refused, for every kind of rows."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import penstock
from penstock.schema import Field
from tests import toys

ROWS = [
    {"distance": 12.5, "carrier": "UA"},
    {"distance": "far", "carrier": "UA"},
    {"distance": 1.0, "carrier": "ZZ"},
    {"distance": 1.0, "carrier": 7},
]
MESSAGES = [
    None,
    'row 1: column `distance` takes a number; got the text "far"',
    None,
    "row 3: column `carrier` takes a text; got the number 7",
]
CODES = [[], None, ["unseen_level"], None]


def test_a_list_answers_refused_rows_by_their_errors():
    model = toys.late()
    answers = model.predict(ROWS, on_error="return", warnings=True)
    for row, answer, message, codes in zip(ROWS, answers, MESSAGES, CODES, strict=True):
        if message is None:
            assert answer["raw"] == model.predict(row)["raw"]
            assert [warning["code"] for warning in answer["warnings"]] == codes
        else:
            assert isinstance(answer, penstock.DataError)
            assert str(answer) == message
    assert isinstance(model.predict(ROWS[1], on_error="return"), penstock.DataError)
    alone = model.predict(ROWS[1], on_error="return")
    assert (str(alone), alone.row) == (MESSAGES[1].removeprefix("row 1: "), None)


def test_a_list_answers_rows_with_unknown_columns_by_their_errors():
    first, second = toys.late().predict([{"carier": "UA"}, {"carrier": "UA"}], on_error="return")
    assert (
        str(first) == "row 0: column `carier` is not an input of the model; did you mean `carrier`?"
    )
    assert (first.row, first.field, first.code) == (0, "carier", "unknown_column")
    assert math.isnan(second["raw"])


def test_a_list_answers_rows_without_a_column_by_their_errors():
    model = toys.late(distance=Field(on_missing="refuse"))
    first, second = model.predict([{"carrier": "UA"}, {"distance": 1}], on_error="return")
    assert str(first) == "row 0: column `distance` is missing from the row; send a value"
    assert first.code == "absent"
    assert second["label"] == "no"


# Tables of one type per column: row 1 has an integer that is too large, row 3 infinity.
COLUMNS = {"distance": [12.5, 1e300, 1.0, -1e300], "carrier": ["UA", "UA", "ZZ", None]}
TABLES = {
    "pandas": pd.DataFrame(COLUMNS),
    "polars": pl.DataFrame(COLUMNS),
    "arrow": pa.table(COLUMNS),
    "record batch": pa.RecordBatch.from_pydict(COLUMNS),
    "any stream": type(
        "Stream",
        (),
        {"__arrow_c_stream__": lambda self, schema=None: pa.table(COLUMNS).__arrow_c_stream__()},
    )(),
    "numpy": np.array(list(zip(*COLUMNS.values(), strict=True)), dtype=object),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_has_missing_values_and_an_error_in_refused_rows(kind):
    model = toys.late(distance=Field(minimum=-1e6, maximum=1e6))
    rows = TABLES[kind]
    with pytest.raises(penstock.DataError, match=r"^row 1: column `distance` got 1e300, which is"):
        model.predict(rows)
    answers = model.predict(rows, on_error="return", warnings=True)
    columns = answers if kind == "numpy" else _columns(answers)
    messages = [None if pd.isna(m) else m for m in columns["error"]]
    assert [bool(m) for m in messages] == [False, True, False, True]
    assert (
        messages[1]
        == "row 1: column `distance` got 1e300, which is outside the range -1000000 to 1000000"
    )
    assert [None if pd.isna(x) else x for x in columns["label"]] == ["yes", None, "no", None]
    assert [None if pd.isna(x) else x for x in columns["raw"]] == [4.1, None, -17.9, None]
    assert [len(w) for w in columns["warnings"]] == [0, 0, 1, 0]
    assert dict(columns["warnings"][2][0]) == {
        "field": "carrier",
        "code": "unseen_level",
        "value": "ZZ",
    }


def _columns(answers):
    if isinstance(answers, pd.DataFrame):
        return answers.to_dict("list")
    return pa.table(answers).to_pydict()


def test_a_table_without_refused_rows_has_an_empty_error():
    frame = pd.DataFrame({"distance": [1.0, 2.0]})
    assert toys.late().predict(frame, on_error="return")["error"].isna().all()


def test_an_output_that_bears_the_name_of_an_extra_column_is_refused():
    model = toys.model(
        "clash",
        (Field("x", "number"),),
        (toys.Output("error", "number", "all"),),
        (toys.Node("all", "concat", ("field:x",)),),
    )
    frame = pd.DataFrame({"x": [1.0]})
    assert model.predict(frame)["error"].tolist() == [1.0]
    with pytest.raises(penstock.SchemaError, match="the model has an output `error` of its own"):
        model.predict(frame, on_error="return")
    assert model.predict([{"x": 1.0}], on_error="return") == [{"error": 1.0}]


def test_other_words_for_on_error_are_refused():
    with pytest.raises(
        penstock.PenstockError, match="`on_error` is 'skip'; it must be \"raise\" or"
    ):
        toys.late().predict({}, on_error="skip")
