"""Columns of times to their parts."""

from collections.abc import Sequence

from penstock.steps.running import Step

__all__ = ["Dates"]


class Dates(Step):
    """The parts of each time, as columns `<column>_<part>`.

    `parts`: of `year`, `quarter`, `month`, `week`, `day`, `day_of_year`, `weekday` (Monday is 0),
    `hour`, `minute`, `second`, `microsecond`. `zone`: by the clocks there, as in `Europe/Berlin`.
    """

    def __init__(
        self, parts: Sequence[str] = ("year", "month", "day", "weekday"), zone: str | None = None
    ) -> None:
        self.parts = parts
        self.zone = zone

    def _names(self) -> list[str]:
        return [f"{name}_{part}" for name in self._inputs() for part in self.parts]


Dates.__module__ = "penstock.steps"
