"""`penstock.steps.Lookup` and `Levels`: tables inside the model, and rare levels together."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penstock.converters.context import Context
from penstock.converters.deriving import column_names, features
from penstock.converters.expressions import Term
from penstock.converters.validation import dense, sized
from penstock.converters.values import Column, Value, numeric_columns

__all__ = ["CONVERTERS"]

NONE, REFUSED = -1, -2
CODE = (Column(None, "code", "int64"),)
TEXT = (Column(None, "text", "object", missing="none"),)


def lookup(estimator: Any, value: Value, context: Context) -> Value:
    """What a table says of the key columns."""
    names = column_names(dense(value, context))
    lacking = [name for name in estimator.on_ if name not in names]
    if lacking:
        context.refuse(f"the key column `{lacking[0]}` is not there", option="on")
    refuse = estimator.unmatched == "refuse"
    code, codes = None, None
    for name, column in zip(estimator.on_, estimator.keys_, strict=True):
        levels, positions = _distinct(column)
        key = context.select(value, [names.index(name)])
        part = _encoded(key, levels, range(len(levels)), name, REFUSED if refuse else NONE, context)
        if code is None:
            code, codes = part, positions
        else:
            code, codes = _paired(code, part, codes, positions, refuse, context)
    terms = {
        name: _taken(name, values, code, codes, estimator, context)
        for name, values in estimator.values_.items()
    }
    return features(terms, value, context)


def _distinct(column: Any) -> tuple[Any, Any]:
    """The levels of a key column, and which of them each row has."""
    import numpy

    array = numpy.asarray(column)
    levels, positions = numpy.unique(array, return_inverse=True)
    return (levels.tolist() if array.dtype.kind in "OU" else levels), positions


def _encoded(
    key: Value, levels: Any, codes: Sequence[int], name: str, unseen: int, context: Context
) -> Value:
    import numpy

    text = isinstance(levels, list)
    if (key.columns[0].kind == "text") != text:
        kind = "text" if text else "numbers"
        context.refuse(
            f"the key `{name}` is {kind} in the table, {key.columns[0].kind} in the data"
        )
    return context.add(
        "encode_text" if text else "encode_number",
        key,
        CODE,
        levels=levels if text else levels.astype("float64"),
        ends=numpy.array([len(levels)]),
        codes=numpy.array(codes, dtype="int32"),
        missing_codes=numpy.array([unseen]),
        unseen_codes=numpy.array([unseen]),
    )


def _paired(
    code: Value, part: Value, codes: Any, positions: Any, refuse: bool, context: Context
) -> tuple[Value, Any]:
    """A code for each pair of codes, and that of each row."""
    import numpy

    pairs, inverse = numpy.unique(numpy.stack([codes, positions]), axis=1, return_inverse=True)
    first, second = pairs.astype("int32")
    value = context.add(
        "pair_codes",
        [code, part],
        CODE,
        first=numpy.ascontiguousarray(first),
        second=numpy.ascontiguousarray(second),
        refuse=refuse,
    )
    return value, inverse.reshape(-1)


def _taken(name: str, values: Any, code: Any, codes: Any, estimator: Any, context: Context) -> Term:
    """One column of the table, by the code of the key."""
    import numpy

    order = numpy.argsort(codes, kind="stable")
    default = (estimator.default or {}).get(name)
    if isinstance(values, list):
        if default is not None and not isinstance(default, str):
            context.refuse(f"the default of `{name}` is no text", option="default")
        return _texts([values[at] for at in order], code, default, context)
    if isinstance(default, str):
        context.refuse(f"the default of `{name}` is no number", option="default")
    value = context.add(
        "lookup",
        code,
        numeric_columns(1),
        values=values[order].astype("float64"),
        ends=numpy.array([len(values)]),
        absent=numpy.array([numpy.nan if default is None else float(default)]),
    )
    return Term(value, "number")


def _texts(values: Sequence[str | None], code: Value, absent: str | None, context: Context) -> Term:
    import numpy

    value = context.add(
        "lookup_text",
        code,
        TEXT,
        values=["" if text is None else text for text in values],
        present=numpy.array([text is not None for text in values], dtype="int32"),
        absent=absent,
    )
    return Term(value, "text")


def levels(estimator: Any, value: Value, context: Context) -> Value:
    """Each text itself, if it is a frequent level, else `other`."""
    terms = {}
    for at, name in enumerate(column_names(dense(value, context))):
        if value.columns[at].kind != "text":
            context.refuse(f"column `{name}` is {value.columns[at].kind}; only texts have levels")
        kept, rare = list(estimator.levels_[at]), list(estimator.rare_[at])
        other = len(kept)
        unseen = {"other": other, "missing": NONE, "refuse": REFUSED}[estimator.unseen]
        codes = [*range(len(kept)), *([other] * len(rare))]
        code = _coded(context.select(value, [at]), [*kept, *rare], codes, unseen, context)
        terms[name] = _texts([*kept, estimator.other], code, None, context)
    return features(terms, value, context)


def _coded(
    value: Value, levels: list[str], codes: list[int], unseen: int, context: Context
) -> Value:
    import numpy

    return context.add(
        "encode_text",
        value,
        CODE,
        levels=levels,
        ends=numpy.array([len(levels)]),
        codes=numpy.array(codes, dtype="int32"),
        missing_codes=numpy.array([NONE]),
        unseen_codes=numpy.array([unseen]),
    )


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {"penstock.steps.Levels": levels, "penstock.steps.Lookup": lookup}
)
