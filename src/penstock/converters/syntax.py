"""The syntax of formulas, Python's: what each kind of node of the syntax tree becomes."""

import ast
import difflib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from penstock.converters.expressions import NUMERIC, Expressions, Term, array
from penstock.converters.values import Column

__all__ = ["SYNTAX"]

ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Div: "divide",
    ast.FloorDiv: "floor_divide",
    ast.Mod: "modulo",
    ast.Mult: "multiply",
    ast.Pow: "power",
    ast.Sub: "subtract",
}
# Functions of `arithmetic`, which plans fold into what comes after; the same bits.
WITH_CONSTANT = ("add", "divide", "multiply", "subtract")
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.NotEq: "not_equal",
}


def _constant(expressions: Expressions, node: ast.expr) -> Term:
    value = expressions.literal(node)
    if not isinstance(value, (str, int, float, type(None))):
        expressions.refuse(node, "a number or a text is due")
    return expressions.constant(value)


def _name(expressions: Expressions, node: ast.Name) -> Term:
    if node.id in expressions.names:
        return expressions.names[node.id]
    if node.id in expressions.constants:
        return _constant(expressions, node)
    near = difflib.get_close_matches(node.id, [*expressions.columns, *expressions.names], n=1)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    expressions.refuse(node, f"there is no column `{node.id}`{hint}")


def _arithmetic(expressions: Expressions, node: ast.BinOp) -> Term:
    function = ARITHMETIC.get(type(node.op))
    if function is None:
        expressions.refuse(node, "there is no such operation on numbers")
    left, right = node.left, node.right
    if expressions.is_literal(left, int, float) and function in ("add", "multiply"):
        left, right = right, left
    first = expressions.of(left, *NUMERIC, "text", "time")
    if first.kind == "time":
        expressions.refuse(node, 'write `difference(later, earlier, "hours")`, or `floor_time`')
    if first.kind == "text":
        if function != "add":
            expressions.refuse(node, "texts are only added")
        return expressions.add("join_text", [first.value, expressions.text(right)], "text")
    if expressions.is_literal(right, int, float) and function in WITH_CONSTANT:
        operand = float(expressions.literal(right))
        if operand != 0.0 or function != "divide":
            return expressions.add(
                "arithmetic",
                first.value,
                function=function,
                operands=array([operand]),
                precision="f64",
            )
    return expressions.combine(function, first.value, expressions.number(right))


def _unary(expressions: Expressions, node: ast.UnaryOp) -> Term:
    if isinstance(node.op, ast.Not):
        return expressions.negated(expressions.of(node.operand, "boolean"))
    if expressions.is_literal(node, int, float):
        return expressions.constant(expressions.literal(node))
    if isinstance(node.op, ast.UAdd):
        return Term(expressions.number(node.operand), "number")
    if isinstance(node.op, ast.USub):
        return expressions.math("negative", expressions.number(node.operand))
    expressions.refuse(node, "there is no such operation on numbers")


def _logic(expressions: Expressions, node: ast.BoolOp) -> Term:
    function = "and" if isinstance(node.op, ast.And) else "or"
    first, *others = (expressions.condition(value) for value in node.values)
    term = Term(first, "boolean")
    for other in others:
        term = expressions.combine(function, term.value, other, "boolean")
    return term


def _comparison(expressions: Expressions, node: ast.Compare) -> Term:
    operands = [node.left, *node.comparators]
    terms = [
        _compared(expressions, node, operator, left, right)
        for operator, left, right in zip(node.ops, operands, operands[1:], strict=False)
    ]
    term = terms[0]
    for other in terms[1:]:
        term = expressions.combine("and", term.value, other.value, "boolean")
    return term


def _compared(
    expressions: Expressions, node: ast.AST, operator: ast.cmpop, left: ast.expr, right: ast.expr
) -> Term:
    if isinstance(operator, (ast.Is, ast.IsNot)):
        if not expressions.is_literal(right, type(None)):
            expressions.refuse(node, "`is` is for `None` only")
        term = expressions.is_missing(expressions.term(left))
        return expressions.negated(term) if isinstance(operator, ast.IsNot) else term
    if isinstance(operator, (ast.In, ast.NotIn)):
        term = _within(expressions, left, right)
        return expressions.negated(term) if isinstance(operator, ast.NotIn) else term
    function = COMPARISONS[type(operator)]
    first, second = _alike(expressions, node, left, right)
    if first.kind == "text":
        values = [first.value, second.value]
        return expressions.add("compare_text", values, "boolean", function=function)
    return expressions.combine(function, first.value, second.value, "boolean")


def _alike(
    expressions: Expressions, node: ast.AST, left: ast.expr, right: ast.expr
) -> tuple[Term, Term]:
    """Two values that can be compared; the text of a time stands for one."""
    terms = [expressions.term(left), expressions.term(right)]
    kinds = {"number" if term.kind == "boolean" else term.kind for term in terms}
    if kinds == {"time", "text"}:
        for at, part in enumerate((left, right)):
            if terms[at].kind == "text" and expressions.is_literal(part, str):
                terms[at] = expressions.constant(_instant(expressions, part))
                return terms[0], terms[1]
    if len(kinds) > 1:
        expressions.refuse(node, f"compares a {terms[0].kind} with a {terms[1].kind}")
    return terms[0], terms[1]


