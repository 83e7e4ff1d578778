"""The pages under docs/ say what is so: their code runs and gives what stands beside it."""

import ast
import re
from importlib import import_module

import pytest

import penstock
from penstock.converters import FAMILIES
from tests.pages import ROOT, blocks, run

PAGES = ("docs/python.md", "docs/data.md", "docs/steps.md", "docs/training.md")
ESTIMATORS = (ROOT / "docs" / "estimators.md").read_text(encoding="utf-8")
CONVERTERS = ROOT / "src" / "penstock" / "converters"


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_gives_what_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in blocks(page, "python"):
        run(block, namespace)


def first_cells(section, title):
    """What is in backticks in the first column of the tables with this title."""
    names = []
    for table in re.findall(rf"^\| {title} \|.*\n\|---.*\n((?:\|.*\n)*)", section, re.MULTILINE):
        for row in table.splitlines():
            names += re.findall(r"`(\w+)`", row.split("|")[1])
    return names


def test_every_class_that_converts_is_on_the_page_of_estimators():
    listed = []
    for family in FAMILIES:
        section = ESTIMATORS.split(f"\n## {family}\n", 1)[1].split("\n## ", 1)[0]
        converters = import_module(f"penstock.converters.{family}").CONVERTERS
        classes = first_cells(section, "class")
        assert sorted(classes) == sorted({name.rsplit(".", 1)[1] for name in converters})
        listed += classes
    assert len(listed) == len(penstock.supported())


def literals():
    """Every text in the code of the converters, and every option that one refuses by name."""
    texts, options = set(), set()
    for path in CONVERTERS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            if isinstance(node, ast.keyword) and node.arg == "option":
                options |= {node.value.value} if isinstance(node.value, ast.Constant) else set()
    return texts, options


def test_every_option_that_is_refused_is_on_the_page_of_estimators():
    texts, options = literals()
    listed = set(first_cells(ESTIMATORS, "option"))
    assert options <= listed
    assert listed <= texts
