"""Environments of their own for what cannot share ours; made at the first use and kept."""

import os
import subprocess
import sys
import venv
from pathlib import Path

from bench.contender import Absent
from bench.models import FOLDER, ROOT

__all__ = ["environment"]


def environment(name: str, whose: str) -> Path:
    """The Python of `requirements/bench-NAME.txt`.

    Raises `Absent` in the name of `whose` if it cannot be installed here.
    """
    requirements = ROOT / "requirements" / f"bench-{name}.txt"
    folder = FOLDER / "environments" / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    installed = folder / "requirements.txt"
    if installed.exists() and installed.read_bytes() == requirements.read_bytes():
        return python
    print(f"installing {name} into {folder} ...", file=sys.stderr, flush=True)
    venv.create(folder, with_pip=True, clear=True)
    install = ("install", "--quiet", "--only-binary", ":all:", "--require-hashes")
    done = subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", *install, "-r", requirements],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        said = errors[-1].removeprefix("ERROR: ") if errors else "pip failed"
        raise Absent(whose, f"it cannot be installed here: {said}")
    installed.write_bytes(requirements.read_bytes())
    return python
