"""scikit-learn's clusters around centers: the nearest one, and how far each of them is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.ensembles import MISSING_LEFT, NAN_IS_MISSING, Ensemble, Tree
from penstock.converters.responses import summed
from penstock.converters.scores import largest
from penstock.converters.searching import nearest_point
from penstock.converters.validation import finite_rows, floats, full, sized
from penstock.converters.values import (
    LINEAR_TOLERANCE,
    Answer,
    Ask,
    Prediction,
    Value,
    codes,
    labels,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

# scikit-learn takes the root of ‖x‖² - 2x·c + ‖c‖², of which rounding leaves half of the digits.
DISTANCE_TOLERANCE = {"f32": 1e-5, "f64": 1e-7}


def k_means(estimator: Any, value: Value, context: Context) -> Prediction:
    """The first of the nearest centers, and all distances."""
    points = _points(estimator, value, context)
    centers = estimator.cluster_centers_
    # sklearn/cluster/_k_means_lloyd.pyx: the least ‖c‖² - 2x·c; here the largest of the negative.
    scores = _scores(points, centers, context, sign=-1.0)
    return _clusters(largest(scores, context), points, centers, context)


def bisecting_k_means(estimator: Any, value: Value, context: Context) -> Prediction:
    """From the root of a tree on to the nearer one of two centers, the left one of equals."""
    points = _points(estimator, value, context)
    code = largest(_leaves(estimator, points, context), context)
    return _clusters(code, points, estimator.cluster_centers_, context)


def nearest_center(estimator: Any, value: Value, context: Context) -> Prediction:
    """The first of the nearest centers."""
    centers = getattr(estimator, "cluster_centers_", None)
    if centers is None or not centers.shape[0]:
        context.refuse("has no centers; fit it on rows, until it converges")
    centers = full(centers)
    label = _center(centers, range(len(centers)), _rows(centers, value, context), context)
    return Prediction((label,))


def birch(estimator: Any, value: Value, context: Context) -> Prediction:
    """The cluster of the nearest of many centers, and all distances from these."""
    centers = estimator.subcluster_centers_
    rows = _rows(centers, value, context)
    distances = _distances(rows, centers, context)
    label = _center(centers, estimator.subcluster_labels_, rows, context)
    names = range(len(centers))
    return Prediction((label, numbers("distance", distances, names, Ask("transform"))), distances)


def _rows(centers: Any, value: Value, context: Context) -> Value:
    if hasattr(centers, "toarray"):
        context.refuse("was fitted on a sparse matrix; fit it on a dense one")
    if str(centers.dtype) == "float32" and value.precision == "f32":
        context.refuse("computes in float32; fit it on float64")
    return finite_rows(value, context)


def _center(centers: Any, known: Sequence[Any], rows: Value, context: Context) -> Answer:
    """The label of the nearest center, among those that are known of the centers."""
    import numpy

    code = nearest_point(rows, centers, context)
    names = sorted({int(label) for label in known})
    positions = [names.index(int(label)) for label in known]
    position = context.add(
        "lookup",
        code,
        numeric_columns(1),
        values=numpy.array(positions, dtype="float64"),
        ends=numpy.array([len(positions)]),
        absent=numpy.zeros(1),
    )
    coded = context.add(
        "encode_number",
        position,
        codes(1),
        levels=numpy.arange(len(names), dtype="float64"),
        ends=numpy.array([len(names)]),
        codes=numpy.arange(len(names)),
        missing_codes=numpy.array([-1]),
        unseen_codes=numpy.array([-1]),
    )

    def undecided(data: Any) -> Any:
        points = numpy.asarray(data, dtype="float64")
        with numpy.errstate(all="ignore"):
            far = ((points[:, None, :] - centers[None]) ** 2).sum(axis=2)
            scale = (points**2).sum(axis=1) + (centers**2).sum(axis=1).max()
            # All labels of the centers that are nearest but for rounding.
            near = ~(far - far.min(axis=1, keepdims=True) > 1e-12 * scale[:, None])
        return [len(set(numpy.asarray(positions)[row])) > 1 for row in near]

    label = labels(coded, names, name="cluster")
    return replace(label, undecided=Ask(function=undecided))


def _points(estimator: Any, value: Value, context: Context) -> Value:
    points = floats(value, context)
    fitted = str(estimator.cluster_centers_.dtype)
    if fitted != points.dtype:
        context.refuse(
            f"was fitted on {fitted} and gets {points.dtype}, which scikit-learn refuses"
        )
    return points


def _clusters(code: Value, points: Value, centers: Any, context: Context) -> Prediction:
    import numpy

    distances = _distances(points, centers, context)
    names = range(len(numpy.atleast_2d(centers)))
    label = labels(code, names, name="cluster", decided_by="distance", rivals=_nearest)
    answers = (label, numbers("distance", distances, names, Ask("transform")))
    return Prediction(answers, distances)


def _distances(points: Value, centers: Any, context: Context) -> Value:
    wide = centers.astype("float64")
    distances = context.add(
        "distance",
        points,
        numeric_columns(len(wide)),
        tolerance=DISTANCE_TOLERANCE[points.precision] * _growth(wide),
        metric="euclidean",
        points=wide,
        scales=None,
    )
    return context.cast(distances, points.precision)


def _nearest(distances: Sequence[float]) -> tuple[float, float]:
    """The two least distances; the only one differs from another that is nowhere."""
    first, second = sorted([*distances, float("inf")])[:2]
    return first, second


def _growth(centers: Any) -> float:
    """How much farther from zero the centers are than from each other."""
    import numpy

    norm = float(numpy.sqrt((centers**2).sum(axis=1)).max())
    widest = float(numpy.sqrt(((centers - centers[0]) ** 2).sum(axis=1)).max())
    return max(1.0, norm / max(1.0, widest))


def _scores(points: Value, centers: Any, context: Context, *, sign: float) -> Value:
    """‖c‖² - 2x·c for each center, or its negative."""
    wide = centers.astype("float64")
    return context.add(
        "linear",
        points,
        numeric_columns(len(wide)),
        tolerance=LINEAR_TOLERANCE,
        coefficients=-2.0 * sign * wide,
        intercepts=sign * (wide**2).sum(axis=1),
    )


def _leaves(estimator: Any, points: Value, context: Context) -> Value:
    """1 for the cluster of the leaf, else 0.

    sklearn/cluster/_bisect_k_means.py, `_predict_recursive`.
    """
    import numpy

    order = _breadth_first(estimator._bisecting_tree)
    inner = [node for node in order if node.left is not None]
    at = {id(node): position for position, node in enumerate(order)}
    leaves = [node for node in order if node.left is None]
    shares = numpy.zeros((len(leaves), len(leaves)))
    shares[numpy.arange(len(leaves)), [node.label for node in leaves]] = 1.0
    features = iter(range(len(inner)))
    positions = iter(range(len(leaves)))
    rows = [
        (-1, next(positions), 0, 0)
        if node.left is None
        else (next(features), at[id(node.left)], at[id(node.right)], NAN_IS_MISSING | MISSING_LEFT)
        for node in order
    ]
    columns = [numpy.array(column) for column in zip(*rows, strict=True)]
    tree = Tree(
        features=columns[0],
        thresholds=numpy.zeros(len(order)),
        left=columns[1],
        right=columns[2],
        flags=columns[3].astype("uint8"),
        leaves=shares,
    )
    tests = _sides(estimator, inner, points, context) if inner else points
    ensemble = Ensemble([tree], start=numpy.zeros(len(leaves)), outputs=[0])
    return ensemble.add_to(context, tests)


def _breadth_first(root: Any) -> list[Any]:
    order = [root]
    for node in order:
        if node.left is not None:
            order += [node.left, node.right]
    return order


def _sides(estimator: Any, inner: Sequence[Any], points: Value, context: Context) -> Value:
    """For each inner node a number above zero where the right center is nearer."""
    import numpy

    mean = getattr(estimator, "_X_mean", 0.0)
    centers = [
        numpy.array([getattr(node, side).center for node in inner]) + mean
        for side in ("left", "right")
    ]
    parts = [_scores(points, side, context, sign=1.0) for side in centers]
    return summed(parts, context, weights=[1.0, -1.0])


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.cluster.AffinityPropagation": nearest_center,
        "sklearn.cluster.Birch": birch,
        "sklearn.cluster.BisectingKMeans": bisecting_k_means,
        "sklearn.cluster.KMeans": k_means,
        "sklearn.cluster.MeanShift": nearest_center,
        "sklearn.cluster.MiniBatchKMeans": k_means,
    }
)
