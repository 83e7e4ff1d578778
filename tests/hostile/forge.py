"""A small valid artifact with an encoder, a linear model and trees; every part can lie."""

import copy
import hashlib
import io
import json
import struct
import zipfile
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FIELD = {
    "precision": "f64",
    "on_missing": "allow",
    "replacement": None,
    "on_invalid": "refuse",
    "minimum": None,
    "maximum": None,
    "pattern": None,
    "infinite": "allow",
    "on_range": "refuse",
    "levels": None,
    "on_unseen": "allow",
}
DTYPES = {"<f8": "F64", "<f4": "F32", "<i4": "I32", "|u1": "U8", "<u4": "U32", "<i8": "I64"}


def tensors() -> dict[str, np.ndarray]:
    """Every array of the artifact: a tree of three splits, one of them categorical."""
    return {
        "encode.levels.bytes": np.frombuffer(b"UAAA", "u1"),
        "encode.levels.ends": np.array([2, 4], "u4"),
        "encode.ends": np.array([2], "i4"),
        "encode.codes": np.array([0, 1], "i4"),
        "encode.missing_codes": np.array([-1], "i4"),
        "encode.unseen_codes": np.array([-1], "i4"),
        "hot.widths": np.array([2], "i4"),
        "linear.coefficients": np.array([[1.0, 2.0, 3.0]]),
        "linear.intercepts": np.array([0.5]),
        "linear.centers": np.array([0.25, 1.0]),
        "trees.ends": np.array([7], "i4"),
        "trees.features": np.array([0, 0, 1, -1, -1, -1, -1], "i4"),
        "trees.thresholds": np.array([1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0]),
        "trees.left": np.array([1, 3, 5, 0, 1, 2, 3], "i4"),
        "trees.right": np.array([2, 4, 6, 0, 0, 0, 0], "i4"),
        "trees.flags": np.array([10, 10, 9, 0, 0, 0, 0], "u1"),
        "trees.leaves": np.array([[1.0], [2.0], [3.0], [4.0]]),
        "trees.outputs": np.array([0], "i4"),
        "trees.start": np.array([0.0]),
        "trees.set_ends": np.array([1], "i4"),
        "trees.set_words": np.array([2], "u4"),
        "trees.cover": np.array([10.0, 6.0, 4.0, 2.0, 4.0, 3.0, 1.0], "f4"),
    }


def named(operator: str, *names: str, **scalars: Any) -> dict[str, Any]:
    return {name: {"tensor": f"{operator}.{name}"} for name in names} | scalars


def manifest() -> dict[str, Any]:
    """The manifest without its entries."""
    encode = named("encode", "ends", "codes", "missing_codes", "unseen_codes")
    trees = named(
        "trees",
        *("ends", "features", "thresholds", "left", "right", "flags"),
        *("leaves", "outputs", "start", "set_ends", "set_words", "cover"),
        comparison="less_equal",
        precision="f64",
        flush_zero=False,
        accumulate="f64",
        divisor=1.0,
        other_category="right",
    )
    nodes = [
        (
            "encode",
            "encode_text",
            ["field:carrier"],
            encode | {"levels": {"text": "encode.levels"}},
        ),
        ("hot", "one_hot", ["encode"], named("hot", "widths")),
        ("all", "concat", ["field:distance", "hot"], {}),
        ("linear", "linear", ["all"], named("linear", "coefficients", "intercepts", "centers")),
        ("trees", "trees", ["all"], trees),
        ("both", "concat", ["linear", "trees"], {}),
    ]
    outputs = {"name": "value", "kind": "numbers", "node": "both", "names": ["linear", "trees"]}
    return {
        "format": 1,
        "min_reader": 1,
        "name": "forged",
        "version": "1",
        "schema": {
            "inputs": [
                {"name": "distance", "type": "number", **FIELD},
                {"name": "carrier", "type": "text", **FIELD},
            ],
            "outputs": [outputs | {"levels": None, "tolerance": 0.0}],
        },
        "graph": {
            "nodes": [
                {"name": name, "operator": operator, "inputs": inputs, "fields": fields}
                for name, operator, inputs, fields in nodes
            ]
        },
        "operators": {operator: 1 for _, operator, _, _ in nodes},
        "provenance": {},
        "baseline": {},
    }


@dataclass
class Forgery:
    """The parts of an artifact; a lie changes one of them before the bytes are made."""

    manifest: dict[str, Any] = field(default_factory=manifest)
    tensors: dict[str, np.ndarray] = field(default_factory=tensors)
    header: dict[str, Any] | None = None
    tensor_bytes: bytes | None = None
    manifest_bytes: bytes | None = None
    examples: bytes = (
        b'{"expected":[{"value":[2.75,1.0]}],"rows":[{"carrier":"UA","distance":0.25}]}\n'
    )
    card: bytes = b"# forged\n"
    truthful: bool = True

    def node(self, name: str) -> dict[str, Any]:
        return next(node for node in self.manifest["graph"]["nodes"] if node["name"] == name)

    def entries(self) -> dict[str, bytes]:
        """Names and bytes of the entries; hashes are true unless a lie says otherwise."""
        tensor_bytes = self.tensor_bytes or safetensors(self.tensors, self.header)
        contents = {
            "tensors.safetensors": tensor_bytes,
            "examples.json": self.examples,
            "card.md": self.card,
        }
        manifest = copy.deepcopy(self.manifest)
        manifest.setdefault(
            "entries",
            {
                name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
                for name, data in contents.items()
            },
        )
        text = json.dumps(manifest, indent=1, sort_keys=True, allow_nan=True) + "\n"
        return {"manifest.json": self.manifest_bytes or text.encode(), **contents}

    def bytes(self) -> bytes:
        return archive(list(self.entries().items()))


def safetensors(arrays: dict[str, np.ndarray], header: dict[str, Any] | None = None) -> bytes:
    """The tensors; `header` replaces entries of the true header."""
    true: dict[str, Any] = {}
    data = b""
    for name, array in arrays.items():
        raw = array.tobytes()
        dtype = DTYPES[array.dtype.str]
        true[name] = {
            "dtype": dtype,
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(true | (header or {})).encode()
    return struct.pack("<Q", len(text)) + text + data


def archive(entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these entries, doubles included."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, data in entries:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            target.writestr(info, data)
    return buffer.getvalue()
