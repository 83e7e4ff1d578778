"""The command line: what it prints where, and the code it ends with."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

import penstock
from penstock.cli import COMMANDS, main
from penstock.schema import Field
from tests import toys
from tests.cli_page import PAGE, page

FRAME = pd.DataFrame(
    {
        "id": [1, 2, 3],
        "distance": [12.5, 1.0, None],
        "carrier": ["UA", None, "Straße ✈"],
    }
)
ROWS = FRAME.astype(object).where(FRAME.notna(), None).to_dict("records")
NAMES = ["label", "probability_no", "probability_yes", "raw"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in that has `late.penstock`."""
    monkeypatch.chdir(tmp_path)
    toys.late().save("late.penstock")
    return tmp_path


def run(capfd, *arguments):
    """Exit code, standard output and standard error of a command."""
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patched, pytest.raises(SystemExit) as ended:
        patched.setattr(sys, "argv", ["penstock", *map(str, arguments)])
        main()
    signal.signal(signal.SIGTERM, handler)
    out, err = capfd.readouterr()
    return ended.value.code, out, err


def wrong(capfd, *arguments, code=3):
    """The message of a command that fails; it is one line, and nothing else is printed."""
    ended, out, err = run(capfd, *arguments)
    assert (ended, out) == (code, "")
    assert "Traceback" not in err
    if code == 3:
        assert err.count("\n") == 1 and err.startswith("Error: ")
    return err.removeprefix("Error: ").strip()


# -- inspect, verify, supported --


def test_inspect_shows_schema_steps_origin_and_size(folder, capfd):
    code, out, err = run(capfd, "inspect", "late.penstock")
    model = penstock.load("late.penstock")
    assert (code, err) == (0, "")
    for part in (
        "distance  number",
        "probability",
        "linear",
        "class: by hand",
        f"{model.size:,} bytes",
    ):
        assert part in out
    assert out.endswith(f"SHA-256 {model.digest}\n")
    facts = json.loads(run(capfd, "inspect", "late.penstock", "--json")[1])
    manifest = facts.pop("manifest")
    assert facts == {"digest": model.digest, "size": model.size, "signatures": []}
    assert manifest == model.manifest
    assert run(capfd, "inspect", "late.penstock", "--card")[1].startswith("# late, version 1")
    assert run(capfd, "inspect", "late.penstock", "--plan")[1].splitlines() == model.plan


def test_verify_runs_the_examples(folder, capfd):
    assert run(capfd, "verify", "late.penstock") == (0, "", "`late.penstock`: 2 examples match\n")


def test_verify_ends_with_1_and_the_first_difference(folder, capfd):
    toys.late(wrong=True).save("lying.penstock")
    code, out, err = run(capfd, "verify", "lying.penstock")
    assert (code, out) == (1, "")
    assert err.startswith("`lying.penstock`: 2 of the examples differ; example 0: output `raw` is ")
    said = wrong(capfd, "predict", "lying.penstock", '{"distance": 1}')
    assert "example 0: output `raw` is 4.1, not 5.1" in said
    code, out, _ = run(capfd, "predict", "lying.penstock", '{"distance": 1}', "--no-verify")
    assert code == 0 and json.loads(out)["label"] == "no"


def test_a_file_that_is_no_artifact_is_refused(folder, capfd):
    Path("wrong.penstock").write_bytes(b"wrong")
    for command in ("inspect", "verify"):
        assert wrong(capfd, command, "wrong.penstock").startswith("`wrong.penstock`: ")
    said = wrong(capfd, "inspect", "none.penstock")
    assert said == "`none.penstock` cannot be read: No such file or directory; check the path"


def test_supported_lists_classes(capfd):
    code, out, err = run(capfd, "supported")
    assert (code, err) == (0, "")
    assert out.splitlines() == penstock.supported()


