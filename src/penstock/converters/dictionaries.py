"""Dictionaries to numbers: a column for each key or level, or buckets by hashes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penstock.converters.characters import encodable
from penstock.converters.context import Context
from penstock.converters.values import LINK_TOLERANCE, Value, codes, numeric_columns

__all__ = ["CONVERTERS"]

# `MAX_WIDTH` of the engine.
MOST_WIDE = 1 << 20


def dict_vectorizer(estimator: Any, value: Value, context: Context) -> Value:
    """A column for each key of numbers and each level of a key of texts; 0 where there is none.

    sklearn/feature_extraction/_dict_vectorizer.py, `_transform`.
    """
    dtype = _checked(estimator, value, context)
    known = {name: int(at) for name, at in estimator.vocabulary_.items() if isinstance(name, str)}
    texts = [at for at, column in enumerate(value.columns) if column.kind == "text"]
    levels = {at: _levels(f"{value.columns[at].name}{estimator.separator}", known) for at in texts}
    texts = [at for at in texts if levels[at]]
    numbers = [
        at
        for at, column in enumerate(value.columns)
        if column.kind != "text" and column.name in known
    ]
    places = [place for at in texts for place in levels[at].values()]
    places += [known[str(value.columns[at].name)] for at in numbers]
    _check_places(estimator, places, context)
    parts = []
    if texts:
        parts.append(_indicators(value, texts, [list(levels[at]) for at in texts], context))
    if numbers:
        parts.append(_numbers(context.select(value, numbers), context))
    together = context.concat(parts)
    order = [places.index(place) for place in range(len(places))]
    ordered = context.cast(context.select(together, order), "f32" if dtype == "float32" else "f64")
    columns = numeric_columns(ordered.width, dtype)
    return Value(ordered.node, columns, bool(estimator.sparse), tolerance=ordered.tolerance)


def _checked(estimator: Any, value: Value, context: Context) -> str:
    """The type of the numbers; refuses what is not exact."""
    import numpy

    if not value.keyed:
        context.refuse(
            "takes dictionaries, and gets a table; give the example as a list of dictionaries that "
            "lack what is missing"
        )
    dtype = str(numpy.dtype(estimator.dtype))
    if dtype not in ("float32", "float64"):
        context.refuse(f"{dtype} cuts or overflows; known are float64 and float32", option="dtype")
    for column in value.columns:
        if column.kind == "text" and column.missing == "nan":
            context.refuse(f"the key `{column.name}` has texts and NaN; leave the NaN out")
    return dtype


def _levels(start: str, known: Mapping[str, int]) -> dict[str, int]:
    """The levels of a key of texts, and where they are."""
    return {
        name[len(start) :]: at
        for name, at in known.items()
        if name.startswith(start) and encodable(name)
    }


def _check_places(estimator: Any, places: Sequence[int], context: Context) -> None:
    names = estimator.feature_names_
    twice = sorted({at for at in places if places.count(at) > 1}) if _repeats(places) else []
    if twice:
        context.refuse(f"two keys of the example make the feature `{names[twice[0]]}`; rename one")
    lacking = sorted(set(range(len(names))) - set(places))
    if lacking:
        context.refuse(
            f"no row of the example has a key for the feature `{names[lacking[0]]}`, or it has "
            "another type there; give rows with all keys, each with numbers or with texts"
        )


def _repeats(places: Sequence[int]) -> bool:
    return len(set(places)) < len(places)


def _indicators(
    value: Value, positions: Sequence[int], levels: Sequence[list[str]], context: Context
) -> Value:
    """1 for the level that a key has, 0 for others."""
    import numpy

    counts = [len(known) for known in levels]
    coded = context.add(
        "encode_text",
        context.select(value, positions),
        codes(len(positions)),
        levels=[level for known in levels for level in known],
        ends=numpy.cumsum(counts),
        codes=numpy.concatenate([numpy.arange(count) for count in counts]),
        missing_codes=numpy.full(len(positions), -1),
        unseen_codes=numpy.full(len(positions), -1),
    )
    return context.add("one_hot", coded, numeric_columns(sum(counts)), widths=numpy.array(counts))


def _numbers(value: Value, context: Context) -> Value:
    """The numbers, 0 where a key is absent; where the example has NaN, that stays."""
    import numpy

    parts = []
    for at, column in enumerate(value.columns):
        part = context.number(context.select(value, [at]))
        if column.missing != "nan":
            zero = numpy.zeros(1)
            part = context.add("impute", part, part.columns, missing=None, replacements=zero)
        parts.append(part)
    return context.concat(parts)


def feature_hasher(estimator: Any, value: Value, context: Context) -> Value:
    """Numbers in the buckets of their keys, and 1 in that of a key and its text.

    sklearn/feature_extraction/_hashing_fast.pyx, `transform`.
    """
    if estimator.input_type != "dict":
        context.refuse(
            f"`{estimator.input_type}`, as rows of pairs and of texts have no columns; fit on "
            'dictionaries with `input_type="dict"`',
            option="input_type",
        )
    dtype = _checked(estimator, value, context)
    width = int(estimator.n_features)
    if width > MOST_WIDE:
        context.refuse(f"more than {MOST_WIDE} buckets; the default", option="n_features")
    for column in value.columns:
        if column.missing == "nan":
            context.refuse(f"the key `{column.name}` is NaN in some rows; leave it out of them")
    # scikit-learn adds what comes in one bucket in an order of its own.
    exact = value.width < 3 or all(column.kind == "text" for column in value.columns)
    return context.add(
        "hash_entries",
        value,
        numeric_columns(width, dtype),
        sparse=True,
        tolerance=0.0 if exact else LINK_TOLERANCE if dtype == "float64" else SINGLE_TOLERANCE,
        names=[str(column.name) for column in value.columns],
        buckets=width,
        signed=bool(estimator.alternate_sign),
        precision={"float32": "f32", "float64": "f64"}[dtype],
    )


# A few roundings in float32.
SINGLE_TOLERANCE = 1e-6

CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "sklearn.feature_extraction.DictVectorizer": dict_vectorizer,
    "sklearn.feature_extraction.FeatureHasher": feature_hasher,
}
