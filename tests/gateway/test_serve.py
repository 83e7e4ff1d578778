"""`penstock serve`: the gateway started from Python, as a process that is signalled and asked."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from penstock.gateway import help_page
from tests import toys

ROW = {"distance": 12.5, "carrier": "UA"}


@pytest.fixture
def artifact(tmp_path):
    toys.late().save(tmp_path / "late.penstock")
    return tmp_path / "late.penstock"


def start(*arguments):
    """A process whose standard error is read."""
    command = [sys.executable, "-m", "penstock", "serve", "--port", "0", *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def address(process):
    """Where the gateway listens, once it says so."""
    for line in process.stderr:
        if line.startswith("listening at "):
            return line.removeprefix("listening at ").strip()
    raise AssertionError("the gateway ended before it listened")


def test_the_answer_is_that_of_the_model_in_this_process(artifact):
    process = start(artifact)
    try:
        url = address(process) + "/v1/models/late/predict"
        with urllib.request.urlopen(url, json.dumps(ROW).encode()) as answer:
            assert json.load(answer) == toys.late().predict(ROW)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0_and_without_a_traceback(artifact, sent):
    process = start(artifact)
    address(process)
    process.send_signal(sent)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("nowhere.penstock",), 3, "nowhere.penstock"),
        (("--port", "many", "late.penstock"), 2, "many"),
        (("--no-such-option",), 2, "--no-such-option"),
    ],
)
def test_what_is_wrong_is_told_without_a_traceback(tmp_path, arguments, code, word):
    command = [sys.executable, "-m", "penstock", "serve", *arguments]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == code
    assert word in told.stderr
    assert "Traceback" not in told.stderr


def test_the_help_is_that_of_the_gateway_wherever_it_is_printed(tmp_path):
    command = [sys.executable, "-m", "penstock", "serve", "--help"]
    environment = {**os.environ, "PENSTOCK_PORT": "9", "COLUMNS": "200"}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == help_page().strip()
    assert max(map(len, told.stdout.splitlines())) <= 80


def test_a_token_and_its_line_come_apart(tmp_path):
    command = [sys.executable, "-m", "penstock", "token", "shop"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    token = told.stderr.strip()
    assert told.stdout == f"shop {hashlib.sha256(token.encode()).hexdigest()}\n"
