"""scikit-learn's nearest neighbors: the mean of what is known of the training rows nearby."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.kernel_functions import arithmetic, distances, mapped, unit
from penstock.converters.responses import summed
from penstock.converters.scores import class_labels, largest, softmax
from penstock.converters.validation import dense, sized
from penstock.converters.values import (
    Answer,
    Ask,
    Prediction,
    Reordering,
    Value,
    labels,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS", "searched", "undecided"]

METRICS = {
    "chebyshev": "chebyshev",
    "cityblock": "manhattan",
    "cosine": "squared_euclidean",
    "euclidean": "euclidean",
    "l1": "manhattan",
    "l2": "euclidean",
    "manhattan": "manhattan",
    "sqeuclidean": "squared_euclidean",
}
# Those that scikit-learn may find by multiplying matrices.
SQUARED = ("euclidean", "squared_euclidean")
WEIGHTS = ("distance", "uniform")
# Sums of a few neighbors; where distances are weights, those of a whole matrix leave half of the
# digits (the root of ‖x‖² - 2x·p + ‖p‖²).
UNIFORM_TOLERANCE, DISTANCE_TOLERANCE, RADIUS_TOLERANCE = 1e-14, 1e-6, 1e-12
# Squares in which what is far from zero cancels.
SCORE_TOLERANCE = 1e-12
RAW = Ask("decision_function")


def k_neighbors_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The shares of the classes among the neighbors; the largest is the label."""
    import numpy

    several = estimator.outputs_2d_
    targets = estimator._y.reshape(len(estimator._y), -1)
    classes = estimator.classes_ if several else [estimator.classes_]
    tables = [numpy.eye(len(known))[targets[:, at]] for at, known in enumerate(classes)]
    shares = _means(estimator, numpy.hstack(tables), value, context)
    if estimator.weights == "distance":
        # Of neighbors that are infinitely far none has a weight, which scikit-learn refuses.
        shares = context.require(shares)
    doubt = _doubt(estimator)
    answers: list[Answer] = []
    start = 0
    for at, known in enumerate(classes):
        part = context.select(shares, range(start, start + len(known)))
        start += len(known)
        names = class_labels(known, context, fewest=1)
        suffix, column, item = (f"_{at}", _column(at), _item(at)) if several else ("", None, None)
        name = f"probability{suffix}"
        label = labels(
            largest(part, context),
            names,
            name=f"label{suffix}",
            ask=Ask("predict", pick=column),
            decided_by=name,
        )
        share = numbers(name, part, names, Ask("predict_proba", pick=item))
        answers += [replace(answer, undecided=doubt) for answer in (label, share)]
    return Prediction(tuple(answers))


def k_neighbors_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The mean of the targets of the neighbors, for one target or several."""
    targets = _targets(estimator, context)
    means = _means(estimator, targets, value, context)
    return Prediction((replace(_values(means), undecided=_doubt(estimator)),))


def radius_neighbors_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The shares of the classes within the radius; the label of outliers where there are none."""
    import numpy

    if estimator.outputs_2d_:
        context.refuse("was fitted on several labels at once; fit one model for each")
    classes = class_labels(estimator.classes_, context, fewest=1)
    table = numpy.eye(len(classes))[estimator._y]
    outlier = None if estimator.outlier_label_ is None else estimator.outlier_label_[0]
    means = _within(estimator, table, value, context, refuse=outlier is None)
    names, scores = classes, means
    if outlier is not None:
        shares = [float(label == outlier) for label in classes]
        nowhere = context.add(
            "indicate_missing", context.select(means, [0]), numeric_columns(1), missing=None
        )
        scores = means = context.add(
            "impute", means, means.columns, missing=None, replacements=numpy.array(shares)
        )
        if not any(shares):
            names = class_labels([*classes, outlier], context)
            scores = context.concat([means, nowhere])
    label = labels(largest(scores, context), names, decided_by="probability")
    share = numbers("probability", means, classes, Ask("predict_proba"))
    doubt = _at_the_radius(estimator)
    return Prediction(tuple(replace(answer, undecided=doubt) for answer in (label, share)))


