"""Files of rows: what is read from odd ones, and what broken ones are told."""

import io
import json

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

import penstock
from penstock import formats, readers
from penstock.bulk import Bulk
from penstock.schema import Field
from tests import toys


def columns(data, source):
    """All rows of a file, by column."""
    found = {}
    for batch in readers.READERS[source](io.BytesIO(data)):
        table = batch.select(batch.names)
        for name in batch.names:
            values = table[name] if isinstance(table, dict) else table[name].to_pylist()
            found.setdefault(name, []).extend(values)
    return found


def refusal(data, source, error=penstock.SchemaError):
    with pytest.raises(error) as caught:
        columns(data if isinstance(data, bytes) else data.encode(), source)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,x\n",
        "a,b\n1,x",
        "a,b\r\n1,x\r\n",
        "\ufeffa,b\n1,x\n",
        '"a","b"\n"1","x"\n',
        '\ufeff"a",b\r\n1,x',
        "\n\na,b\n\n1,x\n\n",
    ],
)
def test_csv_is_read_however_it_is_written(text):
    assert columns(text.encode(), "csv") == {"a": ["1"], "b": ["x"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a,b\n"1,2","say ""x"""\n', {"a": ["1,2"], "b": ['say "x"']}),
        ('a,b\n"1\n2","x\r\ny"\n3,4\n', {"a": ["1\n2", "3"], "b": ["x\r\ny", "4"]}),
        ('"a\nb","c,d"\n1,2\n', {"a\nb": ["1"], "c,d": ["2"]}),
        ("a,b\n,\n", {"a": [""], "b": [""]}),
        ("größe,✈\n1,é\n", {"größe": ["1"], "✈": ["é"]}),
        ("a,b\n", {"a": [], "b": []}),
        ("a,b", {"a": [], "b": []}),
        ("a,b\n 1 ,NA\n", {"a": [" 1 "], "b": ["NA"]}),
    ],
)
def test_csv_values_stay_as_they_are(text, expected):
    assert columns(text.encode(), "csv") == expected


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "the CSV file is empty; its first line must name the columns"),
        ("\n\n", "the CSV file is empty; its first line must name the columns"),
        ("a,b,a\n1,2,3\n", "column `a` comes twice; send each column once"),
        (b"a,b\n1,\xff\n", "the CSV file is not UTF-8, convert it: "),
        (b"a,\xff\n1,2\n", "the header of the CSV file cannot be read, is it CSV in UTF-8? "),
        (
            "a,b\n".encode("utf-16"),
            "the header of the CSV file cannot be read, is it CSV in UTF-8? ",
        ),
        ("a,b\r1,2\r", "the header of the CSV file cannot be read, is it CSV in UTF-8? "),
        (b"PAR1\x00\xff\xfe", "the header of the CSV file cannot be read, is it CSV in UTF-8? "),
    ],
)
def test_csv_that_cannot_be_read_is_told_why(data, said):
    assert refusal(data, "csv").startswith(said)


@pytest.mark.parametrize(("line", "count"), [("3", 1), ("3,4,5", 3)])
def test_a_csv_row_with_another_number_of_fields_is_named(line, count):
    message = (
        f"row 1 of the CSV file has {count} fields, its header 2; "
        "a field with a comma or a line break needs quotes"
    )
    assert refusal(f"a,b\n1,2\n{line}\n", "csv", penstock.DataError) == message


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('a,b\n1,"x\n', 0),
        ('a,b\n1,"x', 0),
        ('a,b\n1,"', 0),
        ('a,b\n1,x\n2,"say ""x""\n3,y\n', 1),
        ('a,b\n"1,x\n2,y\n', 0),
        ('a\n1\n"2\n\n', 1),
        ('a,b\nthe end of the file,"x\n', 0),
    ],
)
def test_a_csv_quote_that_is_never_closed_is_refused(text, row):
    message = f"row {row} of the CSV file opens a quote that is never closed; close it"
    assert refusal(text, "csv", penstock.DataError).startswith(message)


@pytest.mark.parametrize(
    ("data", "source"),
    [(b'a,b\n1,2,3\n4,"x\n', "csv"), (b'a;b\n1;2;3\n4;"x\n', "csv"), (b'a\tb\n4\t"x\n', "tsv")],
)
def test_a_quote_that_is_never_closed_is_refused_where_bad_lines_are_left_out(data, source):
    with pytest.raises(penstock.DataError, match="opens a quote that is never closed"):
        list(readers.READERS[source](io.BytesIO(data), readers.BadLines()))


