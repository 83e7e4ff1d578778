"""Every example of every family, held to the contract that `tests/contract.py` describes."""

import importlib
import warnings
from pathlib import Path

import pytest

from tests import contract

FAMILIES = sorted(path.stem for path in (Path(__file__).parent / "families").glob("test_*.py"))
EXAMPLES = {
    f"{family.removeprefix('test_')}-{name}": make
    for family in FAMILIES
    for name, make in importlib.import_module(f"tests.families.{family}").EXAMPLES.items()
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_keeps_the_contract(name, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator, example, *policies = EXAMPLES[name]()
    contract.check(estimator, example, policies[0] if policies else None, tmp_path)