def radius_neighbors_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The mean of the targets within the radius, for one target or several; NaN without any."""
    targets = _targets(estimator, context)
    if targets.dtype.kind in "iu":
        context.refuse(
            "was fitted on integers, of which NaN is none where there are no neighbors; fit it on "
            "floats"
        )
    means = _within(estimator, targets, value, context, refuse=False)
    doubt = _at_the_radius(estimator)
    return Prediction((replace(_values(means), undecided=doubt),))


def _targets(estimator: Any, context: Context) -> Any:
    """The targets of the rows of training as a matrix."""
    targets = estimator._y.reshape(len(estimator._y), -1)
    if targets.dtype.kind not in "fiub":
        context.refuse(f"was fitted on targets of {targets.dtype}; fit it on numbers")
    return targets


def _values(means: Value) -> Answer:
    if means.width == 1:
        first = Ask("predict", pick=lambda answer: answer.reshape(len(answer), -1)[:, 0])
        return number("value", means, first)
    return numbers("value", means, range(means.width), Ask("predict"))


def _within(estimator: Any, known: Any, value: Value, context: Context, *, refuse: bool) -> Value:
    weights = _weights(estimator, context)
    rows, metric, points = searched(estimator, value, context)
    if metric not in ("euclidean", "manhattan", "chebyshev"):
        context.refuse(f"`{estimator.effective_metric_}` has no radius here", option="metric")
    return context.add(
        "neighbors_within",
        rows,
        numeric_columns(known.shape[1]),
        tolerance=DISTANCE_TOLERANCE if weights == "distance" else RADIUS_TOLERANCE,
        metric=metric,
        points=points,
        values=known.astype("float64"),
        radius=float(estimator.radius),
        weights=weights,
        refuse=refuse,
    )


def _at_the_radius(estimator: Any) -> Ask:
    """Whether a point is as far as the radius, or met where scikit-learn does not see it."""

    def ask(data: Any) -> Any:
        import numpy

        wider = estimator.radius * (1 + 1e-7)
        narrow = estimator.radius * (1 - 1e-7)
        rows = numpy.asarray(data, dtype="float64")
        most, fewest = (
            estimator.radius_neighbors(data, radius=radius) for radius in (wider, narrow)
        )
        edge = [len(left) != len(right) for left, right in zip(most[1], fewest[1], strict=True)]
        if estimator.weights == "distance" and estimator._fit_method == "brute":
            with numpy.errstate(all="ignore"):
                scale = (rows**2).sum(axis=1) + (estimator._fit_X**2).sum(axis=1).max()
            near = [min(far, default=1.0) for far in most[0]]
            edge = list(numpy.array(edge) | ~(numpy.array(near) ** 2 > 1e-7 * scale))
        return numpy.array(edge)

    return Ask(function=ask)


def nearest_centroid(estimator: Any, value: Value, context: Context) -> Prediction:
    """The class of the nearest centroid, or, of other priors, of the largest score.

    sklearn/neighbors/_nearest_centroid.py, `_decision_function`: minus the squared distance in the
    deviations within the classes, and twice the logarithm of the prior.
    """
    import numpy

    if estimator.metric not in ("euclidean", "manhattan"):
        context.refuse(f"`{estimator.metric}` is not supported", option="metric")
    classes = class_labels(estimator.classes_, context)
    rows = context.require(context.number(dense(value, context)), precision=value.precision)
    rows = replace(rows, frame="").with_columns(numeric_columns(rows.width))
    priors, centroids = estimator.class_prior_, numpy.asarray(estimator.centroids_)
    deviations = numpy.asarray(estimator.within_class_std_dev_, dtype="float64")
    deviations = numpy.where(deviations == 0, 1.0, deviations)
    even = bool(numpy.isclose(priors, 1 / len(classes)).all())
    with numpy.errstate(divide="ignore"):
        offsets = 2.0 * numpy.log(priors)
    if not numpy.isfinite(offsets).all():
        context.refuse("a prior of 0", option="priors")
    manhattan = estimator.metric == "manhattan"
    scaled = arithmetic(rows, "divide", deviations, context)
    metric = "manhattan" if manhattan else "squared_euclidean"
    far = distances(metric, centroids / deviations, scaled, context)
    far = mapped("square", far, context) if manhattan else far
    scores = arithmetic(arithmetic(far, "multiply", -1.0, context), "add", offsets, context)
    growth = max(1.0, float(((centroids / deviations) ** 2).sum(axis=1).max()))
    scores = replace(scores, tolerance=SCORE_TOLERANCE * growth)
    plain = distances(metric, centroids, rows, context)
    nearest = largest(arithmetic(plain, "multiply", -1.0, context) if even else scores, context)
    label = labels(nearest, classes)
    doubt = Ask(function=lambda data: _between(estimator, data, scaled=not even))
    label = replace(label, undecided=doubt)
    if manhattan:
        return Prediction((label,))
    shares = numbers("probability", softmax(scores, context), classes, Ask("predict_proba"))
    shares = replace(shares, exponent="raw")
    if len(classes) > 2:
        return Prediction((label, shares, numbers("raw", scores, classes, RAW)))
    sides = [context.select(scores, [at]) for at in (0, 1)]
    raw = number("raw", summed(sides, context, weights=[-1.0, 1.0]), RAW)
    # Far from both centroids their scores leave little of the difference.
    limit = raw.value.tolerance / SCORE_TOLERANCE
    doubt = Ask(function=lambda data: ~(_farthest(estimator, data) < 1e3 * limit))
    return Prediction((label, replace(shares, undecided=doubt), replace(raw, undecided=doubt)))


def _farthest(estimator: Any, data: Any) -> Any:
    import numpy

    return numpy.abs(estimator._decision_function(data)).max(axis=1)


def _between(estimator: Any, data: Any, *, scaled: bool) -> Any:
    """Whether the two nearest centroids are equally near, but for rounding."""
    import numpy

    if scaled:
        far = -numpy.asarray(estimator._decision_function(data))
    else:
        rows = numpy.asarray(data, dtype="float64")
        order = 1 if estimator.metric == "manhattan" else 2
        with numpy.errstate(all="ignore"):
            differences = numpy.abs(rows[:, None, :] - estimator.centroids_[None]) ** order
            far = differences.sum(axis=2)
    first, second = numpy.sort(far, axis=1)[:, :2].T
    with numpy.errstate(all="ignore"):
        scale = (numpy.asarray(data, dtype="float64") ** 2).sum(axis=1) + numpy.abs(second)
        scale += (estimator.centroids_**2).sum(axis=1).max()
        return ~(second - first > 1e-13 * scale)


def _weights(estimator: Any, context: Context) -> str:
    weights = estimator.weights or "uniform"
    if weights not in WEIGHTS:
        context.refuse("an artifact holds no functions of your own", option="weights")
    return str(weights)


def _doubt(estimator: Any) -> Ask:
    weighted = estimator.weights == "distance"
    return undecided(estimator, int(estimator.n_neighbors), weighted=weighted)


def _means(estimator: Any, known: Any, value: Value, context: Context) -> Value:
    """The means of what is known of the neighbors, equally or by the inverse of the distance."""
    weights = _weights(estimator, context)
    rows, metric, points = searched(estimator, value, context)
    reordering = Reordering(
        estimator, estimator._fit_X, lambda order, near: _reordered(estimator, order, near)
    )
    context.reorderings.append(reordering)
    return context.add(
        "neighbors",
        rows,
        numeric_columns(known.shape[1]),
        tolerance=DISTANCE_TOLERANCE if weights == "distance" else UNIFORM_TOLERANCE,
        metric=metric,
        points=points,
        values=known.astype("float64"),
        count=int(estimator.n_neighbors),
        weights=weights,
    )


def _reordered(estimator: Any, order: Any, points: Any) -> dict[str, Any]:
    """What changes of the estimator with the order of its rows."""
    tree = estimator._tree
    if tree is not None:
        metric, options = estimator.effective_metric_, estimator.effective_metric_params_
        tree = type(tree)(points, estimator.leaf_size, metric=metric, **options)
    return {"_fit_X": points, "_y": estimator._y[order], "_tree": tree}


def searched(estimator: Any, value: Value, context: Context) -> tuple[Value, str, Any]:
    """The rows, the metric, and the points among which neighbors are searched."""
    from sklearn.preprocessing import normalize

    if (estimator.effective_metric_params_ or {}).get("w") is not None:
        context.refuse("weights of columns are not supported", option="metric_params")
    metric = METRICS.get(estimator.effective_metric_)
    if metric is None:
        known = "`, `".join(METRICS)
        context.refuse(
            f"`{estimator.effective_metric_}` is not supported; supported are `{known}`",
            option="metric",
        )
    points = estimator._fit_X
    if hasattr(points, "toarray"):
        context.refuse("was fitted on a sparse matrix; fit it on a dense one")
    rows = context.require(context.number(dense(value, context)), precision=value.precision)
    rows = replace(rows, frame="").with_columns(numeric_columns(rows.width))
    if estimator.effective_metric_ == "cosine":
        # Half of the square between what is divided by its norm.
        return _apart(unit(rows, context), metric, normalize(points.astype("float64")), context)
    return rows, metric, points.astype("float64")


def _apart(rows: Value, metric: str, points: Any, context: Context) -> tuple[Value, str, Any]:
    """The same, with points that are zero as far from all as cosines have it: at right angles."""
    import numpy

    empty = ~points.any(axis=1)
    if not empty.any():
        return rows, metric, points
    zero = arithmetic(context.select(rows, [0]), "multiply", 0.0, context)
    rows = replace(context.concat([rows, zero]), tolerance=rows.tolerance)
    return rows, metric, numpy.column_stack([points, empty.astype("float64")])


def undecided(estimator: Any, count: int, *, weighted: bool) -> Ask:
    """Whether the last neighbor is as near as the next one, which is none.

    scikit-learn's own choice depends on its algorithm and the order of its training data. Where it
    multiplies matrices, it does not see that a point is met, whose weight is infinite.
    """

    def ask(data: Any) -> Any:
        import numpy

        most = min(count + 1, estimator.n_samples_fit_)
        distances, _ = estimator.kneighbors(data, n_neighbors=most)
        rows = numpy.asarray(data, dtype="float64")
        points = estimator._fit_X.astype("float64")
        with numpy.errstate(all="ignore"):
            squares = distances.astype("float64") ** 2
            least = 1e-14 * squares[:, -1]
            if estimator._fit_method == "brute" and METRICS[estimator.effective_metric_] in SQUARED:
                norms = (rows**2).sum(axis=1) + (points**2).sum(axis=1).max()
                scale = 1.0 if estimator.effective_metric_ == "cosine" else norms
                least = 1e-12 * scale
            tied = numpy.zeros(len(rows), dtype=bool)
            if most > count:
                tied = ~(squares[:, count] - squares[:, count - 1] > least)
            return tied | (weighted & ~(squares[:, 0] > 1e5 * least))

    return Ask(function=ask)


def _column(at: int) -> Callable[[Any], Any]:
    return lambda answer: answer[:, at]


def _item(at: int) -> Callable[[Any], Any]:
    return lambda answer: answer[at]


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.neighbors.KNeighborsClassifier": k_neighbors_classifier,
        "sklearn.neighbors.KNeighborsRegressor": k_neighbors_regressor,
        "sklearn.neighbors.NearestCentroid": nearest_centroid,
        "sklearn.neighbors.RadiusNeighborsClassifier": radius_neighbors_classifier,
        "sklearn.neighbors.RadiusNeighborsRegressor": radius_neighbors_regressor,
    }
)
