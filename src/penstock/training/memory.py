"""Whether a training fits into memory, estimated before it starts."""

from collections.abc import Sequence
from typing import Any

from penstock.data.sizing import COSTS, Cells, beside, memory_free
from penstock.errors import PenstockError
from penstock.training.columns import Feature
from penstock.training.fitting import DATE_PARTS, MOST_COLUMNS, MOST_TERMS_OF_TREES
from penstock.training.recipe import Recipe

__all__ = ["cells", "check"]


def cells(rows: Any, features: Sequence[Feature]) -> Cells:
    """What is learned from: dates are numbers of their parts, and texts of their terms."""
    counts = {kind: 0 for kind in ("number", "levels", "dates", "text", "offset", "drop")}
    for feature in features:
        counts[feature.treatment] += 1
    numbers = counts["number"] + counts["offset"] + counts["dates"] * len(DATE_PARTS)
    numbers += counts["text"] * MOST_TERMS_OF_TREES
    wide = sum(min(each.levels, MOST_COLUMNS) for each in features if each.treatment == "levels")
    return Cells(len(rows), numbers, counts["levels"], wide)


def check(rows: Any, features: Sequence[Feature], recipe: Recipe) -> int:
    """The estimate in bytes; raises `PenstockError` where it is more than there is.

    Of a search it is the most that one of its algorithms takes.
    """
    names = [recipe.algorithm]
    if recipe.algorithm == "auto":
        names = list(recipe.algorithms) or list(COSTS)
    found = cells(rows, features)
    wanted = max(beside(name, found) for name in names)
    free = memory_free() if recipe.memory is None else recipe.memory * 1e9
    if free is not None and wanted > free:
        raise PenstockError(
            f"training `{recipe.algorithm}` on {len(rows):,} rows needs about {wanted / 1e9:.2g} "
            f"GB of memory, and {free / 1e9:.2g} GB are free; take fewer rows or columns, or one "
            "machine with more memory (not more machines)"
        )
    return int(wanted)
