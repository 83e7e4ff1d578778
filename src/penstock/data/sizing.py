"""What training on a table needs: memory by algorithm, and when one machine is no longer enough."""

import os
from dataclasses import dataclass

from penstock.data.profile import Profile

__all__ = ["NEEDS", "Need", "memory_here", "needs"]

# Bytes beside the frame, by cell of the table and whether a column of text becomes one by level,
# from how each library keeps its data: LightGBM bins to one byte and copies the frame once in
# float64; XGBoost keeps quantiles of four bytes and a float32 copy; scikit-learn's trees take
# float32 and a copy in order of the columns; glum keeps categories as codes, and numbers in float64
# with copies while it standardizes; the MLP and k-means take a dense float64 matrix, twice.
NEEDS = {
    "gbm": (9.0, False),
    "xgboost": (8.0, False),
    "forest": (8.0, False),
    "glm": (24.0, False),
    "deep": (16.0, True),
    "kmeans": (16.0, True),
    "isolation": (8.0, False),
}
# Levels of a text column that become columns of their own; rarer ones are put together.
_MOST_LEVELS = 100


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
    """An estimate for each algorithm: the frame as it was measured, and the library's own copy."""
    texts = [column for column in found.columns if column.type == "text"]
    narrow = len(found.columns)
    wide = narrow - len(texts) + sum(min(column.distinct, _MOST_LEVELS) for column in texts)
    frame = found.row_count * found.pandas_bytes
    return [
        Need(name, frame, found.row_count * cell * (wide if spread else narrow))
        for name, (cell, spread) in NEEDS.items()
    ]


def memory_here() -> float:
    """Bytes of memory of this machine; those of the container, where it has fewer."""
    total = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path, encoding="ascii") as file:
                text = file.read().strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, float(text))
    return total
