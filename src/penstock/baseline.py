"""What the example data look like, column by column: what later data are compared with."""

from collections import Counter
from typing import Any

from penstock.converters.values import Column
from penstock.errors import PenstockError
from penstock.frames import Example
from penstock.kinds import plain
from penstock.model import Model
from penstock.schema import Field, Output
from penstock.times import ticks, written

__all__ = ["answered", "baseline"]

QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
# Between these quantiles are the bins of numbers that have more values than `MOST_VALUES`.
DECILES = tuple(at / 10 for at in range(1, 10))
MOST_VALUES = 20
TOP_LEVELS = 20
# Of an output of several numbers; a model with more classes is watched by its label.
MOST_ELEMENTS = 32


def baseline(example: Example, fields: tuple[Field, ...]) -> dict[str, Any]:
    """Statistics of every column that the model reads, by its name."""
    return {
        str(column.name): _statistics(example.raw_values(at), column)
        for at, (column, field) in enumerate(zip(example.columns, fields, strict=True))
        if field.type != "ignored"
    }


def answered(model: Model, outputs: tuple[Output, ...], example: Example) -> dict[str, Any]:
    """What the model answers to the example, by `output:` and the name of each output.

    A row that the model refuses counts as missing. Features are left out: they are inputs of
    something else.
    """
    try:
        answers = model.predict_columns(example.data)
    except PenstockError:
        return {}
    statistics = {}
    first = 0
    for output in outputs:
        width = len(output.names) if output.names is not None else 1
        columns = [answers.column(at) for at in range(first, first + min(width, MOST_ELEMENTS))]
        first += width
        if output.kind != "features":
            statistics[f"output:{output.name}"] = _of_output(output, columns)
    return statistics


def _of_output(output: Output, columns: list[tuple[Any, ...]]) -> dict[str, Any]:
    import numpy

    if output.kind == "label":
        codes = numpy.frombuffer(columns[0][1], dtype="uint32")
        known = codes[codes < len(output.levels or ())]
        counts = numpy.bincount(known, minlength=len(output.levels or ())).tolist()
        return {"count": len(codes), "missing": len(codes) - len(known), "counts": counts}
    elements = [_of_answers(numpy.frombuffer(column[1], dtype="float64")) for column in columns]
    return elements[0] if output.kind == "number" else {"elements": elements}


def _of_answers(numbers: Any) -> dict[str, Any]:
    import numpy

    present = numbers[~numpy.isnan(numbers)]
    missing = len(numbers) - len(present)
    return {"count": len(numbers), "missing": missing, "bins": _bins(present)}


def _statistics(values: list[Any], column: Column) -> dict[str, Any]:
    if column.kind == "timestamp":
        times = [ticks(written(plain(value)), "us") for value in values]
        return {"count": len(values)} | _of_numbers(times)
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
        nothing: dict[str, Any] = {"minimum": None, "maximum": None, "mean": None, "quantiles": {}}
        return statistics | nothing | {"bins": _bins(present)}
    quantiles = numpy.quantile(finite, QUANTILES)
    return statistics | {
        "minimum": float(finite.min()),
        "maximum": float(finite.max()),
        "mean": float(finite.mean()),
        "quantiles": {str(at): float(x) for at, x in zip(QUANTILES, quantiles, strict=True)},
        "bins": _bins(present),
    }


def _bins(present: Any) -> dict[str, Any] | None:
    """Edges between values, and how many lie below, between and above them.

    Each of few values has a bin of its own; else there are ten of about the same size. The first
    bin and the last one are outside of what was seen, and hold infinities only. Edges are halfway
    between two values, so that it is the same bin in which a rounded value falls.
    """
    import numpy

    finite = present[numpy.isfinite(present)]
    values = numpy.unique(finite)
    if not len(values):
        return None
    # An edge beyond the largest float is left out below.
    with numpy.errstate(over="ignore"):
        gaps = numpy.diff(values / 2)
        around = gaps[[0, -1]] if len(gaps) else numpy.full(2, max(abs(values[0]), 1.0) * 1e-6)
        between = values[:-1] + gaps
        outer = values[[0, -1]] + around * (-1, 1)
    if len(values) > MOST_VALUES:
        deciles = numpy.quantile(finite, DECILES, method="inverted_cdf")
        above = numpy.searchsorted(values, deciles)
        between = between[above[above < len(between)]]
    edges = numpy.unique([*outer, *between])
    edges = edges[numpy.isfinite(edges)]
    if not len(edges):
        return None
    places = numpy.searchsorted(edges, present, side="right")
    counts = numpy.bincount(places, minlength=len(edges) + 1)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def _of_levels(values: list[Any]) -> dict[str, Any]:
    counter: Counter[Any] = Counter()
    # Every NaN is a level of its own until it is plain.
    for level, count in Counter(values).items():
        counter[plain(level)] += count
    missing = counter.pop(None, 0)
    ranked = sorted(counter.items(), key=lambda item: (-item[1], str(item[0])))
    levels = [list(item) for item in ranked[:TOP_LEVELS]]
    return {"missing": missing, "distinct": len(counter), "levels": levels}
