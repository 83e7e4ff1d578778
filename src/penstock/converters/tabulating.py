"""Transformers that look each column up by itself: asked for every level, and kept as tables."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from penstock.converters.characters import encodable
from penstock.converters.context import Context
from penstock.converters.values import Column, Value, codes
from penstock.schema import Label

__all__ = ["Question", "tabulated"]

REFUSED = -2
# What the transformer gives for a frame.
Transform = Callable[[Any], Any]


@dataclass(frozen=True)
class Question:
    """What is asked: a transformer of frames, the names it was fitted on, the levels it knows.

    `levels` by position of the column; columns without any go through as they are.
    """

    transform: Transform
    names: Sequence[Any]
    levels: Mapping[int, Sequence[Label]]


def tabulated(question: Question, value: Value, context: Context) -> Value:
    """What the transformer gives, as a lookup by the codes of its levels.

    Exact where each output depends on one column alone, and on nothing but its level there; an
    output that depends on two is refused. Numbers are those that the transformer gave.
    """
    if len(question.names) != value.width:
        context.refuse(f"was fitted on {len(question.names)} columns and gets {value.width}")
    known = {at: _plain(levels, value.columns[at], context) for at, levels in _sorted(question)}
    answers = _Answers(question, known, value, context)
    sources = answers.sources()
    made: dict[int, Value] = {}
    for at in known:
        outputs = [output for output, source in sources.items() if source == at]
        if outputs:
            made[at] = _lookup(at, known[at], answers, outputs, value, context)
    return _arranged(answers, sources, made, value, context)


def _sorted(question: Question) -> list[tuple[int, Sequence[Label]]]:
    return sorted(question.levels.items())


def _plain(levels: Sequence[Any], column: Column, context: Context) -> list[Label]:
    """The levels that a row can bring, as Python has them."""
    plain = [level.item() if hasattr(level, "item") else level for level in levels]
    plain = [level for level in plain if not _is_missing(level)]
    expected: tuple[type, ...] = {"text": (str,), "number": (int, float)}.get(column.kind, ())
    if not all(isinstance(level, expected) and not isinstance(level, bool) for level in plain):
        context.refuse(
            f"column `{column.name}` holds {column.kind}, and the levels that it knows are "
            f"{plain[:3]}; encode texts or numbers"
        )
    if column.kind == "number" and any(abs(float(level)) > 2**53 for level in plain):
        context.refuse(f"column `{column.name}` has levels that float64 cannot hold")
    return [
        level for level in dict.fromkeys(plain) if not isinstance(level, str) or encodable(level)
    ]


def _is_missing(level: Any) -> bool:
    missing = level is None or type(level).__name__ in ("NAType", "NaTType")
    return missing or (isinstance(level, float) and math.isnan(level))


class _Answers:
    """What the transformer answers for each level of each column, others as in one common row."""

    def __init__(
        self, question: Question, known: Mapping[int, list[Label]], value: Value, context: Context
    ) -> None:
        self.question, self.known, self.value, self.context = question, known, value, context
        self.base = {at: levels[0] if levels else None for at, levels in known.items()}
        rows = [{}, *({at: level} for at, levels in known.items() for level in levels)]
        frame = self._ask(rows)
        self.names = [str(name) for name in frame.columns]
        self.through = self._through(frame)
        self.plain = self._numbers(frame)
        self.tables: dict[int, Any] = {}
        start = 1
        for at, levels in known.items():
            self.tables[at] = self.plain[start : start + len(levels)]
            start += len(levels)
        self.missing = {at: self._one({at: None}) for at in known}
        self.unseen = {at: self._one({at: self._new(at)}) for at in known}

    def _new(self, at: int) -> Label:
        if self.value.columns[at].kind == "text":
            return "unseen " + max((str(level) for level in self.known[at]), key=len, default="")
        return max((float(level) for level in self.known[at]), default=0.0) + 1.5

    def _ask(self, rows: Sequence[Mapping[int, Any]]) -> Any:
        import pandas

        columns = {}
        for at, (name, column) in enumerate(
            zip(self.question.names, self.value.columns, strict=True)
        ):
            values = [row.get(at, self.base.get(at)) for row in rows]
            if at in self.known:
                columns[name] = pandas.Series(
                    [self._marked(value, column) for value in values],
                    dtype="object" if column.kind == "text" else "float64",
                )
            else:
                columns[name] = pandas.Series([0.0] * len(rows))
        return self.question.transform(pandas.DataFrame(columns))

    def _marked(self, value: Any, column: Column) -> Any:
        if value is not None:
            return value
        return None if column.kind == "text" and column.missing == "none" else float("nan")

    def _one(self, row: Mapping[int, Any]) -> Any:
        """The answer to one row beside the common one; `None` where it is refused."""
        try:
            return self._numbers(self._ask([{}, row]))[1]
        except (ValueError, KeyError, TypeError):
            return None

    def _through(self, frame: Any) -> dict[int, int]:
        """Outputs that are columns that nothing was done to, by their names."""
        positions = {str(name): at for at, name in enumerate(self.question.names)}
        return {
            output: positions[name]
            for output, name in enumerate(self.names)
            if name in positions and positions[name] not in self.known
        }

    def _numbers(self, frame: Any) -> Any:
        import numpy

        rows = numpy.zeros(frame.shape)
        for output in range(frame.shape[1]):
            column = frame.iloc[:, output]
            if output not in self.through and str(column.dtype) == "object":
                column = self._of_objects(column)
            rows[:, output] = column.astype("float64")
        return rows

    def _of_objects(self, column: Any) -> Any:
        if any(isinstance(one, str) for one in column):
            self.context.refuse("gives texts, and a step of numbers is due here")
        return column

    def sources(self) -> dict[int, int | None]:
        """For each output the column that it depends on; `None` for a constant."""
        import numpy

        found: dict[int, int | None] = {}
        for output in range(len(self.names)):
            if output in self.through:
                continue
            common = self.plain[0, output]
            told = [
                at
                for at in self.known
                if not numpy.array_equal(
                    self._all(at, output), numpy.full(len(self._all(at, output)), common), True
                )
            ]
            if len(told) > 1:
                self.context.refuse(f"output `{self.names[output]}` depends on several columns")
            # One that is the same for all levels may still be refused for some.
            found[output] = told[0] if told else self._named(output)
        return found

    def _all(self, at: int, output: int) -> Any:
        import numpy

        others = [one[output] for one in (self.missing[at], self.unseen[at]) if one is not None]
        return numpy.array([*self.tables[at][:, output], *others])

    def _named(self, output: int) -> int | None:
        """The column after which a constant output is called, so that its refusals are kept."""
        names = {str(self.question.names[at]): at for at in self.known}
        return names.get(self.names[output])

    def column(self, at: int, output: int) -> list[float]:
        """Numbers of all levels, then of a missing and of an unseen one."""
        missing, unseen = self.missing[at], self.unseen[at]
        others = [math.nan if one is None else float(one[output]) for one in (missing, unseen)]
        return [*self.tables[at][:, output].tolist(), *others]


def _lookup(
    at: int,
    levels: Sequence[Label],
    answers: _Answers,
    outputs: Sequence[int],
    value: Value,
    context: Context,
) -> Value:
    import numpy

    count = len(levels)
    texts = value.columns[at].kind == "text"
    coded = context.add(
        "encode_text" if texts else "encode_number",
        context.select(value, [at]),
        codes(1),
        levels=list(levels) if texts else numpy.array(levels, dtype="float64"),
        ends=numpy.array([count]),
        codes=numpy.arange(count),
        missing_codes=numpy.array([REFUSED if answers.missing[at] is None else count]),
        unseen_codes=numpy.array([REFUSED if answers.unseen[at] is None else count + 1]),
    )
    tables = [answers.column(at, output) for output in outputs]
    return context.add(
        "lookup",
        context.select(coded, [0] * len(outputs)),
        (Column(None, "number"),) * len(outputs),
        values=numpy.array([number for table in tables for number in table]),
        ends=numpy.cumsum([len(table) for table in tables]),
        absent=numpy.full(len(outputs), numpy.nan),
    )


def _arranged(
    answers: _Answers,
    sources: Mapping[int, int | None],
    made: Mapping[int, Value],
    value: Value,
    context: Context,
) -> Value:
    """All outputs in the order of the transformer."""
    import numpy

    parts, places = list(made.values()), {}
    constants = [output for output, source in sources.items() if source is None]
    for output, at in answers.through.items():
        places[output] = at
    start = value.width
    for at, part in made.items():
        for position, output in enumerate(out for out, source in sources.items() if source == at):
            places[output] = start + position
        start += part.width
    if constants:
        numbers = numpy.array([answers.plain[0, output] for output in constants])
        columns = (Column(None, "number"),) * len(constants)
        parts.append(context.add("constant", [], columns, values=numbers))
        places |= {output: start + at for at, output in enumerate(constants)}
    together = context.concat([replace(value, frame=""), *parts]) if parts else value
    chosen = context.select(together, [places[output] for output in range(len(answers.names))])
    named = zip(chosen.columns, answers.names, strict=True)
    return replace(
        chosen,
        columns=tuple(replace(column, name=name) for column, name in named),
        frame="pandas",
    )