@pytest.mark.parametrize(
    "line",
    [
        '{"distance": 1}',
        '{"distance": null, "carrier": "UA"}',
        '{"distance": "Infinity"}',
        '{"distance": "-Infinity", "carrier": "Infinity"}',
        '{"distance": "NaN", "carrier": "NaN"}',
        '{"distance": NaN}',
        '{"distance": Infinity}',
        '{"distance": -Infinity}',
        '{"distance": 1e400}',
        '{"distance": 18446744073709551616}',
        '{"distance": 1, "distance": 2}',
        '{"distance": 1, "distance": 1}',
        '{"carrier": "\\ud800"}',
        '{"carrier": "\\ud83d\\ude80"}',
        '{"carrier": "a\tb"}',
        '{"distance": 01}',
        '{"distance": 1} {}',
        '{"distance": 1,}',
        '{"distance": [1]}',
        '{"distance": {"a": 1}}',
        '{"distance": "1"}',
        '{"distance": true}',
        "[1]",
        "1",
        '{"near": 1}',
        "{}",
    ],
)
def test_a_line_of_json_is_what_it_is_to_the_engine(line):
    """The reader of files and that of requests take and refuse the same."""
    model = toys.late()

    def answer(predict):
        try:
            found = predict()
        except penstock.PenstockError:
            return None
        return found["label"], str(found["raw"]).replace("nan", "None")

    def from_file():
        batches = readers.READERS["ndjson"](io.BytesIO(line.encode()))
        return Bulk(model).predict(next(batches)).to_pylist()[0]

    assert answer(from_file) == answer(lambda: model.predict_json(line))


def test_a_mark_before_the_first_line_is_no_part_of_it():
    assert columns(b'\xef\xbb\xbf{"a": 1}\n', "ndjson") == {"a": [1]}
    assert "is not JSON" in refusal(
        b'{"a": 1}\n\xef\xbb\xbf{"a": 1}\n', "ndjson", penstock.DataError
    )


def test_a_bad_line_that_names_the_end_is_a_bad_line():
    bad_lines = readers.BadLines()
    data = b"a,b\n1,2\n3,4,the end of the file\n5,6\n"
    rows = [batch.row_count for batch in readers.READERS["csv"](io.BytesIO(data), bad_lines)]
    assert (sum(rows), bad_lines.count) == (2, 1)


def test_a_csv_quote_that_swallows_more_than_a_block_is_refused(monkeypatch):
    monkeypatch.setattr(readers, "BYTES_PER_BLOCK", 1000)
    text = 'a,b\n1,"x\n' + "2,y\n" * 1000
    assert "opens a quote that is never closed" in refusal(text, "csv")


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n"])
@pytest.mark.parametrize("field", ['5" disk', '"x"', '"x\n"', '""', "the end of the file", '"x"y"'])
def test_quotes_that_are_no_open_ones_are_read(field, end):
    expected = {'"x"': "x", '"x\n"': "x\n", '""': "", '"x"y"': 'xy"'}.get(field, field)
    found = columns(f"a,b\n1,y\nthe end of the file,{field}{end}".encode(), "csv")
    assert found == {"a": ["1", "the end of the file"], "b": ["y", expected]}


def test_csv_larger_than_a_block_is_read_in_batches(monkeypatch):
    monkeypatch.setattr(readers, "BYTES_PER_BLOCK", 1000)
    monkeypatch.setattr(readers, "VALUES_PER_BATCH", 100)
    text = "a,b\n" + "".join(f'{at},"line\n{at}"\n' for at in range(1000))
    batches = list(readers.READERS["csv"](io.BytesIO(text.encode())))
    assert len(batches) >= 20
    assert all(batch.row_count <= 50 for batch in batches)
    rows = [row for batch in batches for row in batch.rows.to_pylist()]
    assert rows == [{"a": str(at), "b": f"line\n{at}"} for at in range(1000)]
    firsts = [batch.first for batch in batches]
    assert firsts == [sum(b.row_count for b in batches[:at]) for at in range(len(batches))]
    ragged = text + "1,2,3\n"
    assert refusal(ragged, "csv", penstock.DataError).startswith(
        "row 1000 of the CSV file has 3 fields"
    )


# What a field makes of a text in a CSV file; missing is None.
LEXICAL = {
    "number": {
        "1": 1,
        " 2.5 ": 2.5,
        "-1e3": -1000,
        "+7": 7,
        "": None,
        "NA": None,
        "nan": None,
        "null": None,
        "None": None,
        "<NA>": None,
        "N/A": None,
        "inf": float("inf"),
        "-Infinity": float("-inf"),
        "abc": "abc",
        "1,5": "1,5",
        "0x10": "0x10",
        "1_000": "1_000",
        "9007199254740992": 2.0**53,
    },
    "text": {"NA": "NA", "": None, " x ": " x ", "1.0": "1.0", "null": "null"},
    "boolean": {
        "true": 1,
        "True": 1,
        "TRUE": 1,
        "1": 1,
        "1.0": 1,
        "false": 0,
        "False": 0,
        "0": 0,
        "": None,
        "NA": None,
        "yes": "yes",
        "2": "2",
    },
    "timestamp": {
        "1970-01-02": 86400e6,
        "1970-01-01 00:00:01": 1e6,
        "1970-01-01T00:00:00.5+01:00": -3599.5e6,
        "": None,
        "NaT": None,
        "yesterday": "yesterday",
        "0": "0",
    },
}


