"""The graph of a model: nodes and the arrays that they name; converters write it."""

import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from penstock.errors import ConvertError

__all__ = ["FIELD_PREFIX", "OPERATOR_VERSION", "Graph", "Node", "Tensor", "Texts"]

# An input of a node that starts with this names an input field of the schema, else an earlier node.
FIELD_PREFIX = "field:"
# docs/format.md: all operators of format 1 have this version.
OPERATOR_VERSION = 1

# Kind and size of an item of the buffer protocol (module `struct`) to the type's name in
# safetensors.
_KINDS = {"f": "F", "d": "F", "?": "U"} | dict.fromkeys("bhilq", "I") | dict.fromkeys("BHILQ", "U")


@dataclass(frozen=True)
class Tensor:
    """An array: `dtype` as safetensors names it, `data` little-endian in C order."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes

    @classmethod
    def of(cls, array: Any) -> "Tensor":
        """The tensor of anything with the buffer protocol, as numpy arrays; booleans become U8."""
        view = memoryview(array)
        order, kind = view.format[:-1], view.format[-1]
        if kind not in _KINDS or order not in ("", "<", "=", "@"):
            raise TypeError(f"no tensor is made from an array with the format `{view.format}`")
        return cls(f"{_KINDS[kind]}{8 * view.itemsize}", tuple(view.shape or ()), view.tobytes("C"))


@dataclass(frozen=True)
class Texts:
    """A list of texts; kept as the tensors `<name>.bytes` and `<name>.ends`."""

    values: tuple[str, ...]

    def tensors(self, name: str) -> dict[str, Tensor]:
        """All texts joined as UTF-8, and the end offset of each."""
        encoded = [value.encode() for value in self.values]
        ends = list(accumulate(len(value) for value in encoded))
        joined = b"".join(encoded)
        return {
            f"{name}.bytes": Tensor("U8", (len(joined),), joined),
            f"{name}.ends": Tensor("U32", (len(ends),), struct.pack(f"<{len(ends)}I", *ends)),
        }


Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Node:
    """One step: an operator on the values of earlier nodes or input fields.

    A field is a scalar (finite, where it is a number), a `Tensor` or `Texts`; arrays are named
    `<node>.<field>`.
    """

    name: str
    operator: str
    inputs: tuple[str, ...]
    fields: Mapping[str, Scalar | Tensor | Texts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.fields.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ConvertError(
                    f"node `{self.name}`: field `{name}` is {value}; "
                    "scalars are finite, use a tensor"
                )

    def to_json(self) -> dict[str, Any]:
        """The node as the manifest has it."""
        return {
            "name": self.name,
            "operator": self.operator,
            "inputs": list(self.inputs),
            "fields": {name: self._field(name) for name in self.fields},
        }

    def tensors(self) -> dict[str, Tensor]:
        """The arrays of the node by tensor name."""
        tensors: dict[str, Tensor] = {}
        for name, value in self.fields.items():
            full_name = f"{self.name}.{name}"
            if isinstance(value, Tensor):
                tensors[full_name] = value
            elif isinstance(value, Texts):
                tensors |= value.tensors(full_name)
        return tensors

    def _field(self, name: str) -> Any:
        value = self.fields[name]
        kind = {Tensor: "tensor", Texts: "text"}.get(type(value))
        return value if kind is None else {kind: f"{self.name}.{name}"}


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which each comes after its inputs."""

    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        known: set[str] = set()
        for node in self.nodes:
            unknown = [
                name
                for name in node.inputs
                if name not in known and not name.startswith(FIELD_PREFIX)
            ]
            if unknown:
                raise ConvertError(f"node `{node.name}` comes before its input `{unknown[0]}`")
            if node.name in known or node.name.startswith(FIELD_PREFIX):
                raise ConvertError(f"node name `{node.name}` is taken")
            known.add(node.name)

    def to_json(self) -> dict[str, Any]:
        """The graph as the manifest has it."""
        return {"nodes": [node.to_json() for node in self.nodes]}

    def tensors(self) -> dict[str, Tensor]:
        """Every array of the graph by its name."""
        tensors: dict[str, Tensor] = {}
        for node in self.nodes:
            for name, tensor in node.tensors().items():
                if name in tensors:
                    raise ConvertError(f"two nodes have a tensor of the name `{name}`")
                tensors[name] = tensor
        return tensors

    def operators(self) -> dict[str, int]:
        """The version of every operator that the graph uses."""
        return {name: OPERATOR_VERSION for name in sorted({node.operator for node in self.nodes})}

    def fields(self) -> frozenset[str]:
        """Names of the input fields that some node reads."""
        inputs = (name for node in self.nodes for name in node.inputs)
        return frozenset(
            name.removeprefix(FIELD_PREFIX) for name in inputs if name.startswith(FIELD_PREFIX)
        )

    def reachable(self, targets: Iterable[str]) -> "Graph":
        """The graph with only the nodes that these need."""
        needed = set(targets)
        for node in reversed(self.nodes):
            if node.name in needed:
                needed.update(node.inputs)
        return Graph(tuple(node for node in self.nodes if node.name in needed))
