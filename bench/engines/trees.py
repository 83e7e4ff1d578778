"""Tree models of other libraries as Treelite reads them: what its relatives here start from."""

import pickle
from pathlib import Path
from typing import Any

from bench.engines.request import Refused, Request

__all__ = ["read"]


def read(request: Request) -> Any:
    """The Treelite model; a forest comes from scikit-learn itself, the others from model files."""
    if request.kind == "linear":
        raise Refused("it runs trees only")
    import treelite

    if request.kind == "forest":
        # Our own file, written by `bench.models` from a model that it had just trained.
        return treelite.sklearn.import_model(pickle.loads(Path(request.model).read_bytes()))
    readers = {
        "lightgbm": treelite.frontend.load_lightgbm_model,
        "xgboost": treelite.frontend.load_xgboost_model,
    }
    return readers[request.kind](request.model)