@pytest.mark.parametrize("type_", LEXICAL)
def test_texts_in_csv_take_the_type_of_their_column(type_):
    bulk = Bulk(toys.echo(Field("x", type_)), on_error="return")
    for text, expected in LEXICAL[type_].items():
        data = ('x\n"' + text + '"\n').encode()
        (batch,) = readers.READERS["csv"](io.BytesIO(data))
        answer = bulk.predict(batch).to_pylist()[0]
        if isinstance(expected, str) and type_ != "text":
            assert f'got the text "{expected}"' in answer["error"], text
        else:
            assert (answer["x_read"], answer["error"]) == (expected, None), text
    if type_ == "number":
        (batch,) = readers.READERS["csv"](io.BytesIO(b"x\n9007199254740993\n"))
        assert "the integer 9007199254740993" in bulk.predict(batch).to_pylist()[0]["error"]


def test_ndjson_is_read_line_by_line():
    text = '{"a": 1}\r\n\n{"b": "x", "a": null}\n  \n{}\n{"a": 2}'
    found = columns(b"\xef\xbb\xbf" + text.encode(), "ndjson")
    assert found["b"] == [None, "x", None, None]
    assert found["a"] == [1, None, None, 2]
    assert columns(b"", "ndjson") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1}\n\n{"a": \n', "line 3 is not JSON: "),
        ("[1]\n", "line 1 is not a JSON object; write one row per line"),
        ("3\n", "line 1 is not a JSON object; write one row per line"),
        (b'{"a": "\xff"}\n', "line 1 is not JSON: "),
        ('{"a": NaN}\n', 'line 1 is not JSON: JSON has no NaN: send null, or the texts "NaN"'),
        ('{"a": 1, "b": 2, "a": 1}\n', "line 1 is not JSON: key `a` is there twice; send it once"),
        ("[" * 100_000 + "\n", "line 1 is not JSON: "),
        ('{"a": ' + "9" * 5000 + "}\n", "line 1 is not JSON: "),
    ],
)
def test_ndjson_that_cannot_be_read_is_told_the_line(text, said):
    assert refusal(text, "ndjson", penstock.DataError).startswith(said)


def test_blank_lines_do_not_end_ndjson(monkeypatch):
    monkeypatch.setattr(readers, "MOST_ROWS_PER_BATCH", 64)
    text = '{"a": 1}\n' + "\n" * 500 + '{"a": 2}\n' + '{"a": 3}\n' * 200
    assert len(columns(text.encode(), "ndjson")["a"]) == 202


def test_keys_that_a_row_has_not_are_missing_whatever_the_batch(monkeypatch):
    monkeypatch.setattr(readers, "MOST_ROWS_PER_BATCH", 128)
    model = toys.echo(Field("a", "number"), Field("b", "number", on_missing="refuse"))
    rows = [{"a": 1}] * 200 + [{"b": 2}] * 200 + [{}] * 3
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    bulk = Bulk(model, on_error="return")
    batches = list(readers.READERS["ndjson"](io.BytesIO(data)))
    assert len(batches) > 3
    answers = pa.concat_tables([bulk.predict(batch) for batch in batches]).to_pylist()
    assert [answer["a_read"] for answer in answers] == [None] * 403
    assert answers[7]["error"] == "row 7: column `b` must not be missing; send a value"
    assert answers[399] == {"a_read": None, "b_read": 2.0, "error": None}
    assert answers[402]["error"] == "row 402: column `b` must not be missing; send a value"


def parquet_bytes(table, **options):
    sink = io.BytesIO()
    parquet.write_table(table, sink, **options)
    return sink.getvalue()


def arrow_bytes(table, opener=ipc.new_file, **options):
    sink = io.BytesIO()
    with opener(sink, table.schema, **options) as writer:
        writer.write_table(table)
    return sink.getvalue()


