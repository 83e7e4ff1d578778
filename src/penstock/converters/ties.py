"""Whether rows of training are equally near where a gap is filled from the nearest of them."""

from typing import Any

__all__ = ["CHANCE", "tied"]

# What is said of neighbors whose order no artifact can keep.
CHANCE = "count is left to `numpy.argpartition`, whose choice depends on the processor"

# Rows that are looked at, spread over those of training.
ROWS = 32
# Of the larger distance: what rounding leaves of a root of squares.
ROUNDING = 1e-12


def tied(known: Any, count: int) -> bool:
    """Whether a row of training that lacks one number finds others equally near.

    `known`: the rows of training, NaN where they have gaps. It matters where one of the `count`
    nearest is as far as the next one and has another number
    (sklearn/impute/_knn.py, `_calc_impute`).
    """
    import numpy
    from sklearn.metrics.pairwise import nan_euclidean_distances

    rows = known[:: max(1, len(known) // ROWS)]
    for column in range(known.shape[1]):
        donors = known[~numpy.isnan(known[:, column])]
        if count >= len(donors):
            continue
        probes = rows.copy()
        probes[:, column] = numpy.nan
        far = nan_euclidean_distances(probes, donors)
        far = far[~numpy.isnan(far).any(axis=1)]
        edge = numpy.partition(far, count, axis=1)[:, [count - 1, count]]
        last = edge[:, :1]
        equal = numpy.abs(far - last) <= ROUNDING * last
        values = numpy.where(equal, donors[:, column], numpy.nan)
        differ = numpy.nanmax(values, axis=1) > numpy.nanmin(values, axis=1)
        apart = edge[:, 1] - edge[:, 0] > ROUNDING * edge[:, 0]
        if (differ & ~apart).any():
            return True
    return False
