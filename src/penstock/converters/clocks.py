"""Time zones as an artifact has them: when the offset of a zone changes, and to what."""

from datetime import UTC, datetime, timedelta
from functools import cache

from penstock.errors import ConvertError

__all__ = ["changes"]

# What the rules of today say of later years may change before they come.
FIRST, LAST = 1900, 2100
DAY = 86_400


@cache
def changes(name: str) -> tuple[list[int], list[int]]:
    """Seconds since 1970 at which the offset changes, and the offsets before, between and after.

    By the rules of IANA that this Python has (`zoneinfo`), from 1900 to 2100.
    """
    from zoneinfo import ZoneInfo

    try:
        zone = ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConvertError(
            f"there is no time zone `{name}`; name it as in `Europe/Berlin`"
        ) from None

    def offset(second: int) -> int:
        time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
        found = time.astimezone(zone).utcoffset()
        return 0 if found is None else round(found.total_seconds())

    ends = [int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (FIRST, LAST)]
    transitions: list[int] = []
    offsets = [offset(ends[0])]
    for second in range(ends[0], ends[1], DAY):
        if offset(second + DAY) != offsets[-1]:
            low, high = second, second + DAY
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
            transitions.append(high)
            offsets.append(offset(second + DAY))
    return transitions, offsets
