"""Patterns of tokens as states and sets of characters, as Python's `re` understands them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn

__all__ = ["Machine", "machine"]

ACCEPT, TAKE, EITHER, BOUNDARY = range(4)
# As the engine has it.
MOST_STATES, MOST_SETS = 1000, 32
SINGLE = ("ANY", "CATEGORY", "IN", "LITERAL", "NOT_LITERAL")
Ranges = tuple[tuple[int, int], ...]


@cache
def _all() -> str:
    return "".join(map(chr, range(0x110000)))


@dataclass
class Machine:
    """States, each a kind and two numbers, and the sets of characters that they take.

    Set 0 is what `\\w` takes. A state accepts; takes a character of the set in its second number
    and goes on at its first; tries its first, then its second; or goes on at its first where there
    is a word boundary (second number 1) or none (0).
    """

    states: list[list[int]] = field(default_factory=list)
    sets: list[Ranges] = field(default_factory=list)

    def add(self, kind: int, first: int = 0, second: int = 0) -> int:
        """The number of a new state."""
        self.states.append([kind, first, second])
        return len(self.states) - 1


class _Unknown(Exception):
    """Something in a pattern that the engine has not."""


def machine(pattern: str) -> Machine | str:
    """The pattern as a machine, or why there is none."""
    # The parser of the standard library: the same module that `re.compile` uses.
    from re import _parser as parser  # type: ignore[attr-defined]

    parsed: Any = parser.parse(pattern)
    if parsed.getwidth()[0] == 0:
        return "it finds empty tokens"
    try:
        return _Builder(parsed).build()
    except _Unknown as error:
        return str(error)


class _Builder:
    def __init__(self, parsed: Any) -> None:
        self.parsed = parsed
        self.flags = parsed.state.flags
        self.machine = Machine()
        word = "\\w" if not self.flags & re.ASCII else "(?a:\\w)"
        self._set(re.compile(word))

    def build(self) -> Machine:
        """States from the last to the first, as each knows what follows it."""
        if self.parsed.state.groups > 1:
            self._check_group(list(self.parsed))
        first = self._sequence(self.parsed, self.machine.add(ACCEPT))
        self._check_size()
        return self._turned(first)

    def _check_size(self) -> None:
        if len(self.machine.states) > MOST_STATES:
            self._refuse(f"it needs more than {MOST_STATES} states")

    def _turned(self, first: int) -> Machine:
        """The same machine with its start at 0."""
        swap = {first: 0, 0: first}
        states = []
        for at in range(len(self.machine.states)):
            kind, one, two = self.machine.states[swap.get(at, at)]
            one = swap.get(one, one) if kind != ACCEPT else one
            states.append([kind, one, swap.get(two, two) if kind == EITHER else two])
        return Machine(states, self.machine.sets)

    def _check_group(self, items: list[Any]) -> None:
        """The content of a group is the token; it must be the whole match."""
        inner = [item for item in items if str(item[0]) != "AT"]
        if len(inner) == 1 and str(inner[0][0]) == "SUBPATTERN" and inner[0][1][0] is not None:
            return
        self._refuse("it has a group that is not all of the token; write `(?:...)` for groups")

    def _refuse(self, reason: str) -> NoReturn:
        raise _Unknown(reason)

    def _sequence(self, items: Sequence[Any], then: int) -> int:
        for item in reversed(list(items)):
            then = self._item(item, then)
        return then

    def _item(self, item: Any, then: int) -> int:
        self._check_size()
        name, argument = str(item[0]), item[1]
        if name in SINGLE:
            return self.machine.add(TAKE, then, self._single(item))
        if name == "SUBPATTERN":
            _, added, removed, inner = argument
            if added or removed:
                self._refuse("it has flags for a part of it")
            return self._sequence(inner, then)
        if name == "BRANCH":
            return self._branch(argument[1], then)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, inner = argument
            return self._repeat((least, most), inner, then, greedy=name == "MAX_REPEAT")
        if name == "AT" and str(argument) in ("AT_BOUNDARY", "AT_NON_BOUNDARY"):
            return self.machine.add(BOUNDARY, then, int(str(argument) == "AT_BOUNDARY"))
        known = {"ASSERT": "it looks ahead or behind", "ASSERT_NOT": "it looks ahead or behind"}
        self._refuse(known.get(name, f"it has `{name.lower()}`, which the engine has not"))

    def _branch(self, choices: Sequence[Any], then: int) -> int:
        *before, last = [self._sequence(choice, then) for choice in choices]
        for choice in reversed(before):
            last = self.machine.add(EITHER, choice, last)
        return last

    def _repeat(self, times: tuple[int, Any], inner: Any, then: int, *, greedy: bool) -> int:
        least, most = times
        if inner.getwidth()[0] == 0:
            self._refuse("it repeats what may be empty")
        endless = int(most) >= int(_parser_most())
        if least > MOST_STATES or (not endless and int(most) > MOST_STATES):
            self._refuse(f"it repeats more than {MOST_STATES} times")
        if endless:
            loop = self.machine.add(EITHER)
            body = self._sequence(inner, loop)
            self.machine.states[loop][1:] = [body, then] if greedy else [then, body]
            then = loop
        else:
            end = then
            for _ in range(int(most) - least):
                body = self._sequence(inner, then)
                order = (body, end) if greedy else (end, body)
                then = self.machine.add(EITHER, *order)
                self._check_size()
        for _ in range(least):
            then = self._sequence(inner, then)
            self._check_size()
        return then

    def _single(self, item: Any) -> int:
        from re import _compiler, _parser  # type: ignore[attr-defined]

        pattern = _parser.SubPattern(self.parsed.state, [item])
        # A pattern of this item alone, with the flags of the whole.
        return self._set(_compiler.compile(pattern, self.flags))

    def _set(self, compiled: Any) -> int:
        found: list[tuple[int, int]] = []
        for match in compiled.finditer(_all()):
            start = match.start()
            if found and found[-1][1] == start - 1:
                found[-1] = (found[-1][0], start)
            else:
                found.append((start, start))
        ranges = tuple(found)
        if ranges not in self.machine.sets:
            self.machine.sets.append(ranges)
        if len(self.machine.sets) > MOST_SETS:
            self._refuse(f"it has more than {MOST_SETS} sets of characters")
        return self.machine.sets.index(ranges)


def _parser_most() -> int:
    from re import _parser  # type: ignore[attr-defined]

    return int(_parser.MAXREPEAT)
