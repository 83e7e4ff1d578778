"""scikit-learn's nearest neighbors: the mean of what is known of the training rows nearby."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.kernel_functions import distances
from penstock.converters.responses import summed
from penstock.converters.scores import class_labels, largest, softmax
from penstock.converters.searching import Neighbors, nearest_point, reordering, searched, undecided
from penstock.converters.validation import finite_rows, sized
from penstock.converters.values import (
    Answer,
    Ask,
    Prediction,
    Value,
    labels,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

WEIGHTS = ("distance", "uniform")
# Sums of a few neighbors in another order.
ORDER_TOLERANCE = 1e-14
# numpy adds so many numbers and more in another order (`pairwise_sum`).
PAIRWISE = 8
# Squares in which what is far from zero cancels.
SCORE_TOLERANCE = 1e-12
RAW = Ask("decision_function")


def k_neighbors_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The shares of the classes among the neighbors; the largest is the label.

    sklearn/neighbors/_classification.py: shares are divided by their sum; of weights that are not
    equal, those that decide the label are summed by numpy.
    """
    import numpy

    weights = _weights(estimator, context)
    several = estimator.outputs_2d_
    targets = estimator._y.reshape(len(estimator._y), -1)
    classes = estimator.classes_ if several else [estimator.classes_]
    table = numpy.hstack(
        [numpy.eye(len(known))[targets[:, at]] for at, known in enumerate(classes)]
    )
    ends = numpy.cumsum([len(known) for known in classes])
    by_class = weights == "uniform" and not several
    found = searched(estimator, value, context, by_class=by_class)
    context.reorderings += reordering(estimator, found)
    count = int(estimator.n_neighbors)
    mean = Mean(table, "ordered", ends)
    shares = deciding = _means(mean, found, weights, context, count=count)
    if weights == "distance":
        # Of neighbors that are infinitely far none has a weight, which scikit-learn refuses.
        shares = deciding = context.require(shares)
        if count >= PAIRWISE:
            mean = replace(mean, adding="pairwise")
            deciding = _means(mean, found, weights, context, count=count)
    doubt = undecided(estimator, found, count, weighted=weights == "distance")
    answers: list[Answer] = []
    start = 0
    for at, (known, end) in enumerate(zip(classes, ends, strict=True)):
        names = class_labels(known, context, fewest=1)
        suffix, column, item = (f"_{at}", _column(at), _item(at)) if several else ("", None, None)
        name = f"probability{suffix}"
        label = labels(
            largest(context.select(deciding, range(start, end)), context),
            names,
            name=f"label{suffix}",
            ask=Ask("predict", pick=column),
            decided_by=name,
        )
        part = context.select(shares, range(start, end))
        share = numbers(name, part, names, Ask("predict_proba", pick=item))
        answers += [replace(answer, undecided=doubt) for answer in (label, share)]
        start = end
    return Prediction(tuple(answers))


def k_neighbors_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The mean of the targets of the neighbors, for one target or several."""
    weights = _weights(estimator, context)
    targets = _targets(estimator, weights, context)
    found = searched(estimator, value, context)
    context.reorderings += reordering(estimator, found)
    count = int(estimator.n_neighbors)
    pairwise = weights == "distance" or targets.shape[1] == 1
    mean = Mean(targets, "pairwise" if pairwise else "ordered", None)
    means = _means(mean, found, weights, context, count=count)
    doubt = undecided(estimator, found, count, weighted=weights == "distance")
    return Prediction((replace(_values(means), undecided=doubt),))


def radius_neighbors_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """The shares of the classes within the radius; the label of outliers where there are none."""
    import numpy

    if estimator.outputs_2d_:
        context.refuse("was fitted on several labels at once; fit one model for each")
    classes = class_labels(estimator.classes_, context, fewest=1)
    table = numpy.eye(len(classes))[estimator._y]
    outlier = None if estimator.outlier_label_ is None else estimator.outlier_label_[0]
    mean = Mean(table, "ordered", numpy.array([len(classes)]))
    # scikit-learn compares the label with the positions of classes where it counts these.
    uniform = estimator.weights == "uniform"
    found = searched(estimator, value, context, by_class=uniform, checked=False)
    means, count = _within(estimator, mean, found, context, refuse=outlier is None)
    scores, names = means, classes
    if outlier is not None:
        nowhere = context.add("indicate_missing", count, count.columns, missing=0.0)
        known = range(len(classes)) if found.counted else classes
        meant = estimator.outlier_label if found.counted else outlier
        shares = [float(label == meant) for label in known]
        inside = means
        means = scores = _elsewhere(nowhere, shares, inside, context)
        if not any(shares) and outlier in classes:
            told = [float(label == outlier) for label in classes]
            scores = _elsewhere(nowhere, told, inside, context)
        elif not any(shares):
            names = class_labels([*classes, outlier], context)
            scores = context.concat([means, nowhere])
    label = labels(largest(scores, context), names, decided_by="probability")
    share = numbers("probability", means, classes, Ask("predict_proba"))
    doubt = _at_the_radius(estimator, found)
    return Prediction(tuple(replace(answer, undecided=doubt) for answer in (label, share)))


def _elsewhere(nowhere: Value, shares: list[float], means: Value, context: Context) -> Value:
    """These shares where there is no neighbor, else the means."""
    import numpy

    told = context.select(nowhere, [0] * means.width)
    constant = context.add("constant", [], means.columns, values=numpy.array(shares))
    return context.add("choose", [told, constant, means], means.columns)


def radius_neighbors_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The mean of the targets within the radius, for one target or several; NaN without any."""
    weights = _weights(estimator, context)
    targets = _targets(estimator, weights, context)
    if targets.dtype.kind in "iu":
        context.refuse(
            "was fitted on integers, of which NaN is none where there are no neighbors; fit it on "
            "floats"
        )
    found = searched(estimator, value, context)
    mean = Mean(targets, "pairwise" if targets.shape[1] == 1 else "ordered", None)
    means, _ = _within(estimator, mean, found, context, refuse=False)
    doubt = _at_the_radius(estimator, found)
    return Prediction((replace(_values(means), undecided=doubt),))