def _instant(expressions: Expressions, node: ast.expr) -> float:
    try:
        time = datetime.fromisoformat(expressions.literal(node))
    except ValueError as error:
        expressions.refuse(node, f"is no time: {error}")
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    return float((time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))


def _within(expressions: Expressions, left: ast.expr, right: ast.expr) -> Term:
    if expressions.is_literal(left, str) and not expressions.is_literal(right, list, tuple):
        return expressions.call("contains", right, [right, left])
    items = expressions.literal(right)
    if isinstance(items, str) or not isinstance(items, (list, tuple, set, frozenset)):
        expressions.refuse(right, "a tuple of constants is due")
    term = expressions.of(left, "text", *NUMERIC)
    levels: list[Any] = list(dict.fromkeys(items))
    wanted: tuple[type, ...] = (str,) if term.kind == "text" else (int, float)
    if any(not isinstance(level, wanted) for level in levels):
        expressions.refuse(right, f"not all of these can be the {term.kind} on the left")
    if not levels:
        return expressions.constant(False)
    return _one_of(expressions, term, levels)


def _one_of(expressions: Expressions, term: Term, levels: list[Any]) -> Term:
    text = term.kind == "text"
    if not text:
        levels = list(dict.fromkeys(float(level) for level in levels))
    code = expressions.context.add(
        "encode_text" if text else "encode_number",
        term.value,
        (Column(None, "code", "int64"),),
        levels=levels if text else array(levels),
        ends=array([len(levels)]),
        codes=array([0] * len(levels)),
        missing_codes=array([-1]),
        unseen_codes=array([-1]),
    )
    return expressions.add(
        "lookup",
        code,
        "boolean",
        values=array([1.0]),
        ends=array([1]),
        absent=array([0.0]),
    )


def _conditional(expressions: Expressions, node: ast.IfExp) -> Term:
    condition = expressions.condition(node.test)
    branches = [node.body, node.orelse]
    nothing = [expressions.is_literal(branch, type(None)) for branch in branches]
    terms = [
        None if is_none else expressions.term(branch)
        for branch, is_none in zip(branches, nothing, strict=True)
    ]
    kinds = [term.kind for term in terms if term is not None] or ["number"]
    kind = kinds[0] if len(set(kinds)) == 1 else "number"
    if kind == "number" and not set(kinds) <= {*NUMERIC}:
        expressions.refuse(node, f"is a {kinds[0]} or a {kinds[1]}; both must be of one kind")
    absent = expressions.missing_text if kind == "text" else lambda: expressions.constant(None)
    then, otherwise = (absent() if term is None else term for term in terms)
    return expressions.choose(condition, then, otherwise, kind)


def _call(expressions: Expressions, node: ast.Call) -> Term:
    arguments = list(node.args)
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in arguments):
        expressions.refuse(node, "arguments are given by position")
    if isinstance(node.func, ast.Name):
        return expressions.call(node.func.id, node, arguments)
    if isinstance(node.func, ast.Attribute):
        owner = node.func.value
        if isinstance(owner, ast.Name) and owner.id == "math":
            return expressions.call(node.func.attr, node, arguments)
        # A method of a text or a time is the function of the same name.
        return expressions.call(node.func.attr, node, [owner, *arguments])
    expressions.refuse(node, "only functions of the vocabulary can be called")


def _subscript(expressions: Expressions, node: ast.Subscript) -> Term:
    inner, index = node.value, node.slice
    match inner:
        case ast.Call(func=ast.Attribute(value=text, attr="split"), args=[separator]):
            return expressions.call("part", node, [text, separator, index])
    if not isinstance(index, ast.Slice) or index.step is not None:
        expressions.refuse(node, "write `text[0:1]`, or `text.split('.')[0]`")
    ends = [None if end is None else expressions.literal(end) for end in (index.lower, index.upper)]
    return expressions.add(
        "slice_text", expressions.text(inner), "text", start=ends[0], stop=ends[1]
    )


def _attribute(expressions: Expressions, node: ast.Attribute) -> Term:
    # `math.pi`, and the parts of a time as `datetime` has them.
    if isinstance(node.value, ast.Name) and node.value.id == "math":
        import math

        value = getattr(math, node.attr, None)
        if isinstance(value, float):
            return expressions.constant(None if value != value else value)
    return expressions.call(node.attr, node, [node.value])


def _joined(expressions: Expressions, node: ast.JoinedStr) -> Term:
    terms = []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            if part.conversion != -1 or part.format_spec is not None:
                expressions.refuse(node, "only texts stand in an f-string, without a format")
            terms.append(expressions.of(part.value, "text"))
        else:
            terms.append(expressions.term(part))
    term = terms[0] if terms else expressions.constant("")
    for other in terms[1:]:
        term = expressions.add("join_text", [term.value, other.value], "text")
    return term


SYNTAX: dict[type[ast.expr], Callable[[Expressions, Any], Term]] = {
    ast.Attribute: _attribute,
    ast.BinOp: _arithmetic,
    ast.BoolOp: _logic,
    ast.Call: _call,
    ast.Compare: _comparison,
    ast.Constant: _constant,
    ast.IfExp: _conditional,
    ast.JoinedStr: _joined,
    ast.Name: _name,
    ast.Subscript: _subscript,
    ast.UnaryOp: _unary,
}
