"""The proof that the engine answers as the source library does, on typical and on hostile rows."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from penstock.converters.ties import CHANCE
from penstock.converters.values import Answer
from penstock.errors import ConvertError, DataError
from penstock.frames import Row
from penstock.proof.hostile import Probe, hostile, spread, typical
from penstock.proof.noise import Difference, elements, listed, real, unexplained
from penstock.proof.oracle import Expected, Oracle
from penstock.proof.policies import ASKED, established
from penstock.schema import Field

__all__ = [
    "Fields",
    "Outcome",
    "Predictor",
    "Proof",
    "Subject",
    "agrees",
    "compare",
    "prove",
    "sent",
]

Fields = tuple[Field, ...]


class Predictor(Protocol):
    """What a model offers to the proof."""

    def predict(self, rows: Any, *, on_error: str = "raise") -> Any: ...


@dataclass(frozen=True)
class Subject:
    """What is to be proved: a graph behind `engine`, which makes a model with given fields."""

    oracle: Oracle
    fields: Fields
    engine: Callable[[Fields], Predictor]
    thresholds: Mapping[str, Sequence[float]]
    sentinels: Mapping[str, Sequence[float]]
    steps: str
    mixed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """A row, and what the source library (`None`: refused) and the engine make of it."""

    probe: Probe
    expected: Expected | None
    answer: Expected | DataError


@dataclass(frozen=True)
class Proof:
    """The fields with what the source library refuses, and what became of all rows."""

    fields: Fields
    outcomes: tuple[Outcome, ...]


def prove(subject: Subject, seed: int = 0) -> Proof:
    """Compares source library and engine; a difference raises `ConvertError` with the row."""
    oracle = subject.oracle
    rows = typical(oracle.example)
    accepted = _accepted(oracle, rows)
    engine = subject.engine(subject.fields)

    def refuses(rows: Sequence[Row]) -> set[int]:
        answers = engine.predict(sent(rows, subject.fields), on_error="return")
        return {at for at, answer in enumerate(answers) if isinstance(answer, DataError)}

    columns = oracle.example.columns
    fields = established(
        subject.fields,
        columns,
        accepted,
        oracle,
        refuses,
        sentinels=subject.sentinels,
        mixed=subject.mixed,
    )
    used = [str(field.name) for field in fields if field.type != "ignored"]
    probes = [Probe(None, "typical", row) for row in rows]
    probes += hostile(oracle.example, accepted, used, subject.thresholds, seed)
    probes += [
        Probe(name, "sentinel", accepted[0] | {name: value})
        for name in used
        for value in subject.sentinels.get(name, ())
    ]
    outcomes = compare(subject.engine(fields), oracle, fields, probes, subject.steps)
    return Proof(fields, outcomes)


def _accepted(oracle: Oracle, rows: Sequence[Row]) -> list[Row]:
    """The rows of the example that the source library answers; it must answer some."""
    error = oracle.error(rows)
    if error is None:
        return list(rows)
    if all(oracle.refuses(row) for row in spread(rows, 5)):
        raise ConvertError(
            "the source library refuses the example, so nothing can be proved: "
            f"{type(error).__name__}: {error}"
        )
    refused = oracle.refused(rows)
    return [row for at, row in enumerate(rows) if at not in refused]


def sent(rows: Sequence[Row], fields: Fields) -> list[Row]:
    """The rows with the columns that the model reads."""
    names = [str(field.name) for field in fields if field.type != "ignored"]
    return [{name: row[name] for name in names} for row in rows]


def compare(
    model: Predictor, oracle: Oracle, fields: Fields, probes: Sequence[Probe], steps: str = ""
) -> tuple[Outcome, ...]:
    """What both make of every row; a difference raises `ConvertError`."""
    rows = sent([probe.row for probe in probes], fields)
    answers = model.predict(rows, on_error="return")
    answered = [at for at, answer in enumerate(answers) if not isinstance(answer, DataError)]
    expected = _expected(oracle, probes, answered, rows)
    _check_refusals(oracle, probes, answers, rows)
    outcomes = tuple(
        Outcome(probe, expected.get(at), answers[at]) for at, probe in enumerate(probes)
    )
    scales = _scales(oracle.answers, outcomes)
    differences = [
        Difference(at, answer, words)
        for at in answered
        if not _overflows(oracle.answers, expected[at], rows[at])
        for answer in oracle.answers
        if (words := _difference(answer, expected[at], answers[at], scales)) is not None
        and not _is_tie(answer, oracle.answers, expected[at], scales)
    ]
    asked = [probe.row for probe in probes]
    wrong = unexplained(differences, oracle, asked, dict(enumerate(answers)))
    if wrong is not None:
        raise ConvertError(_message(wrong.words, probes[wrong.at], rows[wrong.at], steps))
    _check_chosen(differences if oracle.reorderings else (), probes)
    return outcomes


def _check_chosen(differences: Sequence[Difference], probes: Sequence[Probe]) -> None:
    """Refuses what differs in ordinary rows, though the source library may answer otherwise."""
    for difference in differences:
        if probes[difference.at].case in ("typical", "missing"):
            raise ConvertError(
                "rows of training are equally near to rows of the example, and which of them "
                f"{CHANCE}: {difference.words}; scale the columns, drop rows that come twice, or "
                "take a model or an imputer that does not choose among rows"
            )


def _expected(
    oracle: Oracle, probes: Sequence[Probe], answered: Sequence[int], rows: Sequence[Row]
) -> dict[int, Expected]:
    """What the source library answers where the engine does; it must refuse none of these."""
    asked = [probes[at].row for at in answered]
    try:
        return dict(zip(answered, oracle.ask(asked) if asked else [], strict=True))
    except Exception as error:
        refused = sorted(oracle.refused(asked))
        at = answered[refused[0]] if refused else None
        where = "the rows together" if at is None else f"{_described(probes[at])}: {rows[at]}"
        raise ConvertError(
            "the source library refuses what the engine answers "
            f"({type(error).__name__}: {error}): {where}"
        ) from error


def _check_refusals(
    oracle: Oracle, probes: Sequence[Probe], answers: Sequence[Any], rows: Sequence[Row]
) -> None:
    # What f64 cannot hold is refused rather than rounded, whatever the source library does with it.
    refused = [
        at
        for at, answer in enumerate(answers)
        if isinstance(answer, DataError) and answer.code != "integer_too_large"
    ]
    for at in spread(refused, ASKED):
        if not oracle.refuses(probes[at].row):
            raise ConvertError(
                f"the engine refuses what the source library answers ({answers[at]}): "
                f"{_described(probes[at])}: {rows[at]}"
            )


# Only inputs beyond this can take a sum of products out of the range of f32.
_EXTREME = 1e15
_FAR = 1e100

Scales = Mapping[str, Sequence[float]]


def _scales(answers: Sequence[Answer], outcomes: Sequence[Outcome]) -> Scales:
    """The usual magnitude of every output: sums that cancel are as exact as their terms are."""
    scales: dict[str, list[float]] = {}
    for answer in answers:
        rows = [
            _numbers(outcome.expected[answer.name])
            for outcome in outcomes
            if outcome.expected is not None and outcome.probe.case == "typical"
        ]
        columns = zip(*rows, strict=True) if rows else ()
        scales[answer.name] = [
            max((abs(x) for x in column if abs(x) < float("inf")), default=0.0)
            for column in columns
        ]
    return scales


def _is_close(left: float, right: float, tolerance: float, scale: float = 0.0) -> bool:
    """Equal, both missing, or within a relative difference; absolute below 1, as in `verify`."""
    if left == right or (left != left and right != right):
        return True
    return tolerance > 0 and abs(left - right) <= tolerance * max(abs(left), abs(right), 1.0, scale)


def agrees(answers: Sequence[Answer], expected: Expected, given: Expected) -> bool:
    """Whether `verify` would accept what the engine gives."""
    plain = (replace(answer, exponent=None) for answer in answers)
    return all(_difference(answer, expected, given, {}) is None for answer in plain)


def _difference(answer: Answer, expected: Expected, given: Expected, scales: Scales) -> str | None:
    """The first difference in an output, in words."""
    if answer.kind == "label":
        wanted, label = expected[answer.name], given[answer.name]
        if type(label) is type(wanted) and label == wanted:
            return None
        return f"output `{answer.name}` is {label!r}; the source library answers {wanted!r}"
    found, wanted = elements(answer, given), listed(expected[answer.name])
    if len(found) != len(wanted):
        return (
            f"output `{answer.name}` has {len(found)} elements; that of the source library has "
            f"{len(wanted)}"
        )
    names = answer.names or (answer.name,)
    tops = scales.get(answer.name) or [0.0] * len(found)
    tolerance = _tolerance(answer, expected)
    for name, left, right, scale in zip(names, found, wanted, tops, strict=True):
        if not _same(left, right, tolerance, scale):
            return (
                f"output `{answer.name}` (`{name}`) is {left!r}; the source library answers "
                f"{right!r} (tolerance {tolerance:g})"
            )
    return None


# The largest exponent of a finite float32, for which tolerances of exponentials are meant.
_LARGEST_EXPONENT = 89.0


def _tolerance(answer: Answer, expected: Expected) -> float:
    """The tolerance in this row: larger where it is of exponentials of larger numbers."""
    if answer.exponent is None:
        return answer.tolerance
    largest = max((abs(x) for x in _numbers(expected[answer.exponent])), default=0.0)
    return answer.tolerance * max(1.0, largest / _LARGEST_EXPONENT)


def _is_tie(answer: Answer, answers: Sequence[Answer], expected: Expected, scales: Scales) -> bool:
    """Whether rounding may decide the label: the scores that decide are within their tolerance."""
    deciding = next((other for other in answers if other.name == answer.decided_by), None)
    if deciding is None:
        return False
    first, second = (answer.rivals or _largest)(_numbers(expected[deciding.name]))
    scale = max([0.0, *(scales.get(deciding.name) or ())])
    return _is_close(first, second, deciding.tolerance, scale)


def _largest(scores: Sequence[float]) -> tuple[float, float]:
    """The two largest, or the only one and zero."""
    first, second = sorted([*scores, 0.0] if len(scores) == 1 else scores)[-2:]
    return first, second


def _overflows(answers: Sequence[Answer], expected: Expected, row: Row) -> bool:
    """Whether a sum left the range of floats, where the order of its terms decides inf or NaN.

    scikit-learn itself then answers one row otherwise than a batch of rows.
    """
    extreme = any(isinstance(value, float) and abs(value) > _EXTREME for value in row.values())
    inexact = (answer for answer in answers if answer.tolerance > 0 and answer.kind != "label")
    values = [x for answer in inexact for x in listed(expected[answer.name])]
    given = [x for x in values if not isinstance(x, str)]
    # Squares and cubes of these are infinite, and what is made of them may be NaN.
    far = any(isinstance(value, float) and abs(value) > _FAR for value in row.values())
    if far and None in given:
        return True
    return extreme and not all(math.isfinite(real(x)) for x in given)


def _same(left: Any, right: Any, tolerance: float, scale: float) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        return bool(left == right)
    return _is_close(real(left), real(right), tolerance, scale)


def _numbers(value: Any) -> list[float]:
    return [0.0 if isinstance(item, str) or item is None else float(item) for item in listed(value)]


def _described(probe: Probe) -> str:
    column = f", column `{probe.column}`" if probe.column else ""
    return f"row ({probe.case}{column})"


def _message(difference: str, probe: Probe, row: Row, steps: str) -> str:
    return f"{difference}; {_described(probe)}: {row}\nsteps:\n{steps}"
