"""ONNX Runtime as a contender: the usual conversion by skl2onnx, and a quicker form of it."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy
from sklearn.pipeline import Pipeline

from bench.contender import Contender, Probabilities
from bench.loading import load
from bench.models import Case
from bench.timing import Call, quickest
from demo.data import NUMBERS, TEXTS
from demo.pipelines import MISSING_TEXT

__all__ = ["onnx_runtime"]

Feed = dict[str, numpy.ndarray[Any, Any]]

# Rows per call of `run`: the one-hot block of a whole batch fits no cache.
BLOCK_ROWS = (1_000, 10_000, 100_000)
NOTE = (
    "ONNX Runtime cannot take a missing text: missing texts are filled in, and its arrays made, "
    "before the clock starts. It computes in f32: a value beside a threshold may take the other "
    "side. "
    "It gets the batch in blocks of whichever of "
    f"{', '.join(f'{rows:,}' for rows in BLOCK_ROWS)} rows is quickest."
)


@dataclass(frozen=True)
class _Form:
    """One way to hand over the 27 columns: the inputs of the converted model."""

    name: str
    suffix: str
    inputs: dict[str, tuple[str, ...]]
    columns: dict[str, list[Any]]  # for the two branches of the `ColumnTransformer`


FORMS = (
    _Form(
        name="one input per column",
        suffix="-columns.onnx",
        inputs={name: (name,) for name in (*NUMBERS, *TEXTS)},
        columns={"numbers": list(NUMBERS), "texts": list(TEXTS)},
    ),
    # Less usual: the pipeline must be fitted (or, as here, edited) to find columns by position.
    _Form(
        name="two matrices",
        suffix="-matrices.onnx",
        inputs={"numbers": NUMBERS, "texts": TEXTS},
        columns={
            "numbers": list(range(len(NUMBERS))),
            "texts": list(range(len(NUMBERS), len(NUMBERS) + len(TEXTS))),
        },
    ),
)


def onnx_runtime(case: Case) -> list[Contender]:
    """One contender per form of the inputs."""
    return [_contender(case, form) for form in FORMS]


def _contender(case: Case, form: _Form) -> Contender:
    path = case.file(form.suffix)
    if not path.exists():
        path.write_bytes(_convert(case.pipeline, form))
    session: Any = load(path)
    outputs = ["probabilities"]
    feed = _feed(case, form)
    first = _rows(feed, 0, 1)
    blocks = {str(rows): _in_blocks(session, feed, rows) for rows in BLOCK_ROWS}
    best = quickest(blocks)
    return Contender(
        name=f"ONNX Runtime, {form.name}",
        library="onnxruntime",
        given=f"prepared arrays, {int(best):,} rows at a time",
        row=lambda: session.run(outputs, first),
        batch=blocks[best],
        late=_late,
        file=path,
        note=NOTE,
    )


def _convert(pipeline: Pipeline, form: _Form) -> bytes:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    _register_lightgbm()
    numbers = set(NUMBERS)
    types = [
        (
            name,
            (FloatTensorType if numbers.issuperset(columns) else StringTensorType)(
                [None, len(columns)]
            ),
        )
        for name, columns in form.inputs.items()
    ]
    reduced = _without_text_imputer(pipeline, form)
    # `zipmap` would turn the probabilities into a list of dictionaries, row by row.
    options = {id(reduced): {"zipmap": False}}
    converted = convert_sklearn(
        reduced, initial_types=types, options=options, target_opset={"": 21, "ai.onnx.ml": 3}
    )
    return bytes(converted.SerializeToString())


def _register_lightgbm() -> None:
    from lightgbm import LGBMClassifier
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes

    update_registered_converter(
        LGBMClassifier,
        "LightGbmLGBMClassifier",
        calculate_linear_classifier_output_shapes,
        convert_lightgbm,
        options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
    )


def _without_text_imputer(pipeline: Pipeline, form: _Form) -> Pipeline:
    """The pipeline whose texts go to the one-hot encoder at once.

    skl2onnx 1.20 refuses a `SimpleImputer` for texts whose missing value is NaN or None ("The
    converter is implemented when the missing values are string", in `imputer_op.py`).
    """
    reduced = copy.deepcopy(pipeline)
    columns = reduced[0]
    columns.transformers_ = [
        (name, step[-1] if name == "texts" else step, form.columns[name])
        for name, step, _ in columns.transformers_
    ]
    return reduced


def _feed(case: Case, form: _Form) -> Feed:
    numbers = set(NUMBERS)
    feed: Feed = {}
    for name, columns in form.inputs.items():
        part = case.batch[list(columns)]
        if numbers.issuperset(columns):
            feed[name] = numpy.ascontiguousarray(part.to_numpy(numpy.float32))
        else:
            feed[name] = numpy.ascontiguousarray(part.fillna(MISSING_TEXT).to_numpy(object))
    return feed


def _rows(feed: Feed, start: int, end: int) -> Feed:
    return {name: array[start:end] for name, array in feed.items()}


def _in_blocks(session: Any, feed: Feed, rows: int) -> Call:
    total = len(next(iter(feed.values())))
    blocks = [_rows(feed, start, start + rows) for start in range(0, total, rows)]
    return lambda: [session.run(["probabilities"], block)[0] for block in blocks]


def _late(blocks: list[Probabilities]) -> Probabilities:
    return numpy.concatenate(blocks)[:, 1]
