"""UBJSON, as XGBoost writes it (`.ubj`): a small decoder that trusts nothing.

Source of the format: ubjson.org, draft 12; XGBoost, src/common/json.cc, `UBJReader`. Numbers are
big-endian; lengths are of any integer type; XGBoost writes no others than signed 64 bits.
"""

import struct
from dataclasses import dataclass
from typing import Any

from penstock.errors import ConvertError

__all__ = ["decode"]

# XGBoost's documents have less than ten levels.
DEEPEST = 64
# Marker to format, as `struct` and numpy call it.
NUMBERS: dict[bytes, str] = {
    b"i": ">b",
    b"U": ">B",
    b"I": ">h",
    b"l": ">i",
    b"L": ">q",
    b"d": ">f",
    b"D": ">d",
}
CONSTANTS: dict[bytes, Any] = {b"Z": None, b"T": True, b"F": False}
INTEGERS = frozenset((b"i", b"U", b"I", b"l", b"L"))


def decode(data: bytes) -> Any:
    """The document: dictionaries, lists, texts, numbers; arrays of one type as numpy arrays.

    Takes time and memory in proportion to the length of the data, whatever it says of itself.
    """
    reader = _Reader(data)
    value = reader.value(reader.take(1), DEEPEST)
    if reader.at != len(data):
        raise reader.error("the document ends, and bytes follow")
    return value


@dataclass
class _Reader:
    data: bytes
    at: int = 0

    def error(self, reason: str) -> ConvertError:
        """What is wrong, and where."""
        return ConvertError(f"byte {self.at} of the UBJSON document: {reason}")

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if not 0 <= count <= len(self.data) - self.at:
            raise self.error(f"{count} bytes should follow, and {len(self.data) - self.at} do")
        start, self.at = self.at, self.at + count
        return self.data[start : self.at]

    def number(self, marker: bytes) -> Any:
        form = NUMBERS[marker]
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def length(self) -> int:
        marker = self.take(1)
        if marker not in INTEGERS:
            raise self.error(f"{marker!r} is no type of a length")
        return int(self.number(marker))

    def text(self) -> str:
        try:
            return self.take(self.length()).decode()
        except UnicodeDecodeError:
            raise self.error("a text is not UTF-8") from None

    def value(self, marker: bytes, depth: int) -> Any:
        if not depth:
            raise self.error("the document is nested too deeply")
        if marker == b"{":
            return self.object(depth - 1)
        if marker == b"[":
            return self.array(depth - 1)
        if marker == b"S":
            return self.text()
        if marker in CONSTANTS:
            return CONSTANTS[marker]
        if marker not in NUMBERS:
            raise self.error(f"{marker!r} is no type that XGBoost writes")
        return self.number(marker)

    def object(self, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while self.data[self.at : self.at + 1] != b"}":
            key = self.text()
            if key in result:
                raise self.error(f"the key `{key}` comes twice")
            result[key] = self.value(self.take(1), depth)
        self.at += 1
        return result

    def array(self, depth: int) -> Any:
        marker = self.take(1)
        if marker == b"$":
            return self.typed(self.take(1))
        result = []
        if marker == b"#":
            for _ in range(self.length()):
                result.append(self.value(self.take(1), depth))
            return result
        while marker != b"]":
            result.append(self.value(marker, depth))
            marker = self.take(1)
        return result

    def typed(self, marker: bytes) -> Any:
        import numpy

        if marker not in NUMBERS or self.take(1) != b"#":
            raise self.error(f"{marker!r} is no type of an array that XGBoost writes")
        dtype = numpy.dtype(NUMBERS[marker])
        count = self.length()
        array = numpy.frombuffer(self.take(count * dtype.itemsize), dtype)
        return array.astype(dtype.newbyteorder("="))
