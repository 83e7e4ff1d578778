"""A plain Python function to formulas: its syntax tree is followed, and nothing of it is run."""

import ast
import builtins
import inspect
import math
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from penstock.errors import ConvertError
from penstock.steps import functions

__all__ = ["translated"]

Names = dict[str, ast.expr]
# Builtins that are functions of formulas as well.
BUILTINS = frozenset(("abs", "float", "int", "len", "max", "min", "pow", "round"))
CONSTANTS = (bool, int, float, str, tuple, list, set, frozenset)
# Statements after an `if` that returns only sometimes are followed once for each branch.
MOST_PATHS = 64


def translated(function: Callable[..., Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """The formulas of the features, with those of helpers, and the constants that they name."""
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError) as error:
        raise ConvertError(f"the source of {function!r} cannot be read: {error}") from None
    tree = ast.parse(textwrap.dedent("".join(lines))).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise ConvertError(f"{function!r} is no function of its own; write it with `def`")
    translation = _Translation(function, first - 1)
    names = translation.parameters(tree)
    result = translation.follow(tree.body, {name: ast.Name(name) for name in names})
    if result is None:
        translation.refuse(tree, "not every way through it returns something")
    formulas = {name: ast.unparse(value) for name, value in translation.helpers.items()}
    features = {name: ast.unparse(value) for name, value in result.items()}
    return formulas | features, translation.constants


class _Translation:
    """What is known while a function is followed."""

    def __init__(self, function: Callable[..., Any], offset: int) -> None:
        self.name = function.__name__
        self.offset = offset
        self.helpers: Names = {}
        self.constants: dict[str, Any] = {}
        self.paths = 0
        found = inspect.getclosurevars(function)
        self.outside: Mapping[str, Any] = {**found.globals, **found.nonlocals}

    def refuse(self, node: ast.AST, reason: str) -> NoReturn:
        line = getattr(node, "lineno", 1) + self.offset
        part = ast.unparse(node).splitlines()[0]
        raise ConvertError(f"`{self.name}`, line {line}: `{part}`: {reason}")

    def parameters(self, tree: ast.FunctionDef) -> list[str]:
        given = tree.args
        if given.vararg or given.kwarg or given.kwonlyargs or given.defaults:
            self.refuse(tree, "parameters are names of columns, without defaults and stars")
        return [one.arg for one in (*given.posonlyargs, *given.args)]

    # -- statements --

    def follow(self, statements: list[ast.stmt], names: Names) -> Names | None:
        """The features that these return; `None` where they come to their end. Changes `names`."""
        for at, statement in enumerate(statements):
            if isinstance(statement, ast.Return):
                return self.returned(statement, names)
            if isinstance(statement, ast.If):
                if _returns(statement):
                    return self.branched(statement, statements[at + 1 :], names)
                self.merged(statement, names)
            elif not _is_nothing(statement):
                self.assigned(statement, names)
        return None

    def returned(self, statement: ast.Return, names: Names) -> Names:
        value = statement.value
        if value is None:
            self.refuse(statement, "it returns nothing")
        if not isinstance(value, ast.Dict):
            return {self.name: self.expression(value, names)}
        features: Names = {}
        for key, item in zip(value.keys, value.values, strict=True):
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                self.refuse(value, "names of features are texts")
            if not key.value.isidentifier() or key.value.startswith("_"):
                self.refuse(value, f"`{key.value}` cannot be the name of a feature")
            features[key.value] = self.expression(item, names)
        return features

    def branched(self, statement: ast.If, rest: list[ast.stmt], names: Names) -> Names | None:
        self.paths += 1
        if self.paths > MOST_PATHS:
            self.refuse(statement, f"there are more than {MOST_PATHS} ways through the function")
        condition = self.helper("if", self.expression(statement.test, names))
        then = self.follow([*statement.body, *rest], dict(names))
        otherwise = self.follow([*statement.orelse, *rest], dict(names))
        if then is None or otherwise is None:
            return None
        if then.keys() != otherwise.keys():
            self.refuse(statement, "what it returns has not the same features in every case")
        return {name: ast.IfExp(condition, then[name], otherwise[name]) for name in then}

    def merged(self, statement: ast.If, names: Names) -> None:
        condition = self.helper("if", self.expression(statement.test, names))
        branches = dict(names), dict(names)
        for statements, branch in zip((statement.body, statement.orelse), branches, strict=True):
            self.follow(statements, branch)
        then, otherwise = branches
        for name in {**then, **otherwise}:
            first, second = then.get(name), otherwise.get(name)
            if first is None or second is None:
                # It has no value in one case; whoever uses it is refused.
                names.pop(name, None)
            elif first is not second:
                names[name] = self.helper(name, ast.IfExp(condition, first, second))

    def assigned(self, statement: ast.stmt, names: Names) -> None:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            target, value = statement.target, statement.value
        elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            target = statement.target
            value = ast.BinOp(ast.Name(target.id), statement.op, statement.value)
            ast.copy_location(value, statement)
        else:
            self.refuse(
                statement, "only assignments, `if` and `return` are translated; use a step before"
            )
        if not isinstance(target, ast.Name):
            self.refuse(statement, "one name is assigned at a time")
        names[target.id] = self.helper(target.id, self.expression(value, names))

    def helper(self, name: str, value: ast.expr) -> ast.expr:
        """A name for a value, so that it is written once."""
        if isinstance(value, (ast.Name, ast.Constant)):
            return value
        label = f"_{name}_{len(self.helpers)}"
        self.helpers[label] = value
        return ast.Name(label)

    # -- expressions --

    def expression(self, node: ast.expr, names: Names) -> ast.expr:
        """The expression over columns and helpers."""
        copied = ast.parse(ast.unparse(node), mode="eval").body
        translated: ast.expr = _Names(self, names, node).visit(copied)
        return translated


class _Names(ast.NodeTransformer):
    """Puts in the place of each name what it stands for."""

    def __init__(self, translation: _Translation, names: Names, at: ast.AST) -> None:
        self.translation = translation
        self.names = names
        self.at = at

    def refuse(self, reason: str) -> NoReturn:
        self.translation.refuse(self.at, reason)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.names:
            return self.names[node.id]
        outside = self.translation.outside
        if node.id not in outside:
            self.refuse(f"`{node.id}` has no value here")
        value = outside[node.id]
        if not isinstance(value, CONSTANTS):
            self.refuse(f"`{node.id}` is a {type(value).__name__}, which is no constant")
        self.translation.constants[node.id] = value
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if node.keywords:
            self.refuse("arguments are given by position")
        node.args = [self.visit(argument) for argument in node.args]
        function = node.func
        if isinstance(function, ast.Name):
            self.known(function.id)
        elif isinstance(function, ast.Attribute) and not self.is_math(function.value):
            function.value = self.visit(function.value)
        elif not isinstance(function, ast.Attribute):
            self.refuse("only functions of the vocabulary can be called")
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if not self.is_math(node.value):
            node.value = self.visit(node.value)
        return node

    def is_math(self, node: ast.expr) -> bool:
        outside = self.translation.outside
        return isinstance(node, ast.Name) and outside.get(node.id) is math and node.id == "math"

    def known(self, name: str) -> None:
        """Refuses a call of anything but the functions of formulas."""
        value = self.translation.outside.get(name, getattr(builtins, name, None))
        is_builtin = name in BUILTINS and value is getattr(builtins, name)
        of_formulas = getattr(functions, name, None) if name in functions.__all__ else None
        of_math = getattr(math, name, None)
        if is_builtin or (value is not None and (value is of_formulas or value is of_math)):
            return
        self.refuse(
            f"`{name}` is no function that formulas have under this name; "
            "`penstock.steps` and `math` have some"
        )


def _returns(statement: ast.If) -> bool:
    return any(isinstance(node, ast.Return) for node in ast.walk(statement))


def _is_nothing(statement: ast.stmt) -> bool:
    """A docstring, `pass`."""
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_text or isinstance(statement, ast.Pass)
