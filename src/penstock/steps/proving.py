"""The proof that a translated function gives what the function itself gives, on given rows."""

import math
from collections.abc import Callable
from typing import Any

from penstock.errors import ConvertError
from penstock.frames import describe
from penstock.model import Model
from penstock.proof.hostile import typical

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
    numbers = {str(column.name) for column in example.columns if column.kind == "number"}
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    for row in typical(example):
        arguments = [
            math.nan if row[name] is None and name in numbers else row[name] for name in names
        ]
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


def _same(expected: Any, given: Any) -> bool:
    if isinstance(expected, str) or isinstance(given, str):
        return bool(expected == given)
    nothing = [value is None or value != value for value in (expected, given)]
    if any(nothing):
        return all(nothing)
    return math.isclose(float(expected), float(given), rel_tol=TOLERANCE, abs_tol=TOLERANCE)
