"""What this Python knows of characters, as tables: case, accents, and what a pattern takes."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

__all__ = ["accents", "cases", "encodable", "ranges", "sigma"]

# All code points that a text of UTF-8 may have: those without surrogates.
SURROGATES = range(0xD800, 0xE000)
Changes = Mapping[str, str]


def _characters() -> Iterable[str]:
    return (chr(code) for code in range(0x110000) if code not in SURROGATES)


def encodable(text: str) -> bool:
    """Whether UTF-8 can hold the text: no surrogates, which Python's texts may have."""
    return not any(ord(character) in SURROGATES for character in text)


def ranges(found: Iterable[tuple[int, int]]) -> Any:
    """Pairs of first and last code point, for a tensor."""
    import numpy

    return numpy.array([code for pair in found for code in pair], dtype="uint32")


@cache
def cases() -> Changes:
    """The characters that `str.lower` changes by themselves, and what they become."""
    pairs = ((character, character.lower()) for character in _characters())
    return {character: becomes for character, becomes in pairs if becomes != character}


@cache
def accents(form: str) -> Changes:
    """What becomes of characters in scikit-learn's `strip_accents_unicode` and `_ascii`.

    Both take characters apart (NFKD) and leave some of the parts out. The order of marks, which is
    all that one character does to another there, does not matter, as all marks are left out.
    """
    keep: Callable[[str], bool] = str.isascii
    if form == "unicode":
        keep = lambda part: not unicodedata.combining(part)  # noqa: E731
    changes = {}
    for character in _characters():
        if character.isascii():
            continue
        parts = unicodedata.normalize("NFKD", character)
        if parts == character and keep(character):
            continue
        becomes = "".join(filter(keep, parts))
        # Of `ascii`, what is not listed is left out.
        if becomes or form == "unicode":
            changes[character] = becomes
    return changes


@cache
def sigma() -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Cased characters, and those that are ignored, where a capital sigma ends a word.

    CPython's `handle_capital_sigma` looks back, over what is ignored, for a cased character. So the
    case of a sigma tells what a character before it is.
    """
    cased, ignored = [], []
    for character in _characters():
        if f"{character}\u03a3".lower().endswith("\u03c2"):
            cased.append(ord(character))
        elif f"A{character}\u03a3".lower().endswith("\u03c2"):
            ignored.append(ord(character))
    return _runs(cased), _runs(ignored)


def _runs(codes: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Ascending code points as ranges."""
    found: list[tuple[int, int]] = []
    for code in codes:
        if found and found[-1][1] == code - 1:
            found[-1] = (found[-1][0], code)
        else:
            found.append((code, code))
    return tuple(found)
