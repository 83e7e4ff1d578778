"""The named, typed inputs of a model with their policies, and its named outputs."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from penstock.errors import SchemaError

__all__ = ["Field", "Label", "Output", "Schema", "describe_field"]

Label = str | int | float | bool

# docs/format.md, FIELD and OUTPUT: the words that each key may have.
WORDS: dict[str, tuple[str, ...]] = {
    "type": ("number", "text", "boolean", "timestamp", "ignored"),
    "precision": ("f64", "f32"),
    "on_missing": ("allow", "refuse", "replace"),
    "on_invalid": ("refuse", "missing"),
    "infinite": ("allow", "refuse"),
    "on_range": ("refuse", "missing", "clip"),
    "on_unseen": ("allow", "missing", "refuse"),
    "kind": ("label", "number", "numbers", "features"),
}
# What only makes sense for some types.
TYPED: dict[str, tuple[str, ...]] = {
    "minimum": ("number", "timestamp"),
    "maximum": ("number", "timestamp"),
    "pattern": ("text",),
}
# The types of values in Python.
VALUES: dict[str, tuple[type, ...]] = {
    "number": (int, float),
    "text": (str,),
    "boolean": (bool,),
}
# What is not declared and not inferred; these are the meanings of docs/format.md that change
# nothing.
DEFAULTS: dict[str, str] = {
    "precision": "f64",
    "on_missing": "allow",
    "on_invalid": "refuse",
    "infinite": "allow",
    "on_range": "refuse",
    "on_unseen": "allow",
}


def _check_word(owner: str, key: str, value: Any) -> None:
    if value not in WORDS[key]:
        words = "`, `".join(WORDS[key])
        raise SchemaError(f"{owner}: `{key}` is {value!r}; it must be one of `{words}`")


@dataclass(frozen=True)
class Field:
    """One input; whatever is left out (`None`) is inferred from the model and the example.

    `on_range` follows `on_invalid` when only that is given.
    """

    name: str | None = None
    type: str | None = None
    precision: str | None = None
    on_missing: str | None = None
    replacement: Label | None = None
    on_invalid: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    infinite: str | None = None
    on_range: str | None = None
    levels: Sequence[Label] | None = None
    on_unseen: str | None = None

    def __post_init__(self) -> None:
        if self.levels is not None:
            object.__setattr__(self, "levels", tuple(self.levels))
        owner = "a field" if self.name is None else f"field `{self.name}`"
        for key in WORDS:
            value = getattr(self, key, None)
            if value is not None:
                _check_word(owner, key, value)
        _check_range(owner, self)
        _check_type(owner, self)
        _check_replacement(owner, self)

    def merged(self, declared: "Field") -> "Field":
        """This field with whatever the other declares in its place."""
        if declared.name not in (None, self.name):
            raise SchemaError(
                f"the policy of column `{self.name}` names another column, `{declared.name}`; "
                "leave `name` out"
            )
        given = {
            item.name: getattr(declared, item.name)
            for item in fields(declared)
            if getattr(declared, item.name) is not None
        }
        if declared.on_range is None and declared.on_invalid is not None:
            given["on_range"] = declared.on_invalid
        if declared.on_missing is None and declared.replacement is not None:
            given["on_missing"] = "replace"
        if declared.on_missing not in (None, "replace"):
            given["replacement"] = None
        return replace(self, **given)

    def complete(self) -> "Field":
        """This field with a word wherever none is declared; the name and the type must be there."""
        missing = [key for key in ("name", "type") if getattr(self, key) is None]
        if missing:
            raise SchemaError(f"field {self.name!r} has no `{missing[0]}`")
        words = {key: word for key, word in DEFAULTS.items() if getattr(self, key) is None}
        return replace(self, **words)  # type: ignore[arg-type]

    def to_json(self) -> dict[str, Any]:
        """The field as the manifest has it: every key is present."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return values | {"levels": None if self.levels is None else list(self.levels)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Field":
        """The field that a manifest describes."""
        return cls(**_known_keys(cls, values))


