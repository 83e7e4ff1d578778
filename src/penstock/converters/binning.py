"""scikit-learn's discretizers: numbers to 0 and 1, or to bins."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.validation import array_dtype, dense, floats, sized
from penstock.converters.values import Column, Value, codes, numeric_columns

__all__ = ["CONVERTERS"]


def binarizer(estimator: Any, value: Value, context: Context) -> Value:
    """1 above the threshold, else 0, in the dtype of the array."""
    import numpy

    threshold = float(estimator.threshold)
    if not numpy.isfinite(threshold):
        context.refuse(f"{threshold} is not a finite number", option="threshold")
    if value.sparse and threshold < 0:
        context.refuse("a sparse matrix takes no threshold below 0", option="threshold")
    dtype = array_dtype(value)
    numbers = floats(value, context, dtype=value.dtype)
    precision = numbers.precision
    if hasattr(estimator.threshold, "dtype"):
        # sklearn/utils/_array_api.py, `_find_matching_floating_dtype`: a numpy scalar has a say in
        # the dtype in which is compared, a Python number has not.
        own = str(estimator.threshold.dtype)
        if own == "float16" or (own == "float32" and precision == "f64"):
            context.refuse(f"a numpy.{own} compares in {own}; give a float", option="threshold")
        precision = "f64" if own == "float64" else precision
    kind, dtype = ("boolean", dtype) if dtype == "bool" else ("number", dtype)
    return context.add(
        "binarize",
        numbers,
        (Column(None, kind, "float64" if dtype == "object" else dtype),) * value.width,
        sparse=value.sparse,
        threshold=threshold,
        precision=precision,
    )


def k_bins_discretizer(estimator: Any, value: Value, context: Context) -> Value:
    """The bin of each number: as one-hot numbers, or its position among the bins."""
    import numpy

    numbers = _in_dtype(estimator, dense(value, context), context)
    edges = [numpy.asarray(edges[1:-1], dtype="float64") for edges in estimator.bin_edges_]
    for at, inner in enumerate(edges):
        if not (numpy.diff(inner) >= 0).all() or numpy.isnan(inner).any():
            context.refuse(f"the edges of column {at} do not ascend; fit it again")
    bins = context.add(
        "digitize",
        numbers,
        codes(value.width),
        edges=numpy.concatenate([numpy.empty(0), *edges]),
        ends=numpy.cumsum([len(inner) for inner in edges]),
    )
    counts = numpy.array([len(inner) + 1 for inner in edges])
    if estimator.encode != "ordinal":
        return context.add(
            "one_hot",
            bins,
            numeric_columns(int(counts.sum()), numbers.dtype),
            sparse=estimator.encode == "onehot",
            widths=counts,
        )
    return context.add(
        "lookup",
        bins,
        numbers.columns,
        values=numpy.concatenate([numpy.arange(count, dtype="float64") for count in counts]),
        ends=numpy.cumsum(counts),
        absent=numpy.zeros(value.width),
    )


def _in_dtype(estimator: Any, value: Value, context: Context) -> Value:
    """The array in the dtype that is asked for; numbers that this makes infinite are refused."""
    if estimator.dtype is None:
        return floats(value, context)
    import numpy

    dtype = str(numpy.dtype(estimator.dtype))
    numbers = context.number(value)
    if dtype == "float32":
        numbers = context.cast(context.require(numbers, precision="f32"), "f32")
    else:
        numbers = context.require(numbers)
    return replace(numbers, columns=numeric_columns(value.width, dtype), frame="")


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.preprocessing.Binarizer": binarizer,
        "sklearn.preprocessing.KBinsDiscretizer": k_bins_discretizer,
    }
)
