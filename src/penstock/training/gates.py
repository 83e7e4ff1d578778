"""Conditions on metrics, as `auc>=0.79`: what decides whether a model may pass."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from penstock.errors import PenstockError

__all__ = ["Gate", "gates"]

_SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM = re.compile(r"\s*(\w+)\s*(>=|<=|>|<)\s*([-+.\deE]+)\s*")


@dataclass(frozen=True)
class Gate:
    """A metric, a sign and a limit."""

    text: str
    metric: str
    sign: str
    limit: float

    def refusal(self, metrics: Mapping[str, float]) -> str | None:
        """Why these metrics do not pass, or None; raises `PenstockError` for one that is none."""
        if self.metric not in metrics:
            there = ", ".join(f"`{name}`" for name in metrics)
            raise PenstockError(
                f"`{self.text}`: there is no metric `{self.metric}`; there are {there}"
            )
        value = metrics[self.metric]
        if _SIGNS[self.sign](value, self.limit):
            return None
        return f"`{self.text}` is not met: {self.metric} is {value:.6g}"


def gates(texts: Sequence[str]) -> tuple[Gate, ...]:
    """The conditions of these texts; raises `PenstockError` for one that cannot be read."""
    found = []
    for text in texts:
        match = _FORM.fullmatch(text)
        try:
            limit = float(match[3]) if match else None
        except ValueError:
            limit = None
        if match is None or limit is None:
            raise PenstockError(f"`{text}` is no condition; write one as `auc>=0.79`")
        found.append(Gate(text.strip(), match[1], match[2], limit))
    return tuple(found)
