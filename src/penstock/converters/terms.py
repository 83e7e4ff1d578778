"""Texts to counts of their terms: vectorizers of scikit-learn, and the weights of terms."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.characters import accents, cases, encodable, ranges, sigma
from penstock.converters.context import Context, public_name
from penstock.converters.scaling import normalizer
from penstock.converters.tokens import Machine, machine
from penstock.converters.validation import floats, sized
from penstock.converters.values import Value, numeric_columns

__all__ = ["CONVERTERS"]

# Counts of 32 bits are cast to these; smaller integers overflow.
COUNTS = ("float64", "float32", "int64", "int32", "uint32", "uint64")
MOST = 255
LARGE = 1e9
# numpy's logarithm, which may be one unit in the last place beside that of C, and the sum.
LOG_TOLERANCE = {"f64": 1e-15, "f32": 2.4e-7}


def count_vectorizer(estimator: Any, value: Value, context: Context) -> Value:
    """How often each term of the vocabulary comes in a text."""
    vocabulary = getattr(estimator, "vocabulary_", None)
    if vocabulary is None:
        context.refuse("is not fitted; fit it first")
    if any(not isinstance(term, str) for term in vocabulary):
        context.refuse("has terms that are no texts", option="vocabulary")
    # A text of UTF-8 has no surrogates, and so no term with one.
    known = {term: int(at) for term, at in vocabulary.items() if encodable(term)}
    terms = sorted(known, key=lambda term: known[term])
    import numpy

    fields = {
        "terms": terms,
        "places": numpy.array([known[term] for term in terms], dtype="int32"),
        "width": len(vocabulary),
        "binary": bool(estimator.binary),
    }
    return _counted(estimator, value, context, "count_terms", fields)


def tfidf_vectorizer(estimator: Any, value: Value, context: Context) -> Value:
    """Counts with weights, as of a `TfidfTransformer` behind a `CountVectorizer`."""
    counts = count_vectorizer(estimator, value, context)
    return tfidf_transformer(estimator._tfidf, counts, context)


def hashing_vectorizer(estimator: Any, value: Value, context: Context) -> Value:
    """How often there are terms of each hash."""
    width = int(estimator.n_features)
    if width > MOST_WIDE:
        context.refuse(f"more than {MOST_WIDE} buckets; the default", option="n_features")
    fields = {
        "buckets": width,
        "signed": bool(estimator.alternate_sign),
        "binary": bool(estimator.binary),
    }
    counts = _counted(estimator, value, context, "hash_terms", fields)
    return _divided(estimator, counts, context)


# `MAX_WIDTH` of the engine.
MOST_WIDE = 1 << 20


def tfidf_transformer(estimator: Any, value: Value, context: Context) -> Value:
    """Counts times the weight of their terms, each row divided by its norm."""
    # Weights make nothing large of counts.
    is_small = context.is_finite(value)
    value = replace(floats(value, context), sparse=True)
    if estimator.sublinear_tf:
        if _signed(value, context):
            context.refuse(
                "hashes that count down make 0 of two terms, of which scikit-learn takes the "
                "logarithm; give `alternate_sign=False` to the `HashingVectorizer`",
                option="sublinear_tf",
            )
        value = context.add(
            "map",
            value,
            value.columns,
            sparse=True,
            tolerance=LOG_TOLERANCE[value.precision],
            function="one_plus_log",
            precision=value.precision,
        )
    idf = getattr(estimator, "idf_", None)
    if idf is not None:
        is_small = is_small and bool((idf < LARGE).all())
        value = context.add(
            "arithmetic",
            value,
            value.columns,
            sparse=True,
            function="multiply",
            operands=idf.astype("float64"),
            precision=value.precision,
        )
    if is_small:
        context.finite(value)
    return _divided(estimator, value, context)


def _divided(estimator: Any, value: Value, context: Context) -> Value:
    """Rows by their norm, which makes no number larger."""
    if estimator.norm is None:
        return value
    checked = context.is_finite(value)
    divided = normalizer(estimator, value, context)
    return context.finite(divided) if checked else divided


def _signed(value: Value, context: Context) -> bool:
    nodes = context.graph([value.node]).nodes
    return any(node.fields.get("signed") is True for node in nodes)


def _counted(
    estimator: Any, value: Value, context: Context, operator: str, fields: Mapping[str, Any]
) -> Value:
    import numpy

    dtype = str(numpy.dtype(estimator.dtype))
    if operator == "count_terms" and public_name(type(estimator)).endswith("TfidfVectorizer"):
        # Others are made float64 by the weights.
        dtype = dtype if dtype in ("float32", "float64") else "float64"
    known = COUNTS if operator == "count_terms" else ("float32", "float64")
    if dtype not in known:
        context.refuse(f"{dtype} may overflow; known are {', '.join(known)}", option="dtype")
    if not value.flat:
        context.refuse(
            "takes texts, and gets a table of columns; in a `ColumnTransformer` name its column as "
            'a text, `"review"` and not `["review"]`; by itself, give a list or a Series of texts'
        )
    (column,) = value.columns
    if column.kind != "text" or column.dtype == "category":
        context.refuse(f"column `{column.name}` is {column.kind}, and this step takes texts")
    value = context.require(value)
    columns = numeric_columns(fields.get("width") or fields["buckets"], dtype)
    cutting = _cutting(estimator, context)
    # Counts are far from the largest float32.
    return context.finite(context.add(operator, value, columns, sparse=True, **cutting, **fields))


def _cutting(estimator: Any, context: Context) -> dict[str, Any]:
    """The fields that say how a text becomes terms."""
    for option in ("preprocessor", "tokenizer"):
        function = getattr(estimator, option)
        if function is not None and not (option == "tokenizer" and function is str.split):
            context.refuse("a function of your own, as an artifact holds no code", option=option)
    if not isinstance(estimator.analyzer, str):
        context.refuse("a function of your own, as an artifact holds no code", option="analyzer")
    if estimator.input != "content":
        context.refuse("files are not read when predicting; give texts", option="input")
    shortest, longest = (int(length) for length in estimator.ngram_range)
    if shortest < 1 or longest > MOST:
        context.refuse(f"lengths are 1 to {MOST}", option="ngram_range")
    words = estimator.analyzer == "word"
    return {
        **_mapping(estimator, context),
        "analyzer": estimator.analyzer,
        "stop_words": _stop_words(estimator) if words else [],
        "shortest": shortest,
        "longest": longest,
        **(_pattern(estimator, context) if words else _NO_PATTERN),
    }


_NO_PATTERN = {"states": None, "sets": None, "set_ends": None}


def _mapping(estimator: Any, context: Context) -> dict[str, Any]:
    import numpy

    form = _form(estimator, context)
    lower = cases() if estimator.lowercase else {}
    changes = dict(lower)
    if form is not None:
        stripped = accents(form)

        def strip(text: str) -> str:
            # What `ascii` does not list is left out.
            plain = "" if form == "ascii" else None
            return "".join(
                stripped.get(one, one if plain is None or one.isascii() else plain) for one in text
            )

        for character in [*lower, *stripped]:
            changes[character] = strip(lower.get(character, character))
    changes = {one: changes[one] for one in sorted(changes) if changes[one] != one}
    final = bool(estimator.lowercase) and form != "ascii"
    cased, ignored = map(ranges, sigma()) if final else (None, None)
    return {
        "mapped": numpy.array([ord(character) for character in changes], dtype="uint32"),
        "becomes": list(changes.values()),
        "only_ascii": form == "ascii",
        "cased": cased,
        "ignored": ignored,
    }


def _form(estimator: Any, context: Context) -> str | None:
    form = estimator.strip_accents
    if callable(form):
        from sklearn.feature_extraction import text

        known = {text.strip_accents_ascii: "ascii", text.strip_accents_unicode: "unicode"}
        if form not in known:
            context.refuse(
                "a function of your own, as an artifact holds no code", option="strip_accents"
            )
        form = known[form]
    return str(form) if form else None


def _stop_words(estimator: Any) -> list[str]:
    words = estimator.get_stop_words() or ()
    return sorted({word for word in words if isinstance(word, str) and encodable(word)})


def _pattern(estimator: Any, context: Context) -> dict[str, Any]:
    import numpy

    # `str.split` cuts at what `\s` takes.
    pattern = r"\S+" if estimator.tokenizer is str.split else estimator.token_pattern
    found: Machine | str = machine(pattern)
    if isinstance(found, str):
        context.refuse(
            f"`{pattern}` cannot be matched as Python does: {found}", option="token_pattern"
        )
    return {
        "states": numpy.array(found.states, dtype="int32"),
        "sets": ranges(pair for one in found.sets for pair in one),
        "set_ends": numpy.cumsum([2 * len(one) for one in found.sets]).astype("int32"),
    }


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "sklearn.feature_extraction.text.CountVectorizer": count_vectorizer,
    "sklearn.feature_extraction.text.HashingVectorizer": hashing_vectorizer,
    "sklearn.feature_extraction.text.TfidfVectorizer": tfidf_vectorizer,
    **sized({"sklearn.feature_extraction.text.TfidfTransformer": tfidf_transformer}),
}
