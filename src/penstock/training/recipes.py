"""Recipe files: TOML with the settings of a `Recipe`, where the data is and where things go."""

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.data import Table
from penstock.data import read as table_of
from penstock.data.addresses import parse
from penstock.errors import PenstockError
from penstock.formats import FORMATS
from penstock.training.recipe import Recipe, Setting, settings

__all__ = ["Order", "commented", "moved", "order", "parsed", "read", "schema"]

# What a recipe file has beside the settings.
PLACES = {
    "source": Setting("The rows to train on: a file, a folder, a pattern, a URL or a database."),
    "format": Setting("Format, if the source does not say.", choices=FORMATS),
    "query": Setting("What of a database, in SQL."),
    "table": Setting("The table of a database; the sheet of a file."),
    "output": Setting("The artifact to write."),
    "report": Setting("The report to write (HTML)."),
    "require": Setting(
        'Conditions on held-out rows, as "auc>=0.79"; exit code 1 if not met.', "texts"
    ),
}


@dataclass(frozen=True)
class Order:
    """A recipe, and where its data comes from and its results go."""

    recipe: Recipe
    source: str
    format: str | None = None
    query: str | None = None
    table: str | None = None
    output: str | None = None
    report: str | None = None
    require: tuple[str, ...] = ()

    def rows(self) -> Table:
        """The rows to train on, not read yet."""
        return table_of(self.source, format=self.format, query=self.query, table=self.table)


def order(given: Mapping[str, Any]) -> Order:
    """The order with these settings; raises `PenstockError` for one that is none."""
    places = {name: value for name, value in given.items() if name in PLACES}
    if "source" not in places:
        raise PenstockError("`source` is not given: where the rows to train on are")
    for name, value in places.items():
        due = list if name == "require" else str
        if not isinstance(value, (due, tuple)):
            raise PenstockError(f"`{name}` is {value!r}; it must be a {due.__name__}")
    places["require"] = tuple(places.get("require", ()))
    rest = {name: value for name, value in given.items() if name not in PLACES}
    if not rest.get("target"):
        raise PenstockError("`target` is not given: the column to predict")
    return Order(Recipe.of(rest), **places)


def read(path: Path) -> dict[str, Any]:
    """The settings in a recipe file, with paths that are relative to it."""
    text = path.read_text(encoding="utf-8")
    found = parsed(text, f"`{path}`")
    for name in ("output", "report", "journal"):
        if isinstance(found.get(name), str):
            found[name] = str(path.parent / found[name])
    if isinstance(found.get("source"), str):
        found["source"] = moved(found["source"], lambda source: str(path.parent / source))
    return found


def moved(source: str, move: Callable[[str], str]) -> str:
    """The source with another path, if it is a path: neither a URL nor standard input."""
    address = parse(source)
    if address.kind == "file":
        return source if source == "-" else move(address.text)
    if address.kind in _EMBEDDED and address.text != ":memory:":
        return f"{address.kind}:{move(address.text)}"
    return source


# Databases that are a file.
_EMBEDDED = ("sqlite", "duckdb")


def parsed(text: str, where: str) -> dict[str, Any]:
    """The settings in a TOML text."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PenstockError(f"{where} is no TOML: {error}") from None


def commented(source: str, target: str) -> str:
    """A recipe file with every setting; those by default are comments."""
    head = [
        "# What `penstock train` does; lines with # are as by default.",
        "# docs/training.md describes the settings.",
        "",
    ]
    told: dict[str, Any] = {"source": source, "target": target}
    described = {**PLACES, **dict(settings())}
    flat = [name for name in described if described[name].kind != "mapping"]
    tables = [name for name in described if described[name].kind == "mapping"]
    lines = []
    for name in sorted(flat, key=lambda name: name not in ("source", "target")):
        setting = described[name]
        choices = f" One of {', '.join(setting.choices)}." if setting.choices else ""
        value = told.get(name, _EXAMPLES.get(name, getattr(Recipe(), name, None)))
        sign = "" if name in told else "# "
        lines += [f"# {setting.about}{choices}", f"{sign}{name} = {_toml(value)}", ""]
    for name in tables:
        lines += [f"# {described[name].about}", f"# [{name}]", f"# {_TABLES[name]}", ""]
    return "\n".join(head + lines)


_EXAMPLES: dict[str, Any] = {
    "format": "csv",
    "query": "SELECT * FROM flights",
    "table": "flights",
    "output": "model.penstock",
    "report": "report.html",
    "require": ["auc>=0.79"],
    "task": "binary",
    "name": "model",
    "version": "1",
    "drop": ["column"],
    "positive": "yes",
    "split": "time",
    "split_column": "day",
    "weight": "column",
    "offset": "log_exposure",
    "class_weight": "balanced",
    "calibration": "sigmoid",
    "interactions": [["hour", "month"], ["distance"]],
    "intervals": 0.9,
    "algorithms": ["gbm", "glm"],
    "trials": 20,
    "seconds": 300,
    "journal": "trials.journal",
    "threads": 2,
    "memory": 8,
}
_TABLES = {
    "types": 'zip_code = "text"',
    "features": 'zip_code = "levels"',
    "parameters": "num_leaves = 31",
    "monotone": "distance = 1",
}


def _toml(value: Any) -> str:
    # JSON's texts, numbers and lists are TOML's as well.
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


_SCHEMA_TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "mapping": {"type": "object"},
    "any": {},
}


def schema() -> dict[str, Any]:
    """The JSON Schema of recipe files."""
    properties = {
        name: _schema_of(setting) for name, setting in {**PLACES, **dict(settings())}.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A recipe of penstock train",
        "type": "object",
        "required": ["source", "target"],
        "properties": properties,
        "additionalProperties": False,
    }


def _schema_of(setting: Setting) -> dict[str, Any]:
    told: dict[str, Any] = {"description": setting.about, **_SCHEMA_TYPES[setting.kind]}
    if setting.choices is not None:
        told["enum"] = list(setting.choices)
    if setting.minimum is not None:
        told["minimum"] = setting.minimum
    if setting.maximum is not None:
        told["maximum"] = setting.maximum
    return told
