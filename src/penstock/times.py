"""Times as text, ISO 8601 in UTC, as rows have them, and as counts, as tables have them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["counts", "is_zoned", "ticks", "unit", "written"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# Nanoseconds of the units that tables count times in.
UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
# As pandas and Arrow write dtypes, `timestamp[ns, tz=UTC]`, and as Polars does.
_UNIT = re.compile(r"\[(s|ms|us|ns)\b|'(s|ms|us|ns)'")
_ZONE = re.compile(r"\[\w+, |time_zone='")
# What comes after microseconds.
_FINER = re.compile(r"\.\d{6}(\d{1,3})")


def written(time: Any) -> str | None:
    """A time of Python or pandas as text; without a zone it is UTC. `None` stays."""
    if time is None:
        return None
    if time.tzinfo is not None:
        time = time.astimezone(UTC).replace(tzinfo=None)
    return f"{time.isoformat()}Z"


def ticks(text: str | None, of: str) -> int | None:
    """How many units a time that was written is after 1970; what is less than one is cut."""
    if text is None:
        return None
    finer = _FINER.search(text)
    nanoseconds = int(finer[1].ljust(3, "0")) if finer else 0
    time = datetime.fromisoformat(text if finer is None else text.replace(finer[1] + "Z", "Z"))
    return ((time - EPOCH) // MICROSECOND * 1_000 + nanoseconds) // UNITS[of]


def unit(dtype: str) -> str:
    """The unit in which a dtype counts times."""
    found = _UNIT.search(dtype)
    return "us" if found is None else found[1] or found[2]


def is_zoned(dtype: str) -> bool:
    """Whether the times of a dtype have a time zone."""
    return _ZONE.search(dtype) is not None


def counts(times: Sequence[str | None], dtype: str) -> tuple[list[int | None], str]:
    """Times as counts of the unit of a dtype; of microseconds, where it cannot count so far."""
    counted = unit(dtype)
    found = [ticks(time, counted) for time in times]
    if all(count is None or -(2**63) < count < 2**63 for count in found):
        return found, counted
    return [ticks(time, "us") for time in times], "us"
