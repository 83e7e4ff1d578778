"""The table of converters: merged from families and strangers, without importing any ML library."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

import penstock
from penstock import ConvertError, converters

HEAVY = ("numpy", "pandas", "polars", "pyarrow", "scipy", "sklearn", "lightgbm", "xgboost")


def imported(code):
    """Which heavy libraries a new interpreter has imported after the code."""
    check = f"import sys; {code}; print(*[name for name in {HEAVY} if name in sys.modules])"
    return subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    ).stdout.split()


def test_import_of_penstock_imports_no_heavy_library():
    assert imported("import penstock") == []


def test_table_of_converters_imports_no_heavy_library():
    assert imported("import penstock; penstock.supported()") == []


def test_every_public_name_is_there():
    for name in penstock.__all__:
        assert getattr(penstock, name) is not None


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no `predict`"):
        penstock.predict  # noqa: B018


def test_supported_names_are_sorted_and_public():
    names = penstock.supported()
    assert names == sorted(set(names)) and "sklearn.pipeline.Pipeline" in names
    assert not any(part.startswith("_") for name in names for part in name.split("."))


@pytest.fixture
def strangers(monkeypatch):
    """Installs packages with these tables under the entry point."""

    def install(**tables):
        points = [
            SimpleNamespace(value=name, load=lambda table=table: table)
            for name, table in tables.items()
        ]
        monkeypatch.setattr(converters, "entry_points", lambda group: points)
        converters.table.cache_clear()

    yield install
    monkeypatch.undo()
    converters.table.cache_clear()


def test_strangers_add_converters(strangers):
    strangers(theirs={"their.Estimator": len})
    assert converters.table()["their.Estimator"] is len


def test_two_converters_of_one_class_are_refused(strangers):
    strangers(theirs={"sklearn.pipeline.Pipeline": len})
    with pytest.raises(ConvertError, match=r"`penstock.converters.composing` and `theirs`"):
        converters.table()