def test_wrong_usage_ends_with_2(folder, capfd):
    assert "did you mean `predict`?" in wrong(capfd, "predikt", code=2)
    assert "Missing argument 'DATA'" in wrong(capfd, "predict", "late.penstock", code=2)
    assert "No such option" in wrong(capfd, "predict", "--on-eror", code=2)
    assert "is not in the range x>=1" in wrong(
        capfd, "predict", "late.penstock", "x.csv", "--threads", "0", code=2
    )


def test_the_version_is_that_of_the_package(capfd):
    assert run(capfd, "--version") == (0, f"penstock, version {penstock.__version__}\n", "")


def test_the_page_shows_the_real_help():
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "docs/cli.md is stale; run `python -m tests.cli_page`"
    for name in ("", *COMMANDS):
        assert f"\n## penstock {name}".rstrip() + "\n" in text


# -- predict --


def test_a_row_on_the_command_line_is_answered_as_json(folder, capfd):
    answer = penstock.load("late.penstock").predict({"distance": 12.5, "carrier": "UA"})
    for options in ([], ["--json"]):
        code, out, err = run(
            capfd, "predict", "late.penstock", '{"distance": 12.5, "carrier": "UA"}', *options
        )
        assert (code, err) == (0, "")
        assert json.loads(out) == answer
    assert json.loads(run(capfd, "predict", "late.penstock", "{}")[1])["raw"] is None


def test_a_row_that_is_wrong_is_told_so(folder, capfd):
    said = wrong(capfd, "predict", "late.penstock", '{"distnace": 1}')
    assert said == "column `distnace` is not an input of the model; did you mean `distance`?"
    said = wrong(capfd, "predict", "late.penstock", '{"distance": "far"}')
    assert said == 'column `distance` takes a number; got the text "far"'
    said = wrong(capfd, "predict", "late.penstock", '{"distance": ')
    assert said.startswith("the row is not a JSON object: ")
    said = wrong(capfd, "predict", "late.penstock", "[1]", "--json")
    assert said.startswith("the row is not a JSON object: ")
    wrong(capfd, "predict", "late.penstock", "{}", "-o", "x.csv", code=2)


def write(name, frame=FRAME):
    table = pa.Table.from_pandas(frame, preserve_index=False)
    path = Path(name)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".ndjson":
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    elif path.suffix == ".parquet":
        parquet.write_table(table, path)
    else:
        opener = ipc.new_stream if path.suffix == ".arrows" else ipc.new_file
        with opener(path, table.schema) as sink:
            sink.write_table(table)
    return name


def read(name):
    if name.endswith(".csv"):
        return pd.read_csv(name)
    if name.endswith(".ndjson"):
        return pd.DataFrame([json.loads(line) for line in Path(name).read_text().splitlines()])
    if name.endswith(".parquet"):
        return pd.read_parquet(name)
    opener = ipc.open_stream if name.endswith(".arrows") else ipc.open_file
    with open(name, "rb") as file:
        return opener(file).read_all().to_pandas()


FORMATS = ("csv", "ndjson", "parquet", "arrow", "arrows")


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source", FORMATS)
def test_every_format_becomes_every_other(folder, capfd, source, target):
    data, output = write(f"rows.{source}"), f"out.{target}"
    code, out, err = run(
        capfd, "predict", "late.penstock", data, "-o", output, "--columns", "id,carrier"
    )
    assert (code, out, err) == (0, "", "")
    expected = penstock.load("late.penstock").predict(FRAME[["distance", "carrier"]])
    answers = read(output)
    assert list(answers.columns) == ["id", "carrier", *NAMES]
    assert answers["id"].astype(int).tolist() == [1, 2, 3]
    assert [None if pd.isna(x) else x for x in answers["carrier"]] == ["UA", None, "Straße ✈"]
    assert answers["label"].tolist() == expected["label"].tolist()
    pd.testing.assert_series_equal(answers["raw"].astype(float), expected["raw"], check_exact=True)
    assert sorted(os.listdir(".")) == sorted(["late.penstock", data, output])


