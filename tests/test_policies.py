"""What becomes of values that are missing, wrong, out of range or unseen, and what warnings say."""

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import penstock
from penstock.schema import Field
from tests import toys

NAN = math.nan
MISSING = object()

# A field, a value (nothing: the key is absent), what is read (or the message), the code of the
# warning or error, and the value in the warning.
NOTHING = object()
CASES = {
    "missing is allowed": (Field("x", "number"), None, MISSING, None, None),
    "absent is allowed": (Field("x", "number"), NOTHING, MISSING, "absent", ""),
    "missing is refused": (
        Field("x", "number", on_missing="refuse"),
        NAN,
        "column `x` must not be missing; send a value",
        "missing",
        None,
    ),
    "missing text is refused": (
        Field("x", "text", on_missing="refuse"),
        None,
        "column `x` must not be missing; send a value",
        "missing",
        None,
    ),
    "missing is replaced": (
        Field("x", "number", on_missing="replace", replacement=-1.0),
        NAN,
        -1.0,
        "missing",
        "",
    ),
    "absent is replaced": (
        Field("x", "number", on_missing="replace", replacement=0),
        NOTHING,
        0.0,
        "absent",
        "",
    ),
    "missing text is replaced": (
        Field("x", "text", on_missing="replace", replacement="none"),
        None,
        "none",
        "missing",
        "",
    ),
    "missing boolean is replaced": (
        Field("x", "boolean", on_missing="replace", replacement=True),
        None,
        1.0,
        "missing",
        "",
    ),
    "invalid becomes missing": (
        Field("x", "number", on_invalid="missing"),
        "abc",
        MISSING,
        "invalid",
        "abc",
    ),
    "an integer too large becomes missing": (
        Field("x", "number", on_invalid="missing"),
        2**60,
        MISSING,
        "integer_too_large",
        str(2**60),
    ),
    "a list becomes missing": (
        Field("x", "text", on_invalid="missing"),
        [1],
        MISSING,
        "invalid",
        "a list",
    ),
    "invalid becomes missing and is refused": (
        Field("x", "number", on_invalid="missing", on_missing="refuse"),
        "abc",
        "column `x` must not be missing; send a value",
        "missing",
        None,
    ),
    "the ends of the range are inside": (
        Field("x", "number", minimum=0, maximum=9),
        9,
        9.0,
        None,
        None,
    ),
    "below the range is refused": (
        Field("x", "number", minimum=0, maximum=120),
        -1,
        "column `x` got -1, which is outside the range 0 to 120",
        "out_of_range",
        None,
    ),
    "above a maximum is refused": (
        Field("x", "number", maximum=120),
        120.5,
        "column `x` got 120.5, which is outside the range up to 120",
        "out_of_range",
        None,
    ),
    "below a minimum is refused": (
        Field("x", "number", minimum=-0.5),
        -math.inf,
        "column `x` got -inf, which is outside the range from -0.5",
        "out_of_range",
        None,
    ),
    "outside becomes missing": (
        Field("x", "number", minimum=0, on_range="missing"),
        -1,
        MISSING,
        "out_of_range",
        "-1",
    ),
    "outside is clipped": (
        Field("x", "number", minimum=0, maximum=9, on_range="clip"),
        12,
        9.0,
        "out_of_range",
        "12",
    ),
    "infinity is clipped": (
        Field("x", "number", minimum=0, maximum=9, on_range="clip"),
        math.inf,
        9.0,
        "out_of_range",
        "inf",
    ),
    "missing is not clipped": (
        Field("x", "number", minimum=0, maximum=9, on_range="clip"),
        NAN,
        MISSING,
        None,
        None,
    ),
    "infinity is allowed": (Field("x", "number"), math.inf, math.inf, None, None),
    "infinity is refused": (
        Field("x", "number", infinite="refuse"),
        -math.inf,
        "column `x` got -inf; the model takes finite numbers only",
        "infinite",
        None,
    ),
    "infinity becomes missing": (
        Field("x", "number", infinite="refuse", on_range="missing"),
        math.inf,
        MISSING,
        "infinite",
        "inf",
    ),
    "infinity that stays is not clipped": (
        Field("x", "number", minimum=0, infinite="refuse", on_range="clip"),
        math.inf,
        "column `x` got inf; the model takes finite numbers only",
        "infinite",
        None,
    ),
    "a single is rounded before the range": (
        Field("x", "number", precision="f32", maximum=0.1, on_range="clip"),
        0.1,
        0.1,
        "out_of_range",
        "0.1",
    ),
    "what a single cannot hold is infinite": (
        Field("x", "number", precision="f32", infinite="refuse"),
        1e300,
        "column `x` got inf; the model takes finite numbers only",
        "infinite",
        None,
    ),
    "a range of times": (
        Field("x", "timestamp", minimum=0, on_range="missing"),
        "1969-12-31",
        MISSING,
        "out_of_range",
        "1969-12-31",
    ),
    "the whole text matches": (Field("x", "text", pattern="[A-Z]{2}|é"), "é", "é", None, None),
    "a text that goes on is refused": (
        Field("x", "text", pattern="[A-Z]{2}"),
        "UA\n",
        'column `x` got "UA\\n", which does not match its pattern',
        "pattern",
        None,
    ),
    "a text becomes missing": (
        Field("x", "text", pattern="[A-Z]{2}", on_range="missing"),
        "ua",
        MISSING,
        "pattern",
        "ua",
    ),
    "a level is seen": (
        Field("x", "text", levels=("a", "b"), on_unseen="refuse"),
        "b",
        "b",
        None,
        None,
    ),
    "unseen is allowed": (Field("x", "text", levels=("a",)), "q", "q", "unseen_level", "q"),
    "unseen becomes missing": (
        Field("x", "text", levels=("a",), on_unseen="missing"),
        "q",
        MISSING,
        "unseen_level",
        "q",
    ),
    "unseen is refused": (
        Field("x", "text", levels=("a",), on_unseen="refuse"),
        "q",
        'column `x` got "q", a level that was not seen in training; '
        'convert with handle_unknown="ignore" or on_unseen="missing" to accept it',
        "unseen_level",
        None,
    ),
    "an unseen number is refused": (
        Field("x", "number", levels=(1, 2.5), on_unseen="refuse"),
        2,
        "column `x` got 2, a level that was not seen in training; "
        'convert with handle_unknown="ignore" or on_unseen="missing" to accept it',
        "unseen_level",
        None,
    ),
    "an unseen boolean": (
        Field("x", "boolean", levels=(True,), on_unseen="missing"),
        False,
        MISSING,
        "unseen_level",
        "false",
    ),
    "missing is no level": (
        Field("x", "text", levels=("a",), on_unseen="refuse"),
        None,
        MISSING,
        None,
        None,
    ),
}


