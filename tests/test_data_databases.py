"""`penstock.read` of databases: real servers on loopback, and files of SQLite and DuckDB."""

import contextlib
import sqlite3
import time

import pyarrow as pa
import pytest

import penstock
from penstock.data.addresses import parse
from penstock.data.databases import open_session, query_of
from tests import databases, toys
from tests.databases import SECRETS
from tests.test_cli import run

KINDS = ("sqlite", "duckdb", "postgresql", "mysql")
# What a column is called in each, whole numbers, decimals, texts and so on.
CREATE = """CREATE TABLE flights (id INTEGER PRIMARY KEY, distance DOUBLE PRECISION,
    price NUMERIC(10, 2), carrier VARCHAR(20), late BOOLEAN, day DATE, moment TIMESTAMP NULL)"""
INSERT = """INSERT INTO flights VALUES
    (1, 12.5, 1.25, 'UA', true, '2024-01-01', '2024-01-01 10:00:00'),
    (2, NULL, NULL, NULL, NULL, NULL, NULL),
    (3, -1e10, 99999.99, 'Straße ✈', false, '1969-12-31', '2024-02-29 23:59:59')"""
ROWS = {
    "id": [1, 2, 3],
    "distance": [12.5, None, -1e10],
    "price": [1.25, None, 99999.99],
    "carrier": ["UA", None, "Straße ✈"],
    "late": [True, None, False],
}


@pytest.fixture(scope="module", params=KINDS)
def database(request, tmp_path_factory):
    """The address of a database with the table `flights`, of each kind."""
    folder = tmp_path_factory.mktemp(request.param)
    makers = {
        "sqlite": lambda: contextlib.nullcontext(f"sqlite:{folder / 'a b.db'}"),
        "duckdb": lambda: contextlib.nullcontext(f"duckdb:{folder / 'a.db'}"),
        "postgresql": databases.postgresql,
        "mysql": databases.mariadb,
    }
    with makers[request.param]() as url:
        session = open_session(parse(url))
        session.begin(0)
        for statement in (CREATE, INSERT):
            session.execute(statement)
        session.commit()
        session.close()
        yield url


def refusal(*arguments, **options):
    with pytest.raises(penstock.PenstockError) as caught:
        penstock.read(*arguments, **options).to_arrow()
    said = str(caught.value)
    assert not any(secret in said for secret in SECRETS)
    assert "\n" not in said
    return said


def test_tables_and_queries_are_read_with_their_types(database):
    for options in ({"table": "flights"}, {"query": "SELECT * FROM flights ORDER BY id;\n"}):
        table = penstock.read(database, **options)
        found = table.to_arrow()
        whole = found.schema.field("late").type == pa.int64()
        types = {name: table.types[name] for name in ROWS}
        assert types == {
            "id": "number",
            "distance": "number",
            "price": "number",
            "carrier": "text",
            # MySQL has no booleans, but whole numbers.
            "late": "number" if whole else "boolean",
        }
        assert whole == database.startswith("mysql")
        for name, values in ROWS.items():
            assert found[name].to_pylist() == values, name
        assert [str(at)[:10] for at in found["day"].to_pylist()][::2] == [
            "2024-01-01",
            "1969-12-31",
        ]
        assert str(found["moment"][2].as_py())[:19] == "2024-02-29 23:59:59"
        assert table.to_pandas()["day"].dtype.kind == "M"


def test_a_database_without_rows_has_its_columns(database):
    table = penstock.read(database, query="SELECT id, carrier FROM flights WHERE id > 99")
    assert table.names == ["id", "carrier"]
    assert len(table.to_arrow()) == 0


def test_what_a_database_refuses_is_told_in_one_line_without_the_password(database):
    assert refusal(database).endswith("is a database; name a `query` or a `table`")
    said = refusal(database, query="SELECT 1", table="flights")
    assert said.endswith("a `query` or a `table`, not both")
    assert "none" in refusal(database, table="none")
    assert "check the address, the query" in refusal(database, query="SELECT nothing at all")
    assert "takes no `format`" in refusal(database, table="flights", format="csv")


def test_a_query_cannot_change_anything(database):
    refusal(database, query="DELETE FROM flights")
    assert len(penstock.read(database, table="flights").to_arrow()) == 3


