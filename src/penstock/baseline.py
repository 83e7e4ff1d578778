"""What the example data look like, column by column: what later data are compared with."""

from collections import Counter
from typing import Any

from penstock.converters.values import Column
from penstock.frames import Example
from penstock.kinds import plain
from penstock.schema import Field

__all__ = ["baseline"]

QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
TOP_LEVELS = 20


def baseline(example: Example, fields: tuple[Field, ...]) -> dict[str, Any]:
    """Statistics of every column that the model reads, by its name."""
    return {
        str(column.name): _statistics(example.raw_values(at), column)
        for at, (column, field) in enumerate(zip(example.columns, fields, strict=True))
        if field.type != "ignored"
    }


def _statistics(values: list[Any], column: Column) -> dict[str, Any]:
    if column.kind == "number" and column.categories is None:
        return {"count": len(values)} | _of_numbers(values)
    return {"count": len(values)} | _of_levels(values)


def _of_numbers(values: list[Any]) -> dict[str, Any]:
    import numpy

    try:
        numbers = numpy.array(values, dtype="float64")
    except TypeError:  # pandas.NA is no float
        numbers = numpy.array([plain(value) for value in values], dtype="float64")
    present = numbers[~numpy.isnan(numbers)]
    finite = present[numpy.isfinite(present)]
    statistics: dict[str, Any] = {
        "missing": len(numbers) - len(present),
        "infinite": len(present) - len(finite),
    }
    if not len(finite):
        return statistics | {"minimum": None, "maximum": None, "mean": None, "quantiles": {}}
    quantiles = numpy.quantile(finite, QUANTILES)
    return statistics | {
        "minimum": float(finite.min()),
        "maximum": float(finite.max()),
        "mean": float(finite.mean()),
        "quantiles": {str(at): float(x) for at, x in zip(QUANTILES, quantiles, strict=True)},
    }


def _of_levels(values: list[Any]) -> dict[str, Any]:
    counter: Counter[Any] = Counter()
    # Every NaN is a level of its own until it is plain.
    for level, count in Counter(values).items():
        counter[plain(level)] += count
    missing = counter.pop(None, 0)
    ranked = sorted(counter.items(), key=lambda item: (-item[1], str(item[0])))
    levels = [list(item) for item in ranked[:TOP_LEVELS]]
    return {"missing": missing, "distinct": len(counter), "levels": levels}
