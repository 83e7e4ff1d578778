"""`penstock.steps.Check`: what the schema says of an input."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.converters.context import Context
from penstock.converters.deriving import column_names
from penstock.converters.validation import dense, sized
from penstock.converters.values import Value

__all__ = ["CONVERTERS"]


def check(estimator: Any, value: Value, context: Context) -> Value:
    """The same columns; what is declared of them becomes the policy of the inputs."""
    names = column_names(dense(value, context))
    for name, policy in estimator.fields.items():
        if name not in names:
            context.refuse(f"there is no column `{name}`")
        if context.declare(value, names.index(name), policy) is None:
            context.refuse(
                f"column `{name}` was computed by a step before; only inputs of the model are "
                "checked, so let `Check` come first"
            )
    return value


CONVERTERS: Mapping[str, Callable[..., Any]] = sized({"penstock.steps.Check": check})
