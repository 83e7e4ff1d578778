"""`penstock.read` of files: every format and packing, patterns, types, lines that are no rows."""

import bz2
import gzip
import io
import json
import lzma

import fastavro
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

import penstock
from tests.test_cli import run

ROWS = [
    {
        "id": at,
        "distance": None if at % 3 == 0 else at / 4,
        "carrier": [None, "UA", "NA", 'a,"b"\n✈'][at % 4],
        "late": at % 2 == 0,
        "when": pd.Timestamp("2024-01-01") + pd.Timedelta(hours=at),
    }
    for at in range(100)
]
FRAME = pd.DataFrame(ROWS)
TABLE = pa.Table.from_pylist(
    ROWS,
    pa.schema(
        [
            ("id", pa.int64()),
            ("distance", pa.float64()),
            ("carrier", pa.string()),
            ("late", pa.bool_()),
            ("when", pa.timestamp("us")),
        ]
    ),
)
TYPES = {
    "id": "number",
    "distance": "number",
    "carrier": "text",
    "late": "boolean",
    "when": "timestamp",
}


def csv_bytes(**options):
    return FRAME.to_csv(index=False, **options).encode()


def parquet_bytes():
    sink = io.BytesIO()
    parquet.write_table(TABLE, sink)
    return sink.getvalue()


