"""One block of LightGBM's text format, `key=value` lines, as numbers."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

__all__ = ["Block", "Refuse", "array", "integer"]

Refuse = Callable[..., NoReturn]
Block = Mapping[str, str]


def integer(block: Block, key: str, refuse: Refuse) -> int:
    """A count, which is never negative."""
    text = block.get(key, "")
    if not text.isdecimal() or len(text) > 9:
        refuse(f"`{key}` is `{text[:60]}`, which is no count")
    return int(text)


def array(block: Block, key: str, count: int, dtype: str, refuse: Refuse) -> Any:
    """So many numbers, none of them NaN."""
    import numpy

    words = block.get(key, "").split()
    if len(words) != count:
        refuse(f"`{key}` has {len(words)} values, not {count}")
    try:
        values = numpy.array(words, dtype="U").astype(dtype) if words else numpy.zeros(0, dtype)
    except (ValueError, OverflowError) as error:
        refuse(f"`{key}`: {error}")
    if numpy.isnan(values).any():
        refuse(f"`{key}` has a value that is no number")
    return values
