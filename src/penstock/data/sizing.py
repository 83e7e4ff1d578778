"""What training on a table takes: memory by algorithm, and how much of it there is here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.data.profile import Profile

__all__ = [
    *("COSTS", "MOST_LEVELS", "Cells", "Cost", "Need"),
    *("beside", "memory_free", "memory_here", "needs"),
]


@dataclass(frozen=True)
class Cost:
    """Bytes by cell of numbers, by cell of levels, and megabytes whatever the table.

    Levels are codes for trees; for others a sparse matrix has one cell for each.
    """

    number: float
    level: float
    fixed: float


# As `python -m bench.peaks` measures it; the proof and the statistics of an artifact included. Not
# measured yet, and as those of their kind and some more: forest, deep.
COSTS: Mapping[str, Cost] = {
    "gbm": Cost(16, 55, 16),
    "xgboost": Cost(15, 51, 25),
    "forest": Cost(40, 110, 200),
    "glm": Cost(31, 88, 40),
    "deep": Cost(40, 110, 60),
    "bayes": Cost(29, 91, 10),
    "kmeans": Cost(5, 83, 164),
    "isolation": Cost(37, 26, 16),
}
# Levels of a text column that become columns of their own; rarer ones are put together.
MOST_LEVELS = 100
# Algorithms for which they do.
_SPREADING = ("glm", "deep", "bayes", "kmeans")
# scikit-learn makes a matrix dense where this share of it is not zero.
_DENSE = 0.3
# What a cell of a dense matrix takes of one of a sparse matrix, which has a place beside it.
_DENSE_CELL = 8 / 12

_MEMINFO = Path("/proc/meminfo")
_CGROUP = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


@dataclass(frozen=True)
class Cells:
    """What there is to learn from: rows, columns of numbers, of levels, and all of these levels."""

    rows: int
    numbers: int
    levels: int
    wide: int


@dataclass(frozen=True)
class Need:
    """Estimated memory of a training, in bytes."""

    algorithm: str
    frame: float
    beside: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.frame + self.beside


def needs(found: Profile) -> list[Need]:
    """An estimate for each algorithm: the frame as it was measured, and what it takes beside."""
    texts = [column for column in found.columns if column.type == "text"]
    wide = sum(min(column.distinct, MOST_LEVELS) for column in texts)
    cells = Cells(found.row_count, len(found.columns) - len(texts), len(texts), wide)
    frame = found.row_count * found.pandas_bytes
    return [Need(name, frame, beside(name, cells)) for name in COSTS]


def beside(algorithm: str, cells: Cells) -> float:
    """Bytes that the algorithm takes beside the frame, as those of its kind did when measured."""
    cost = COSTS[algorithm]
    levels = float(cells.levels)
    if algorithm in _SPREADING and cells.levels:
        columns = cells.numbers + cells.wide
        if cells.numbers + cells.levels > _DENSE * columns:
            levels = max(levels, cells.wide * _DENSE_CELL)
    return cells.rows * (cells.numbers * cost.number + levels * cost.level) + cost.fixed * 1e6


def memory_here() -> float:
    """Bytes of memory of this machine; those of the container, where it has fewer."""
    total = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min([total, *(limit for limit, _ in _limits())])


def memory_free() -> float | None:
    """Bytes that this process may still take, where the system tells."""
    found = [limit - used for limit, used in _limits()]
    if _MEMINFO.exists():
        for line in _MEMINFO.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(float(line.split()[1]) * 1024)
    return min(found) if found else None


def _limits() -> list[tuple[float, float]]:
    """What the container may take, and what it takes now."""
    found = []
    for limit, usage in _CGROUP:
        try:
            most, used = (path.read_text(encoding="ascii").strip() for path in (limit, usage))
        except OSError:
            continue
        if most.isdigit():
            found.append((float(most), float(used)))
    return found