def arrow_bytes():
    sink = io.BytesIO()
    with ipc.new_file(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return sink.getvalue()


def ndjson_bytes():
    rows = ({**row, "when": row["when"].isoformat()} for row in ROWS)
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def avro_bytes():
    kinds = {
        "id": "long",
        "distance": ["null", "double"],
        "carrier": ["null", "string"],
        "late": "boolean",
        "when": {"type": "long", "logicalType": "timestamp-micros"},
    }
    fields = [{"name": name, "type": kind} for name, kind in kinds.items()]
    sink = io.BytesIO()
    rows = [{**row, "when": row["when"].to_pydatetime().replace(tzinfo=None)} for row in ROWS]
    fastavro.writer(sink, {"type": "record", "name": "row", "fields": fields}, rows)
    return sink.getvalue()


def excel_bytes():
    book = openpyxl.Workbook()
    other = book.create_sheet("other")
    other.append(["x"])
    other.append([7])
    sheet = book.worksheets[0]
    sheet.append(list(TYPES))
    for row in ROWS:
        sheet.append([*list(row.values())[:4], row["when"].to_pydatetime()])
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def zstd_bytes(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


FILES = {
    "a.csv": csv_bytes,
    "a.csv.gz": lambda: gzip.compress(csv_bytes()),
    "a.csv.bz2": lambda: bz2.compress(csv_bytes()),
    "a.csv.xz": lambda: lzma.compress(csv_bytes()),
    "a.csv.zst": lambda: zstd_bytes(csv_bytes()),
    "semicolons.csv": lambda: csv_bytes(sep=";"),
    "a.tsv": lambda: csv_bytes(sep="\t"),
    "a.parquet": parquet_bytes,
    "a.arrow": arrow_bytes,
    "a.ndjson": ndjson_bytes,
    "a.ndjson.gz": lambda: gzip.compress(ndjson_bytes()),
    "a.avro": avro_bytes,
    "a.xlsx": excel_bytes,
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_and_packing_gives_the_same_table(name, tmp_path):
    (tmp_path / name).write_bytes(FILES[name]())
    # JSON has no times: a text that looks like one is a text until someone says otherwise.
    types = {"when": "timestamp"} if "ndjson" in name else {}
    table = penstock.read(tmp_path / name, types=types)
    assert table.types == TYPES
    found = table.to_arrow()
    zoned = found.schema.field("when").type == pa.timestamp("us", "UTC")
    assert found.cast(TABLE.schema).to_pylist() == TABLE.to_pylist()
    assert zoned == (name == "a.avro")
    assert table.bad_lines.count == 0
    assert [batch.num_rows for batch in penstock.read(table).batches()] == [100]


def test_a_pattern_and_a_folder_are_read_file_after_file(tmp_path):
    for at in range(3):
        part = FRAME.iloc[at * 30 : at * 30 + 30]
        part.to_csv(tmp_path / f"part-{at}.csv.gz", index=False)
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / ".hidden.csv").write_text("x\n1\n")
    for source in (tmp_path, tmp_path / "part-*.csv.gz"):
        table = penstock.read(source)
        assert table.to_arrow()["id"].to_pylist() == list(range(90))
        assert [batch.first for batch in table.rows()] == [0, 30, 60]


def test_columns_of_later_files_are_put_in_order_and_others_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,a\n")
    (tmp_path / "b.csv").write_text("y,x\nb,2\n")
    assert penstock.read(tmp_path).to_arrow().to_pylist() == [
        {"x": 1, "y": "a"},
        {"x": 2, "y": "b"},
    ]
    (tmp_path / "c.csv").write_text("x,z\n3,c\n")
    with pytest.raises(penstock.SchemaError, match=r"c\.csv` has no column `y` than the first|has"):
        penstock.read(tmp_path).to_arrow()


def refusal(source, **options):
    with pytest.raises(penstock.PenstockError) as caught:
        penstock.read(source, **options).to_arrow()
    return str(caught.value)


def test_what_cannot_be_read_says_why(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.txt").write_text("a\n1\n")
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress(parquet_bytes()))
    (tmp_path / "a.xlsx").write_bytes(excel_bytes())
    (tmp_path / "wrong.xlsx").write_bytes(b"no")
    (tmp_path / "wrong.avro").write_bytes(b"no")
    (tmp_path / "mixed").mkdir()
    (tmp_path / "mixed" / "a.csv").write_text("a\n")
    (tmp_path / "mixed" / "b.ndjson").write_text("{}\n")
    (tmp_path / "hive" / "year=2024").mkdir(parents=True)
    (tmp_path / "hive" / "year=2024" / "a.csv").write_text("a\n")
    assert "the format of `rows.txt` is not known; name it with --from" in refusal("rows.txt")
    assert penstock.read("rows.txt", format="csv").to_arrow().to_pylist() == [{"a": 1}]
    assert refusal("rows.txt", format="word").startswith("the format is 'word'; it must be one of")
    assert refusal("none-*.csv") == "`none-*.csv` has no files of rows; check the path"
    assert "compressed inside" in refusal("a.parquet.gz")
    assert (
        refusal("a.xlsx", table="none") == "there is no sheet `none`; there are: `Sheet`, `other`"
    )
    assert penstock.read("a.xlsx", table="other").to_arrow().to_pylist() == [{"x": 7}]
    assert refusal("wrong.xlsx").startswith("the Excel file cannot be read: ")
    assert refusal("wrong.avro").startswith("the Avro file cannot be read: ")
    assert "has files of the formats `csv` and `ndjson`" in refusal("mixed")
    assert "named for values, as `year=2024`" in refusal("hive")
    assert refusal("ftp://host/a.csv").startswith("`ftp:` is not known; take a file, or one of")
    assert refusal("rows.txt", query="SELECT 1") == "`rows.txt` takes no `query`; leave it out"
    assert refusal(3).startswith("a `int` is no table; give a path, a URL, a frame")


def test_bad_lines_are_left_out_counted_and_shown(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n1,2,3\n4\n" + "5,6\n" * 5)
    table = penstock.read(path)
    assert len(table.to_arrow()) == 6
    assert table.bad_lines.count == 2
    assert table.bad_lines.shown == [
        "row 1 of the CSV file has 3 fields, its header 2",
        "row 2 of the CSV file has 1 fields, its header 2",
    ]
    assert refusal(path, bad_lines="raise").startswith("row 1 of the CSV file has 3 fields")
    assert 'must be "skip" or "raise"' in refusal(path, bad_lines="no")
    path = tmp_path / "a.ndjson"
    path.write_text('{"a": 1}\n{"a": \n[1]\n{"a": 2}\n')
    table = penstock.read(path)
    assert table.to_arrow().to_pylist() == [{"a": 1}, {"a": 2}]
    assert table.bad_lines.count == 2
    assert table.bad_lines.shown[1] == "line 3 is not a JSON object"


@pytest.fixture
def late_text(tmp_path, monkeypatch):
    """A file whose column `a` turns to text after the rows that types are proposed from."""
    monkeypatch.setattr("penstock.data.table._SAMPLE_ROWS", 100)
    monkeypatch.setattr("penstock.readers.MOST_ROWS_PER_BATCH", 100)
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "1,2\n" * 500 + "x,2.5\n")
    return path


def test_a_stream_stops_at_a_value_that_does_not_fit_and_says_which(late_text):
    with pytest.raises(penstock.DataError) as caught:
        list(penstock.read(late_text).batches())
    assert str(caught.value) == (
        "row 500: column `a` is taken for a whole number, and is `x` here; "
        "say its type, as in `a=number`, or mend the row"
    )
    assert (caught.value.row, caught.value.field) == (500, "a")
    types = {"a": "text", "b": "number"}
    batches = list(penstock.read(late_text, types=types).batches())
    assert batches[-1].to_pylist() == [{"a": "x", "b": 2.5}]


def test_a_table_in_memory_gets_types_that_every_row_fits(late_text):
    table = penstock.read(late_text)
    found = table.to_arrow()
    assert found.schema.types == [pa.string(), pa.float64()]
    assert found["a"].to_pylist()[-2:] == ["1", "x"]
    assert list(table.widened) == ["a", "b"]
    assert "row 500: column `a` is taken for" in table.widened["a"]
    with pytest.raises(penstock.DataError, match="row 500: column `a`"):
        penstock.read(late_text, types={"a": "number"}).to_arrow()


def test_keys_that_only_later_rows_have_get_their_column(tmp_path, monkeypatch):
    monkeypatch.setattr("penstock.data.table._SAMPLE_ROWS", 100)
    path = tmp_path / "a.ndjson"
    path.write_text('{"a": 1}\n' * 3000 + '{"a": 2, "b": true}\n')
    with pytest.raises(
        penstock.DataError, match=r"column `b` that no row before has; say its type"
    ):
        list(penstock.read(path).batches())
    found = penstock.read(path, types={"b": "boolean"}).to_arrow()
    assert found["b"].to_pylist()[-2:] == [None, True]
    assert penstock.read(path).to_arrow()["b"].to_pylist()[-2:] == [None, "true"]


@pytest.mark.parametrize(
    ("texts", "type_", "values"),
    [
        (["1", " 2 ", "NA"], "number", [1, 2, None]),
        (["1", "2.5", "nan"], "number", [1, 2.5, None]),
        (["inf", "-1e3", "+7"], "number", [float("inf"), -1000, 7]),
        (["true", "False", "null"], "boolean", [True, False, None]),
        (["2024-01-01", "2024-01-01 10:00", "NaT"], "timestamp", None),
        (["2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00", ""], "timestamp", None),
        (["a", "NA", ""], "text", ["a", "NA", None]),
        (["1,5", "2", "3"], "text", ["1,5", "2", "3"]),
        (["", "", ""], "number", [None, None, None]),
        (["99999999999999999999", "1", "2"], "number", [1e20, 1, 2]),
    ],
)
def test_types_are_proposed_by_the_values(tmp_path, texts, type_, values):
    path = tmp_path / "a.csv"
    path.write_text("x\n" + "".join(f'"{text}"\n' for text in texts))
    table = penstock.read(path)
    assert table.types == {"x": type_}
    found = table.to_arrow()["x"].to_pylist()
    if values is None:
        assert str(found[0])[:10] == "2024-01-01"
        assert found[2] is None
    else:
        assert found == values


def test_columns_are_chosen_and_ordered(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(csv_bytes())
    table = penstock.read(path, columns=["late", "id"])
    assert (table.names, table.schema.names) == (["late", "id"], ["late", "id"])
    assert table.to_pandas().columns.tolist() == ["late", "id"]
    assert refusal(path, columns=["ID"]).endswith(
        "has no column `ID`; it has: `id`, `distance`, `carrier`, `late`, `when`"
    )


def test_frames_and_streams_pass_through():
    assert penstock.read(FRAME).to_pandas() is FRAME
    assert penstock.read(FRAME).types == TYPES
    assert penstock.read(TABLE).to_arrow().equals(TABLE)
    assert penstock.read(ROWS[:2]).to_arrow()["id"].to_pylist() == [0, 1]
    assert penstock.read({"a": [1, 2]}).to_arrow()["a"].to_pylist() == [1, 2]
    stream = penstock.read(TABLE.to_reader())
    assert pa.table(stream).equals(TABLE)
    with pytest.raises(penstock.PenstockError, match="can be read once only"):
        stream.reader().read_all()


def test_a_model_takes_a_table_as_an_arrow_stream(tmp_path):
    from tests import toys

    path = tmp_path / "a.parquet"
    parquet.write_table(TABLE.select(["distance", "carrier"]), path)
    model = toys.late()
    answers = pa.table(model.predict(penstock.read(path)))
    assert (
        answers["raw"].to_pylist()
        == pa.table(model.predict(TABLE.select(["distance", "carrier"])))["raw"].to_pylist()
    )


@pytest.mark.parametrize("name", FILES)
def test_predict_takes_every_file(name, tmp_path, monkeypatch, capfd):
    from tests import toys

    monkeypatch.chdir(tmp_path)
    toys.late().save("late.penstock")
    (tmp_path / name).write_bytes(FILES[name]())
    code, out, err = run(capfd, "predict", "late.penstock", name, "--drop", "id,late,when")
    assert (code, err) == (0, "")
    expected = toys.late().predict(TABLE.select(["distance", "carrier"]))["label"].to_pylist()
    assert [line.split(",")[0] or None for line in out.splitlines()[1:]] == [
        label and str(label) for label in expected
    ]


def test_predict_tells_of_lines_it_left_out(tmp_path, monkeypatch, capfd):
    from tests import toys

    monkeypatch.chdir(tmp_path)
    toys.late().save("late.penstock")
    (tmp_path / "a.csv").write_text("distance\n1\n2,3\n4\n")
    code, out, err = run(capfd, "predict", "late.penstock", "a.csv", "--bad-lines", "skip")
    assert (code, len(out.splitlines())) == (0, 3)
    assert err == (
        "`a.csv`: 1 bad line left out:\n  row 1 of the CSV file has 2 fields, its header 1\n"
    )
    assert run(capfd, "predict", "late.penstock", "a.csv")[0] == 3
