"""Feature steps for scikit-learn's pipelines, run by the engine in training as in production."""

try:
    import sklearn as _sklearn  # noqa: F401
except ImportError as error:
    raise ImportError(
        "`penstock.steps` are transformers of scikit-learn, which is not installed; "
        "`pip install 'penstock[sklearn]'`"
    ) from error

from penstock.steps.checking import Check
from penstock.steps.dates import Dates
from penstock.steps.deriving import Derive
from penstock.steps.functions import (
    bucket,
    contains,
    count_words,
    cyclic_cos,
    cyclic_sin,
    default,
    entropy,
    extract,
    hash_bucket,
    haversine,
    matches,
    missing,
    part,
    share,
)
from penstock.steps.tables import Levels, Lookup

__all__ = [
    "Check",
    "Dates",
    "Derive",
    "Levels",
    "Lookup",
    "bucket",
    "contains",
    "count_words",
    "cyclic_cos",
    "cyclic_sin",
    "default",
    "entropy",
    "extract",
    "hash_bucket",
    "haversine",
    "matches",
    "missing",
    "part",
    "share",
]
