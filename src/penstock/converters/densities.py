"""scikit-learn's kernel density: the logarithm of how dense the rows of training are nearby."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.converters.context import Context
from penstock.converters.searching import METRICS, POWERS, tree_fields
from penstock.converters.validation import finite_rows, sized
from penstock.converters.values import Ask, Prediction, Value, number, numeric_columns

__all__ = ["CONVERTERS"]

# Logarithms and exponentials of the C library, where rounding is all that is left of a sum.
TOLERANCE = 1e-12


def kernel_density(estimator: Any, value: Value, context: Context) -> Prediction:
    """The logarithm of the density, as the same tree gives it within the same tolerances."""
    import numpy
    from sklearn.neighbors._kd_tree import kernel_norm

    if not estimator.breadth_first:
        context.refuse("only searches by breadth are supported", option="breadth_first")
    tree = estimator.tree_
    search = {"KDTree": "kd_tree", "BallTree": "ball_tree"}.get(type(tree).__name__)
    points, _, _, _ = tree.get_arrays()
    norm = float(
        kernel_norm(estimator.bandwidth_, points.shape[1], estimator.kernel, return_log=True)
    )
    if not numpy.isfinite(norm):
        context.refuse(f"gives no number of {points.shape[1]} columns", option="kernel")
    weights = tree.sample_weight
    total = float(tree.sum_weight)
    density = context.add(
        "kernel_density",
        finite_rows(value, context),
        numeric_columns(1),
        tolerance=TOLERANCE,
        points=numpy.asarray(points),
        search=search,
        sums="differences",
        kernel=estimator.kernel,
        bandwidth=float(estimator.bandwidth_),
        norm=norm,
        total=total,
        absolute=float(estimator.atol) * total,
        relative=float(estimator.rtol),
        weights=None if weights is None else numpy.array(weights),
        **_metric(estimator, context),
        **tree_fields(tree, str(search)),
    )
    score = context.arithmetic(density, "subtract", [float(numpy.log(total))], precision="f64")
    return Prediction((number("score", score, Ask("score_samples")),))


def _metric(estimator: Any, context: Context) -> dict[str, Any]:
    """sklearn/metrics/_dist_metrics.pyx.tp, `DistanceMetric.get_metric`."""
    import numpy

    options = dict(estimator.metric_params or {})
    name, power = str(estimator.metric), None
    if name == "minkowski":
        power = float(options.pop("p", 2))
        plain = {1.0: "manhattan", 2.0: "euclidean", numpy.inf: "chebyshev"}
        name = plain.get(power, name)
        power = power if name == "minkowski" else None
    if name not in METRICS or options or (name in POWERS and name != "haversine" and power is None):
        context.refuse(f"`{name}` with {options or 'no'} options is not supported", option="metric")
    return {"metric": METRICS[name], "power": power, "scales": None}


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {"sklearn.neighbors.KernelDensity": kernel_density}
)
