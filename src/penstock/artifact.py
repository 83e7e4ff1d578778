"""From a converted model to the bytes of its artifact's entries, as docs/format.md has them."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from penstock.card import card
from penstock.errors import ConvertError
from penstock.graph import Graph, Tensor
from penstock.schema import Field, Schema

__all__ = ["FORMAT", "MIN_READER", "Draft", "Entries", "canonical_json", "safetensors"]

FORMAT = 1
MIN_READER = 1
# https://github.com/huggingface/safetensors: bytes of the header's length; data begins at a
# multiple of it.
_HEADER_ALIGNMENT = 8

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Entries:
    """The bytes of each entry."""

    manifest: bytes
    tensors: bytes
    examples: bytes
    card: bytes


@dataclass(frozen=True)
class Draft:
    """A model before it is bytes; `examples` are rows and what the source library answered."""

    name: str
    version: str
    schema: Schema
    graph: Graph
    provenance: Mapping[str, Any]
    baseline: Mapping[str, Any]
    examples: Sequence[tuple[Row, Row]] = ()

    def with_inputs(self, fields: tuple[Field, ...]) -> "Draft":
        """The same model with other policies."""
        return replace(self, schema=replace(self.schema, inputs=fields))

    def entries(self) -> Entries:
        """The entries; the same draft gives the same bytes."""
        manifest = self._manifest()
        contents = {
            "tensors.safetensors": safetensors(self.graph.tensors()),
            "examples.json": canonical_json(self._examples()),
            "card.md": card(manifest).encode(),
        }
        manifest["entries"] = {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            for name, data in contents.items()
        }
        return Entries(
            canonical_json(manifest, indent=1),
            contents["tensors.safetensors"],
            contents["examples.json"],
            contents["card.md"],
        )

    def _manifest(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "min_reader": MIN_READER,
            "name": self.name,
            "version": self.version,
            "schema": self.schema.to_json(),
            "graph": self.graph.to_json(),
            "operators": self.graph.operators(),
            "provenance": dict(self.provenance),
            "baseline": dict(self.baseline),
        }

    def _examples(self) -> dict[str, Any]:
        return {
            "rows": [dict(row) for row, _ in self.examples],
            "expected": [dict(expected) for _, expected in self.examples],
        }


def canonical_json(value: Any, indent: int | None = None) -> bytes:
    """The one way to write a value: sorted keys, shortest numbers, one newline at the end.

    Missing is null; infinities are the texts `Infinity` and `-Infinity`.
    """
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(
        _plain(value),
        ensure_ascii=False,
        allow_nan=False,
        sort_keys=True,
        separators=separators,
        indent=indent,
    )
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError as error:
        broken = error.object[error.start : error.end]
        raise ConvertError(f"a text holds {broken!r}, which is no valid Unicode; mend it") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
    return value


def safetensors(tensors: Mapping[str, Tensor]) -> bytes:
    """The tensors in the standard layout; large items first aligns all without gaps."""
    order = sorted(tensors, key=lambda name: (-_item_size(tensors[name]), name))
    header: dict[str, Any] = {}
    start = 0
    for name in order:
        tensor = tensors[name]
        end = start + len(tensor.data)
        header[name] = {
            "dtype": tensor.dtype,
            "shape": tensor.shape,
            "data_offsets": [start, end],
        }
        start = end
    text = canonical_json(header).rstrip(b"\n")
    text += b" " * (-len(text) % _HEADER_ALIGNMENT)
    length = len(text).to_bytes(8, "little")
    return b"".join([length, text, *(tensors[name].data for name in order)])


def _item_size(tensor: Tensor) -> int:
    return int(tensor.dtype[1:]) // 8
