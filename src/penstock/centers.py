"""What each input brings to a linear model on average, so that a row is explained against it."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from penstock.artifact import Draft
from penstock.errors import PenstockError
from penstock.frames import Example
from penstock.graph import Graph, Node, Tensor
from penstock.model import Model

__all__ = ["centered"]

TREES = frozenset(("linear_leaves", "trees"))
# Operators with `centers`, and the field that has a number for each output.
_OUTPUTS = {"linear": "intercepts", "linear_f32": "start"}


def centered(draft: Draft, example: Example, model: Callable[[Draft], Model]) -> Draft:
    """The draft with the means over the rows of the example in its linear model.

    The same draft where there is none, or where it cannot be explained: the first explanation is
    made against zeros.
    """
    linear = [node for node in draft.graph.nodes if node.operator in _OUTPUTS]
    if not linear:
        return draft
    node = linear[-1]
    cutting = [other.name for other in draft.graph.nodes if other.operator in TREES]
    if node.name in {other.name for other in draft.graph.reachable(cutting).nodes}:
        # Trees behind it are what is explained, as behind a projection.
        return draft
    outputs = node.fields[_OUTPUTS[node.operator]]
    assert isinstance(outputs, Tensor)
    count = math.prod(outputs.shape)
    zeros = [0.0] * (count * len(draft.schema.inputs))
    try:
        answers = model(_with(draft, node, zeros, count)).explain_columns(example.data)
    except PenstockError:
        return draft
    read = [at for at, field in enumerate(draft.schema.inputs) if field.type != "ignored"]
    means = list(zeros)
    for output in range(count):
        # Between the base and the raw score.
        first = output * (len(read) + 2) + 1
        for at, field in enumerate(read):
            column = answers.column(first + at)[1]
            means[output * len(draft.schema.inputs) + field] = _mean(column)
    return _with(draft, node, means, count)


def _mean(column: Any) -> float:
    import numpy

    values = numpy.frombuffer(column, dtype="float64")
    finite = values[numpy.isfinite(values)]
    # Not numpy's sum, whose last bits depend on the processor.
    mean = math.fsum(finite) / len(finite) if len(finite) else 0.0
    return mean if math.isfinite(mean) else 0.0


def _with(draft: Draft, node: Node, centers: list[float], outputs: int) -> Draft:
    import numpy

    tensor = Tensor.of(numpy.array(centers).reshape(outputs, -1))
    with_centers = replace(node, fields={**node.fields, "centers": tensor})
    nodes = tuple(with_centers if other is node else other for other in draft.graph.nodes)
    return replace(draft, graph=Graph(nodes))