def test_refused_rows_stop_the_command_and_leave_no_file(folder, capfd):
    data = write("rows.csv", FRAME.assign(distance=["1", "far", "2"]))
    said = wrong(capfd, "predict", "late.penstock", data, "-o", "out.csv", "--drop", "id")
    assert said == 'row 1: column `distance` takes a number; got the text "far"'
    assert not Path("out.csv").exists()
    assert len(os.listdir(".")) == 2


def test_refused_rows_are_answered_by_their_errors(folder, capfd):
    data = write("rows.csv", FRAME.assign(distance=["1", "far", "2"]))
    options = ("--on-error", "return", "--drop", "id", "--columns", "distance")
    code, out, _ = run(capfd, "predict", "late.penstock", data, *options)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "distance,label,probability_no,probability_yes,raw,error"
    assert lines[2] == 'far,,,,,"row 1: column `distance` takes a number; got the text ""far"""'
    assert lines[1].startswith("1,no,") and lines[1].endswith(",-18.9,")


def test_columns_that_are_neither_inputs_nor_named_are_refused(folder, capfd):
    data = write("rows.csv")
    said = wrong(capfd, "predict", "late.penstock", data)
    assert (
        said == "column `id` is not an input of the model; the model expects: `distance`, `carrier`"
    )
    said = wrong(capfd, "predict", "late.penstock", data, "--columns", "ID", "--drop", "id")
    assert said == "the data has no column `ID`; --columns and --drop name columns of it"
    renamed = write("renamed.csv", FRAME.rename(columns={"id": "raw"}))
    said = wrong(capfd, "predict", "late.penstock", renamed, "--columns", "raw")
    assert said.startswith(
        "column `raw` is to be kept, but the model answers with a column of that"
    )


def test_formats_that_are_not_known_are_asked_for(folder, capfd):
    Path("rows.txt").write_text("distance\n1\n")
    assert "name it with --from" in wrong(capfd, "predict", "late.penstock", "rows.txt")
    said = wrong(capfd, "predict", "late.penstock", "rows.txt", "--from", "csv", "-o", "out.xlsx")
    assert said.startswith("the format of `out.xlsx` is not known; name it with --to")
    said = wrong(capfd, "predict", "late.penstock", "none.csv")
    assert said == "`none.csv`: No such file or directory; check the path"
    Path("folder.csv").mkdir()
    said = wrong(capfd, "predict", "late.penstock", "folder.csv")
    assert said == "`folder.csv` has no files of rows; check the path"


