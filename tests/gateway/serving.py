"""Starts the gateway for tests, and stops it."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def binary() -> str:
    """The gateway as a program: the one that `PENSTOCK_GATEWAY_BINARY` names, or one that was built here."""
    named = os.environ.get("PENSTOCK_GATEWAY_BINARY")
    if named:
        return named
    built = [ROOT / "rust" / "target" / profile / "penstock-gateway" for profile in ("release", "debug")]
    for path in built:
        if path.is_file():
            return str(path)
    if shutil.which("cargo") is None:
        pytest.skip("no gateway: set PENSTOCK_GATEWAY_BINARY, or install cargo to build one")
    subprocess.run(
        ["cargo", "build", "--package", "penstock-gateway", "--manifest-path", ROOT / "rust" / "Cargo.toml"],
        check=True,
    )
    return str(built[1])


@contextmanager
def gateway(*arguments: str | Path) -> Iterator[str]:
    """The address of a gateway that serves what `arguments` say, on a port of its own."""
    process = subprocess.Popen(
        [binary(), *map(str, arguments), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield _address(process)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _address(process: subprocess.Popen[str]) -> str:
    told = []
    assert process.stderr is not None
    for line in process.stderr:
        told.append(line)
        if found := re.search(r"https?://\S+", line):
            return found[0]
    raise AssertionError(f"the gateway did not start: {''.join(told)}")
