"""Formulas while they become nodes: terms, constants, and errors that quote the formula."""

import ast
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from penstock.converters.context import Context
from penstock.converters.values import LINK_TOLERANCE, Column, Value, numeric_columns
from penstock.errors import ConvertError

__all__ = ["NUMERIC", "Expressions", "Term", "array"]

NUMERIC = ("number", "boolean")
# Not correctly rounded: the last bit is a matter of the platform's libm.
INEXACT = frozenset(("arctan2", "power"))


@dataclass(frozen=True)
class Term:
    """A value of one element; `kind` is `number`, `boolean`, `text` or `time`."""

    value: Value
    kind: str


class Expressions:
    """Emits the nodes of formulas; equal parts of them are emitted once."""

    def __init__(
        self,
        context: Context,
        names: Mapping[str, Term],
        constants: Mapping[str, Any],
        functions: Mapping[str, Callable[..., Term]],
        syntax: Mapping[type[ast.expr], Callable[..., Term]],
    ) -> None:
        """`functions`: the vocabulary by name; `syntax`: what each kind of node becomes."""
        self.context = context
        self.names = dict(names)
        self.constants = constants
        self._functions = functions
        self._syntax = syntax
        self._known: dict[str, Term] = {}
        self._formula = ""
        # Names for hints, used or not.
        self.columns: Sequence[str] = tuple(names)

    def formula(self, name: str, text: str) -> Term:
        """The value of a formula; others may then use it by its name."""
        self._formula = name
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except SyntaxError as error:
            raise ConvertError(
                f"formula `{name}`: `{text}` is no expression of Python: {error.msg}"
            ) from None
        term = self.term(tree)
        self.names.setdefault(name, term)
        return term

    # -- parts --

    def term(self, node: ast.expr) -> Term:
        """The value of a part of a formula."""
        key = ast.dump(node)
        if key not in self._known:
            handler = self._syntax.get(type(node))
            if handler is None:
                self.refuse(node, f"{type(node).__name__} is not supported in a formula")
            self._known[key] = handler(self, node)
        return self._known[key]

    def number(self, node: ast.expr) -> Value:
        """The number that a part is."""
        return self.of(node, *NUMERIC).value

    def text(self, node: ast.expr) -> Value:
        """The text that a part is."""
        return self.of(node, "text").value

    def condition(self, node: ast.expr) -> Value:
        """The truth of a part."""
        return self.of(node, "boolean").value

    def of(self, node: ast.expr, *kinds: str) -> Term:
        """The value of a part that must be of one of these kinds."""
        term = self.term(node)
        if term.kind not in kinds:
            hint = "; compare it with something, as in `x != 0`" if kinds == ("boolean",) else ""
            self.refuse(node, f"is a {term.kind}, and a {kinds[0]} is due{hint}")
        return term

    def literal(self, node: ast.expr) -> Any:
        """The constant that a part is: a number, a text, `None`, or a collection of such."""
        if isinstance(node, ast.Constant) and not isinstance(node.value, (bytes, complex)):
            return node.value
        if isinstance(node, ast.Name) and node.id in self.constants:
            return self.constants[node.id]
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            return [self.literal(item) for item in node.elts]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self.literal(node.operand)
        self.refuse(node, "a constant is due")

    def is_literal(self, node: ast.expr, *types: type) -> bool:
        """Whether a part is a constant of one of these types."""
        try:
            value = self.literal(node)
        except ConvertError:
            return False
        return isinstance(value, types) and not (isinstance(value, bool) and bool not in types)

    def refuse(self, node: ast.AST, reason: str) -> NoReturn:
        """Raises the error that names the formula and its part."""
        part = ast.unparse(node)
        part = part if len(part) <= 60 else f"{part[:57]}..."
        where = f"formula `{self._formula}`: " if self._formula else ""
        self.context.refuse(f"{where}`{part}`: {reason}")

    # -- nodes --

    def add(
        self,
        operator: str,
        inputs: Value | Sequence[Value],
        kind: str = "number",
        *,
        exact: bool = True,
        **fields: Any,
    ) -> Term:
        """A new node of one element."""
        column = Column(None, "text", "object", missing="none")
        columns = (column,) if kind == "text" else numeric_columns(1)
        tolerance = 0.0 if exact else LINK_TOLERANCE
        value = self.context.add(operator, inputs, columns, tolerance=tolerance, **fields)
        return Term(value, kind)

    def constant(self, value: Any) -> Term:
        """A constant; `None` is a missing number."""
        if isinstance(value, str):
            return self.add("constant_text", [], "text", values=[value], present=array([1]))
        if value is None or isinstance(value, (bool, int, float)):
            kind = "boolean" if isinstance(value, bool) else "number"
            number = float("nan") if value is None else float(value)
            return self.add("constant", [], kind, values=array([number]))
        raise ConvertError(f"{value!r} is no constant of a formula")

    def missing_text(self) -> Term:
        """A text that is missing."""
        return self.add("constant_text", [], "text", values=[""], present=array([0]))

    def combine(self, function: str, left: Value, right: Value, kind: str = "number") -> Term:
        """A function of two numbers."""
        exact = function not in INEXACT
        return self.add("combine", [left, right], kind, exact=exact, function=function)

    def math(self, function: str, value: Value, kind: str = "number", exact: bool = True) -> Term:
        """A function of one number."""
        return self.add("math", value, kind, exact=exact, function=function)

    def negated(self, term: Term) -> Term:
        """1 where it is not true."""
        return self.math("not", term.value, "boolean")

    def is_missing(self, term: Term) -> Term:
        """1 where it is missing."""
        return self.add("indicate_missing", term.value, "boolean", missing=None)

    def choose(self, condition: Value, then: Term, otherwise: Term, kind: str) -> Term:
        """The first where the condition is true, else the second."""
        return self.add("choose", [condition, then.value, otherwise.value], kind)

    def call(self, name: str, node: ast.AST, arguments: Sequence[ast.expr]) -> Term:
        """A function of the vocabulary."""
        function = self._functions.get(name)
        if function is None:
            near = difflib.get_close_matches(name, self._functions, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            self.refuse(node, f"there is no function `{name}`{hint}")
        try:
            return function(self, *arguments)
        except TypeError as error:
            if "argument" not in str(error):
                raise
            self.refuse(node, f"`{name}` takes other arguments")


def array(values: Sequence[float]) -> Any:
    """The numbers as a tensor of integers, or of floats."""
    import numpy

    dtype = "int32" if all(isinstance(value, int) for value in values) else "float64"
    return numpy.array(values, dtype=dtype)
