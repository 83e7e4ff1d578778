"""From a fitted pipeline to one portable file that predicts the same, fast; what users import."""

# As `typing.TYPE_CHECKING`, without the 10 ms that importing `typing` takes.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from penstock.conversion import convert as convert
    from penstock.converters import supported as supported
    from penstock.data import Table as Table
    from penstock.data import read as read
    from penstock.errors import ArtifactError as ArtifactError
    from penstock.errors import ConvertError as ConvertError
    from penstock.errors import DataError as DataError
    from penstock.errors import PenstockError as PenstockError
    from penstock.errors import SchemaError as SchemaError
    from penstock.keys import keygen as keygen
    from penstock.model import Model as Model
    from penstock.model import load as load
    from penstock.model import sign as sign
    from penstock.schema import Field as Field
    from penstock.schema import Schema as Schema
    from penstock.training.comparing import compare as compare
    from penstock.training.running import train as train

__version__ = "0.1.0"

# Public name to the module that has it: nothing is imported before it is used.
_HOMES = {
    "ArtifactError": "errors",
    "ConvertError": "errors",
    "DataError": "errors",
    "Field": "schema",
    "Model": "model",
    "PenstockError": "errors",
    "Schema": "schema",
    "SchemaError": "errors",
    "Table": "data",
    "compare": "training.comparing",
    "convert": "conversion",
    "keygen": "keys",
    "load": "model",
    "read": "data",
    "sign": "model",
    "supported": "converters",
    "train": "training.running",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> "Any":
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module `penstock` has no `{name}`")
    from importlib import import_module

    return getattr(import_module(f"penstock.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
