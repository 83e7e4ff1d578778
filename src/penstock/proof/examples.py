"""Which rows go into the artifact: a few of every kind, with what the source library answered."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from penstock.converters.values import Answer
from penstock.errors import DataError
from penstock.frames import Row
from penstock.proof.parity import Fields, Outcome, Predictor, agrees, sent

__all__ = ["choose"]

# Per case; every example runs whenever the artifact is loaded.
COUNTS = {
    "typical": 16,
    "missing": 10,
    "unseen": 8,
    "level": 4,
    "threshold": 8,
    "extreme": 4,
    "infinite": 2,
    "time": 6,
    "number": 4,
    "mixed": 4,
}
MOST = 60
# A row of a thousand columns is 20 kB of text.
MOST_CELLS = 20_000


def choose(
    outcomes: Sequence[Outcome], answers: Sequence[Answer], fields: Fields, model: Predictor
) -> list[tuple[Row, Row]]:
    """Rows and expected outputs; rows that the final policies of `model` change are left out."""
    chosen = list(_spread(outcomes))
    used = sum(field.type != "ignored" for field in fields)
    chosen = chosen[: max(4, min(MOST, MOST_CELLS // max(used, 1)))]
    rows = sent([outcome.probe.row for outcome in chosen], fields)
    # A refused row has the key `error`; a model with an output of that name keeps none.
    names = {name for answer in answers for name in _names(answer)}
    examples = []
    for row, outcome, given in zip(
        rows, chosen, model.predict(rows, on_error="return"), strict=True
    ):
        if isinstance(given, DataError):
            if "error" not in names:
                examples.append((row, {"error": given.code}))
        elif outcome.expected is not None and agrees(answers, outcome.expected, given):
            examples.append((row, _flat(answers, outcome.expected)))
    return examples


def _names(answer: Answer) -> Iterable[str]:
    """The keys of an output in an answer."""
    return map(str, answer.names or ()) if answer.kind == "features" else (answer.name,)


def _spread(outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
    """Some of every case; rows with a pattern of missing columns that is new come first."""
    for case, count in COUNTS.items():
        some = [outcome for outcome in outcomes if outcome.probe.case.split()[0] == case]
        first, rest = _by_pattern(some)
        step = max(1, len(rest) // max(1, count - len(first)))
        yield from (first + rest[::step])[:count]


def _by_pattern(outcomes: Iterable[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    seen: set[tuple[str, ...]] = set()
    first: list[Outcome] = []
    rest: list[Outcome] = []
    for outcome in outcomes:
        row = outcome.probe.row
        pattern = tuple(name for name, value in row.items() if value is None)
        (rest if pattern in seen else first).append(outcome)
        seen.add(pattern)
    return first, rest


def _flat(answers: Sequence[Answer], expected: dict[str, Any]) -> Row:
    """The outputs as `predict` answers, probabilities as lists, each feature on its own."""
    flat: Row = {}
    for answer in answers:
        value = expected[answer.name]
        if answer.kind == "features":
            flat |= dict(zip(_names(answer), map(_counted, value), strict=True))
        elif answer.kind == "label":
            flat[answer.name] = value
        else:
            several = isinstance(value, list)
            flat[answer.name] = [_counted(x) for x in value] if several else _counted(value)
    return flat


def _counted(value: Any) -> Any:
    """Booleans as the numbers that they are in the graph."""
    return float(value) if isinstance(value, bool) else value