def penstock_process(*arguments, **options):
    command = [sys.executable, "-m", "penstock", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


@pytest.mark.parametrize("source", ["csv", "ndjson", "parquet", "arrow", "arrows"])
@pytest.mark.parametrize("piped", [True, False])
def test_standard_input_and_output_are_bytes(folder, source, piped):
    data = Path(write(f"rows.{source}")).read_bytes()
    options = ["--from", source.rstrip("s"), "--to", "arrow", "--drop", "id"]
    with open(f"rows.{source}", "rb") as file:
        process = penstock_process(
            "predict", "late.penstock", "-", *options, stdin=subprocess.PIPE if piped else file
        )
        out, err = process.communicate(data if piped else None)
    assert (process.returncode, err) == (0, b"")
    assert ipc.open_stream(out).read_all().column_names == NAMES


def test_output_is_utf8_whatever_the_locale(folder):
    data = write("rows.csv")
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    options = ["--drop", "id", "--columns", "carrier", "--to", "ndjson"]
    process = penstock_process("predict", "late.penstock", data, *options, env=environment)
    out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert "Straße ✈" in out.decode("utf-8")
    out, err = penstock_process("inspect", "late.penstock", env=environment).communicate()
    assert err == b"" and "└─" in out.decode("utf-8")


def test_a_reader_that_stops_reading_ends_the_command_quietly(folder):
    big = pd.DataFrame({"distance": range(200_000)})
    for target in ("csv", "ndjson", "arrow"):
        process = penstock_process(
            "predict", "late.penstock", write("big.csv", big), "--to", target
        )
        assert len(process.stdout.read(100)) == 100
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0
        process.stderr.close()


@pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")
@pytest.mark.parametrize(
    ("output", "shown"), [("out.csv", True), ("out.parquet", True), ("-", False)]
)
def test_a_bar_is_shown_on_a_terminal_and_none_in_a_pipe(folder, output, shown):
    ours, terminal = os.openpty()
    command = [sys.executable, "-m", "penstock", "predict", "late.penstock", write("rows.csv")]
    options = ["--drop", "id", "-o", output]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=terminal)
    os.close(terminal)
    process.stdout.read()
    process.stdout.close()
    said = b""
    try:
        while part := os.read(ours, 1000):
            said += part
    except OSError:
        pass  # Linux ends a terminal so.
    os.close(ours)
    assert process.wait() == 0
    assert (b"predicting" in said and b"100%" in said) == shown, said
    assert shown or said == b""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("sent", "code", "said"), [(signal.SIGINT, 130, b"interrupted"), (signal.SIGTERM, 143, b"")]
)
def test_an_interrupted_command_leaves_what_was_there(folder, sent, code, said):
    Path("out.csv").write_text("before")
    options = ["--from", "ndjson", "-o", "out.csv"]
    process = penstock_process("predict", "late.penstock", "-", *options, stdin=subprocess.PIPE)
    row = json.dumps({"distance": 1}).encode() + b"\n"
    process.stdin.write(row * 50_000)
    process.stdin.flush()
    deadline = time.monotonic() + 30
    while not any(name.endswith(".part") for name in os.listdir(".")):
        assert time.monotonic() < deadline and process.poll() is None
    process.send_signal(sent)
    _, err = process.communicate()
    assert (process.returncode, err.strip()) == (code, said)
    assert Path("out.csv").read_text() == "before"
    assert sorted(os.listdir(".")) == ["late.penstock", "out.csv"]


def test_a_library_that_is_not_installed_is_named(folder, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = wrong(capfd, "predict", "late.penstock", write("rows.csv"))
    assert said == "`pyarrow` is not installed; install it, or `pip install 'penstock[all]'`"


def test_kept_columns_may_change_their_type_in_ndjson_only(folder, capfd):
    rows = [{"distance": 1, "id": at} for at in range(1024)] + [{"distance": 1, "id": "text"}]
    Path("rows.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ("rows.ndjson", "--columns", "id")
    said = wrong(capfd, "predict", "late.penstock", *options, "-o", "out.csv")
    assert said == (
        "column `id` was int64 and becomes string further down; write it with --to ndjson"
    )
    code, *_ = run(capfd, "predict", "late.penstock", *options, "-o", "out.ndjson")
    assert code == 0
    assert read("out.ndjson")["id"].iloc[[0, -1]].tolist() == [0, "text"]


def test_kept_values_of_any_type_become_json(folder, capfd):
    frame = pd.DataFrame(
        {"distance": [1.0], "when": [pd.Timestamp("2024-01-01")], "list": [[1, None]]}
    )
    options = ("--columns", "when,list", "--to", "ndjson")
    code, out, _ = run(capfd, "predict", "late.penstock", write("rows.parquet", frame), *options)
    answer = json.loads(out)
    assert (code, answer["when"], answer["list"]) == (0, "2024-01-01T00:00:00", [1.0, None])
    said = wrong(capfd, "predict", "late.penstock", "rows.parquet", *options[:2])
    assert "cannot be written as csv" in said


def test_infinities_are_spelled_in_json(folder, capfd):
    toys.echo(Field("x", "number")).save("echo.penstock")
    _, out, _ = run(capfd, "predict", "echo.penstock", '{"x": "-Infinity"}')
    assert json.loads(out) == {"x_read": "-Infinity"}
