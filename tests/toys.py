"""Small artifacts made by hand, for tests of what is around the engine: no library fits them."""

import math
from array import array
from collections.abc import Sequence

from penstock.artifact import Draft
from penstock.graph import Graph, Node, Tensor, Texts
from penstock.model import Model
from penstock.schema import Field, Output, Schema

CARRIERS = ("AA", "UA", "DL")


def late(
    distance: Field | None = None,
    carrier: Field | None = None,
    *,
    labels: Sequence[str | int | float | bool] = ("no", "yes"),
    examples: bool = True,
    wrong: bool = False,
) -> Model:
    """A logistic regression: late if `2 (distance - 10) + weight of the carrier + 0.1 > 0`.

    A carrier that is missing weighs 0; one that was never seen weighs 0 as well. The examples of a
    `wrong` one tell of another model.
    """
    fields = (
        Field("distance", "number").merged(distance or Field()),
        Field("carrier", "text").merged(carrier or Field()),
    )
    nodes = (
        Node(
            "shift",
            "arithmetic",
            ("field:distance",),
            {"function": "subtract", "operands": numbers(10.0), "precision": "f64"},
        ),
        codes("carrier", CARRIERS),
        Node("hot", "one_hot", ("carrier",), {"widths": integers(len(CARRIERS))}),
        Node("columns", "concat", ("shift", "hot")),
        Node(
            "weigh",
            "linear",
            ("columns",),
            {
                "coefficients": Tensor("F64", (1, 4), array("d", [2.0, 1.0, -1.0, 0.5]).tobytes()),
                "intercepts": numbers(0.1),
            },
        ),
        Node("link", "link", ("weigh",), {"function": "sigmoid", "scale": 1.0, "precision": "f64"}),
        Node("both", "complement", ("link",), {"precision": "f64"}),
        Node("decide", "above", ("weigh",), {"threshold": 0.0}),
    )
    outputs = (
        Output("label", "label", "decide", levels=tuple(labels)),
        Output("probability", "numbers", "both", names=tuple(labels), tolerance=1e-15),
        Output("raw", "number", "weigh", tolerance=1e-12),
    )
    rows = [{"distance": 12.5, "carrier": "UA"}, {"distance": 1.0, "carrier": None}]
    pairs = [(row, expected_late(row, labels)) for row in rows if examples]
    for _, answer in pairs if wrong else ():
        answer["raw"] += 1.0
    return model("late", fields, outputs, nodes, pairs, verify=not wrong)


def expected_late(row, labels=("no", "yes")):
    """What `late` answers, computed in Python."""
    weights = dict(zip(CARRIERS, (1.0, -1.0, 0.5), strict=True))
    raw = 2.0 * (row["distance"] - 10.0) + weights.get(row["carrier"], 0.0) + 0.1
    probability = 1 / (1 + math.exp(-raw))
    return {
        "label": labels[int(raw > 0)],
        "probability": [1 - probability, probability],
        "raw": raw,
    }


def echo(*fields: Field) -> Model:
    """Answers with what the engine makes of each input: an output `<field>_read` for each."""
    names = [str(field.name) for field in fields]
    nodes = (Node("all", "concat", tuple(f"field:{name}" for name in names)),)
    outputs = (Output("read", "features", "all", names=tuple(f"{name}_read" for name in names)),)
    return model("echo", fields, outputs, nodes)


def coded(field: Field, levels: Sequence[str], *, unseen: int = -1) -> Model:
    """Answers with the code that an encoder gives to a text (-1: none)."""
    nodes = (
        codes(str(field.name), levels, unseen=unseen),
        Node(
            "number",
            "lookup",
            (str(field.name),),
            {
                "values": numbers(*map(float, range(len(levels)))),
                "ends": integers(len(levels)),
                "absent": numbers(-1.0),
            },
        ),
    )
    return model("coded", (field,), (Output("value", "number", "number"),), nodes)


def model(name, fields, outputs, nodes, examples=(), *, verify=True) -> Model:
    """The artifact of a graph."""
    schema = Schema(tuple(field.complete() for field in fields), tuple(outputs))
    draft = Draft(name, "1", schema, Graph(tuple(nodes)), {"class": "by hand"}, {}, examples)
    return Model.from_entries(draft.entries(), verify=verify)


def codes(field: str, levels: Sequence[str], *, unseen: int = -1) -> Node:
    return Node(
        field,
        "encode_text",
        (f"field:{field}",),
        {
            "levels": Texts(tuple(levels)),
            "ends": integers(len(levels)),
            "codes": integers(*range(len(levels))),
            "missing_codes": integers(-1),
            "unseen_codes": integers(unseen),
        },
    )


def numbers(*values: float) -> Tensor:
    return Tensor("F64", (len(values),), array("d", values).tobytes())


def integers(*values: int) -> Tensor:
    return Tensor("I32", (len(values),), array("i", values).tobytes())
