"""scikit-learn's detectors of outliers: a score, and 1 for what is usual, -1 for what is not."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.ensembles import MISSING_LEFT, Ensemble, scikit_tree
from penstock.converters.scores import BELOW_ZERO
from penstock.converters.searching import searched, undecided
from penstock.converters.validation import check_version, finite_rows, sized
from penstock.converters.values import (
    LINEAR_TOLERANCE,
    LINK_TOLERANCE,
    Ask,
    Prediction,
    Value,
    codes,
    labels,
    number,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

LABELS = (-1, 1)
# Squares of sums in which what is far from the center cancels.
ELLIPSE_TOLERANCE = 1e-10
SINGLE_TOLERANCE = 1e-5
# scikit-learn's distances may have half of the digits (the root of ‖x‖² - 2x·p + ‖p‖²).
DENSITY_TOLERANCE = 1e-7
# Sums of equally near neighbors in another order.
ORDER_TOLERANCE = 1e-14


def isolation_forest(estimator: Any, value: Value, context: Context) -> Prediction:
    """How soon a row is alone in the trees.

    sklearn/ensemble/_iforest.py: depths are added tree by tree in f64, and the score is
    -2^(-depth / most). A row is usual where the score is the offset or more.
    """
    import numpy

    check_version(estimator, "_decision_path_lengths", context)
    most = _most(estimator)
    if most == 0.0:
        context.refuse("trees of one row each tell rows not apart", option="max_samples")
    depths = _depths(estimator, value, context)
    exponents = depths
    for operand in (most, -1.0):
        exponents = context.arithmetic(exponents, "divide", [operand], precision="f64")
    score = context.map(exponents, "exp2", tolerance=LINK_TOLERANCE, precision="f64")
    score = context.arithmetic(score, "multiply", [-1.0], precision="f64")
    raw = context.arithmetic(score, "subtract", [float(estimator.offset_)], precision="f64")
    # Of the depth itself, as the power of two is inexact, and many rows may lie on the offset.
    label = context.add(
        "above", depths, codes(1), threshold=_deepest_outlier(estimator, numpy.array([most]))
    )
    return Prediction(
        (
            labels(label, LABELS),
            number("score", score, Ask("score_samples")),
            number("raw", raw, Ask("decision_function")),
        )
    )


def _most(estimator: Any) -> float:
    from sklearn.ensemble._iforest import _average_path_length

    return float(len(estimator.estimators_) * _average_path_length([estimator._max_samples])[0])


def _depths(estimator: Any, value: Value, context: Context) -> Value:
    """The sum of the depths; numbers are cast to float32, and may be missing or infinite.

    Of sparse matrices the trees know no missing value (sklearn/tree/_tree.pyx): it goes right.
    """
    import numpy

    trees = []
    members = zip(
        estimator.estimators_,
        estimator.estimators_features_,
        estimator._decision_path_lengths,
        estimator._average_path_length_per_tree,
        strict=True,
    )
    subsampled = estimator._max_features != value.width
    for member, features, lengths, averages in members:
        tree = scikit_tree(member.tree_, (lengths + averages - 1.0).reshape(-1, 1))
        if subsampled:
            known = numpy.where(tree.features < 0, 0, tree.features)
            columns = numpy.where(tree.features < 0, -1, numpy.asarray(features)[known])
            tree = replace(tree, features=columns)
        if value.sparse:
            tree = replace(tree, flags=tree.flags & ~numpy.uint8(MISSING_LEFT))
        trees.append(tree)
    ensemble = Ensemble(trees, start=numpy.zeros(1), outputs=[0] * len(trees), precision="f32")
    return ensemble.add_to(context, context.number(value))


def _deepest_outlier(estimator: Any, most: Any) -> float:
    """The largest sum of depths that scikit-learn calls an outlier, found by halving."""
    import numpy

    def is_usual(depth: float) -> bool:
        score = -(2 ** (-numpy.divide(numpy.array([depth]), most)))
        return not bool((score - estimator.offset_ < 0)[0])

    # All scores are between those of depth zero, and of a depth beyond which they are -0.
    low, high = 0.0, float(2000.0 * most[0])
    if is_usual(low):
        return -1.0
    if not is_usual(high):
        return high
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return low
        low, high = (low, middle) if is_usual(middle) else (middle, high)


def local_outlier_factor(estimator: Any, value: Value, context: Context) -> Prediction:
    """How much less dense it is around a row than around its neighbors.

    sklearn/neighbors/_lof.py, `score_samples`: the distance from a neighbor counts as at least how
    far the last neighbor of that one is.
    """
    import numpy

    if not estimator.novelty:
        context.refuse("predicts of no other rows than those of training", option="novelty")
    if estimator._fit_X.dtype == numpy.float32 or value.precision == "f32":
        context.refuse("was fitted on float32; fit it on float64")
    count = int(estimator.n_neighbors_)
    neighbors = searched(estimator, value, context)
    if neighbors.metric == "squared_euclidean":
        context.refuse(f"`{estimator.effective_metric_}` is not supported", option="metric")
    columns = (*codes(count), *numeric_columns(count))
    tolerance = DENSITY_TOLERANCE if neighbors.tolerance else ORDER_TOLERANCE
    tolerance = 0.0 if neighbors.ordered and not neighbors.tolerance else tolerance
    found = context.add(
        "nearest", neighbors.rows, columns, tolerance=tolerance, count=count, **neighbors.fields
    )
    positions, far = (context.select(found, range(at, at + count)) for at in (0, count))
    ratio = _ratio(estimator, positions, far, context)
    score = context.arithmetic(ratio, "multiply", [-1.0], precision="f64")
    raw = context.arithmetic(score, "subtract", [float(estimator.offset_)], precision="f64")
    # What is no number is below nothing.
    told = context.add("impute", raw, raw.columns, missing=None, replacements=numpy.zeros(1))
    label = context.add("above", told, codes(1), threshold=BELOW_ZERO)
    answers = (
        labels(label, LABELS, decided_by="raw"),
        number("score", score, Ask("score_samples")),
        number("raw", raw, Ask("decision_function")),
    )
    doubt = undecided(estimator, neighbors, count, weighted=True)
    return Prediction(tuple(replace(answer, undecided=doubt) for answer in answers))


def _ratio(estimator: Any, positions: Value, far: Value, context: Context) -> Value:
    """The mean density of the neighbors, each by that of the row."""
    import numpy

    last = _known(positions, estimator._distances_fit_X_[:, far.width - 1], context)
    reach = context.add("combine", [far, last], numeric_columns(far.width), function="maximum")
    mean = context.arithmetic(_mean(reach, context), "add", [1e-10], precision="f64")
    density = context.map(mean, "reciprocal", precision="f64")
    others = _known(positions, estimator._lrd, context)
    ratios = context.add(
        "combine",
        [others, context.select(density, [0] * far.width)],
        numeric_columns(far.width),
        function="divide",
    )
    # Where all neighbors are infinitely far, the row has no density.
    with numpy.errstate(all="ignore"):
        endless = _known(positions, numpy.asarray(estimator._lrd) / 0.0, context)
    nowhere = context.add("indicate_missing", density, density.columns, missing=0.0)
    nowhere = context.select(nowhere, [0] * far.width)
    ratios = context.add("choose", [nowhere, endless, ratios], ratios.columns)
    return _mean(ratios, context)


def _known(positions: Value, known: Any, context: Context) -> Value:
    """What is known of the row of training at each position."""
    import numpy

    return context.add(
        "lookup",
        positions,
        numeric_columns(positions.width),
        values=numpy.tile(numpy.asarray(known, dtype="float64"), positions.width),
        ends=len(known) * numpy.arange(1, positions.width + 1),
        absent=numpy.zeros(positions.width),
    )


def _mean(value: Value, context: Context) -> Value:
    """numpy's mean of the elements."""
    return context.add("mean", value, numeric_columns(1))


