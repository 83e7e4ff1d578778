"""The README tells the truth: its code runs, its commands too, and its figures were measured."""

import pickle
import re
import shlex
import subprocess
import sys

import pytest

from tests.pages import ROOT, blocks, run

README = (ROOT / "README.md").read_text(encoding="utf-8")
BENCHMARKS = ROOT / "docs" / "benchmarks.md"


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    """A folder in which the life of a model took place, and what it left behind."""
    folder = tmp_path_factory.mktemp("life")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        namespace = {}
        run(blocks("README.md", "python")[1], namespace)
    namespace["flights"].to_csv(folder / "flights.csv", index=False)
    (folder / "pipeline.pickle").write_bytes(pickle.dumps(namespace["pipeline"]))
    return folder, namespace


def test_the_life_of_a_model_takes_place():
    code = blocks("README.md", "python")[1]
    imports = [line for line in code.splitlines() if re.match(r"import|from|$", line)]
    assert len(code.splitlines()) - len(imports) <= 15


def test_code_stands_by_line_12(life, monkeypatch):
    folder, namespace = life
    monkeypatch.chdir(folder)
    code = blocks("README.md", "python")[0]
    assert "model.predict(" in "\n".join(README.splitlines()[:12])
    run(code, dict(namespace))


def commands():
    (block,) = (block for block in blocks("README.md", "") if "penstock inspect" in block)
    return block.splitlines()


@pytest.mark.parametrize("command", commands())
def test_the_command_runs(command, life):
    folder, _ = life
    program, *arguments = shlex.split(command)
    assert program == "penstock"
    done = subprocess.run(
        [sys.executable, "-m", "penstock", *arguments], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def table(text):
    """Lines of the first table in a text, by their first cell; each a dictionary by title."""
    lines = re.search(r"^(?:\|.*\n)+", text, re.MULTILINE).group().splitlines()
    titles, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: dict(zip(titles, row, strict=True)) for row in rows}


def test_the_figures_are_those_of_the_benchmarks():
    shown = table(README)
    measured = table(BENCHMARKS.read_text(encoding="utf-8").split("## LightGBM", 1)[1])
    assert len(shown) > 2
    for name, row in shown.items():
        for title, cell in row.items():
            assert cell == measured[name][title]
