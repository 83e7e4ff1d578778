"""Features by formulas: expressions of Python over the columns, or a plain function of them."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.errors import ConvertError
from penstock.steps.proving import Original, prove
from penstock.steps.running import Step
from penstock.steps.translating import translated

__all__ = ["Derive"]


class Derive(Step):
    """A feature for each keyword, by its formula: `Derive(ratio="loan / income")`.

    Names in formulas are columns (`x0`, `x1`, ... of an array), else features before. A feature
    whose name begins with `_` is only for others. `constants`: more names, of numbers, texts, and
    lists of either. What formulas may hold and mean: docs/steps.md.
    """

    def __init__(
        self,
        *,
        constants: Mapping[str, Any] | None = None,
        function: Original | None = None,
        **formulas: str,
    ) -> None:
        self.constants = constants
        self.function = function
        self.formulas = formulas

    @classmethod
    def from_function(cls, function: Callable[..., Any]) -> "Derive":
        """The features that a plain Python function makes of the columns that its parameters name.

        It returns a dictionary of features, or one feature, which gets the name of the function.
        The function is translated, and never run in production; `fit` runs it on some of the rows
        and compares. Raises `ConvertError` with the line that cannot be translated.
        """
        formulas, constants = translated(function)
        return cls(constants=constants, function=Original(function), **formulas)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The formulas by name, and the options."""
        return {"constants": self.constants, "function": self.function, **self.formulas}

    def set_params(self, **params: Any) -> "Derive":
        """Changes formulas, adds some, or sets the options."""
        for name, value in params.items():
            if name in ("constants", "function"):
                setattr(self, name, value)
            else:
                self.formulas = {**self.formulas, name: value}
        return self

    def _learn(self, table: Any) -> None:
        for name, formula in self.formulas.items():
            if not isinstance(formula, str):
                raise ConvertError(
                    f"formula `{name}` is a {type(formula).__name__}; write it as a text, as in "
                    f'`{name}="a / b"`'
                )
        if not self._names():
            raise ConvertError('there is no formula; write one, as in `Derive(ratio="a / b")`')

    def _plan(self, table: Any) -> None:
        super()._plan(table)
        if self.function is not None:
            prove(self.function, self.model_, table, self._inputs(), self._names())

    def _names(self) -> list[str]:
        return [name for name in self.formulas if not name.startswith("_")]


# The name under which users import it, and converters know it.
Derive.__module__ = "penstock.steps"