def _added(value: Value, context: Context) -> Value:
    import numpy

    return context.add(
        "linear",
        value,
        numeric_columns(1),
        coefficients=numpy.ones((1, value.width)),
        intercepts=numpy.zeros(1),
    )


def elliptic_envelope(estimator: Any, value: Value, context: Context) -> Prediction:
    """Minus the squared distance from the center, by the precision of the covariance."""
    import numpy

    precision = numpy.asarray(estimator.get_precision(), dtype="float64")
    rows = finite_rows(value, context)
    rows = context.arithmetic(rows, "subtract", estimator.location_, precision="f64")
    # scipy/spatial/src/distance_metrics: the sum of (x - m) P (x - m), and its root, squared again.
    turned = context.add(
        "linear",
        rows,
        rows.columns,
        tolerance=ELLIPSE_TOLERANCE,
        coefficients=precision,
        intercepts=numpy.zeros(rows.width),
    )
    products = context.combine(rows, "multiply", turned)
    total = _added(products, context)
    for function in ("sqrt", "square"):
        total = context.map(total, function, precision="f64")
    score = context.arithmetic(total, "multiply", [-1.0], precision="f64")
    return _scored(score, estimator, context)


def _scored(score: Value, estimator: Any, context: Context) -> Prediction:
    raw = context.arithmetic(score, "subtract", [_only(estimator.offset_)], precision="f64")
    label = context.add("above", raw, codes(1), threshold=BELOW_ZERO)
    return Prediction(
        (
            labels(label, LABELS, decided_by="raw"),
            number("score", score, Ask("score_samples")),
            number("raw", raw, Ask("decision_function")),
        )
    )


def linear_one_class(estimator: Any, value: Value, context: Context) -> Prediction:
    """The dot product less the offset (sklearn/linear_model, `SGDOneClassSVM`)."""
    import numpy

    rows = context.require(context.number(value), precision=value.precision)
    scores = context.add(
        "linear",
        rows,
        numeric_columns(1),
        tolerance=SINGLE_TOLERANCE if value.precision == "f32" else LINEAR_TOLERANCE,
        coefficients=numpy.asarray(estimator.coef_, dtype="float64").reshape(1, -1),
        intercepts=-numpy.asarray(estimator.offset_, dtype="float64").reshape(1),
    )
    raw = scores
    score = context.arithmetic(raw, "add", [_only(estimator.offset_)], precision="f64")
    label = context.add("above", raw, codes(1), threshold=BELOW_ZERO)
    return Prediction(
        (
            labels(label, LABELS, decided_by="raw"),
            number("score", score, Ask("score_samples")),
            number("raw", raw, Ask("decision_function")),
        )
    )


def _only(offset: Any) -> float:
    """The only number of an array, or the number."""
    import numpy

    return float(numpy.ravel(offset)[0])


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.covariance.EllipticEnvelope": elliptic_envelope,
        "sklearn.ensemble.IsolationForest": isolation_forest,
        "sklearn.linear_model.SGDOneClassSVM": linear_one_class,
        "sklearn.neighbors.LocalOutlierFactor": local_outlier_factor,
    }
)
