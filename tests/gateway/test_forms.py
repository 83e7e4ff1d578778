"""Tables over HTTP, against the tables that Python gives."""

import io
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import penstock

from .serving import gateway

ARROW = "application/vnd.apache.arrow.stream"
INPUTS = ["carrier", "distance", "hour"]


def _rows(count: int) -> pd.DataFrame:
    random = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "carrier": random.choice(["UA", "B6", "AA", 'Zürich, "CH"'], count),
            "distance": random.uniform(10, 4000, count).round(2),
            "hour": random.integers(0, 24, count),
        }
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[penstock.Model, Path]:
    rows = _rows(600)
    labels = np.where(
        rows["distance"] / 200 + rows["hour"] + (rows["carrier"] == "UA") * 8 > 25,
        "late",
        "on time",
    )
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["carrier"]), remainder="passthrough"
    )
    pipeline = make_pipeline(encode, GradientBoostingClassifier(n_estimators=20, random_state=0))
    pipeline.fit(rows, labels)
    converted = penstock.convert(pipeline, rows, name="toy")
    path = tmp_path_factory.mktemp("forms") / "toy.penstock"
    converted.save(path)
    return penstock.load(path), path


@pytest.fixture(scope="module")
def address(model: tuple[penstock.Model, Path]) -> Iterator[str]:
    with gateway(model[1]) as address:
        yield f"{address}/v1/models/toy/predict"


def _post(url: str, body: bytes, media_type: str, accept: str = "*/*") -> tuple[int, bytes]:
    headers = {"Content-Type": media_type, "Accept": accept}
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def _stream(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=500)
    return sink.getvalue()


def _read(body: bytes) -> pa.Table:
    return pa.ipc.open_stream(body).read_all()


def _plain(table: pa.Table) -> dict[str, list[Any]]:
    return table.to_pydict()


@pytest.mark.parametrize("count", [3, 10_000])
def test_an_arrow_stream_is_answered_as_python_answers_a_table(model, address, count):
    table = pa.Table.from_pandas(_rows(count), preserve_index=False)
    status, body = _post(address, _stream(table), ARROW)
    assert status == 200
    assert _plain(_read(body)) == _plain(model[0].predict(table))


def test_dictionaries_and_strings_of_other_libraries_are_read(model, address):
    frame = polars.DataFrame(_rows(2_000)).with_columns(
        polars.col("carrier").cast(polars.Categorical)
    )
    sink = io.BytesIO()
    frame.write_ipc_stream(sink)
    status, body = _post(address, sink.getvalue(), ARROW)
    assert status == 200, body
    expected = model[0].predict(pa.Table.from_pandas(_rows(2_000), preserve_index=False))
    assert _plain(_read(body)) == _plain(expected)


def test_explanations_are_the_columns_that_python_gives(model, address):
    table = pa.Table.from_pandas(_rows(700), preserve_index=False)
    status, body = _post(f"{address}?explain=2", _stream(table), ARROW)
    assert status == 200, body
    answer = _plain(_read(body))
    predicted = _plain(model[0].predict(table))
    explained = _plain(model[0].explain(table, top=2))
    # A name that an output has already gets a prefix.
    explained = {
        f"explanation_{name}" if name in predicted else name: x for name, x in explained.items()
    }
    assert "explanation_raw" in explained
    assert answer == predicted | explained
    assert list(answer) == [*predicted, *explained]


def test_explanations_in_json_are_those_of_rows_alone(model, address):
    rows = _rows(300).to_dict("records")
    status, body = _post(f"{address}?explain=3", json.dumps(rows).encode(), "application/json")
    assert status == 200, body
    answers = json.loads(body)["predictions"]
    assert [answer["explanation"] for answer in answers] == model[0].explain(rows, top=3)
    alone = [
        _post(f"{address}?explain=3", json.dumps(row).encode(), "application/json")
        for row in rows[:40]
    ]
    assert [json.loads(body) for _, body in alone] == answers[:40]


def test_errors_and_warnings_are_the_columns_that_python_gives(model, address):
    rows = _rows(900)
    rows["carrier"] = rows["carrier"].where(rows.index % 5 != 0, "never seen")
    rows["distance"] = rows["distance"].astype(object).where(rows.index % 7 != 0, "far")
    text = rows.to_csv(index=False).encode()
    status, body = _post(f"{address}?on_error=return&warnings", text, "text/csv", ARROW)
    assert status == 200, body
    answer = _read(body)
    refused = [at for at, error in enumerate(answer["error"].to_pylist()) if error]
    assert refused == list(range(0, 900, 7))
    warned = [at for at, some in enumerate(answer["warnings"].to_pylist()) if some]
    assert warned == list(range(0, 900, 5))
    warning = {"field": "carrier", "code": "unseen_level", "value": "never seen"}
    assert answer["warnings"][5].as_py() == [warning]
    assert answer["error"][7].as_py().startswith("row 7: column `distance` takes a number")


def test_a_csv_is_answered_by_a_csv_that_pandas_reads(model, address):
    rows = _rows(5_000)
    status, body = _post(f"{address}?fields=carrier", rows.to_csv(index=False).encode(), "text/csv")
    assert status == 200, body
    answer = pd.read_csv(io.BytesIO(body))
    expected = model[0].predict(rows)
    assert list(answer["carrier"]) == list(rows["carrier"])
    for name in expected.columns:
        assert list(answer[name]) == list(expected[name]), name
