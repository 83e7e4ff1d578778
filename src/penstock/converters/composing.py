"""Estimators that hold other estimators: pipelines, column transformers, unions, searches."""

from collections.abc import Callable
from typing import Any

__all__ = ["CONVERTERS"]

CONVERTERS: dict[str, Callable[..., Any]] = {}