def _targets(estimator: Any, weights: str, context: Context) -> Any:
    """The targets of the rows of training as a matrix."""
    targets = estimator._y.reshape(len(estimator._y), -1)
    if targets.dtype.kind not in "fiub":
        context.refuse(f"was fitted on targets of {targets.dtype}; fit it on numbers")
    if targets.dtype.kind == "f" and targets.dtype.itemsize < 8 and weights == "uniform":
        context.refuse(f"computes means of targets in {targets.dtype}; fit it on float64")
    return targets


def _values(means: Value) -> Answer:
    if means.width == 1:
        first = Ask("predict", pick=lambda answer: answer.reshape(len(answer), -1)[:, 0])
        return number("value", means, first)
    return numbers("value", means, range(means.width), Ask("predict"))


@dataclass(frozen=True)
class Mean:
    """What is known of the points, in which order it is added, and the parts that sum to 1."""

    known: Any
    adding: str
    ends: Any


def _means(mean: Mean, found: Neighbors, weights: str, context: Context, *, count: int) -> Value:
    """The means of what is known of the neighbors, equally or by the inverse of the distance."""
    rounded = found.tolerance if weights == "distance" else 0.0
    return context.add(
        "neighbors",
        found.rows,
        numeric_columns(mean.known.shape[1]),
        tolerance=rounded if found.ordered else max(rounded, ORDER_TOLERANCE),
        count=count,
        **_fields(mean, found, weights),
    )


def _fields(mean: Mean, found: Neighbors, weights: str) -> dict[str, Any]:
    return {
        "values": mean.known.astype("float64"),
        "weights": weights,
        "adding": mean.adding,
        "ends": mean.ends,
        **found.fields,
    }


def _within(
    estimator: Any, mean: Mean, found: Neighbors, context: Context, *, refuse: bool
) -> tuple[Value, Value]:
    """The means of what is known of the neighbors within the radius, and how many there are."""
    if estimator.effective_metric_ == "cosine":
        context.refuse("`cosine` has no radius here", option="metric")
    if estimator.radius is None:
        context.refuse("is None; set a number", option="radius")
    weights = _weights(estimator, context)
    width = mean.known.shape[1]
    both = context.add(
        "neighbors_within",
        found.rows,
        numeric_columns(width + 1),
        tolerance=found.tolerance,
        radius=float(estimator.radius),
        refuse=refuse,
        **_fields(mean, found, weights),
    )
    return context.select(both, range(width)), context.select(both, [width])


def _at_the_radius(estimator: Any, found: Neighbors) -> Ask | None:
    """Whether a point is as far as the radius, or met where scikit-learn does not see it.

    `None` where distances are not rounded.
    """
    if found.tolerance == 0.0:
        return None

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
    rows = finite_rows(value, context)
    priors, centroids = estimator.class_prior_, numpy.asarray(estimator.centroids_)
    deviations = numpy.asarray(estimator.within_class_std_dev_, dtype="float64")
    deviations = numpy.where(deviations == 0, 1.0, deviations)
    even = bool(numpy.isclose(priors, 1 / len(classes)).all())
    with numpy.errstate(divide="ignore"):
        offsets = 2.0 * numpy.log(priors)
    if not numpy.isfinite(offsets).all():
        context.refuse("a prior of 0", option="priors")
    manhattan = estimator.metric == "manhattan"
    scaled = context.arithmetic(rows, "divide", deviations)
    metric = "manhattan" if manhattan else "squared_euclidean"
    far = distances(metric, centroids / deviations, scaled, context)
    far = context.map(far, "square") if manhattan else far
    scores = context.arithmetic(context.arithmetic(far, "multiply", -1.0), "add", offsets)
    growth = max(1.0, float(((centroids / deviations) ** 2).sum(axis=1).max()))
    scores = replace(scores, tolerance=SCORE_TOLERANCE * growth)
    if even and not manhattan:
        nearest = nearest_point(rows, centroids, context)
    else:
        plain = distances(metric, centroids, rows, context)
        scored = context.arithmetic(plain, "multiply", -1.0) if even else scores
        nearest = largest(scored, context)
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
