"""Artifacts that lie: each function changes one thing in a valid one; the name says what."""

import copy
import json
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.hostile.forge import Forgery, archive

Lie = Callable[[], bytes]
ENTRY_ORDER = ("manifest.json", "tensors.safetensors", "examples.json", "card.md")


def with_tensor(name: str, values: Any, dtype: str | None = None) -> Lie:
    """One tensor replaced."""

    def lie() -> bytes:
        forgery = Forgery()
        old = forgery.tensors[name]
        forgery.tensors[name] = np.array(values, dtype or old.dtype)
        return forgery.bytes()

    return lie


def with_tensor_at(name: str, position: Any, value: float) -> Lie:
    """One number in one tensor replaced."""

    def lie() -> bytes:
        forgery = Forgery()
        array = forgery.tensors[name].copy()
        array[position] = value
        forgery.tensors[name] = array
        return forgery.bytes()

    return lie


def with_header(name: str, **changes: Any) -> Lie:
    """The entry of one tensor in the header replaced."""

    def lie() -> bytes:
        header = {"dtype": "F64", "shape": [1, 3], "data_offsets": [0, 24]} | changes
        return Forgery(header={name: header}).bytes()

    return lie


def with_manifest(*path: str | int, value: Any) -> Lie:
    """One value of the manifest replaced or added."""

    def lie() -> bytes:
        forgery = Forgery()
        target: Any = forgery.manifest
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = value
        return forgery.bytes()

    return lie


def with_field(node: str, name: str, value: Any) -> Lie:
    """One field of a node replaced or added."""

    def lie() -> bytes:
        forgery = Forgery()
        forgery.node(node)["fields"][name] = value
        return forgery.bytes()

    return lie


def with_manifest_bytes(change: Callable[[bytes], bytes]) -> Lie:
    return lambda: Forgery(manifest_bytes=change(Forgery().entries()["manifest.json"])).bytes()


def with_entries(change: Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]) -> Lie:
    return lambda: archive(change(list(Forgery().entries().items())))


def with_bytes(change: Callable[[bytes], bytes]) -> Lie:
    return lambda: change(Forgery().bytes())


def deep_chain() -> bytes:
    """A tree that is one chain of 200,000 splits."""
    count = 200_000
    forgery = Forgery()
    inner = np.arange(count)
    total = 2 * count + 1
    features = np.full(total, -1, "i4")
    features[:count] = 0
    left, right = np.zeros(total, "i4"), np.zeros(total, "i4")
    left[: count - 1] = inner[1:]
    left[count - 1] = count
    right[:count] = count + 1 + inner
    flags = np.where(features >= 0, 8, 0).astype("u1")
    forgery.tensors |= {
        "trees.ends": np.array([total], "i4"),
        "trees.features": features,
        "trees.thresholds": np.zeros(total),
        "trees.left": left,
        "trees.right": right,
        "trees.flags": flags,
    }
    return forgery.bytes()


def bomb() -> bytes:
    """Zeros that deflate to a thousandth."""
    forgery = Forgery()
    forgery.tensors["linear.coefficients"] = np.zeros((1, 40_000_000))
    return forgery.bytes()


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def swapped_size(data: bytes) -> bytes:
    """The uncompressed size of the first local header changed."""
    return data[:22] + struct.pack("<I", 5) + data[26:]


def encrypted(data: bytes) -> bytes:
    return data[:6] + struct.pack("<H", 1) + data[8:]


def double_key(data: bytes) -> bytes:
    return data.replace(b'"format": 1,', b'"format": 1,\n "format": 1,', 1)


def wrong_hash() -> bytes:
    forgery = Forgery()
    entries = forgery.entries()
    manifest = json.loads(entries["manifest.json"])
    manifest["entries"]["card.md"]["sha256"] = "0" * 64
    forgery.manifest = manifest
    return forgery.bytes()


def wrong_size() -> bytes:
    forgery = Forgery()
    manifest = json.loads(forgery.entries()["manifest.json"])
    manifest["entries"]["tensors.safetensors"]["size"] += 1
    forgery.manifest = manifest
    return forgery.bytes()


