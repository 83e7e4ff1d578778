"""What becomes of inputs in the graph: tested by trees, replaced as missing, computed in f32."""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.graph import FIELD_PREFIX, Graph, Node, Tensor

__all__ = ["sentinels", "single", "thresholds"]

# Operators that keep each element in its place and, but for missing and clipped ones, its value.
_KEEPING = frozenset(("clip", "impute", "require"))
_INVERSES = {"add": "subtract", "subtract": "add", "multiply": "divide", "divide": "multiply"}
# Of larger models the first trees are looked at: a dozen values per field are used.
MOST_TESTS = 300_000
_FORMATS = {"F64": "d", "F32": "f", "I32": "i", "U8": "B"}


@dataclass(frozen=True)
class Trace:
    """An element that comes from one field by arithmetic; `steps` lead back to the field."""

    field: str
    steps: tuple[tuple[str, float], ...] = ()

    def back(self, value: float) -> float:
        """The value of the field that makes the element this value, but for rounding."""
        for function, operand in self.steps:
            value = _calculate(function, value, operand)
        return value


def thresholds(graph: Graph, widths: Mapping[str, int]) -> dict[str, list[float]]:
    """Values of input fields at which some tree branches; `widths` are those of the nodes."""
    traces: dict[str, list[Trace | None]] = {}
    found: dict[str, set[float]] = {}
    for node in graph.nodes:
        traces[node.name] = _traces(node, traces, widths)
        if node.operator == "trees":
            _collect(node, traces[node.inputs[0]], found)
    return {field: sorted(values) for field, values in found.items()}


def sentinels(graph: Graph, widths: Mapping[str, int]) -> dict[str, list[float]]:
    """Values of input fields that stand for missing ones, and are replaced."""
    traces: dict[str, list[Trace | None]] = {}
    found: dict[str, set[float]] = {}
    for node in graph.nodes:
        traces[node.name] = _traces(node, traces, widths)
        missing = node.fields["missing"] if node.operator == "impute" else None
        if not isinstance(missing, (int, float)):
            continue
        # It keeps each element in its place.
        for trace in filter(None, traces[node.name]):
            value = trace.back(float(missing))
            if math.isfinite(value):
                found.setdefault(trace.field, set()).add(value)
    return {field: sorted(values) for field, values in found.items()}


def single(graph: Graph, widths: Mapping[str, int]) -> frozenset[str]:
    """Input fields that the source library has, as they are, in an array of float32."""
    traces: dict[str, list[Trace | None]] = {}
    for node in graph.nodes:
        traces[node.name] = _traces(node, traces, widths)
    found = [
        trace
        for node in graph.nodes
        if node.operator == "require" and node.fields["precision"] == "f32"
        for trace in traces[node.name]
    ]
    return frozenset(trace.field for trace in found if trace is not None and not trace.steps)


def _traces(
    node: Node, known: Mapping[str, list[Trace | None]], widths: Mapping[str, int]
) -> list[Trace | None]:
    def of(name: str) -> list[Trace | None]:
        field = name.removeprefix(FIELD_PREFIX)
        return [Trace(field)] if name.startswith(FIELD_PREFIX) else known[name]

    unknown: list[Trace | None] = [None] * widths[node.name]
    inputs = [trace for name in node.inputs for trace in of(name)]
    if node.operator == "concat" or node.operator in _KEEPING:
        return inputs
    if node.operator == "map" and node.fields["function"] == "identity":
        return inputs
    if node.operator == "select":
        return [inputs[int(at)] for at in _values(node.fields["indices"])]
    if node.operator == "arithmetic":
        inverse = _INVERSES[str(node.fields["function"])]
        operands = _values(node.fields["operands"])
        return [
            trace and Trace(trace.field, ((inverse, operand), *trace.steps))
            for trace, operand in zip(inputs, operands, strict=True)
        ]
    return unknown


def _collect(node: Node, traces: Sequence[Trace | None], found: dict[str, set[float]]) -> None:
    features = _values(node.fields["features"])[:MOST_TESTS]
    limits = _values(node.fields["thresholds"])[:MOST_TESTS]
    flags = _values(node.fields["flags"])[:MOST_TESTS]
    for feature, limit, flag in zip(features, limits, flags, strict=True):
        trace = traces[int(feature)] if feature >= 0 and not int(flag) & 1 else None
        if trace is not None:
            value = trace.back(limit)
            if math.isfinite(value):
                found.setdefault(trace.field, set()).add(value)


def _calculate(function: str, left: float, right: float) -> float:
    try:
        return {
            "add": lambda: left + right,
            "subtract": lambda: left - right,
            "multiply": lambda: left * right,
            "divide": lambda: left / right,
        }[function]()
    except ZeroDivisionError:
        return math.nan


def _values(tensor: Any) -> tuple[Any, ...]:
    assert isinstance(tensor, Tensor)
    item = _FORMATS[tensor.dtype]
    return struct.unpack(f"<{len(tensor.data) // struct.calcsize(item)}{item}", tensor.data)
