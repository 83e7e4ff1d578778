"""Which converter serves which class: the tables of all families, merged once when first needed."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from penstock.errors import ConvertError

__all__ = ["ENTRY_POINTS", "FAMILIES", "supported", "table"]

# One module each; a module imports no ML library before one of its functions is called.
FAMILIES: tuple[str, ...] = (
    "adjusting",
    "bayes",
    "binning",
    "blending",
    "boosted_terms",
    "boosting",
    "calibrating",
    "catboost",
    "category_encoders",
    "chaining",
    "checking",
    "clustering",
    "composing",
    "constants",
    "densities",
    "deriving",
    "dictionaries",
    "discriminants",
    "dividing",
    "domains",
    "encoding",
    "expanding",
    "feature_creation",
    "feature_engine",
    "feature_times",
    "generalized",
    "imbalanced",
    "imputing",
    "iterating",
    "kernels",
    "lightgbm",
    "linear",
    "mapping",
    "mixtures",
    "neighbors",
    "networks",
    "outliers",
    "processes",
    "projecting",
    "reshaping",
    "sampling",
    "scaling",
    "selecting",
    "similarities",
    "splines",
    "tables",
    "terms",
    "topics",
    "trees",
    "xgboost",
)
# Strangers add families with the same kind of table: `CONVERTERS = {qualified class name:
# function}`.
ENTRY_POINTS = "penstock.converters"


@cache
def table() -> dict[str, Callable[..., Any]]:
    """Every converter by the qualified public name of the class that it converts."""
    modules = [import_module(f"{__name__}.{family}") for family in FAMILIES]
    sources = [(module.__name__, module.CONVERTERS) for module in modules]
    sources += [(point.value, point.load()) for point in entry_points(group=ENTRY_POINTS)]
    merged: dict[str, Callable[..., Any]] = {}
    owners: dict[str, str] = {}
    for owner, converters in sources:
        for name, converter in converters.items():
            if name in merged:
                raise ConvertError(f"`{owners[name]}` and `{owner}` both convert `{name}`")
            merged[name], owners[name] = converter, owner
    return merged


def supported() -> list[str]:
    """Qualified names of the classes that convert, sorted."""
    return sorted(table())
