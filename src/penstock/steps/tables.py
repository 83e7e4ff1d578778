"""Tables inside the model, and rare levels together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.errors import ConvertError
from penstock.frames import Example, describe
from penstock.steps.running import Step

__all__ = ["Levels", "Lookup"]


class Lookup(Step):
    """What a table says of a row: its columns `take`, where its columns `on` are those of the row.

    The table goes into the artifact. `unmatched="refuse"` refuses a row that is not in it; else
    what it would say is missing, or is in `default`, a dictionary by column.
    """

    def __init__(
        self,
        table: Any,
        on: str | Sequence[str],
        take: str | Sequence[str] | None = None,
        *,
        unmatched: str = "missing",
        default: Mapping[str, Any] | None = None,
    ) -> None:
        self.table = table
        self.on = on
        self.take = take
        self.unmatched = unmatched
        self.default = default

    def _learn(self, table: Any) -> None:
        example = describe(self.table)
        self.on_ = [self.on] if isinstance(self.on, str) else list(self.on)
        taken = [self.take] if isinstance(self.take, str) else self.take
        others = [name for name in example.names if name not in self.on_]
        taken = others if taken is None else list(taken)
        if self.unmatched not in ("missing", "refuse"):
            raise ConvertError(f'`unmatched` is {self.unmatched!r}; it is "missing" or "refuse"')
        self.keys_ = [_column(example, name, key=True) for name in self.on_]
        self.values_ = {name: _column(example, name, key=False) for name in taken}
        rows = list(zip(*(list(column) for column in self.keys_), strict=True))
        twice = [key for key, count in Counter(rows).items() if count > 1]
        if twice:
            shown = ", ".join(repr(part) for part in twice[0])
            raise ConvertError(f"the table has the key {shown} more than once; drop the others")

    def _names(self) -> list[str]:
        return list(self.values_)


def _column(example: Example, name: str, *, key: bool) -> Any:
    """A list of texts, or an array of numbers; keys are never missing."""
    import numpy

    if name not in example.names:
        raise ConvertError(f"the table has no column `{name}`")
    at = example.names.index(name)
    values = example.values(at)
    kind = example.columns[at].kind
    if key and None in values:
        raise ConvertError(f"a key is missing in column `{name}` of the table; drop its row")
    if kind == "text":
        return values
    if kind not in ("number", "boolean"):
        raise ConvertError(f"column `{name}` of the table is {kind}; use numbers or texts")
    return numpy.array([numpy.nan if value is None else value for value in values], dtype="float64")


class Levels(Step):
    """Texts, in which rare levels are `other`.

    Rare: fewer than `min_count` in training, or not among the `max_levels` most frequent. A level
    that was never seen is `unseen`: `other`, `missing`, or `refuse`. Missing stays missing.
    """

    def __init__(
        self,
        *,
        min_count: int = 1,
        max_levels: int | None = None,
        other: str = "other",
        unseen: str = "other",
    ) -> None:
        self.min_count = min_count
        self.max_levels = max_levels
        self.other = other
        self.unseen = unseen

    def _learn(self, table: Any) -> None:
        if self.unseen not in ("other", "missing", "refuse"):
            raise ConvertError(f'`unseen` is {self.unseen!r}; it is "other", "missing" or "refuse"')
        example = describe(table, self._inputs())
        self.levels_, self.rare_ = [], []
        for at, column in enumerate(example.columns):
            if column.kind != "text":
                raise ConvertError(
                    f"column `{column.name}` is {column.kind}; only texts have levels"
                )
            counts = Counter(value for value in example.values(at) if value is not None)
            order = sorted(counts, key=lambda level: (-counts[level], level))
            kept = [level for level in order if counts[level] >= self.min_count]
            kept = kept[: self.max_levels]
            self.levels_.append(sorted(kept))
            self.rare_.append(sorted(set(counts) - set(kept)))

    def _names(self) -> list[str]:
        return self._inputs()


Levels.__module__ = Lookup.__module__ = "penstock.steps"