def tables(value):
    row = {} if value is NOTHING else {"x": value}
    columns = {} if value is NOTHING else {"x": pd.Series([value, value], dtype=object)}
    yield "row", row
    yield "rows", [row, row]
    yield "frame", pd.DataFrame(columns, index=[0, 1])
    if columns and not isinstance(value, (list, str)) and value is not None and abs(value) < 2**53:
        yield "buffer", pd.DataFrame({"x": np.array([value, value])})
        yield "arrow", pa.table({"x": [value, value]})


@pytest.mark.parametrize("name", CASES)
def test_a_policy_says_what_becomes_of_a_value(name):
    field, value, expected, code, shown = CASES[name]
    model = toys.echo(field)
    for kind, rows in tables(value):
        refused = isinstance(expected, str) and code is not None and shown is None
        if refused:
            with pytest.raises(penstock.DataError) as caught:
                model.predict(rows)
            assert str(caught.value).removeprefix("row 0: ") == expected, kind
            assert (caught.value.field, caught.value.code) == ("x", code), kind
            continue
        answers = pd.DataFrame(_rows(model.predict(rows)))["x_read"].tolist()
        if expected is MISSING:
            assert pd.isna(answers).all(), kind
        else:
            assert answers == [expected] * len(answers), kind
        warned = _rows(model.predict(rows, warnings=True))
        wanted = [] if code is None else [{"field": "x", "code": code, "value": shown}]
        for row in warned:
            assert [dict(warning) for warning in row["warnings"]] == wanted, kind


def _rows(answers):
    if isinstance(answers, dict):
        return [answers]
    if isinstance(answers, pd.DataFrame):
        return answers.to_dict("records")
    return answers if isinstance(answers, list) else pa.table(answers).to_pylist()


SETTLED = {
    "clipped": Field("x", "number", minimum=0, maximum=10, on_range="clip"),
    "clipped from below": Field("x", "number", minimum=0, on_range="clip", infinite="refuse"),
    "clipped in singles": Field("x", "number", precision="f32", maximum=0.1, on_range="clip"),
    "missing outside": Field("x", "number", maximum=1, on_range="missing", infinite="refuse"),
    "replaced outside": Field(
        *("x", "number"), minimum=0, on_range="missing", on_missing="replace", replacement=-7.5
    ),
    "clipped, never missing": Field(
        *("x", "number"), minimum=0, on_range="clip", on_missing="refuse"
    ),
    "refused": Field("x", "number", minimum=0, on_missing="replace", replacement=3),
    "missing, but refused": Field(
        "x", "number", minimum=0, on_range="missing", on_missing="refuse"
    ),
}
LIMITS = [0.0, -0.0, 1.0, 0.1, 5.0, 10.0, 10.5, -1.0, 1e300, -1e300, 5e-324, -5e-324]


@pytest.mark.parametrize("name", SETTLED)
@pytest.mark.parametrize("others", [[], [np.nan], [np.inf, -np.inf], [np.nan, np.inf]])
def test_a_policy_does_the_same_to_a_column_as_to_each_row(name, others):
    model = toys.echo(SETTLED[name])
    for values in ([*LIMITS, *others], *([value] for value in [*LIMITS, *others])):
        frame = pd.DataFrame({"x": values * 300})
        alone = [model.predict([{"x": value}], on_error="return")[0] for value in values]
        table = model.predict(frame, on_error="return", threads=1)
        for at in range(len(frame)):
            answer, found = alone[at % len(values)], table["x_read"][at]
            if isinstance(answer, penstock.DataError):
                assert table["error"][at] == f"row {at}: {str(answer).removeprefix('row 0: ')}"
                continue
            same = np.float64(answer["x_read"] if answer["x_read"] is not None else np.nan)
            assert same.tobytes() == np.float64(found).tobytes() or (
                same != same and found != found
            )


