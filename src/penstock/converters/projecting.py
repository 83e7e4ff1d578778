"""scikit-learn's projections: rows as sums of components that were found in training."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.responses import summed
from penstock.converters.scores import link
from penstock.converters.validation import dense, floats, sized
from penstock.converters.values import (
    LINEAR_TOLERANCE,
    Ask,
    Prediction,
    Value,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

# As sums of linear models in float32.
SINGLE_TOLERANCE = 1e-5
# Beyond it a solution has lost more than ten of its sixteen digits.
MOST_CONDITION = 1e6


def principal_components(estimator: Any, value: Value, context: Context) -> Value:
    """The components of a row less those of the mean; divided by their deviation to whiten.

    sklearn/decomposition/_base.py, `_BasePCA._transform`.
    """
    import numpy

    components = estimator.components_
    scales = numpy.sqrt(estimator.explained_variance_)
    mean = estimator.mean_.reshape(1, -1) @ components.T
    # What is far from zero cancels, and what rounding has made of it stays.
    growth = (numpy.abs(estimator.mean_) @ numpy.abs(components.T)) / numpy.maximum(scales, 1.0)
    result = _projected(
        floats(value, context),
        components,
        context,
        intercepts=-mean.ravel(),
        growth=max(1.0, float(growth.max())),
    )
    if not estimator.whiten:
        return result
    least = numpy.finfo(scales.dtype).eps
    return context.arithmetic(result, "divide", numpy.maximum(scales, least))


def truncated_svd(estimator: Any, value: Value, context: Context) -> Value:
    """The components of a row."""
    return _projected(_checked(value, context), estimator.components_, context)


def independent_components(estimator: Any, value: Value, context: Context) -> Value:
    """The components of a row less the mean."""
    rows = floats(dense(value, context), context)
    if estimator.whiten:
        rows = context.arithmetic(rows, "subtract", estimator.mean_)
    return _projected(rows, estimator.components_, context)


def factor_analysis(estimator: Any, value: Value, context: Context) -> Value:
    """The expected latent variables (sklearn/decomposition/_factor_analysis.py, `transform`)."""
    import numpy

    weighted = estimator.components_ / estimator.noise_variance_
    unit = numpy.eye(len(estimator.components_))
    covariance = numpy.linalg.inv(unit + numpy.dot(weighted, estimator.components_.T))
    rows = _checked(dense(value, context), context)
    rows = rows.with_columns(numeric_columns(rows.width))
    rows = context.arithmetic(rows, "subtract", estimator.mean_)
    return _projected(
        _projected(rows, weighted, context, growth=100.0), covariance.T, context, growth=100.0
    )


def random_projection(estimator: Any, value: Value, context: Context) -> Value:
    """Random sums of a row."""
    components = estimator.components_
    components = components.toarray() if hasattr(components, "toarray") else components
    return _projected(floats(dense(value, context), context), components, context)


def neighborhood_components(estimator: Any, value: Value, context: Context) -> Value:
    """The components of a row."""
    return _projected(_checked(dense(value, context), context), estimator.components_, context)


def singular_values(estimator: Any, value: Value, context: Context) -> Value:
    """The components of a scaled row (sklearn/cross_decomposition/_pls.py, `PLSSVD`)."""
    rows = _doubles(value, estimator.x_weights_, context)
    rows = context.arithmetic(rows, "subtract", estimator._x_mean, precision="f64")
    rows = context.arithmetic(rows, "divide", estimator._x_std, precision="f64")
    return _projected(rows, estimator.x_weights_.T, context)


def sparse_components(estimator: Any, value: Value, context: Context) -> Value:
    """A ridge regression of the row less the mean, which is linear.

    sklearn/decomposition/_sparse_pca.py, `_BaseSparsePCA.transform`.
    """
    import numpy

    components = estimator.components_.astype("float64")
    gram = components @ components.T + estimator.ridge_alpha * numpy.eye(len(components))
    if numpy.linalg.cond(gram) > MOST_CONDITION:
        context.refuse("has components that are almost the same", option="ridge_alpha")
    rows = _doubles(value, estimator.components_, context)
    rows = context.arithmetic(rows, "subtract", estimator.mean_, precision="f64")
    return _projected(rows, numpy.linalg.solve(gram, components), context, growth=1000.0)


def boltzmann_machine(estimator: Any, value: Value, context: Context) -> Value:
    """How likely each hidden unit is on (sklearn/neural_network/_rbm.py, `_mean_hiddens`)."""
    import numpy

    rows = floats(dense(value, context), context)
    sums = _projected(
        rows,
        estimator.components_,
        context,
        intercepts=numpy.asarray(estimator.intercept_hidden_),
    )
    return link(sums, "sigmoid", context)


def sparse_code(estimator: Any, value: Value, context: Context) -> Value:
    """What of the products with the atoms is beyond a threshold.

    sklearn/decomposition/_dict_learning.py, `_sparse_encode`, of algorithm `threshold`; the others
    solve a problem for each row, in steps.
    """
    import numpy

    if estimator.transform_algorithm != "threshold":
        context.refuse(
            f"`{estimator.transform_algorithm}` solves a problem for each row; use `threshold`",
            option="transform_algorithm",
        )
    atoms = getattr(estimator, "components_", None)
    atoms = numpy.asarray(estimator.dictionary if atoms is None else atoms)
    alpha = estimator.transform_alpha
    alpha = getattr(estimator, "alpha", None) if alpha is None else alpha
    alpha = 1.0 if alpha is None else float(alpha)
    products = _projected(_doubles(value, atoms, context), atoms, context)
    # sign(x) * max(|x| - alpha, 0) is what clipping leaves over, to the bit.
    inside = _clipped(products, -alpha, alpha, context)
    code = summed([products, inside], context, weights=[1.0, -1.0])
    if estimator.positive_code:
        code = _clipped(code, 0.0, numpy.inf, context)
    if not estimator.split_sign:
        return code
    below = _clipped(code, -numpy.inf, 0.0, context)
    below = context.arithmetic(below, "multiply", numpy.full(code.width, -1.0), precision="f64")
    return context.concat([_clipped(code, 0.0, numpy.inf, context), below])


def agglomeration(estimator: Any, value: Value, context: Context) -> Value:
    """The mean of the features of each cluster."""
    import numpy

    if estimator.pooling_func is not numpy.mean:
        context.refuse("an artifact holds no functions but `numpy.mean`", option="pooling_func")
    known = numpy.eye(int(estimator.labels_.max()) + 1)[:, estimator.labels_]
    shares = known / known.sum(axis=1, keepdims=True)
    rows = _checked(dense(value, context), context)
    rows = rows.with_columns(numeric_columns(rows.width))
    return _projected(rows, shares, context)


def _doubles(value: Value, fitted: Any, context: Context) -> Value:
    """The rows as float64, where nothing is computed in float32."""
    if value.precision == "f32" and str(fitted.dtype) == "float32":
        context.refuse("computes in float32; fit it on float64")
    rows = _checked(dense(value, context), context)
    return rows.with_columns(numeric_columns(rows.width))


def _clipped(value: Value, low: float, high: float, context: Context) -> Value:
    import numpy

    return context.add(
        "clip",
        value,
        value.columns,
        minimum=numpy.full(value.width, low),
        maximum=numpy.full(value.width, high),
        precision="f64",
    )


def partial_least_squares(estimator: Any, value: Value, context: Context) -> Prediction:
    """The dot product of a row less the mean (sklearn/cross_decomposition/_pls.py, `predict`)."""
    import numpy

    rows = floats(dense(value, context), context)
    rows = context.arithmetic(rows, "subtract", estimator._x_mean)
    targets = _projected(
        rows, estimator.coef_, context, intercepts=numpy.asarray(estimator.intercept_)
    )
    if targets.width > 1:
        return Prediction((numbers("value", targets, range(targets.width), Ask("predict")),))
    first = Ask("predict", pick=lambda answer: answer.reshape(len(answer), -1)[:, 0])
    return Prediction((number("value", targets, first),))


def _checked(value: Value, context: Context) -> Value:
    rows = context.require(context.number(value), precision=value.precision)
    return replace(rows, columns=numeric_columns(value.width, value.dtype), frame="")


def _projected(
    rows: Value,
    components: Any,
    context: Context,
    *,
    intercepts: Any = None,
    growth: float = 1.0,
) -> Value:
    """The dot products with the components; in float32 where rows and components are."""
    import numpy

    single = rows.precision == "f32" and components.dtype == numpy.float32
    least = max(SINGLE_TOLERANCE, rows.width * 2.0**-24) if single else LINEAR_TOLERANCE
    count = len(components)
    result = context.add(
        "linear",
        rows,
        numeric_columns(count),
        tolerance=least * growth,
        coefficients=components.astype("float64"),
        intercepts=numpy.zeros(count) if intercepts is None else intercepts.astype("float64"),
    )
    return context.cast(result, "f32") if single else result


REGRESSORS = ("CCA", "PLSCanonical", "PLSRegression")

CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        **{f"sklearn.cross_decomposition.{name}": partial_least_squares for name in REGRESSORS},
        "sklearn.cluster.FeatureAgglomeration": agglomeration,
        "sklearn.cross_decomposition.PLSSVD": singular_values,
        "sklearn.decomposition.DictionaryLearning": sparse_code,
        "sklearn.decomposition.FactorAnalysis": factor_analysis,
        "sklearn.decomposition.FastICA": independent_components,
        "sklearn.decomposition.IncrementalPCA": principal_components,
        "sklearn.decomposition.MiniBatchDictionaryLearning": sparse_code,
        "sklearn.decomposition.MiniBatchSparsePCA": sparse_components,
        "sklearn.decomposition.PCA": principal_components,
        "sklearn.decomposition.SparseCoder": sparse_code,
        "sklearn.decomposition.SparsePCA": sparse_components,
        "sklearn.decomposition.TruncatedSVD": truncated_svd,
        "sklearn.neighbors.NeighborhoodComponentsAnalysis": neighborhood_components,
        "sklearn.neural_network.BernoulliRBM": boltzmann_machine,
        "sklearn.random_projection.GaussianRandomProjection": random_projection,
        "sklearn.random_projection.SparseRandomProjection": random_projection,
    }
)
