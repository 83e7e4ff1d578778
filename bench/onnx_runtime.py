"""ONNX Runtime as a contender: pipelines converted as usual, and in quicker forms."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
from sklearn.pipeline import Pipeline

from bench.contender import ALL_THREADS, Absent, Contender, Outputs
from bench.loading import load, onnx_session
from bench.models import Case, keep
from bench.pipelines import MISSING_TEXT
from bench.timing import Call, Clock, clock, quickest
from demo.data import NUMBERS, TEXTS, first_row

__all__ = ["onnx_runtime", "onnx_runtime_on_matrix", "onnx_runtime_without_sets"]

Feed = dict[str, numpy.ndarray[Any, Any]]

# Rows per call of `run`: the one-hot block of a whole batch fits no cache.
BLOCK_ROWS = (1_000, 5_000, 20_000)
TRIED_ROWS = 20_000
OPSETS = {"": 21, "ai.onnx.ml": 3}
NOTE = (
    "ONNX Runtime computes in f32: a value beside a threshold may take the other side. It cannot "
    "take a missing text, which is filled in before the clock starts. It gets a batch in "
    f"blocks of whichever of {', '.join(f'{rows:,}' for rows in BLOCK_ROWS)} rows is quickest."
)


@dataclass(frozen=True)
class _Form:
    """One way to hand rows over: the inputs of the converted model, and what converts it."""

    name: str
    suffix: str
    given: str
    inputs: dict[str, tuple[str, ...]]
    convert: Callable[[Case, "_Form"], bytes]
    feed: Callable[[Case, "_Form"], Feed]
    from_dictionary: bool = True


def onnx_runtime(case: Case) -> list[Contender]:
    """The whole pipeline on flights, with each way to hand over its 27 columns."""
    forms = (
        _Form(
            name="one input per column",
            suffix="-columns.onnx",
            given="an array per column",
            inputs={name: (name,) for name in (*NUMBERS, *TEXTS)},
            convert=_pipeline,
            feed=_columns,
        ),
        # Less usual: the pipeline must be fitted (or, as here, edited) to find columns by position.
        _Form(
            name="two matrices",
            suffix="-matrices.onnx",
            given="an array of numbers and one of texts",
            inputs={"numbers": NUMBERS, "texts": TEXTS},
            convert=_pipeline,
            feed=_columns,
        ),
    )
    return [_contender(case, form) for form in forms]


def onnx_runtime_on_matrix(case: Case) -> list[Contender]:
    """The last step alone, on the float32 matrix that the others make."""
    names = tuple(str(name) for name in range(case.dense.shape[1]))
    form = _Form(
        name="one matrix",
        suffix="-matrix.onnx",
        given="the matrix, dense, float32",
        inputs={"matrix": names},
        convert=_last_step,
        feed=lambda case, form: {"matrix": case.dense.astype(numpy.float32, copy=False)},
        from_dictionary=False,
    )
    return [_contender(case, form)]


def onnx_runtime_without_sets(case: Case) -> list[Contender]:
    """ONNX has no node for a set of categories before `ai.onnx.ml` 5."""
    raise Absent(
        "ONNX Runtime",
        "onnxmltools 1.16 writes a split on a set of categories as one node per category "
        "(`modify_tree_for_rule_in_set`), which this model multiplies beyond measure",
    )


def _contender(case: Case, form: _Form) -> Contender:
    def convert(path: Path) -> None:
        path.write_bytes(form.convert(case, form))

    path = keep(case.file(form.suffix), convert)
    sessions: dict[int, Any] = {
        threads: onnx_session(path, threads) for threads in {1, ALL_THREADS}
    }
    outputs = [sessions[1].get_outputs()[-1].name]
    feed = form.feed(case, form)
    row = first_row(case.texts(case.batch))
    tried = {
        str(rows): _blocks(sessions[1], outputs, feed, TRIED_ROWS, rows) for rows in BLOCK_ROWS
    }
    block = int(quickest(tried, rounds=1))

    def batch(count: int, threads: int) -> Clock:
        return clock(_blocks(sessions[threads], outputs, feed, count, block))

    def late() -> Outputs:
        blocks: Any = _blocks(sessions[ALL_THREADS], outputs, feed, len(case.batch), block)()
        return numpy.concatenate(blocks)[:, 1]

    first = {name: array[:1] for name, array in feed.items()}
    return Contender(
        name=f"ONNX Runtime, {form.name}",
        library="onnxruntime",
        given=f"{form.given}; {block:,} rows at a time",
        dictionary=clock(lambda: sessions[1].run(outputs, _fed(row, form.inputs)))
        if form.from_dictionary
        else None,
        prepared=clock(lambda: sessions[1].run(outputs, first)),
        batch=batch,
        outputs=late,
        load=clock(lambda: load(path)),
        file=path,
        note=NOTE,
    )


def _blocks(session: Any, outputs: Sequence[str], feed: Feed, count: int, rows: int) -> Call:
    blocks = [
        {name: array[start : min(start + rows, count)] for name, array in feed.items()}
        for start in range(0, count, rows)
    ]
    return lambda: [session.run(outputs, block)[0] for block in blocks]


def _last_step(case: Case, form: _Form) -> bytes:
    if case.workload.kind == "xgboost":
        return _xgboost(case)
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    converted = convert_sklearn(
        case.predictor,
        initial_types=[("matrix", FloatTensorType([None, case.dense.shape[1]]))],
        options={id(case.predictor): {"zipmap": False}},
        target_opset=OPSETS,
    )
    return bytes(converted.SerializeToString())


def _xgboost(case: Case) -> bytes:
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    # The converter takes features by number only; the case keeps its names.
    booster = case.predictor.get_booster().copy()
    booster.feature_names = None
    types = [("matrix", FloatTensorType([None, case.dense.shape[1]]))]
    converted = convert_xgboost(booster, initial_types=types, target_opset=15)
    return bytes(converted.SerializeToString())


def _pipeline(case: Case, form: _Form) -> bytes:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    _register_lightgbm()
    texts = set(TEXTS)
    types = [
        (name, (StringTensorType if texts & {*columns} else FloatTensorType)([None, len(columns)]))
        for name, columns in form.inputs.items()
    ]
    reduced = _without_text_imputer(case.model, form)
    # `zipmap` would turn the probabilities into a list of dictionaries, row by row.
    options = {id(reduced): {"zipmap": False}}
    converted = convert_sklearn(reduced, initial_types=types, options=options, target_opset=OPSETS)
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
    placed: dict[str, list[Any]] = {"numbers": list(NUMBERS), "texts": list(TEXTS)}
    if len(form.inputs) == len(placed):
        # Matrices: columns by their position in both, one after the other.
        every = [*NUMBERS, *TEXTS]
        placed = {part: [every.index(name) for name in names] for part, names in placed.items()}
    reduced = copy.deepcopy(pipeline)
    columns = reduced[0]
    columns.transformers_ = [
        (name, step[-1] if name == "texts" else step, placed[name])
        for name, step, _ in columns.transformers_
    ]
    return reduced


def _columns(case: Case, form: _Form) -> Feed:
    texts = set(TEXTS)
    feed: Feed = {}
    for name, columns in form.inputs.items():
        part = case.batch[list(columns)]
        if texts & {*columns}:
            feed[name] = numpy.ascontiguousarray(part.fillna(MISSING_TEXT).to_numpy(object))
        else:
            feed[name] = numpy.ascontiguousarray(part.to_numpy(numpy.float32))
    return feed


def _fed(row: dict[str, Any], inputs: dict[str, tuple[str, ...]]) -> Feed:
    """The arrays of one row; a missing number is NaN, a missing text the level it becomes."""
    feed: Feed = {}
    for name, columns in inputs.items():
        if columns[0] in TEXTS:
            texts = [[MISSING_TEXT if row[column] is None else row[column] for column in columns]]
            feed[name] = numpy.array(texts, dtype=object)
        else:
            feed[name] = numpy.array([[row[column] for column in columns]], dtype=numpy.float32)
    return feed
