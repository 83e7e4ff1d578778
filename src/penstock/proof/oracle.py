"""The source library as the judge: what it answers for rows, and which rows it refuses."""

import math
import random
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from penstock.converters.values import Answer, Reordering
from penstock.frames import Example, Row
from penstock.kinds import plain

__all__ = ["Expected", "Oracle"]

# Units in the last place, and how often it is asked for a row that is told apart by them.
UNIT = 2.0**-52
NUDGES = (-4, -2, -1, 1, 2, 4)
NUDGED_ROWS = 16
WHOLE = 1e6
# What is equally near is told apart by more than what rounding leaves of a difference of squares.
TIED_UNIT = 2.0**-40

# Per output of one row: a label, a number, or a list of numbers or texts.
Expected = dict[str, Any]


@dataclass(frozen=True)
class Oracle:
    """A fitted model of the source library, asked in tables like the example.

    `reorderings`: where answers depend on which of equally near rows of training comes first.
    `row_by_row`: where answers to several rows differ from those to each alone.
    """

    model: Any
    answers: tuple[Answer, ...]
    example: Example
    reorderings: tuple[Reordering, ...] = ()
    row_by_row: bool = False

    def ask(self, rows: Sequence[Row]) -> list[Expected]:
        """What the source library answers; raises whatever it raises."""
        import numpy

        with warnings.catch_warnings(), numpy.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            parts = [[row] for row in rows] if self.row_by_row else [rows]
            tables = [self.example.build(part) for part in parts]
            columns = {
                answer.name: [
                    cell
                    for table in tables
                    for cell in _cells(answer, answer.ask(self.model, table))
                ]
                for answer in self.answers
            }
        for name, cells in columns.items():
            if len(cells) != len(rows):
                raise ValueError(f"{len(rows)} rows got {len(cells)} answers for `{name}`")
        return [{name: columns[name][at] for name in columns} for at in range(len(rows))]

    def is_undecided(self, answer: Answer, row: Row) -> bool:
        """Whether the source library could as well have answered otherwise for this row."""
        if answer.undecided is None:
            return False
        return bool(answer.undecided(self.model, self.example.build([row]))[0])

    def nudged(self, rows: Sequence[Row]) -> list[list[Expected]]:
        """What it answers to each row where numbers differ in their last bits.

        Where the order of the training data decides, it is another one each time. Nothing for rows
        that it refuses.
        """
        chooser = random.Random(0)
        unit = TIED_UNIT if self.reorderings else UNIT

        def nudge(value: Any) -> Any:
            # Small whole numbers may stand for something, as -999 for what is missing.
            if type(value) is not float or (value.is_integer() and abs(value) < WHOLE):
                return value
            return value * (1.0 + unit * chooser.choice(NUDGES))

        answers: list[list[Expected]] = [[] for _ in rows]
        for seed in range(NUDGED_ROWS):
            changed = [{name: nudge(value) for name, value in row.items()} for row in rows]
            with ExitStack() as stack:
                for reordering in self.reorderings:
                    stack.enter_context(reordering.applied(seed))
                refused = self.refused(changed)
                kept = [at for at in range(len(rows)) if at not in refused]
                given = self.ask([changed[at] for at in kept]) if kept else []
            for at, answer in zip(kept, given, strict=True):
                answers[at].append(answer)
        return answers

    def magnitudes(self) -> dict[str, float]:
        """The largest finite number of each column of the example, without its sign."""
        return {
            str(name): max(filter(math.isfinite, map(abs, numbers)), default=0.0)
            for at, name in enumerate(self.example.names)
            if (
                numbers := [
                    value
                    for value in self.example.values(at, range(self.example.row_count))
                    if isinstance(value, (int, float))
                ]
            )
        }

    def refuses(self, row: Row) -> bool:
        """Whether the source library refuses this row."""
        return self.error([row]) is not None

    def error(self, rows: Sequence[Row]) -> Exception | None:
        """What the source library raises for these rows."""
        try:
            self.ask(rows)
        except Exception as error:
            return error
        return None

    def refused(self, rows: Sequence[Row]) -> set[int]:
        """Positions of the rows that it refuses, found by halving: one question if it is none."""
        refused: set[int] = set()
        ranges = [range(len(rows))] if rows else []
        while ranges:
            positions = ranges.pop()
            if self.error([rows[at] for at in positions]) is None:
                continue
            if len(positions) == 1:
                refused.add(positions[0])
                continue
            middle = len(positions) // 2
            ranges += [positions[:middle], positions[middle:]]
        return refused


def _cells(answer: Answer, result: Any) -> list[Any]:
    """One entry per row: a plain value for a label or number, else a list of plain values."""
    rows = _rows(result)
    if answer.kind in ("label", "number"):
        return [row[0] for row in rows]
    return rows


def _rows(result: Any) -> list[list[Any]]:
    if hasattr(result, "toarray"):
        result = result.toarray()
    if hasattr(result, "iloc") and hasattr(result, "columns"):
        columns = [result.iloc[:, at].tolist() for at in range(result.shape[1])]
        return [[plain(value) for value in row] for row in zip(*columns, strict=True)]
    if hasattr(result, "rows"):
        return [[plain(value) for value in row] for row in result.rows()]
    import numpy

    array = numpy.asarray(result)
    return [[plain(value) for value in row] for row in array.reshape(len(array), -1).tolist()]
