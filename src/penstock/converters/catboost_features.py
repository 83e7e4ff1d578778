"""The columns as CatBoost's trees test them: numbers, categories alone, and what was counted."""

from collections.abc import Mapping
from dataclasses import replace

from penstock.converters.catboost_counts import Counted
from penstock.converters.catboost_json import Model
from penstock.converters.context import Context
from penstock.converters.values import Column, Value, codes, numeric_columns

__all__ = ["features"]

# A value of a category that is not of a known one, in an indicator.
ABSENT = -1


def features(model: Model, value: Value, context: Context) -> Value:
    """The elements that the trees of the model test."""
    _check(model, value, context)
    numbers = context.select(value, [item.position for item in model.numbers])
    numbers = replace(context.number(numbers), frame="")
    parts = [numbers] if model.numbers else []
    if model.categories:
        chosen = context.select(value, [item.position for item in model.categories])
        hashes = context.add("hash_category", chosen, numeric_columns(chosen.width))
        indicators = _indicators(model, hashes, context)
        parts += [indicators] if indicators is not None else []
        parts += _counts(model, numbers, hashes, indicators, context)
    return context.concat(parts)


def _check(model: Model, value: Value, context: Context) -> None:
    known = {item.position: item.name for item in model.numbers}
    known |= {item.position: item.name for item in model.categories}
    if max(known) >= value.width:
        context.refuse(f"was fitted on {max(known) + 1} columns or more and gets {value.width}")
    for at, name in known.items():
        found = value.columns[at].name
        if value.frame and name not in ("", str(at), str(found)):
            context.refuse(
                f"was fitted with the column `{name}` where the example has `{found}`; give the "
                "columns in the order of the training data"
            )
    for number in model.numbers:
        column = value.columns[number.position]
        if column.dtype == "category" or column.kind not in ("number", "boolean"):
            context.refuse(f"column `{column.name or number.position}` is none of numbers")
    for category in model.categories:
        column = value.columns[category.position]
        if not _is_category(column):
            context.refuse(
                f"column `{column.name or category.position}` has `{column.dtype}`, and CatBoost "
                "takes texts and integers as categories; give them as text",
                option="cat_features",
            )


def _is_category(column: Column) -> bool:
    if column.kind in ("boolean", "text"):
        return True
    if column.dtype == "category":
        return all(isinstance(level, int) for level in column.categories or ())
    return column.kind == "number" and "int" in column.dtype.lower()


def _indicators(model: Model, hashes: Value, context: Context) -> Value | None:
    """1 where a category has the hash of one of its `values`, else 0; none is built."""
    import numpy

    tested = [at for at, item in enumerate(model.categories) if item.values]
    if not tested:
        return None
    counts = [len(model.categories[at].values) for at in tested]
    levels = [value for at in tested for value in model.categories[at].values]
    coded = context.add(
        "encode_number",
        context.select(hashes, tested),
        codes(len(tested)),
        levels=numpy.array(levels, dtype="float64"),
        ends=numpy.cumsum(counts),
        codes=numpy.concatenate([numpy.arange(count) for count in counts]),
        missing_codes=numpy.full(len(tested), ABSENT),
        unseen_codes=numpy.full(len(tested), ABSENT),
    )
    return context.add("one_hot", coded, numeric_columns(sum(counts)), widths=numpy.array(counts))


def _counts(
    model: Model, numbers: Value, hashes: Value, indicators: Value | None, context: Context
) -> list[Value]:
    """The counted features in their order; equal combinations are looked up once."""
    import numpy

    places = _places(model)
    found: dict[tuple[object, ...], Value] = {}
    parts = []
    for item in model.counts:
        key = (item.categories, item.numbers, item.values, item.hashes.tobytes())
        if key not in found:
            found[key] = _code(
                item, _combined(model, item, numbers, hashes, indicators, places, context), context
            )
        parts.append(
            context.add(
                "lookup",
                found[key],
                numeric_columns(1),
                values=item.results,
                ends=numpy.array([len(item.results)]),
                absent=numpy.array([item.absent]),
            )
        )
    return parts


def _places(model: Model) -> Mapping[tuple[int, int], int]:
    """Where among the indicators each value of each category is."""
    pairs = [(at, value) for at, item in enumerate(model.categories) for value in item.values]
    return {pair: place for place, pair in enumerate(pairs)}


def _code(item: Counted, combined: Value, context: Context) -> Value:
    """The position of the combination among those of the training data."""
    import numpy

    halves = item.hashes.astype("<u8").view("<u4")
    return context.add("encode_hashes", combined, codes(1), hashes=numpy.array(halves, "uint32"))


def _combined(
    model: Model,
    item: Counted,
    numbers: Value,
    hashes: Value,
    indicators: Value | None,
    places: Mapping[tuple[int, int], int],
    context: Context,
) -> Value:
    """What CatBoost hashes together: categories, tests of numbers, and tests of categories."""
    parts = [context.select(hashes, item.categories)] if item.categories else []
    parts += [_above(model, at, border, numbers, context) for at, border in item.numbers]
    if item.values:
        if indicators is None or any(pair not in places for pair in item.values):
            context.refuse("a combination tests a category for a value that the model lacks")
        parts.append(context.select(indicators, [places[pair] for pair in item.values]))
    return context.concat(parts)


def _above(model: Model, at: int, border: float, numbers: Value, context: Context) -> Value:
    """1 where the number, rounded to f32, is above the border; NaN goes where the trees send it."""
    import numpy

    number = context.cast(context.select(numbers, [at]), "f32")
    if model.numbers[at].nan_is_large:
        number = context.add(
            "impute", number, number.columns, missing=None, replacements=numpy.array([numpy.inf])
        )
    return context.add(
        "binarize", number, numeric_columns(1), threshold=float(border), precision="f32"
    )
