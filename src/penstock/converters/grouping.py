"""Columns of different kinds in one step: each group by its own nodes, then in order again."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from penstock.converters.context import Context
from penstock.converters.values import Value

__all__ = ["grouped"]

Key = TypeVar("Key", bound=Hashable)


def grouped(
    value: Value,
    keys: Sequence[Key],
    context: Context,
    convert: Callable[[Key, Value, list[int]], Value],
) -> Value:
    """The columns in their order, those with equal keys converted together.

    `convert` is given the key, the columns that have it, and their positions; it keeps their
    number and order.
    """
    if not keys:
        return value
    positions: dict[Key, list[int]] = {}
    for at, key in enumerate(keys):
        positions.setdefault(key, []).append(at)
    results = [convert(key, context.select(value, at), at) for key, at in positions.items()]
    order = [at for group in positions.values() for at in group]
    together = context.concat(results, sparse=value.sparse)
    return context.select(together, [order.index(at) for at in range(len(order))])
