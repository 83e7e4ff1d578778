"""Whether a training fits into memory, estimated before it starts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penstock.errors import PenstockError
from penstock.training.columns import Feature
from penstock.training.fitting import DATE_PARTS, MOST_COLUMNS
from penstock.training.recipe import Recipe

__all__ = ["available", "check", "needed"]

# Copies of the matrix of numbers that a library holds at once: numpy's own, and what the library
# makes of it. Estimated from how each keeps its data, not measured.
_COPIES = {"gbm": 2.5, "xgboost": 3.0, "forest": 3.0, "glm": 4.0, "auto": 4.0}
_OTHER_COPIES = 4.0
# The proof and the statistics of `convert` make a Python object of each value of the example.
_BYTES_PER_VALUE = 40
_MEMINFO = Path("/proc/meminfo")
_CGROUP = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


def needed(rows: Any, features: Sequence[Feature], recipe: Recipe) -> int:
    """Bytes that the training is going to take beside the data, by a rough measure."""
    used = [feature for feature in features if feature.treatment != "drop"]
    dates = sum(feature.treatment == "dates" for feature in used)
    values = len(rows) * (len(used) + dates * (len(DATE_PARTS) - 1))
    if recipe.algorithm in ("gbm", "xgboost", "forest"):
        matrix = values * 8
    else:
        numbers = sum(feature.treatment == "number" for feature in used)
        numbers += dates * len(DATE_PARTS)
        levels = sum(feature.treatment == "levels" for feature in used)
        wide = sum(min(each.levels, MOST_COLUMNS) for each in used if each.treatment == "levels")
        # A sparse matrix has a number and its place; it is dense where most of it is numbers.
        sparse = len(rows) * (numbers + levels) * 12
        dense = len(rows) * (numbers + wide) * 8
        matrix = dense if numbers + levels > 0.3 * (numbers + wide) else sparse
    copies = _COPIES.get(recipe.algorithm, _OTHER_COPIES)
    return int(matrix * copies + values * _BYTES_PER_VALUE)


def available() -> int | None:
    """Bytes that this process may still take, where the system tells."""
    found = []
    if _MEMINFO.exists():
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    for limit, usage in _CGROUP:
        if limit.exists() and usage.exists() and limit.read_text().strip() != "max":
            found.append(int(limit.read_text()) - int(usage.read_text()))
    return min(found) if found else None


def check(rows: Any, features: Sequence[Feature], recipe: Recipe) -> int:
    """The estimate in bytes; raises `PenstockError` where it is more than there is."""
    wanted = needed(rows, features, recipe)
    free = available() if recipe.memory is None else int(recipe.memory * 1e9)
    if free is not None and wanted > free:
        raise PenstockError(
            f"training `{recipe.algorithm}` on {len(rows):,} rows needs about {wanted / 1e9:.2g} "
            f"GB of memory, and {free / 1e9:.2g} GB are free; take fewer rows or columns, or one "
            "machine with more memory (not more machines)"
        )
    return wanted