@dataclass(frozen=True)
class Output:
    """One output; `levels` are the class labels of a `label`, `names` those of several numbers."""

    name: str
    kind: str
    node: str
    levels: tuple[Label, ...] | None = None
    names: tuple[Label, ...] | None = None
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        owner = f"output `{self.name}`"
        _check_word(owner, "kind", self.kind)
        if (self.levels is not None) != (self.kind == "label"):
            raise SchemaError(f"{owner}: a `label` has `levels`, and nothing else has")
        if (self.names is not None) != (self.kind in ("numbers", "features")):
            raise SchemaError(f"{owner}: `numbers` and `features` have `names`, nothing else has")

    def to_json(self) -> dict[str, Any]:
        """The output as the manifest has it."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        for key in ("levels", "names"):
            if values[key] is not None:
                values[key] = list(values[key])
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Output":
        """The output that a manifest describes."""
        known = _known_keys(cls, values)
        for key in ("levels", "names"):
            if known.get(key) is not None:
                known[key] = tuple(known[key])
        return cls(**known)


@dataclass(frozen=True)
class Schema:
    """What a model takes and what it answers; printed as a table."""

    inputs: tuple[Field, ...]
    outputs: tuple[Output, ...]

    def __post_init__(self) -> None:
        for kind, items in (("input", self.inputs), ("output", self.outputs)):
            counts = Counter(item.name for item in items)
            twice = [name for name, count in counts.items() if count > 1]
            if twice:
                raise SchemaError(f"two {kind}s have the name `{twice[0]}`")

    def __getitem__(self, name: str) -> Field:
        """The input of this name."""
        for item in self.inputs:
            if item.name == name:
                return item
        raise SchemaError(f"the schema has no input `{name}`")

    def to_json(self) -> dict[str, Any]:
        """The schema as the manifest has it."""
        return {
            "inputs": [item.complete().to_json() for item in self.inputs],
            "outputs": [item.to_json() for item in self.outputs],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Schema":
        """The schema that a manifest describes."""
        return cls(
            inputs=tuple(Field.from_json(item) for item in values["inputs"]),
            outputs=tuple(Output.from_json(item) for item in values["outputs"]),
        )

    def __str__(self) -> str:
        inputs = [("input", "type", "policies")]
        inputs += [(str(item.name), str(item.type), describe_field(item)) for item in self.inputs]
        outputs = [("output", "kind", "of")]
        outputs += [(item.name, item.kind, _named(item)) for item in self.outputs]
        return f"{_aligned(inputs)}\n\n{_aligned(outputs)}"

    def __repr__(self) -> str:
        return str(self)


def describe_field(field: Field) -> str:
    """The policies of a field that differ from the defaults, for people."""
    parts = []
    if field.precision == "f32":
        parts.append("rounded to f32")
    if field.on_missing == "replace":
        parts.append(f"missing becomes {field.replacement!r}")
    elif field.on_missing == "refuse":
        parts.append("missing is refused")
    if field.on_invalid == "missing":
        parts.append("invalid becomes missing")
    if field.minimum is not None or field.maximum is not None:
        low = "" if field.minimum is None else f"{field.minimum:g}"
        high = "" if field.maximum is None else f"{field.maximum:g}"
        parts.append(f"{low}..{high}, outside: {field.on_range}")
    if field.pattern is not None:
        parts.append(f"matches `{field.pattern}`, others: {field.on_range}")
    if field.infinite == "refuse":
        parts.append("infinity is refused")
    if field.levels is not None:
        parts.append(f"{len(field.levels)} levels")
    if field.on_unseen in ("missing", "refuse"):
        word = {"missing": "becomes missing", "refuse": "is refused"}[field.on_unseen]
        parts.append(f"an unseen level {word}")
    return "; ".join(parts)


def _named(output: Output) -> str:
    names = output.levels if output.names is None else output.names
    shown = [str(name) for name in names or ()]
    return ", ".join(shown if len(shown) <= 6 else [*shown[:5], f"… ({len(shown)})"])


def _aligned(rows: list[tuple[str, str, str]]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(3)]
    lines = (
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(lines)


def _known_keys(cls: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    known = [item.name for item in fields(cls)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise SchemaError(f"{cls.__name__.lower()} has the unknown key `{unknown[0]}`")
    return dict(values)


def _check_range(owner: str, field: Field) -> None:
    low, high = field.minimum, field.maximum
    for key in ("minimum", "maximum"):
        value = getattr(field, key)
        if value is not None and (isinstance(value, (str, bool)) or not math.isfinite(value)):
            raise SchemaError(
                f"{owner}: `{key}` is {value!r}; it must be a finite number, or left out"
            )
    if low is not None and high is not None and low > high:
        raise SchemaError(f"{owner}: `minimum` {low:g} is above `maximum` {high:g}")
    if field.pattern is not None:
        try:
            re.compile(field.pattern)
        except re.error as error:
            raise SchemaError(f"{owner}: `pattern` is no regular expression: {error}") from None
    if field.on_range == "clip" and field.pattern is not None:
        raise SchemaError(
            f"{owner}: `on_range` is `clip`, which a `pattern` cannot be; use `missing`"
        )


def _fits(value: Any, type_: str) -> bool:
    if type_ == "number" and isinstance(value, bool):
        return False
    return isinstance(value, VALUES.get(type_, (object,)))


def _check_type(owner: str, field: Field) -> None:
    if field.type is None:
        return
    for key, types in TYPED.items():
        if getattr(field, key) is not None and field.type not in types:
            raise SchemaError(f"{owner} is {field.type}: `{key}` is for {' and '.join(types)} only")
    if field.on_range == "clip" and field.type != "number":
        raise SchemaError(f"{owner} is {field.type}: only numbers are clipped; use `missing`")
    wrong = [level for level in field.levels or () if not _fits(level, field.type)]
    if wrong:
        raise SchemaError(f"{owner} is {field.type}: its level {wrong[0]!r} is not")


def _check_replacement(owner: str, field: Field) -> None:
    if field.on_missing == "replace" and field.replacement is None:
        raise SchemaError(f"{owner}: `on_missing` is `replace`; give the `replacement` as well")
    if field.on_missing in ("allow", "refuse") and field.replacement is not None:
        raise SchemaError(
            f"{owner}: a `replacement` is given, but `on_missing` is `{field.on_missing}`"
        )
    if field.replacement is not None and field.type and not _fits(field.replacement, field.type):
        raise SchemaError(
            f"{owner}: `replacement` is {field.replacement!r}, which is no {field.type}"
        )
