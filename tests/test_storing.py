"""`penstock predict --to`: predictions into tables and folders, whole or not at all."""

import contextlib
import json
import os
import sqlite3
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

import penstock
from penstock.bulk import Bulk
from penstock.data import delivery as delivering
from penstock.data import parts as parting
from penstock.data.addresses import parse
from penstock.data.databases import open_session
from penstock.data.delivery import Delivery
from penstock.data.storing import store
from penstock.schema import Field
from tests import databases, toys
from tests.databases import SECRETS
from tests.test_cli import run, wrong

KINDS = ("sqlite", "duckdb", "postgresql", "mysql")
ROWS = [{"id": at, "distance": at - 500, "carrier": "UA"} for at in range(1000)]
LABELS = ["yes" if 2 * (row["distance"] - 10) - 1 + 0.1 > 0 else "no" for row in ROWS]


@pytest.fixture(scope="module", params=KINDS)
def server(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    makers = {
        "sqlite": lambda: contextlib.nullcontext(f"sqlite:{folder / 'a b.db'}"),
        "duckdb": lambda: contextlib.nullcontext(f"duckdb:{folder / 'a.db'}"),
        "postgresql": databases.postgresql,
        "mysql": databases.mariadb,
    }
    with makers[request.param]() as url:
        yield url


@pytest.fixture
def database(server):
    """The address of a database without tables `scores` and `flights`, of each kind."""
    execute(server, "DROP TABLE IF EXISTS scores", "DROP TABLE IF EXISTS flights")
    return server


def execute(url, *statements):
    with contextlib.closing(open_session(parse(url))) as session:
        session.begin(0)
        for statement in statements:
            session.execute(statement)
        session.commit()


def scores(url, order="id"):
    query = f"SELECT * FROM scores ORDER BY {order}"
    return penstock.read(url, query=query).to_arrow()


def put(url, rows, mode="replace", keys=("id",), **options):
    to = Delivery(parse(url), None if url[-1] == "/" else "scores", mode, keys)
    return store(penstock.read(rows), Bulk(toys.late(), ["id"]), to, **options)


def refusal(*arguments, **options):
    with pytest.raises(penstock.PenstockError) as caught:
        put(*arguments, **options)
    assert not any(secret in str(caught.value) for secret in SECRETS)
    return str(caught.value)


@pytest.fixture
def small(monkeypatch):
    """Batches and parts so small that a thousand rows have several."""
    monkeypatch.setattr("penstock.readers.MOST_ROWS_PER_BATCH", 128)
    monkeypatch.setattr(parting, "ROWS_PER_PART", 256)


def test_a_new_table_has_the_predictions_the_key_and_the_model(database, small):
    done = put(database, ROWS)
    assert (done.row_count, done.resumed) == (1000, 0)
    found = scores(database)
    assert found["id"].to_pylist() == list(range(1000))
    assert found["label"].to_pylist() == LABELS
    model = toys.late()
    assert set(found["model"].to_pylist()) == {f"{model.name} {model.version}"}
    assert set(found["model_digest"].to_pylist()) == {model.digest}
    assert len(set(found["predicted_at"].to_pylist())) == 1
    assert [name for name in found.column_names if name.startswith("probability")] == [
        "probability_no",
        "probability_yes",
    ]


def test_replace_leaves_nothing_of_before_and_keeps_what_hangs_on_the_table(database, small):
    put(database, ROWS)
    execute(database, "CREATE VIEW late AS SELECT id FROM scores WHERE label = 'yes'")
    put(database, ROWS[:7])
    assert len(scores(database)) == 7
    assert len(penstock.read(database, table="late").to_arrow()) == LABELS[:7].count("yes")
    execute(database, "DROP VIEW late")


def test_replace_makes_a_table_of_other_columns_anew(database):
    execute(
        database, "CREATE TABLE scores (id INTEGER, x INTEGER)", "INSERT INTO scores VALUES (1, 1)"
    )
    put(database, ROWS[:3])
    assert scores(database)["label"].to_pylist() == LABELS[:3]
    assert "x" not in scores(database).column_names


def test_upsert_replaces_rows_of_the_same_key_only(database, small):
    put(database, ROWS[:10], stamped=False)
    changed = [{**row, "distance": 900} for row in ROWS[5:300]]
    put(database, changed, "upsert", stamped=False)
    found = scores(database)
    assert found["id"].to_pylist() == list(range(300))
    assert found["label"].to_pylist() == LABELS[:5] + ["yes"] * 295


def test_append_adds_rows_and_a_key_that_is_there_changes_nothing(database):
    put(database, ROWS[:10])
    put(database, ROWS[10:20], "append")
    assert scores(database)["id"].to_pylist() == list(range(20))
    said = refusal(database, ROWS[19:30], "append")
    assert "the key `id` 19 is there already; nothing was changed" in said
    assert scores(database)["id"].to_pylist() == list(range(20))


@pytest.mark.parametrize("mode", ["replace", "upsert"])
def test_keys_that_come_twice_or_are_missing_change_nothing(database, mode):
    put(database, ROWS[:5])
    assert "nothing was changed" in refusal(database, [*ROWS[:3], ROWS[0]], mode)
    assert "nothing was changed" in refusal(database, [*ROWS[:3], {**ROWS[4], "id": None}], mode)
    assert scores(database)["label"].to_pylist() == LABELS[:5]


def test_a_table_that_lacks_a_column_is_told_before_work_is_done(database):
    execute(database, "CREATE TABLE scores (id INTEGER, label TEXT)")
    said = refusal(database, ROWS, "append")
    assert "table `scores` has no column `probability_no`, which the rows have" in said


def test_keys_of_text_differ_by_case(database):
    rows = [{"id": name, "distance": 1, "carrier": None} for name in ("a", "A", "ß ✈")]
    put(database, rows)
    put(database, rows[:2], "upsert")
    assert sorted(scores(database)["id"].to_pylist()) == ["A", "a", "ß ✈"]


def test_columns_of_every_type_are_kept(database):
    rows = pa.table(
        {
            "id": pa.array([1, 2], pa.int16()),
            "distance": pa.array([1.5, None], pa.float32()),
            "carrier": pa.array(["UA", None]).dictionary_encode(),
            "day": pa.array([0, None], pa.date32()),
            "moment": pa.array([10**9, None], pa.timestamp("ns")),
            "price": pa.array([Decimal("1.25"), None]),
            "flag": pa.array([True, None]),
            "list": pa.array([[1, 2], None]),
        }
    )
    kept = ("carrier", "distance", "day", "moment", "price", "flag", "list")
    to = Delivery(parse(database), "scores", "replace", ("id",))
    store(penstock.read(rows), Bulk(toys.late(), kept), to)
    found = scores(database)
    assert [found[name][0].as_py() for name in ("id", "carrier", "distance", "price", "list")] == [
        *(1, "UA", 1.5, 1.25),
        "[1, 2]",
    ]
    assert str(found["day"][0].as_py())[:10] == "1970-01-01"
    assert str(found["moment"][0].as_py())[:19] == "1970-01-01 00:00:01"
    assert found["flag"][0].as_py() in (True, 1)
    assert [found[name][1].as_py() for name in kept] == [None] * 7


def test_readers_see_the_old_rows_until_all_are_there(database, small, monkeypatch):
    """Whenever something is done to the database, another connection counts the rows."""
    if database.startswith("duckdb"):
        pytest.skip("DuckDB lets one process at a time open a file that it writes to")
    put(database, ROWS[:10])
    seen = []

    opened = delivering.open_session

    def open_watched(address):
        session = opened(address)
        for name in ("execute", "fill"):
            method = getattr(session, name)

            def watched(*arguments, method=method, **options):
                method(*arguments, **options)
                seen.append(len(scores(database)))

            setattr(session, name, watched)
        return session

    monkeypatch.setattr(delivering, "open_session", open_watched)
    put(database, ROWS)
    assert set(seen) == {10} and len(seen) >= 4
    assert len(scores(database)) == 1000


def test_what_fails_on_the_way_leaves_the_table_and_no_files(
    database, small, tmp_path, monkeypatch
):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    put(database, ROWS[:10])
    rows = [*ROWS[:900], {"id": 900, "distance": "far", "carrier": "UA"}]
    Path(tmp_path / "rows.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert "row 900: column `distance` takes a number" in refusal(
        database, tmp_path / "rows.ndjson"
    )
    assert len(scores(database)) == 10
    assert os.listdir(tmp_path) == ["rows.ndjson"]
    if database.startswith(("sqlite", "duckdb")):
        folder = Path(parse(database).text).parent
        assert not [name for name in os.listdir(folder) if name.endswith(".part")]


def test_names_with_dots_quotes_and_spaces_are_those_of_one_column(database):
    rows = pa.table({'a.b"`c %s': [1, 2], "distance": [1.0, 2.0], "carrier": ["UA", "UA"]})
    for mode in ("replace", "upsert"):
        to = Delivery(parse(database), "scores", mode, ('a.b"`c %s',))
        store(penstock.read(rows), Bulk(toys.late()), to)
    found = penstock.read(database, table="scores").to_arrow()
    assert sorted(found['a.b"`c %s'].to_pylist()) == [1, 2]


def test_a_table_whose_name_is_as_long_as_can_be_is_replaced(database):
    name = "s" * 63
    to = Delivery(parse(database), name, "replace", ("id",))
    for rows in (ROWS[:3], ROWS[:2]):
        execute(database, f"DROP TABLE IF EXISTS {name}")
        if len(rows) == 2:
            execute(database, f"CREATE TABLE {name} (x INTEGER)")
        store(penstock.read(rows), Bulk(toys.late(), ["id"]), to)
        assert len(penstock.read(database, table=name).to_arrow()) == len(rows)
    execute(database, f"DROP TABLE {name}")


def test_times_finer_than_a_microsecond_are_cut_off(database):
    rows = pa.table(
        {
            "id": [1],
            "distance": [1.0],
            "carrier": ["UA"],
            "at": pa.array([1_999], pa.timestamp("ns")),
        }
    )
    to = Delivery(parse(database), "scores", "replace", ("id",))
    store(penstock.read(rows), Bulk(toys.late(), ["at"]), to)
    assert "00:00:00.000001" in str(scores(database)["at"][0].as_py())


def test_a_missing_key_is_refused_before_the_other_rows_are_predicted(database, small):
    counted = []
    rows = [*ROWS[:200], {**ROWS[0], "id": None}, *ROWS[201:]]
    said = refusal(database, rows, advance=counted.append)
    assert said.startswith("row 200: the key `id` is missing; nothing was changed")
    assert sum(counted) == 128


def test_a_key_that_comes_twice_is_named_where_we_look_for_it(tmp_path):
    for kind, said in (("duckdb", "`id` 0 comes twice among the rows"), ("sqlite", "UNIQUE")):
        url = f"{kind}:{tmp_path / kind}"
        put(url, ROWS[:5])
        assert said in refusal(url, [*ROWS[:3], ROWS[0]])
        assert "the key `id` 4 is there already" in refusal(url, ROWS[4:6], "append")


def test_a_file_that_was_made_for_rows_that_are_refused_is_not_left(tmp_path):
    for kind in ("sqlite", "duckdb"):
        assert "nothing was changed" in refusal(f"{kind}:{tmp_path / 'a.db'}", [ROWS[0], ROWS[0]])
        assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("server", ["mysql"], indirect=True)
def test_a_table_of_mysql_without_transactions_is_refused(database):
    execute(database, "CREATE TABLE scores (id INTEGER) ENGINE=MyISAM")
    said = refusal(database, ROWS)
    assert "is of the engine MyISAM, which has no transactions" in said


class Stopped(Exception):
    pass


def stop_after(rows):
    done = 0

    def advance(count):
        nonlocal done
        done += count
        if done >= rows:
            raise Stopped

    return advance


def test_a_run_that_stopped_goes_on_from_a_database(database, small):
    execute(
        database,
        "CREATE TABLE flights (id INTEGER, distance DOUBLE PRECISION, carrier VARCHAR(9))",
        *(
            f"INSERT INTO flights VALUES ({row['id']}, {row['distance']}, 'UA')"
            for row in ROWS[::-1]
        ),
    )
    bulk = Bulk(toys.late())
    to = Delivery(parse(database), "scores", "replace", ("id",))

    def go(**options):
        return store(penstock.read(database, table="flights"), bulk, to, resume=True, **options)

    with pytest.raises(Stopped):
        go(advance=stop_after(600))
    done = go()
    assert (done.row_count, done.resumed) == (1000, 512)
    assert scores(database)["label"].to_pylist() == LABELS
    # What was done is delivered, and the next run begins anew.
    assert go().resumed == 0


@pytest.mark.parametrize("twice", [True, False])
def test_no_key_is_lost_where_a_run_goes_on(database, small, twice, tmp_path, monkeypatch):
    """Keys that come twice, or are missing, are refused as if the run had never stopped."""
    ids = [f"{at:04}" for at in range(512)] + (["0511"] if twice else []) + ["a", "A", "b"]
    values = [f"('{name}', 1, 'UA')" for name in ids] + ([] if twice else ["(NULL, 1, 'UA')"])
    execute(
        database,
        "CREATE TABLE flights (id VARCHAR(9), distance DOUBLE PRECISION, carrier VARCHAR(9))",
        f"INSERT INTO flights VALUES {', '.join(values)}",
    )
    bulk = Bulk(toys.late())
    to = Delivery(parse(database), "scores", "replace", ("id",))

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def go(**options):
        table = penstock.read(database, query=f"SELECT * FROM flights -- twice: {twice}")
        return store(table, bulk, to, resume=True, **options)

    if twice or database.startswith(("postgresql", "duckdb")):
        with pytest.raises(Stopped):
            go(advance=stop_after(512))
    for _ in range(2):
        with pytest.raises(penstock.PenstockError, match="nothing was changed") as caught:
            go()
        resumed = "row 0: " not in str(caught.value)
        assert resumed == ("what is done is kept in `" in str(caught.value))
    execute(database, "DELETE FROM flights WHERE id IS NULL")
    if not twice:
        assert go().row_count == 515
        assert {"a", "A", "b"} < set(scores(database)["id"].to_pylist())


def test_only_whole_numbers_and_texts_are_keys_to_go_on_from(tmp_path):
    url = f"duckdb:{tmp_path / 'a.db'}"
    execute(url, "CREATE TABLE flights AS SELECT 1.5::DOUBLE AS id, 1.0 AS distance, '' AS carrier")
    to = Delivery(parse(url), "scores", "replace", ("id",))
    with pytest.raises(penstock.PenstockError, match="the key `id` is a number; --resume goes on"):
        store(penstock.read(url, table="flights"), Bulk(toys.late()), to, resume=True)


def test_a_run_that_stopped_goes_on_from_files_unless_they_have_changed(tmp_path, small):
    path = tmp_path / "rows.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    url = f"sqlite:{tmp_path / 'a.db'}"
    for changed in (False, True):
        with pytest.raises(Stopped):
            put(url, path, resume=True, advance=stop_after(600))
        if changed:
            os.utime(path, (1, 1))
        resumed = put(url, path, resume=True).resumed
        assert (resumed >= 512) == (not changed) and resumed < 600
        assert scores(url)["label"].to_pylist() == LABELS
    assert "cannot be read again; leave --resume out" in refusal(url, ROWS, resume=True)


def test_two_runs_of_the_same_job_do_not_mix(tmp_path, small):
    path = tmp_path / "rows.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    url = f"sqlite:{tmp_path / 'a.db'}"
    said = []

    def meddle(rows):
        said.append(refusal(url, path, resume=True))

    put(url, path, resume=True, advance=meddle)
    assert all(one.startswith("another run is at it") for one in said)
    assert len(scores(url)) == 1000


def test_a_folder_of_parquet_files_is_swapped_in_one_step(tmp_path, small):
    folder = tmp_path / "scores"
    put(f"{folder}/", ROWS, keys=())
    assert len(os.listdir(folder)) == 4
    assert parquet.read_table(folder)["label"].to_pylist() == LABELS
    inode = folder.stat().st_ino
    put(f"{folder}/", ROWS[:10], keys=())
    assert folder.stat().st_ino != inode
    assert penstock.read(folder).to_arrow()["label"].to_pylist() == LABELS[:10]
    put(f"{folder}/", ROWS[10:20], "append", keys=())
    assert sorted(penstock.read(folder).to_arrow()["id"].to_pylist()) == list(range(20))
    assert os.listdir(tmp_path) == ["scores"]
    (folder / "notes.txt").write_text("mine")
    assert "has other things than Parquet files, as `notes.txt`" in refusal(
        f"{folder}/", ROWS, keys=()
    )
    assert os.listdir(tmp_path) == ["scores"] and (folder / "notes.txt").exists()


def test_a_folder_is_looked_at_before_work_is_done(tmp_path, small):
    folder = tmp_path / "scores"
    put(f"{folder}/", ROWS[:5], keys=())
    counted = []

    def told(mode, **options):
        to = Delivery(parse(f"{folder}/"), None, mode)
        with pytest.raises(penstock.PenstockError) as caught:
            store(
                penstock.read(ROWS),
                Bulk(toys.late(), ["id"]),
                to,
                advance=counted.append,
                **options,
            )
        return str(caught.value)

    said = told("append", stamped=False)
    assert "has a column `model`, which the rows have not" in said
    (folder / "notes.txt").write_text("mine")
    assert "has other things than Parquet files" in told("replace")
    (tmp_path / "file").write_text("")
    assert "is a file; name a folder" in refusal(f"{tmp_path / 'file'}/", ROWS, keys=())
    assert not counted


def test_rows_that_were_added_to_a_folder_are_not_added_again(tmp_path, small, monkeypatch):
    """A run that is cut off while it adds its files goes on with those that lack."""
    path, folder = tmp_path / "rows.ndjson", tmp_path / "scores"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    put(f"{folder}/", ROWS[:1], keys=())
    linked, link = [], os.link

    def cut_off(source, target):
        if len(linked) == 2:
            raise KeyboardInterrupt
        linked.append(target)
        link(source, target)

    monkeypatch.setattr(os, "link", cut_off)
    with pytest.raises(KeyboardInterrupt):
        put(f"{folder}/", path, "append", keys=(), resume=True)
    monkeypatch.setattr(os, "link", link)
    assert put(f"{folder}/", path, "append", keys=(), resume=True).resumed == 1000
    found = sorted(penstock.read(folder).to_arrow()["id"].to_pylist())
    assert found == [0, *range(1000)]


def test_the_command_takes_types_of_kept_columns(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    toys.late().save("late.penstock")
    Path("rows.csv").write_text("id,zip,distance\n1,01234,2\n")
    command = ("predict", "late.penstock", "rows.csv", "--to", "sqlite:a.db", "--table", "t")
    options = ("--key", "id", "--columns", "zip", "--types", "id=integer")
    assert run(capfd, *command, *options)[0] == 0
    with contextlib.closing(sqlite3.connect("a.db")) as connection:
        assert connection.execute("SELECT id, zip FROM t").fetchall() == [(1, "01234")]
    for types, reason in {
        "distance=number": "`distance` is not kept (--columns, --key); the model says",
        "id=int": "must be one of `number`",
        "id": "takes pairs as `zip=text,id=integer`",
    }.items():
        assert reason in wrong(capfd, *command, *options[:-1], types, code=2)
    said = wrong(capfd, *command, *options[:-1], "zip=timestamp")
    assert said.startswith("row 0: column `zip` is taken for a timestamp, and is `01234` here")


def test_wrong_targets_are_told_what_is_missing(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    toys.late().save("late.penstock")
    Path("rows.csv").write_text("id,distance\n1,2\n")
    command = ("predict", "late.penstock", "rows.csv")
    said = wrong(capfd, *command, "--to", "sqlite:a.db")
    assert said == "`sqlite:a.db` is a database; name the table with --table"
    said = wrong(capfd, *command, "--to", "sqlite:a.db", "--table", "t", "--mode", "upsert")
    assert said == "upsert replaces rows by their key; name its columns with --key"
    assert "has no table" in wrong(capfd, *command, "--to", "x/", "--table", "t")
    assert "upsert into a database" in wrong(
        capfd, *command, "-o", "x/", "--mode", "upsert", "--key", "id"
    )
    assert "is far" in wrong(capfd, *command, "--to", "s3://a/b/")
    assert "are for a TARGET" in wrong(capfd, *command, "-o", "x.csv", "--table", "t", code=2)
    assert "cannot be written" in wrong(capfd, *command, "--to", "sqlite:no/a.db", "--table", "t")
    said = wrong(capfd, *command, "--to", "sqlite:a.db", "--table", "t", "--key", "ident")
    assert said == "the data has no column `ident`; --columns and --drop name columns of it"
    assert sorted(os.listdir()) == ["late.penstock", "rows.csv"]


def test_the_command_tells_rows_refusals_and_warnings(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    toys.late(Field(on_missing="refuse"), Field(on_unseen="missing", levels=toys.CARRIERS)).save(
        "late.penstock"
    )
    Path("rows.csv").write_text("id,distance,carrier\n1,2,UA\n2,,UA\n3,4,XX\n4,5,XX\n")
    command = ("predict", "late.penstock", "--from", "rows.csv", "--to", "sqlite:a.db")
    options = ("--table", "scores", "--key", "id", "--on-error", "return", "--no-stamp")
    code, out, err = run(capfd, *command, *options)
    assert (code, out) == (0, "")
    assert err.splitlines()[:2] == [
        "`sqlite:a.db` table `scores`: 4 rows (replace)",
        "  1 rows were refused; column `error` says why",
    ]
    assert err.splitlines()[2].startswith("  warning: column `carrier`: ")
    assert err.splitlines()[2].endswith(", 2 times")
    with contextlib.closing(sqlite3.connect("a.db")) as connection:
        found = connection.execute("SELECT id, label, error FROM scores ORDER BY id").fetchall()
    assert [row[1] is None for row in found] == [False, True, False, False]
    assert found[1][2].startswith("row 1: column `distance` must not be missing")


def test_from_a_database_into_the_same_one(tmp_path, small):
    for kind in ("sqlite", "duckdb"):
        url = f"{kind}:{tmp_path / kind}"
        execute(url, "CREATE TABLE flights (id INTEGER, distance DOUBLE, carrier VARCHAR)")
        execute(url, "INSERT INTO flights VALUES (1, 2, 'UA'), (2, 100, NULL)")
        to = Delivery(parse(url), "scores", "replace", ("id",))
        store(penstock.read(url, table="flights"), Bulk(toys.late()), to)
        assert scores(url)["label"].to_pylist() == ["no", "yes"]
