"""The wheel alone, in an environment that holds nothing else: what those who predict install."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import click
import pytest

from tests import toys

ROOT = Path(__file__).resolve().parent.parent
# The base install has to stay light: no model needs more than the engine.
MAX_WHEEL_BYTES = 10_000_000
ROW = {"distance": 12.5, "carrier": "UA"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The wheel and the Python of an environment that has it, click, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    maturin = Path(sys.executable).with_name("maturin")
    if not maturin.exists() or shutil.which("cargo") is None:
        pytest.skip("the wheel is built with maturin and cargo")
    environment = {**os.environ, "PYO3_PYTHON": sys.executable}
    command = [maturin, "build", "--release", "--locked", "--offline", "--out", folder]
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True)
    target = site.stdout.strip()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", "--target", target, wheel], check=True)
    # Its one dependency, from the environment of the tests.
    shutil.copytree(Path(click.__file__).parent, Path(target) / "click")
    toys.late().save(folder / "late.penstock")
    return wheel, python, folder


def run(world, *arguments):
    """Standard output and error in the fresh environment."""
    _, python, folder = world
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    told = subprocess.run(
        [python, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    return told.stdout, told.stderr


def test_the_wheel_is_small_and_serves_every_later_python(world):
    wheel, _, _ = world
    assert wheel.stat().st_size < MAX_WHEEL_BYTES
    assert "-cp311-abi3-" in wheel.name


def test_the_wheel_predicts_where_no_library_is_installed(world):
    code = (
        "import importlib.util, json, penstock\n"
        "names = ('numpy', 'pandas', 'pyarrow', 'sklearn', 'lightgbm', 'xgboost')\n"
        "assert not any(map(importlib.util.find_spec, names))\n"
        "model = penstock.load('late.penstock')\n"
        "model.verify()\n"
        f"row = {ROW!r}\n"
        "text = json.dumps(row)\n"
        "print(json.dumps([model.predict(row), *model.predict([row]), model.predict_json(text)]))"
    )
    output, _ = run(world, "-c", code)
    assert json.loads(output) == [toys.late().predict(ROW)] * 3


def test_the_command_line_works_from_the_wheel_alone(world):
    assert run(world, "-m", "penstock", "--help")[0].startswith("Usage: penstock")
    assert "2 examples match" in run(world, "-m", "penstock", "verify", "late.penstock")[1]
    assert "late 1" in run(world, "-m", "penstock", "inspect", "late.penstock")[0]
    output, _ = run(world, "-m", "penstock", "predict", "late.penstock", json.dumps(ROW))
    assert json.loads(output) == toys.late().predict(ROW)