TABLE = pa.table(
    {
        "text": pa.array(["a", None, "b"]),
        "code": pa.array(["a", None, "b"]).dictionary_encode(),
        "view": pa.array(["a", None, "b"], pa.string_view()),
        "large": pa.array(["a", None, "b"], pa.large_string()),
        "whole": pa.array([1, None, 3], pa.int16()),
        "flag": pa.array([True, None, False]),
        "when": pa.array([0, None, 1], pa.timestamp("ms", "UTC")),
        "day": pa.array([0, None, 1], pa.date32()),
    }
)
FIELDS = [
    *(Field(name, "text") for name in ("text", "code", "view", "large")),
    Field("whole", "number"),
    Field("flag", "boolean"),
    *(Field(name, "timestamp") for name in ("when", "day")),
]
EXPECTED = {
    **{f"{name}_read": ["a", None, "b"] for name in ("text", "code", "view", "large")},
    "whole_read": [1.0, None, 3.0],
    "flag_read": [1.0, None, 0.0],
    "when_read": [0.0, None, 1000.0],
    "day_read": [0.0, None, 86400e6],
}
BINARY = {
    "parquet": lambda: ("parquet", parquet_bytes(TABLE.drop_columns("view"))),
    "arrow file": lambda: ("arrow", arrow_bytes(TABLE)),
    "arrow stream": lambda: ("arrow", arrow_bytes(TABLE, ipc.new_stream)),
    "compressed arrow": lambda: (
        "arrow",
        arrow_bytes(TABLE, options=ipc.IpcWriteOptions(compression="zstd")),
    ),
}


@pytest.mark.parametrize("kind", BINARY)
def test_types_of_binary_files_are_read(kind):
    source, data = BINARY[kind]()
    (batch,) = readers.READERS[source](io.BytesIO(data))
    fields = [field for field in FIELDS if field.name in batch.names]
    answers = Bulk(toys.echo(*fields)).predict(batch).to_pydict()
    assert answers == {name: EXPECTED[name] for name in answers}
    assert len(answers) >= 7


@pytest.mark.parametrize("source", ["parquet", "arrow"])
def test_binary_files_that_are_broken_are_refused(source):
    whole = (parquet_bytes if source == "parquet" else arrow_bytes)(TABLE.drop_columns("view"))
    name = {"parquet": "Parquet", "arrow": "Arrow"}[source]
    for data in (b"", b"nothing of the kind", whole[:50], whole[: len(whole) // 2], whole[:-5]):
        assert refusal(data, source).startswith(f"the {name} file cannot be read: ")


@pytest.mark.parametrize("source", ["parquet", "arrow"])
def test_binary_files_without_rows_have_their_columns(source):
    data = (parquet_bytes if source == "parquet" else arrow_bytes)(
        pa.table({"x": pa.array([], "f8")})
    )
    (batch,) = readers.READERS[source](io.BytesIO(data))
    assert (batch.names, batch.row_count) == (["x"], 0)
    assert Bulk(toys.echo(Field("x", "number"))).predict(batch).column_names == ["x_read"]


@pytest.mark.parametrize("source", ["parquet", "arrow"])
def test_columns_that_come_twice_in_binary_files_are_refused(source):
    twice = pa.table([[1.0], [2.0]], names=["x", "x"])
    data = (parquet_bytes if source == "parquet" else arrow_bytes)(twice)
    assert refusal(data, source) == "column `x` comes twice; send each column once"


def test_large_record_batches_are_cut(monkeypatch):
    monkeypatch.setattr(readers, "VALUES_PER_BATCH", 100)
    data = arrow_bytes(pa.table({"x": pa.array(range(1000), pa.float64())}))
    batches = list(readers.READERS["arrow"](io.BytesIO(data)))
    assert [batch.row_count for batch in batches] == [100] * 10
    assert [batch.first for batch in batches] == list(range(0, 1000, 100))


def test_the_suffix_of_a_name_says_the_format():
    assert formats.format_of("rows.CSV") == "csv"
    assert formats.format_of("a.b/rows.jsonl") == "ndjson"
    assert formats.format_of("rows.csv.gz") is None
    assert formats.format_of("rows.csv.gz", compressed=True) == "csv"
    assert formats.format_of("-") is None
    assert set(formats.SUFFIXES.values()) == set(formats.FORMATS)


def test_rows_of_a_frame_and_of_its_files_are_the_same(tmp_path):
    frame = pd.DataFrame({"distance": [12.5, None, 1e-300], "carrier": ["UA", None, 'a,\n"b"']})
    model = toys.late()
    expected = pa.Table.from_pandas(model.predict(frame)).to_pylist()
    table = pa.Table.from_pandas(frame)
    rows = "".join(json.dumps(row) + "\n" for row in table.to_pylist())
    files = {
        "csv": frame.to_csv(index=False).encode(),
        "ndjson": rows.encode(),
        "parquet": parquet_bytes(table),
        "arrow": arrow_bytes(table),
    }
    for source, data in files.items():
        (batch,) = readers.READERS[source](io.BytesIO(data))
        answers = Bulk(model).predict(batch).cast(pa.Table.from_pylist(expected).schema)
        assert answers.to_pylist() == expected, source