def cyclic_nodes() -> bytes:
    forgery = Forgery()
    forgery.node("encode")["inputs"] = ["hot"]
    return forgery.bytes()


def twice_the_node() -> bytes:
    forgery = Forgery()
    nodes = forgery.manifest["graph"]["nodes"]
    nodes.append(copy.deepcopy(nodes[0]))
    return forgery.bytes()


def doubled_width() -> bytes:
    """Sixty concats, each of twice the width of the one before."""
    forgery = Forgery()
    nodes = forgery.manifest["graph"]["nodes"]
    before = "all"
    for step in range(60):
        nodes.append(
            {"name": f"w{step}", "operator": "concat", "inputs": [before, before], "fields": {}}
        )
        before = f"w{step}"
    return forgery.bytes()


def extra_tensor() -> bytes:
    forgery = Forgery()
    forgery.tensors["nobody"] = np.zeros(3)
    return forgery.bytes()


def unordered(entries: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return entries[::-1]


def renamed(name: str) -> Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]:
    return lambda entries: [*entries[:-1], (name, entries[-1][1])]


def stored_with_wrong_crc() -> bytes:
    data = bytearray(archive(list(Forgery().entries().items()), zipfile.ZIP_STORED))
    at = data.index(b"# forged")
    data[at] ^= 1
    return bytes(data)


