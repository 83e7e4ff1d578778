"""Models that show every face of the page: types, policies, many inputs, long lists, markup."""

from penstock.graph import Node
from penstock.model import Model
from penstock.schema import Field, Output
from tests import toys

HOSTILE = "<script>document.title='taken'</script>"


def every_type() -> Model:
    """A model with an input of each type and each policy, which answers with what it read."""
    fields = (
        Field("amount", "number", minimum=0.0, maximum=100.0, on_missing="refuse"),
        Field("share", "number", minimum=0.0, maximum=1.0, on_range="clip"),
        Field("age", "number", on_invalid="missing"),
        Field("color", "text", levels=("red", "green", HOSTILE), on_unseen="refuse"),
        Field("city", "text", levels=("Rome", "Oslo"), on_unseen="missing"),
        Field("postcode", "text", pattern="[0-9]{5}"),
        Field("is_new", "boolean"),
        Field("at", "timestamp"),
        Field("note", "ignored"),
    )
    row = {
        "amount": 12.5,
        "share": 0.5,
        "age": 30,
        "color": "red",
        "city": "Rome",
        "postcode": "12345",
        "is_new": True,
        "at": "2024-05-01T12:30:00Z",
        "note": None,
    }
    read = {
        **row,
        "is_new": 1.0,
        "at": 1_714_566_600_000_000.0,
    }
    del read["note"]
    expected = {f"{name}_read": value for name, value in read.items()}
    names = tuple(read)
    nodes = (Node("all", "concat", tuple(f"field:{name}" for name in names)),)
    outputs = (Output("read", "features", "all", names=tuple(f"{name}_read" for name in names)),)
    return toys.model("every_type", fields, outputs, nodes, [(row, expected)])


def wide(count: int = 500) -> Model:
    """A model of many inputs, which answers with the first."""
    fields = tuple(Field(f"input_{at:03}", "number") for at in range(count))
    row = {str(field.name): float(at) for at, field in enumerate(fields)}
    nodes = (Node("all", "concat", tuple(f"field:{field.name}" for field in fields)),)
    first = Node("first", "select", ("all",), {"indices": toys.integers(0)})
    outputs = (Output("value", "number", "first"),)
    return toys.model("wide", fields, outputs, (*nodes, first), [(row, {"value": 0.0})])


def long_list(count: int = 4_000) -> Model:
    """A model with an input of so many levels."""
    levels = tuple(f"level {at:04}" for at in range(count))
    return toys.coded(
        Field("a_rather_long_name_of_an_input_that_nobody_abbreviated", "text"), levels
    )


def hostile() -> Model:
    """A model whose names, labels and levels are markup."""
    return toys.late(labels=(HOSTILE, "<b>yes</b>"))
