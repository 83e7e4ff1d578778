"""`penstock.steps.Derive` and `Dates`: formulas of columns, and the parts of times."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.expressions import NUMERIC, Expressions, Term
from penstock.converters.syntax import SYNTAX
from penstock.converters.validation import dense, sized
from penstock.converters.values import Column, Value
from penstock.converters.vocabulary import FUNCTIONS

__all__ = ["CONVERTERS", "features"]

KINDS = {"boolean": "boolean", "number": "number", "text": "text", "timestamp": "time"}


def derive(estimator: Any, value: Value, context: Context) -> Value:
    """A number or a text for each formula; those whose name begins with `_` are for others only."""
    formulas: Mapping[str, str] = estimator.formulas
    used = {name for text in formulas.values() for name in _names(text)}
    expressions = _expressions(estimator.constants or {}, value, used, context)
    terms = {name: expressions.formula(name, text) for name, text in formulas.items()}
    return features({name: term for name, term in terms.items() if name[0] != "_"}, value, context)


def dates(estimator: Any, value: Value, context: Context) -> Value:
    """The parts of each time, in the order of the columns."""
    names = column_names(value)
    expressions = _expressions({}, value, set(names), context)
    terms = {}
    for name in names:
        if name not in expressions.names or expressions.names[name].kind != "time":
            context.refuse(f"column `{name}` holds no times; parse them first: `parse_time`")
        time: ast.expr = ast.Name(name)
        if estimator.zone is not None:
            time = ast.Call(ast.Name("at_zone"), [time, ast.Constant(estimator.zone)], [])
        for part in estimator.parts:
            terms[f"{name}_{part}"] = expressions.call(part, time, [time])
    return features(terms, value, context)


def _names(text: str) -> set[str]:
    try:
        return {node.id for node in ast.walk(ast.parse(text.strip())) if isinstance(node, ast.Name)}
    except SyntaxError:
        # It is refused where its turn comes.
        return set()


def column_names(value: Value) -> list[str]:
    """Names of the columns; those of an array are counted."""
    named = enumerate(value.names)
    return [f"x{at}" if name is None or not value.frame else name for at, name in named]


def _expressions(
    constants: Mapping[str, Any], value: Value, used: set[str], context: Context
) -> Expressions:
    """Formulas over the columns that are used."""
    value = dense(value, context)
    terms = {}
    for at, (name, column) in enumerate(zip(column_names(value), value.columns, strict=True)):
        if name not in used:
            continue
        kind = KINDS.get(column.kind)
        if kind is None:
            context.refuse(f"column `{name}` is {column.kind}, which no formula takes")
        terms[name] = Term(replace(context.select(value, [at]), frame=""), kind)
    expressions = Expressions(context, terms, constants, FUNCTIONS, SYNTAX)
    expressions.columns = column_names(value)
    return expressions


def features(terms: Mapping[str, Term], value: Value, context: Context) -> Value:
    """The terms side by side, in a table as the value is one."""
    for name, term in terms.items():
        if term.kind not in (*NUMERIC, "text"):
            context.refuse(f"feature `{name}` is a {term.kind}; take parts or a difference of it")
    together = context.concat([term.value for term in terms.values()], frame=value.frame)
    texts = any(term.kind == "text" for term in terms.values())
    dtype = "object" if texts and not value.frame else "float64"
    columns = []
    for name, term in terms.items():
        label = name if value.frame else None
        if term.kind == "text":
            columns.append(Column(label, "text", "object", missing=_marker(value.frame)))
        else:
            columns.append(Column(label, "number", dtype))
    return together.with_columns(columns)


def _marker(frame: str) -> str:
    """What stands for a missing text in what a step gives."""
    if frame != "pandas":
        return "none"
    import pandas

    return "none" if pandas.Series([""]).dtype == "object" else "nan"


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {"penstock.steps.Dates": dates, "penstock.steps.Derive": derive}
)