@pytest.mark.parametrize("database", ["postgresql", "mysql"], indirect=True)
def test_no_password_is_in_what_a_server_says(database):
    wrong = database.replace("p%40ss", "q%40ss")
    said = refusal(wrong, table="flights")
    assert "w%2Frd" not in said and "w/rd" not in said and "***" in said
    name = penstock.read(database, table="flights").name
    assert "***" in name and "%40" not in name
    for broken in (database.replace("127.0.0.1", "127.0.0.1.invalid"), database + "-none"):
        refusal(broken, table="flights")


@pytest.mark.parametrize("database", ["mysql"], indirect=True)
def test_times_of_mysql_are_those_of_utc_whatever_the_zone_of_the_server(database):
    with contextlib.closing(open_session(parse(database))) as session:
        session.execute("CREATE TABLE moments (x TIMESTAMP(6))")
        session.execute("INSERT INTO moments VALUES ('2024-02-29 23:59:59')")
        session.commit()
        assert session.first("SELECT UNIX_TIMESTAMP(x) FROM moments")[0] == 1_709_251_199
    found = penstock.read(database, table="moments").to_arrow()["x"]
    assert str(found[0].as_py()) == "2024-02-29 23:59:59"


@pytest.mark.parametrize("database", ["mysql"], indirect=True)
def test_a_reader_of_mysql_that_has_enough_does_not_wait_for_the_rest(database, monkeypatch):
    """The server takes a while for each of 10,000 rows, and nobody wants more than the first."""
    monkeypatch.setattr("penstock.data.mysql.rows_per_batch", lambda columns: 16)
    many = " CROSS JOIN ".join(f"flights AS f{at}" for at in range(9))
    query = f"SELECT f0.id AS x, SLEEP(0.01) AS y FROM {many} LIMIT 10000"
    reading = query_of(parse(database), query, None).batches(None)
    assert next(reading).row_count == 16
    began = time.monotonic()
    reading.close()
    assert time.monotonic() - began < 10


def test_a_comment_at_the_end_of_a_query_hides_nothing(database):
    table = penstock.read(database, query="SELECT id FROM flights -- all")
    assert sorted(table.to_arrow()["id"].to_pylist()) == [1, 2, 3]
    ordered = table.origin.after(["id"], [2])
    assert [row for batch in ordered.batches(None) for row in list(batch.rows["id"])] != []


def test_rows_of_a_database_are_predicted(database, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    toys.late().save("late.penstock")
    query = "SELECT id, distance, carrier FROM flights ORDER BY id"
    command = ("predict", "late.penstock", database, "--query", query, "--columns", "id")
    code, out, err = run(capfd, *command)
    assert (code, err) == (0, "")
    expected = toys.late().predict(pa.table({name: ROWS[name] for name in ("distance", "carrier")}))
    labels = [line.split(",")[1] or None for line in out.splitlines()[1:]]
    assert labels == expected["label"].to_pylist()
    command = ("predict", "late.penstock", "--from", database, "--from-table", "flights")
    code, out, err = run(capfd, *command, "--drop", "price,late,day,moment,id")
    assert (code, len(out.splitlines())) == (0, 4)


def test_a_sqlite_file_that_is_not_there_is_not_made(tmp_path):
    said = refusal(f"sqlite:{tmp_path / 'none.db'}", table="flights")
    assert "unable to open database file" in said
    assert not (tmp_path / "none.db").exists()


def test_a_value_that_the_declared_type_does_not_take_is_told_with_its_row(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("CREATE TABLE a (x INTEGER, y)")
        connection.execute("INSERT INTO a VALUES (1, 'a'), ('far', 2)")
        connection.commit()
    table = penstock.read(f"sqlite:{tmp_path / 'a.db'}", table="a")
    with pytest.raises(penstock.DataError, match="row 1: column `x` is taken for a whole number"):
        list(table.batches())
    assert table.to_arrow()["x"].to_pylist() == ["1", "far"]


def test_duckdb_reads_whatever_it_can_from_memory(tmp_path):
    found = penstock.read("duckdb::memory:", query="SELECT range AS x FROM range(100000)")
    assert sum(batch.num_rows for batch in found.batches()) == 100_000
