"""The functions of formulas that Python lacks, for plain functions and as the oracle of tests.

The engine computes the same, where these raise nothing; see docs/steps.md.
"""

import bisect
import math
import re
import zlib
from collections import Counter
from collections.abc import Collection
from typing import Any

__all__ = [
    "bucket",
    "contains",
    "count_words",
    "cyclic_cos",
    "cyclic_sin",
    "default",
    "entropy",
    "extract",
    "hash_bucket",
    "haversine",
    "matches",
    "missing",
    "part",
    "share",
]

# The mean radius of the Earth in kilometers (IUGG).
EARTH = 6371.0088


def missing(value: Any) -> bool:
    """Whether a number or a text is missing."""
    return value is None or value != value


def default(value: Any, other: Any) -> Any:
    """The value, or another where it is missing."""
    return other if missing(value) else value


def bucket(x: float, *edges: float) -> int | None:
    """How many of the ascending edges are not above the number."""
    return None if missing(x) else bisect.bisect_right(edges, x)


def haversine(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Kilometers between two points in degrees, on a sphere of the mean radius of the Earth."""
    first, second = math.radians(lat1), math.radians(lat2)
    east = math.sin((math.radians(lon2) - math.radians(lon1)) / 2) ** 2
    square = math.sin((second - first) / 2) ** 2 + math.cos(first) * math.cos(second) * east
    return 2 * EARTH * math.asin(min(math.sqrt(square), 1.0))


def cyclic_sin(x: float, period: float) -> float:
    """The sine of a turn of which the period is the whole."""
    return math.sin(x / period * (2 * math.pi))


def cyclic_cos(x: float, period: float) -> float:
    """The cosine of a turn of which the period is the whole."""
    return math.cos(x / period * (2 * math.pi))


def entropy(text: str) -> float:
    """Shannon entropy of the characters, in bits."""
    counts = Counter(text).values()
    return 0.0 - sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def share(text: str, characters: str) -> float:
    """The share of the characters of a text that are among these."""
    return sum(character in characters for character in text) / len(text)


def contains(text: str, wanted: str) -> bool:
    """Whether one text is in the other."""
    return wanted in text


def part(text: str, separator: str, index: int) -> str:
    """One of the parts between separators; raises `IndexError` where there are fewer."""
    return text.split(separator)[index]


def matches(text: str, pattern: str) -> bool:
    """Whether the pattern matches the whole text."""
    return re.fullmatch(pattern, text, re.ASCII) is not None


def extract(text: str, pattern: str) -> str | None:
    """The first group of the first match, or all of it where there are no groups."""
    found = re.search(pattern, text, re.ASCII)
    if found is None:
        return None
    return found.group(1 if found.re.groups else 0)


def count_words(text: str, words: Collection[str]) -> int:
    """How many of all the parts of a text are words: each place where one stands counts."""
    ends = range(1, len(text) + 1)
    return sum(text[start:end] in words for end in ends for start in range(end))


def hash_bucket(text: str, buckets: int) -> int:
    """CRC-32 of the text in UTF-8, modulo the number of buckets."""
    return zlib.crc32(text.encode()) % buckets