def test_texts_of_declared_levels_are_read_as_they_are_in_columns_and_rows():
    known = Field("t", "text", levels=("a", "long enough for a pointer"), on_unseen="refuse")
    pattern = Field("p", "text", pattern="[a-z]+", on_range="missing")
    model = toys.echo(known, pattern)
    rows = [
        {"t": t, "p": p}
        for t in ("a", "long enough for a pointer", "b", None)
        for p in ("ok", "No", None)
    ]
    table = model.predict(pd.DataFrame(rows), on_error="return")
    for at, answer in enumerate(model.predict(rows, on_error="return")):
        if isinstance(answer, penstock.DataError):
            assert "column `t`" in table["error"][at]
            continue
        found = table.loc[at, ["t_read", "p_read"]]
        assert [None if pd.isna(x) else x for x in found] == list(answer.values())


def test_a_value_that_two_checks_change_has_two_warnings():
    field = Field(
        "x", "number", on_invalid="missing", on_missing="replace", replacement=5.0, maximum=3
    )
    answer = toys.echo(field).predict({"x": "abc"}, warnings=True)
    assert answer["x_read"] == 5.0
    assert [warning["code"] for warning in answer["warnings"]] == ["invalid", "missing"]


def test_a_level_is_seen_if_the_encoder_has_it():
    model = toys.coded(Field("t", "text", on_unseen="refuse"), ("a", "b"))
    assert model.predict({"t": "b"}) == {"value": 1.0}
    with pytest.raises(penstock.DataError, match="a level that was not seen in training"):
        model.predict({"t": "c"})
    strict = toys.coded(Field("t", "text"), ("a", "b"), unseen=-2)
    with pytest.raises(penstock.DataError) as caught:
        strict.predict({"t": "c"})
    assert (caught.value.code, caught.value.field) == ("unseen_level", "t")


def test_a_row_is_told_its_first_fault():
    model = toys.echo(Field("a", "number"), Field("b", "number"))
    with pytest.raises(penstock.DataError, match="column `a`"):
        model.predict({"b": "wrong", "a": "wrong"})


TEXTS = ["a", None, "b", "a", "new", "long enough to be compared by reference", "", "a"]


def texts_in_every_form():
    """The same texts as a plain column, as dictionaries in one chunk or several, as categories."""
    plain = pa.array(TEXTS)
    yield "plain", pa.table({"t": plain})
    yield "large", pa.table({"t": plain.cast(pa.large_string())})
    yield "dictionary", pa.table({"t": plain.dictionary_encode()})
    small = pa.dictionary(pa.int8(), pa.large_string())
    yield "small keys", pa.table({"t": plain.dictionary_encode().cast(small)})
    chunks = [plain[:3].dictionary_encode(), plain[3:3].dictionary_encode()]
    chunks.append(plain[3:].dictionary_encode()[:])
    yield "chunks", pa.table({"t": pa.chunked_array(chunks)})
    null_value = pa.DictionaryArray.from_arrays(
        pa.array([TEXTS.index(text) for text in TEXTS]), plain
    )
    yield "null in the dictionary", pa.table({"t": null_value})
    yield "categories", pd.DataFrame({"t": pd.Categorical(TEXTS)})


@pytest.mark.parametrize(
    "field",
    [
        Field("t", "text"),
        Field("t", "text", on_missing="refuse"),
        Field("t", "text", on_missing="replace", replacement="b"),
        Field("t", "text", on_unseen="refuse"),
        Field("t", "text", on_unseen="missing"),
        Field("t", "text", pattern="[a-z]*"),
        Field("t", "text", pattern="[a-z]*", on_range="missing", on_missing="refuse"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("unseen", [-1, -2])
def test_texts_are_read_alike_whatever_holds_them(field, unseen):
    model = toys.coded(field, ("a", "b", TEXTS[5]), unseen=unseen)
    rows = [{"t": text} for text in TEXTS]
    expected = [
        (None, str(answer)) if isinstance(answer, penstock.DataError) else (answer["value"], None)
        for answer in model.predict(rows, on_error="return")
    ]
    warned = model.predict(rows, on_error="return", warnings=True)
    warned = [
        [] if isinstance(answer, penstock.DataError) else answer["warnings"] for answer in warned
    ]
    for form, table in texts_in_every_form():
        answers = pa.table(model.predict(table, on_error="return")).to_pylist()
        assert [(row["value"], row["error"]) for row in answers] == expected, form
        answers = pa.table(model.predict(table, on_error="return", warnings=True)).to_pylist()
        assert [(row["value"], row["error"]) for row in answers] == expected, form
        good = [row["error"] is None for row in answers]
        kept = [row["warnings"] if ok else [] for row, ok in zip(answers, good, strict=True)]
        assert kept == warned, form
