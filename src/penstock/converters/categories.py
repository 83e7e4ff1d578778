"""Category columns as numbers: the position of each level among those of the training data."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from penstock.converters.context import Context
from penstock.converters.grouping import grouped
from penstock.converters.values import Column, Value, codes
from penstock.schema import Label

__all__ = ["MISSING", "REFUSED", "numbered"]

# docs/format.md, codes: none, which becomes NaN, and a row that is refused.
MISSING = -1
REFUSED = -2


def numbered(
    value: Value, levels: Mapping[int, Sequence[Label]], context: Context, *, unseen: int
) -> Value:
    """The value with these columns as f64 positions among their levels; missing ones are NaN.

    `levels` by position of the column; `unseen`: `MISSING` or `REFUSED`. The others stay.
    """
    if not levels:
        return value
    for at, known in levels.items():
        _check(value.columns[at], known, context)

    def convert(operator: str, part: Value, positions: list[int]) -> Value:
        if not operator:
            return part
        return _lookup(operator, part, [levels[at] for at in positions], unseen, context)

    keys = [_operator(column) if at in levels else "" for at, column in enumerate(value.columns)]
    result = grouped(value, keys, context, convert)
    return replace(result, frame=value.frame)


def _operator(column: Column) -> str:
    return "encode_text" if column.kind == "text" else "encode_number"


def _check(column: Column, levels: Sequence[Label], context: Context) -> None:
    expected = {"text": (str,), "boolean": (bool,), "number": (int, float)}.get(column.kind, ())
    if not all(isinstance(level, expected) for level in levels):
        context.refuse(
            f"column `{column.name}` holds {column.kind}, and the levels that the model knows are "
            f"{list(levels[:3])}"
        )


def _lookup(
    operator: str, value: Value, levels: Sequence[Sequence[Label]], unseen: int, context: Context
) -> Value:
    """Codes of the levels, and the codes as numbers."""
    import numpy

    counts = [len(known) for known in levels]
    ends = numpy.cumsum(counts)
    positions = numpy.concatenate([numpy.arange(count) for count in counts])
    together = [level for known in levels for level in known]
    coded = context.add(
        operator,
        value,
        codes(value.width),
        levels=together if operator == "encode_text" else numpy.array(together, "float64"),
        ends=ends,
        codes=positions,
        missing_codes=numpy.full(value.width, MISSING),
        unseen_codes=numpy.full(value.width, unseen),
    )
    return context.add(
        "lookup",
        coded,
        tuple(Column(column.name, "number") for column in value.columns),
        values=positions.astype("float64"),
        ends=ends,
        absent=numpy.full(value.width, numpy.nan),
    )
