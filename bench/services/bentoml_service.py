"""A service of BentoML around the pickled pipeline."""

import os
import pickle
from pathlib import Path
from typing import Any

import bentoml
import pandas


@bentoml.service(workers=1)
class Flights:
    """The flights pipeline."""

    def __init__(self) -> None:
        # The file is our own: `bench/gateway.py` wrote it.
        path = Path(os.environ["PENSTOCK_BENCH_FOLDER"]) / "model.pkl"
        self.model = pickle.loads(path.read_bytes())

    @bentoml.api
    async def predict(self, row: dict[str, Any]) -> dict[str, Any]:
        """The label and the probabilities of a row."""
        probabilities = self.model.predict_proba(pandas.DataFrame([row]))[0]
        return {"label": int(probabilities.argmax()), "probability": probabilities.tolist()}
