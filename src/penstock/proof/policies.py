"""What the schema says of each input: inferred, asked of the source library, declared."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from penstock.converters.values import Column
from penstock.errors import ConvertError
from penstock.frames import Row
from penstock.proof.hostile import spread, unseen
from penstock.proof.oracle import Oracle
from penstock.schema import Field

__all__ = ["REFUSALS", "declared", "established", "inferred"]

# The case of a probe to the policy that refuses it; a user may not allow what the source library
# refuses.
REFUSALS: dict[str, dict[str, str]] = {
    "missing": {"on_missing": "refuse"},
    "infinite": {"infinite": "refuse"},
    "unseen": {"on_unseen": "refuse"},
}
# Questions per case to the source library about single rows: it may take a tenth of a second each.
ASKED = 24
_REMEDIES = {"on_missing": "replace", "infinite": "refuse", "on_unseen": "missing"}


def inferred(columns: Sequence[Column], used: frozenset[str]) -> tuple[Field, ...]:
    """A field for each column of the example; those that no node reads are ignored."""
    made = []
    for column in columns:
        name = str(column.name)
        kind = column.kind if name in used else "ignored"
        single = "float32" in (column.dtype, column.wider)
        precision = "f32" if kind == "number" and single else "f64"
        made.append(Field(name=name, type=kind, precision=precision).complete())
    return tuple(made)


@dataclass(frozen=True)
class _Question:
    column: Column
    case: str
    row: Row


class Engine(Protocol):
    """Which of these rows the engine refuses, under the schema as it was inferred."""

    def __call__(self, rows: Sequence[Row]) -> set[int]: ...


def established(
    schema: tuple[Field, ...],
    columns: Sequence[Column],
    rows: Sequence[Row],
    oracle: Oracle,
    engine: Engine,
    *,
    sentinels: Mapping[str, Sequence[float]],
    mixed: frozenset[str] = frozenset(),
) -> tuple[Field, ...]:
    """The fields with what the source library refuses: missing, infinite and unseen values.

    `sentinels` stand for missing values in a column, and may be taken though they are no levels.

    What the engine answers is asked in one table per case, which is halved only where the source
    library refuses it; what the engine refuses is asked one by one, up to `ASKED` per case.
    `mixed`: of these inputs a value is refused or not by what the others are, so that no field can
    say it; the graph does.
    """
    refusals: dict[str, dict[str, Any]] = {}
    for case, policy in REFUSALS.items():
        questions = _questions(schema, columns, rows, case)
        refused = _refused(questions, oracle, engine)
        refused = {at for at in refused if str(questions[at].column.name) not in mixed}
        accepted = {
            str(question.column.name) for at, question in enumerate(questions) if at not in refused
        }
        for at in refused:
            question, name = questions[at], str(questions[at].column.name)
            # +inf may be refused and -inf not; then it is for the graph to say.
            if name not in accepted:
                numeric = case == "unseen" and question.column.kind == "number"
                levels = _levels(question, sentinels.get(name, ()), oracle) if numeric else {}
                refusals.setdefault(name, {}).update(policy | levels)
    return tuple(replace(field, **refusals.get(str(field.name), {})) for field in schema)


def _refused(questions: Sequence[_Question], oracle: Oracle, engine: Engine) -> set[int]:
    rows = [question.row for question in questions]
    by_engine = engine(rows)
    answered = [at for at in range(len(rows)) if at not in by_engine]
    refused = {answered[at] for at in oracle.refused([rows[at] for at in answered])}
    for at in spread(sorted(by_engine), ASKED):
        if not oracle.refuses(rows[at]):
            question = questions[at]
            raise ConvertError(
                f"the engine refuses a row in which `{question.column.name}` is {question.case}, "
                f"and the source library answers it; please report this: {rows[at]}"
            )
    return refused | by_engine


def _levels(
    question: _Question, sentinels: Sequence[float], oracle: Oracle
) -> dict[str, tuple[Any, ...]]:
    """The levels of a column of numbers, and what else the source library takes for one."""
    known = question.column.categories or ()
    others = [int(value) if value == int(value) else value for value in sentinels]
    name = str(question.column.name)
    taken = [
        value
        for value in others
        if value not in known and not oracle.refuses(question.row | {name: value})
    ]
    return {"levels": (*known, *taken)}


def _questions(
    schema: tuple[Field, ...], columns: Sequence[Column], rows: Sequence[Row], case: str
) -> list[_Question]:
    questions = []
    for at, (field, column) in enumerate(zip(schema, columns, strict=True)):
        row = rows[at % len(rows)]
        for value in _values(column, case) if field.type != "ignored" else ():
            questions.append(_Question(column, case, row | {str(column.name): value}))
    return questions


def _values(column: Column, case: str) -> list[Any]:
    if case == "missing":
        return [None]
    if case == "infinite":
        plain = column.kind == "number" and column.categories is None
        return [float("inf"), float("-inf")] if plain else []
    new = unseen(column)
    return [] if new is None else [new]


def declared(schema: tuple[Field, ...], policies: Mapping[str, Field] | None) -> tuple[Field, ...]:
    """The fields with what the user declares, where the source library can keep it."""
    policies = dict(policies or {})
    names = [str(field.name) for field in schema]
    for name, policy in policies.items():
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise ConvertError(f"`policies` names the column `{name}`, which is not there{hint}")
        if not isinstance(policy, Field):
            raise ConvertError(f"the policy of `{name}` is a {type(policy).__name__}, not a Field")
    return tuple(
        _declared(field, policies[str(field.name)]) if field.name in policies else field
        for field in schema
    )


def _declared(field: Field, policy: Field) -> Field:
    if field.type == "ignored":
        raise ConvertError(f"the model does not read column `{field.name}`; drop its policy")
    if policy.type not in (None, field.type):
        raise ConvertError(
            f"column `{field.name}` is {field.type} in the example; `type` cannot be {policy.type}"
        )
    merged = field.merged(policy)
    for refusal in REFUSALS.values():
        for key, word in refusal.items():
            is_refused = getattr(field, key) == word
            if is_refused and getattr(merged, key) == "allow":
                raise ConvertError(
                    f"policy of `{field.name}`: the source library refuses what `{key}` "
                    f"would allow; declare `{_REMEDIES[key]}`"
                )
    return _checked(merged, field)


def _checked(merged: Field, field: Field) -> Field:
    becoming = [
        key
        for key in ("on_invalid", "on_range", "on_unseen")
        if getattr(merged, key) == "missing" and getattr(field, key) != "missing"
    ]
    if becoming and merged.on_missing == "refuse":
        raise ConvertError(
            f"policy of `{field.name}`: `{becoming[0]}` makes values missing, and the source "
            "library refuses missing values there; declare a `replacement` as well"
        )
    return merged
