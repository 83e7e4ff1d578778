"""scikit-learn's transformers to a normal or uniform distribution: powers and quantiles."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.converters.context import Context
from penstock.converters.scaling import CONVERTERS as SCALERS
from penstock.converters.validation import dense, floats, sized
from penstock.converters.values import LINEAR_TOLERANCE, LINK_TOLERANCE, Value

__all__ = ["CONVERTERS"]

FAMILIES = {"box-cox": "box_cox", "yeo-johnson": "yeo_johnson"}
# sklearn/preprocessing/_data.py.
MARGIN = 1e-7
# Exponentials and logarithms in the last bit of float32.
SINGLE_TOLERANCE = 1e-5


def power_transformer(estimator: Any, value: Value, context: Context) -> Value:
    """A power of each number, then scaled."""
    import numpy

    if not numpy.isfinite(estimator.lambdas_).all():
        context.refuse("has an exponent that is not finite; fit it on columns with several values")
    rows = floats(dense(value, context), context, missing=True)
    single = rows.precision == "f32"
    powers = context.add(
        "power",
        rows,
        rows.columns,
        tolerance=SINGLE_TOLERANCE if single else LINEAR_TOLERANCE,
        family=FAMILIES[estimator.method],
        exponents=estimator.lambdas_.astype("float64"),
        precision=rows.precision,
    )
    if not estimator.standardize:
        return powers
    scaled: Value = SCALERS["sklearn.preprocessing.StandardScaler"](
        estimator._scaler, powers, context
    )
    return scaled


def quantile_transformer(estimator: Any, value: Value, context: Context) -> Value:
    """The rank of each number among the quantiles; of a normal distribution, that of the rank."""
    import numpy

    if value.sparse:
        context.refuse("takes no sparse matrix here, of which only some numbers are transformed")
    rows = floats(value, context, missing=True)
    normal = estimator.output_distribution == "normal"
    ranks = context.add(
        "quantile_rank",
        rows,
        rows.columns,
        points=estimator.quantiles_.T.astype("float64"),
        ranks=estimator.references_.astype("float64"),
        margin=MARGIN if normal else 0.0,
        precision=rows.precision,
    )
    if not normal:
        return ranks
    from scipy.stats import norm

    numbers = context.add(
        "map",
        ranks,
        rows.columns,
        tolerance=SINGLE_TOLERANCE if rows.precision == "f32" else 10 * LINK_TOLERANCE,
        function="normal_quantile",
        precision=rows.precision,
    )
    low = norm.ppf(MARGIN - numpy.spacing(1))
    high = norm.ppf(1 - (MARGIN - numpy.spacing(1)))
    return context.add(
        "clip",
        numbers,
        rows.columns,
        minimum=numpy.full(value.width, float(low)),
        maximum=numpy.full(value.width, float(high)),
        precision=rows.precision,
    )


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.preprocessing.PowerTransformer": power_transformer,
        "sklearn.preprocessing.QuantileTransformer": quantile_transformer,
    }
)
