"""What CatBoost counted of the target for each category or combination (its CTR features).

Sources of the formulas: catboost/libs/model/static_ctr_provider.cpp (`CalcCtrs`),
catboost/libs/model/online_ctr.h (`TModelCtr::Calc`), all in f32.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

__all__ = ["Counted", "counted"]

Refuse = Callable[..., NoReturn]
Document = Mapping[str, Any]
Columns = Mapping[str, Mapping[int, int]]

# The hash of an empty place in CatBoost's tables, which is never found.
EMPTY = 2**64 - 1


@dataclass(frozen=True)
class Counted:
    """A number for each combination of categories that training has seen.

    `categories`, `numbers` (with the border that is tested), `values` (with the hash that is
    tested): what is combined, by positions among its kind. `hashes`: ascending, and the number for
    each in `results`; others have `absent`.
    """

    categories: tuple[int, ...]
    numbers: tuple[tuple[int, float], ...]
    values: tuple[tuple[int, int], ...]
    hashes: Any
    results: Any
    absent: float
    borders: tuple[float, ...]
    target_border: int


def counted(item: Document, tables: Document, columns: Columns, refuse: Refuse) -> Counted:
    """The feature that this item of `ctrs` describes."""
    import numpy

    kind, target_border = item["ctr_type"], int(item["target_border_idx"])
    if kind not in COUNTS:
        refuse(f"`{kind}` is no known kind of counting", option="simple_ctr")
    table = tables[item["identifier"]]
    hashes, rows = _rows(table, refuse)
    good, total = COUNTS[kind](rows, target_border, table)
    nothing = numpy.zeros((1, rows.shape[1]))
    none = COUNTS[kind](nothing, target_border, table)
    parts = _parts(item["elements"], columns, refuse)
    borders = numpy.array(item["borders"] or (), dtype="float64")
    if not (borders.astype("float32") == borders).all():
        refuse("a border is no number of float32")
    return Counted(
        categories=parts["cat_feature_value"],
        numbers=parts["float_feature"],
        values=parts["cat_feature_exact_value"],
        hashes=hashes,
        results=_result(item, good, total),
        absent=float(_result(item, *none)[0]),
        borders=tuple(borders.tolist()),
        target_border=target_border,
    )


def _rows(table: Document, refuse: Refuse) -> tuple[Any, Any]:
    """The hashes in ascending order, and what was counted for each."""
    import numpy

    stride, items = int(table["hash_stride"]), table["hash_map"] or []
    if stride < 2 or len(items) % stride:
        refuse(f"a table of `ctr_data` has {len(items)} items in rows of {stride}")
    hashes = numpy.array([int(item) for item in items[::stride]], dtype="uint64")
    rows = numpy.column_stack(
        [numpy.array(items[at::stride], dtype="float64") for at in range(1, stride)]
    )
    order = numpy.argsort(hashes)
    order = order[hashes[order] != EMPTY]
    hashes = hashes[order]
    if (hashes[1:] == hashes[:-1]).any() or not numpy.isfinite(rows).all():
        refuse("a table of `ctr_data` has a hash twice, or what is no number")
    return hashes, rows[order]


def _parts(elements: Sequence[Document], columns: Columns, refuse: Refuse) -> dict[str, Any]:
    """What is combined, each kind in its order: categories, numbers, values of categories."""
    found: dict[str, list[Any]] = {kind: [] for kind in PARTS}
    for element in elements:
        kind = element["combination_element"]
        if kind not in PARTS:
            refuse(f"`{kind}` is no known part of a combination of categories")
        key, tested = PARTS[kind]
        at = columns[key][element[key]]
        found[kind].append((at, element[tested]) if tested else at)
    return {kind: tuple(items) for kind, items in found.items()}


# By `combination_element`: the key of the feature, and of what is tested.
PARTS = {
    "cat_feature_value": ("cat_feature_index", ""),
    "float_feature": ("float_feature_index", "border"),
    "cat_feature_exact_value": ("cat_feature_index", "value"),
}


def _result(item: Document, good: Any, total: Any) -> Any:
    """`((good + prior) / (total + prior) + shift) * scale`, each step rounded to f32."""
    import numpy

    single = numpy.float32
    with numpy.errstate(all="ignore"):
        share = (good.astype(single) + single(item["prior_numerator"])) / (
            total.astype(single) + single(item["prior_denomerator"])
        )
        result = (share + single(item["shift"])) * single(item["scale"])
    return result.astype("float64")


def _borders(rows: Any, target_border: int, table: Document) -> tuple[Any, Any]:
    """How many targets were above the border, of how many."""
    if rows.shape[1] < 2:
        raise ValueError("a table of `ctr_data` counts one class")
    return rows[:, target_border + 1 :].sum(axis=1) if rows.shape[1] > 2 else rows[:, 1], rows.sum(
        axis=1
    )


def _buckets(rows: Any, target_border: int, table: Document) -> tuple[Any, Any]:
    return rows[:, target_border], rows.sum(axis=1)


def _mean(rows: Any, target_border: int, table: Document) -> tuple[Any, Any]:
    return rows[:, 0], rows[:, 1]


def _counter(rows: Any, target_border: int, table: Document) -> tuple[Any, Any]:
    import numpy

    return rows[:, 0], numpy.full(len(rows), float(table["counter_denominator"]))


COUNTS: Mapping[str, Callable[[Any, int, Document], tuple[Any, Any]]] = {
    "BinarizedTargetMeanValue": _mean,
    "Borders": _borders,
    "Buckets": _buckets,
    "Counter": _counter,
    "FeatureFreq": _counter,
    "FloatTargetMeanValue": _mean,
}
