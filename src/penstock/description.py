"""A manifest in words: the schema as a table, the steps as a tree."""

from collections.abc import Mapping
from typing import Any

from penstock.schema import Schema

__all__ = ["describe", "steps"]


def describe(manifest: Mapping[str, Any]) -> str:
    """Name, schema and steps, for people."""
    title = f"{manifest['name']} {manifest['version']}"
    return f"{title}\n\n{Schema.from_json(manifest['schema'])}\n\n{steps(manifest)}"


def steps(manifest: Mapping[str, Any]) -> str:
    """The nodes as a tree of the steps that they come from, each with its operators in order."""
    tree: dict[str, Any] = {}
    for node in manifest["graph"]["nodes"]:
        branch = tree
        for part in _path(node["name"]):
            branch = branch.setdefault(part, {})
        branch.setdefault("", []).append(_operator(node))
    return "\n".join(_lines(tree, ""))


def _path(name: str) -> list[str]:
    # `scale.2` is the second node of the step `scale`.
    step, dot, count = name.rpartition(".")
    return (step if dot and count.isdigit() else name).split("/")


def _operator(node: Mapping[str, Any]) -> str:
    function = node["fields"].get("function")
    return f"{node['operator']} {function}" if isinstance(function, str) else str(node["operator"])


def _lines(tree: Mapping[str, Any], indent: str) -> list[str]:
    lines: list[str] = []
    names = [name for name in tree if name != ""]
    for at, name in enumerate(names):
        last = at == len(names) - 1
        operators = ", ".join(_counted(tree[name].get("", [])))
        lines.append(
            f"{indent}{'└─' if last else '├─'} {name}{': ' if operators else ''}{operators}"
        )
        lines += _lines(tree[name], indent + ("   " if last else "│  "))
    return lines


def _counted(operators: list[str]) -> list[str]:
    """`a, a, b` as `a (2), b`."""
    counted: list[tuple[str, int]] = []
    for operator in operators:
        if counted and counted[-1][0] == operator:
            counted[-1] = (operator, counted[-1][1] + 1)
        else:
            counted.append((operator, 1))
    return [name if count == 1 else f"{name} ({count})" for name, count in counted]
