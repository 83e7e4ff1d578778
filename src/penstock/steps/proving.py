"""The proof that a translated function gives what the function itself gives, on given rows."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

from penstock.converters.values import Column
from penstock.errors import ConvertError
from penstock.frames import describe
from penstock.model import Model
from penstock.proof.hostile import typical
from penstock.times import is_zoned

__all__ = ["Original", "prove"]

# What a function raises for values that it does not take; the features are missing then.
RAISED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
# Of sums and functions of libm, relatively.
TOLERANCE = 1e-12


class Original:
    """A function that was translated; it is not copied and not pickled: nobody runs it again."""

    def __init__(self, function: Callable[..., Any] | None) -> None:
        self.function = function

    def __deepcopy__(self, memo: Any) -> "Original":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Original, (None,)

    def __repr__(self) -> str:
        return "Original(...)" if self.function is None else f"Original({self.function.__name__})"


def prove(
    original: Original, model: Model, table: Any, inputs: list[str], features: list[str]
) -> None:
    """Runs the function on typical rows and compares; raises `ConvertError` for a difference."""
    function = original.function
    if function is None:
        return
    example = describe(table, inputs)
    columns = {str(column.name): column for column in example.columns}
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    for row in typical(example):
        arguments = [_argument(columns[name], row[name]) for name in names]
        try:
            result = function(*arguments)
        except RAISED:
            continue
        expected = result if isinstance(result, dict) else {features[0]: result}
        answer = list(model.predict(row).values())
        for name, given in zip(features, answer, strict=True):
            if not _same(expected[name], given):
                raise ConvertError(
                    f"`{function.__name__}` gives {expected[name]!r} for `{name}`, and its "
                    f"translation gives {given!r}; please report this: {row}"
                )


def _argument(column: Column, value: Any) -> Any:
    """A value as the function would get it: missing numbers are NaN, times are `datetime`."""
    if value is None:
        return math.nan if column.kind == "number" else None
    if column.kind != "timestamp":
        return value
    time = datetime.fromisoformat(value)
    return time if is_zoned(column.dtype) else time.replace(tzinfo=None)


def _same(expected: Any, given: Any) -> bool:
    if isinstance(expected, str) or isinstance(given, str):
        return bool(expected == given)
    nothing = [value is None or value != value for value in (expected, given)]
    if any(nothing):
        return all(nothing)
    return math.isclose(float(expected), float(given), rel_tol=TOLERANCE, abs_tol=TOLERANCE)