INPUT = ("schema", "inputs", 0)
LIES: dict[str, Lie] = {
    # -- the zip --
    "no zip at all": lambda: b"not a zip",
    "nothing": lambda: b"",
    "bytes before the zip": with_bytes(lambda data: b"MZ" + data),
    "bytes after the zip": with_bytes(lambda data: data + b"more"),
    "an entry twice": with_entries(lambda entries: [*entries, entries[-1]]),
    "an entry outside of the folder": with_entries(renamed("../card.md")),
    "an absolute entry": with_entries(renamed("/card.md")),
    "an unknown entry": with_entries(lambda entries: [*entries, ("code.py", b"1")]),
    "an absent entry": with_entries(lambda entries: entries[:-1]),
    "entries in another order": with_entries(unordered),
    "a size that differs in the local header": with_bytes(swapped_size),
    "an encrypted entry": with_bytes(encrypted),
    "a changed byte": stored_with_wrong_crc,
    "a bomb": bomb,
    # -- hashes and versions --
    "a wrong hash": wrong_hash,
    "a wrong size": wrong_size,
    "a future min_reader": with_manifest("min_reader", value=99),
    "a future format": with_manifest("format", value=2),
    "a negative min_reader": with_manifest("min_reader", value=-1),
    "a future operator version": with_manifest("operators", "linear", value=2),
    # -- JSON --
    "a key twice": with_manifest_bytes(double_key),
    "a manifest that is no UTF-8": with_manifest_bytes(
        lambda data: data.replace(b"forged", b"\xff")
    ),
    "a manifest that is no object": with_manifest_bytes(lambda data: b"[]"),
    "a manifest of brackets": with_manifest_bytes(lambda data: nested(200_000)),
    "an unknown key": with_manifest("surprise", value=1),
    "NaN as a number": with_manifest("schema", "inputs", 0, "minimum", value=float("nan")),
    "examples that are no JSON": lambda: Forgery(examples=b"{").bytes(),
    "examples of brackets": lambda: Forgery(examples=nested(200_000)).bytes(),
    "an example that is wrong": lambda: Forgery(
        examples=b'{"expected":[{"value":[2.75,9.0]}],"rows":[{"carrier":"UA","distance":0.25}]}'
    ).bytes(),
    "an example without an answer": lambda: Forgery(
        examples=b'{"expected":[],"rows":[{}]}'
    ).bytes(),
    "a card that is no UTF-8": lambda: Forgery(card=b"\xff\xfe").bytes(),
    # -- tensors --
    "a tensor outside of the file": with_header("linear.coefficients", data_offsets=[0, 1 << 60]),
    "overlapping tensors": with_header("linear.coefficients", data_offsets=[8, 32]),
    "offsets that go backwards": with_header("linear.coefficients", data_offsets=[24, 0]),
    "a shape that overflows": with_header("linear.coefficients", shape=[1 << 40, 1 << 40]),
    "a shape that its bytes do not fill": with_header("linear.coefficients", shape=[4]),
    "an unknown dtype": with_header("linear.coefficients", dtype="C128"),
    "a header longer than the file": lambda: Forgery(
        tensor_bytes=struct.pack("<Q", 1 << 62) + b"{}"
    ).bytes(),
    "a tensor that nobody uses": extra_tensor,
    "texts that are no UTF-8": with_tensor("encode.levels.bytes", [255, 254, 65, 65]),
    "texts that end beyond their bytes": with_tensor("encode.levels.ends", [2, 9]),
    # -- schema and graph --
    "an unknown operator": with_manifest("graph", "nodes", 5, "operator", value="python_eval"),
    "a node that reads itself": cyclic_nodes,
    "a node twice": twice_the_node,
    "an input that is nowhere": with_manifest(
        "graph", "nodes", 1, "inputs", value=["field:nobody"]
    ),
    "an output that is nowhere": with_manifest("schema", "outputs", 0, "node", value="nobody"),
    "an output of another width": with_manifest("schema", "outputs", 0, "names", value=["one"]),
    "a field twice": with_manifest("schema", "inputs", 1, "name", value="distance"),
    "an unknown type": with_manifest(*INPUT, "type", value="pickle"),
    "a range upside down": lambda: _range(5.0, 1.0),
    "a pattern that is no pattern": with_manifest(
        "schema", "inputs", 1, "pattern", value="(" * 300
    ),
    "widths that double sixty times": doubled_width,
    "an unknown field of an operator": with_field("linear", "code", "import os"),
    "a tensor of the wrong type": with_tensor("hot.widths", [2.0], "f8"),
    "codes where numbers are due": with_manifest("graph", "nodes", 3, "inputs", value=["encode"]),
    "a code that is no code": with_tensor("encode.codes", [0, -7]),
    "a huge one-hot width": with_tensor("hot.widths", [2_000_000_000]),
    # -- trees --
    "training rows of too few nodes": with_tensor("trees.cover", [1.0] * 6),
    "fewer than no training rows": with_tensor_at("trees.cover", 3, -1.0),
    "training rows that are no number": with_tensor_at("trees.cover", 0, float("nan")),
    "training rows without end": with_tensor_at("trees.cover", 6, float("inf")),
    "training rows as text": with_field("trees", "cover", {"text": "encode.levels"}),
    "means of too many inputs": with_tensor("linear.centers", [0.0] * 3),
    "a mean that is infinite": with_tensor_at("linear.centers", 1, float("-inf")),
    "a threshold that is NaN": with_tensor_at("trees.thresholds", 0, float("nan")),
    "a child that is its own ancestor": with_tensor_at("trees.left", 1, 0),
    "a child outside of its tree": with_tensor_at("trees.right", 0, 99),
    "a negative child": with_tensor_at("trees.left", 0, -1),
    "a node with two parents": with_tensor_at("trees.right", 0, 1),
    "a feature beyond the input": with_tensor_at("trees.features", 0, 3),
    "a leaf that is nowhere": with_tensor_at("trees.left", 6, 4),
    "an output of trees that is nowhere": with_tensor("trees.outputs", [1]),
    "trees that end backwards": with_tensor("trees.ends", [-7]),
    "flags of the future": with_tensor_at("trees.flags", 0, 255),
    "a set that is nowhere": with_tensor_at("trees.thresholds", 2, 5.0),
    "a divisor of zero": with_field("trees", "divisor", 0.0),
    "a tree of 200,000 levels": deep_chain,
}


def _range(minimum: float, maximum: float) -> bytes:
    forgery = Forgery()
    forgery.manifest["schema"]["inputs"][0] |= {"minimum": minimum, "maximum": maximum}
    return forgery.bytes()
