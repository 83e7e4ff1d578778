"""FastAPI around the pipeline as ONNX Runtime runs it."""

import os
from pathlib import Path
from typing import Any

import numpy
import onnxruntime
from fastapi import FastAPI

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(
    str(Path(os.environ["PENSTOCK_BENCH_FOLDER"]) / "model.onnx"),
    options,
    providers=["CPUExecutionProvider"],
)
DTYPES: dict[str, Any] = {
    node.name: numpy.float32 if node.type == "tensor(float)" else object
    for node in session.get_inputs()
}
app = FastAPI()


@app.post("/predict")
async def predict(row: dict[str, Any]) -> dict[str, Any]:
    """The label and the probabilities of a row."""
    feed = {name: numpy.array([[row[name]]], dtype=dtype) for name, dtype in DTYPES.items()}
    label, probabilities = session.run(None, feed)
    return {"label": int(label[0]), "probability": probabilities[0].tolist()}
