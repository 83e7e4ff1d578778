"""scikit-learn's polynomial features: products of columns."""

from collections.abc import Callable, Mapping
from itertools import accumulate, chain
from typing import Any

from penstock.converters.context import Context
from penstock.converters.validation import check_version, floats, sized
from penstock.converters.values import Value, numeric_columns

__all__ = ["CONVERTERS"]


def polynomial_features(estimator: Any, value: Value, context: Context) -> Value:
    """Every product of columns up to the degree, multiplied in the order of scikit-learn."""
    import numpy

    check_version(estimator, "_max_degree", context)
    value = floats(value, context)
    terms = list(
        estimator._combinations(
            n_features=value.width,
            min_degree=estimator._min_degree,
            max_degree=estimator._max_degree,
            interaction_only=estimator.interaction_only,
            include_bias=estimator.include_bias,
        )
    )
    # sklearn/preprocessing/_polynomial.py, `transform`: a dense term of degree d is one of degree
    # d - 1, of the later columns, times the first; sparse terms are multiplied from the first on.
    factors = [term if value.sparse else term[::-1] for term in terms]
    return context.add(
        "products",
        value,
        numeric_columns(len(terms), value.dtype),
        sparse=value.sparse,
        factors=numpy.array(list(chain.from_iterable(factors)), dtype="int32"),
        ends=numpy.array(list(accumulate(map(len, factors))), dtype="int32"),
        # Up to the third degree sparse products are made of stored numbers only.
        absorbing=value.sparse and estimator._max_degree <= 3,
        precision=value.precision,
    )


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.preprocessing.PolynomialFeatures": polynomial_features,
    }
)
