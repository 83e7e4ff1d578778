"""Levels of a column to codes: what each level, a missing value and an unseen level become."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.converters.context import Context
from penstock.converters.grouping import grouped
from penstock.converters.values import Column, Value, codes

__all__ = ["NONE", "REFUSED", "Coding", "coding", "encoded"]

# docs/format.md, encoding: codes that are no positions.
NONE, REFUSED = -1, -2


@dataclass(frozen=True)
class Coding:
    """The code of each level of a column; those of other values.

    `levels` are texts, or numbers for columns of numbers and booleans.
    """

    text: bool
    levels: tuple[str, ...] | tuple[float, ...]
    codes: tuple[int, ...]
    missing: int
    unseen: int


def coding(
    column: Column,
    categories: Iterable[Any],
    positions: Iterable[int],
    unseen: int,
    null: str,
    context: Context,
) -> Coding:
    """The categories with their codes; `null` stands for a missing value: `nan`, `none` or `na`.

    Levels are equal as they are in Python: True is 1 and 1 is 1.0.
    """
    text = column.kind == "text"
    levels: dict[Any, int] = {}
    nulls: dict[str, int] = {}
    for level, code in zip(categories, positions, strict=True):
        kind = _null(level)
        if kind is None:
            levels[_checked(level, column, context, text=text)] = code
        else:
            nulls[kind] = code
    _check_nulls(nulls, null, column, context)
    return Coding(text, tuple(levels), tuple(levels.values()), nulls.get(null, unseen), unseen)


def encoded(value: Value, codings: Sequence[Coding], context: Context) -> Value:
    """The codes of all columns in order."""
    import numpy

    def encode(text: bool, columns: Value, positions: list[int]) -> Value:
        chosen = [codings[at] for at in positions]
        levels: Any = [level for item in chosen for level in item.levels]
        if not text:
            levels = numpy.array(levels, dtype="float64")
        return context.add(
            "encode_text" if text else "encode_number",
            columns,
            codes(columns.width),
            levels=levels,
            ends=numpy.cumsum([len(item.levels) for item in chosen]),
            codes=numpy.array([code for item in chosen for code in item.codes], dtype="int32"),
            missing_codes=numpy.array([item.missing for item in chosen], dtype="int32"),
            unseen_codes=numpy.array([item.unseen for item in chosen], dtype="int32"),
        )

    return grouped(value, [item.text for item in codings], context, encode)


def _null(level: Any) -> str | None:
    if level is None:
        return "none"
    return "nan" if hasattr(level, "__float__") and level != level else None


def _checked(level: Any, column: Column, context: Context, *, text: bool) -> str | float:
    """The level as text or number, if that is what the column holds."""
    name = column.name or "?"
    if column.kind not in ("text", "number", "boolean"):
        context.refuse(f"column `{name}` is {column.kind}, of which no levels are supported")
    if isinstance(level, str) != text or not (text or hasattr(level, "__float__")):
        context.refuse(
            f"column `{name}` is {column.kind} in the example, and the fitted level {level!r} is "
            f"{type(level).__name__}; give the example as the model was fitted"
        )
    if text:
        return str(level)
    # Python compares integers with floats exactly, numpy does not.
    exact = level.item() if hasattr(level, "item") else level
    number = float(exact)
    if number != exact:
        context.refuse(f"column `{name}`: a float64 cannot hold the level {level!r}; use text")
    return number


def _check_nulls(nulls: dict[str, int], null: str, column: Column, context: Context) -> None:
    """Refuses levels of which the engine could not tell which one is meant."""
    name = column.name or "?"
    if len(nulls) > 1:
        context.refuse(
            f"column `{name}` was fitted with both None and NaN, which the engine cannot tell "
            "apart; replace one by the other before fitting"
        )
    if "none" in nulls and null == "nan":
        context.refuse(
            f"column `{name}` was fitted with None as a level, and in the example a missing value "
            "is NaN, or none is missing; give the example as the model was fitted, with a None"
        )
