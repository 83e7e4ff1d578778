"""FastAPI around the pickled pipeline."""

import os
import pickle
from pathlib import Path
from typing import Any

import pandas
from fastapi import FastAPI

# The file is our own: `bench/gateway.py` wrote it.
model = pickle.loads((Path(os.environ["PENSTOCK_BENCH_FOLDER"]) / "model.pkl").read_bytes())
app = FastAPI()


# On the thread of the event loop: a pool of threads would only add the way there and back.
@app.post("/predict")
async def predict(row: dict[str, Any]) -> dict[str, Any]:
    """The label and the probabilities of a row."""
    probabilities = model.predict_proba(pandas.DataFrame([row]))[0]
    return {"label": int(probabilities.argmax()), "probability": probabilities.tolist()}
