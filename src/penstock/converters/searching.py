"""How scikit-learn finds neighbors: by trees, by heaps, by sorting; for whatever needs some."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.kernel_functions import unit
from penstock.converters.ties import CHANCE
from penstock.converters.validation import array_dtype, dense, finite_rows
from penstock.converters.values import (
    LINEAR_TOLERANCE,
    Ask,
    Reordering,
    Value,
    codes,
    numeric_columns,
)

__all__ = [
    "METRICS",
    "POWERS",
    "Neighbors",
    "nearest_point",
    "reordering",
    "searched",
    "tree_fields",
    "undecided",
]

METRICS = {
    "chebyshev": "chebyshev",
    "cityblock": "manhattan",
    "cosine": "squared_euclidean",
    "euclidean": "euclidean",
    "haversine": "haversine",
    "infinity": "chebyshev",
    "l1": "manhattan",
    "l2": "euclidean",
    "manhattan": "manhattan",
    "minkowski": "minkowski",
    "sqeuclidean": "squared_euclidean",
}
TREES = ("ball_tree", "kd_tree")
# Those that scikit-learn finds by multiplying matrices (_argkmin.pyx.tp, `ArgKmin64.compute`).
PRODUCTS = ("euclidean", "sqeuclidean")
# Those that are sums of powers and sines of the C library.
POWERS = ("haversine", "minkowski")
# Rows of training that one thread looks at alone (_base.pyx.tp, `pairwise_dist_chunk_size`).
CHUNK = 256
# Distances by products have half of the digits (the root of ‖x‖² - 2x·p + ‖p‖²).
PRODUCT_TOLERANCE, POWER_TOLERANCE = 1e-6, 1e-13
# Sums of products of whole numbers that f64 holds exactly.
LARGEST_SUM = 2.0**52


@dataclass(frozen=True)
class Neighbors:
    """The rows, and the fields of a node that finds their neighbors among the points.

    `tolerance` is that of distances. `decided`: scikit-learn has no choice between equally near
    points but the one that the node has. `ordered`: nor one of their order, which else is another
    where it predicts of more rows than it was fitted on. `counted`: it counts classes while it
    searches.
    """

    rows: Value
    fields: Mapping[str, Any]
    tolerance: float
    decided: bool
    ordered: bool
    counted: bool

    @property
    def metric(self) -> str:
        """The name of the metric among the fields."""
        return str(self.fields["metric"])


def searched(
    estimator: Any,
    value: Value,
    context: Context,
    *,
    by_class: bool = False,
    checked: bool = True,
) -> Neighbors:
    """How this estimator finds neighbors; `by_class`: where it may only count their classes.

    Without `checked` such counting takes rows as they come, with missing numbers and infinities.
    """
    name = estimator.effective_metric_
    metric = METRICS.get(name) if isinstance(name, str) else None
    if metric is None:
        known = "`, `".join(METRICS)
        told = f"`{name}`" if isinstance(name, str) else "a function"
        context.refuse(f"{told} is not supported; supported are `{known}`", option="metric")
    points = estimator._fit_X
    if hasattr(points, "toarray"):
        context.refuse("was fitted on a sparse matrix; fit it on a dense one")
    search, sums = _algorithm(estimator, value, context)
    fields: dict[str, Any] = {
        "metric": metric,
        "points": points.astype("float64"),
        "search": search,
        "sums": sums,
        **_options(estimator, context),
        **tree_fields(estimator._tree, search),
    }
    # _classification.py, `predict_proba`: of arrays, and not of the most usual metrics.
    counted = by_class and search == "heap" and not value.frame and name not in PRODUCTS
    if checked or not counted:
        rows = finite_rows(value, context)
    else:
        rows = context.number(dense(value, context))
        rows = replace(rows, columns=numeric_columns(value.width), frame="")
    if name == "cosine":
        # Half of the square between what is divided by its norm.
        rows, fields["points"] = _apart(unit(rows, context), fields["points"], context)
    tolerance = POWER_TOLERANCE if name in POWERS else 0.0
    if sums.startswith("products") or (search == "all" and name in ("cosine", *PRODUCTS)):
        tolerance = PRODUCT_TOLERANCE
    small = search == "heap" and sums == "differences" and len(points) <= CHUNK
    ordered = search in TREES or counted
    return Neighbors(rows, fields, tolerance, ordered or small, ordered, counted)


def nearest_point(rows: Value, points: Any, context: Context) -> Value:
    """The position of the nearest point (sklearn/metrics/pairwise.py, `pairwise_distances_argmin`).

    Far from all of them ‖x‖² swallows the differences, and the first point is the nearest.
    """
    fields: dict[str, Any] = {
        "metric": "squared_euclidean",
        "points": points.astype("float64"),
        "search": "heap",
        "sums": "products",
        "power": None,
        "scales": None,
        **tree_fields(None, "heap"),
    }
    columns = (*codes(1), *numeric_columns(1))
    found = context.add("nearest", rows, columns, tolerance=LINEAR_TOLERANCE, count=1, **fields)
    return context.select(found, [0])


def _algorithm(estimator: Any, value: Value, context: Context) -> tuple[str, str]:
    """The way to search, and to compute distances (sklearn/neighbors/_base.py, `kneighbors`)."""
    from sklearn.metrics._pairwise_distances_reduction import ArgKmin

    if estimator._fit_method in TREES:
        return str(estimator._fit_method), "differences"
    metric, dtype = estimator.effective_metric_, str(estimator._fit_X.dtype)
    if estimator._fit_X.dtype.kind in "biu":
        context.refuse(
            f"by brute force, which of equally near whole numbers {CHANCE}; fit it on floats",
            option="algorithm",
        )
    known = dtype in ("float32", "float64") and metric in ArgKmin.valid_metrics()
    if not known or array_dtype(value) != dtype:
        # Which of equals come first is up to numpy's `argpartition`, and that to the processor.
        return "all", "differences"
    suffix = "_f32" if dtype == "float32" else ""
    if metric in PRODUCTS:
        return "heap", f"products{suffix}"
    return "heap", f"differences{suffix}"


def _options(estimator: Any, context: Context) -> dict[str, Any]:
    import numpy

    options = estimator.effective_metric_params_ or {}
    weights = options.get("w")
    power = options.get("p") if estimator.effective_metric_ == "minkowski" else None
    if set(options) - {"p", "w"} or (power is None and weights is not None):
        context.refuse("only `p` and `w` of `minkowski` are supported", option="metric_params")
    scales = None if weights is None else numpy.asarray(weights, dtype="float64")
    return {"power": None if power is None else float(power), "scales": scales}


def tree_fields(tree: Any, search: str) -> dict[str, Any]:
    """The order of the points in the tree, and what bounds its nodes, which halve them."""
    fields: dict[str, Any] = {"order": None, "nodes": None, "centers": None, "radii": None}
    if search not in TREES:
        return fields
    _, order, nodes, bounds = tree.get_arrays()
    fields["order"] = order.astype("uint32")
    if search == "kd_tree":
        return fields | {"nodes": len(nodes)}
    return fields | {"centers": bounds[0].astype("float64"), "radii": nodes["radius"].copy()}


def _apart(rows: Value, points: Any, context: Context) -> tuple[Value, Any]:
    """Rows and points of length 1; those that are zero stay as far from all as cosines have it."""
    import numpy
    from sklearn.preprocessing import normalize

    points = normalize(points)
    empty = ~points.any(axis=1)
    if not empty.any():
        return rows, points
    zero = context.arithmetic(context.select(rows, [0]), "multiply", 0.0)
    rows = replace(context.concat([rows, zero]), tolerance=rows.tolerance)
    return rows, numpy.column_stack([points, empty.astype("float64")])


def undecided(estimator: Any, found: Neighbors, count: int, *, weighted: bool) -> Ask | None:
    """Whether the last neighbor is as near as the next one, which is none.

    Where scikit-learn multiplies matrices, rounding tells the two apart, in another way for one row
    than for many, and it does not see that a point is met, whose weight is infinite. Where it sorts
    a part, or has several threads, its choice is that of the machine. `None` where neither holds.
    """
    if found.decided:
        return None

    def ask(data: Any) -> Any:
        import numpy

        most = min(count + 1, estimator.n_samples_fit_)
        distances, _ = estimator.kneighbors(data, n_neighbors=most)
        rows = numpy.asarray(data, dtype="float64")
        points = estimator._fit_X.astype("float64")
        with numpy.errstate(all="ignore"):
            squares = distances.astype("float64") ** 2
            least = 1e-14 * squares[:, -1]
            if found.tolerance == PRODUCT_TOLERANCE:
                norms = (rows**2).sum(axis=1) + (points**2).sum(axis=1).max()
                scale = 1.0 if estimator.effective_metric_ == "cosine" else norms
                least = 1e-12 * scale
            tied = numpy.zeros(len(rows), dtype=bool)
            if most > count:
                tied = ~(squares[:, count] - squares[:, count - 1] > least)
            doubt = tied | (weighted & ~(squares[:, 0] > 1e5 * least))
        return doubt & ~_exact(found, rows)

    return Ask(function=ask)


def _exact(found: Neighbors, rows: Any) -> Any:
    """Whether nothing is rounded between this row and any point, and one thread decides."""
    import numpy

    points = found.fields["points"]
    if found.fields["search"] != "heap" or len(points) > CHUNK:
        return numpy.zeros(len(rows), dtype=bool)
    return _whole(points).all() & _whole(rows)


def _whole(rows: Any) -> Any:
    import numpy

    with numpy.errstate(all="ignore"):
        small = (rows**2).sum(axis=1) < LARGEST_SUM / 4
        return small & (rows == numpy.rint(rows)).all(axis=1)


def reordering(estimator: Any, found: Neighbors) -> list[Reordering]:
    """How to see, inside of other estimators, what else scikit-learn could have answered."""
    if found.decided or _exact(found, found.fields["points"]).all():
        return []

    def reordered(order: Any, points: Any) -> dict[str, Any]:
        return {"_fit_X": points, "_y": estimator._y[order]}

    return [Reordering(estimator, estimator._fit_X, reordered)]
