"""Judges a conversion as a stranger would: by comparing what both sides answer, plainly.

It knows nothing of the proof that `convert` makes, of tolerances that converters claim, or of rows
that are excused there. Outcomes: *pass*; *refused*, with a message that is ours; *wrong*, an answer
that differs, or one where the source library gives none; *crash*, an error that is none of ours.
"""

import inspect
import math
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

import penstock
from tests.examination.data import HELD, ROWS, World, hostile, targets

__all__ = ["fitted", "outcome"]

# How often a row is asked again with other last bits, where sums that cancel keep few digits.
NUDGES = 12
# All rows are of one group, as each library says it.
GROUPS: tuple[dict[str, Any], ...] = (
    {"group": [ROWS]},
    {"group_id": [0] * ROWS},
    {"qid": [0] * ROWS},
)
# How libraries without `decision_function` give raw scores.
RAW: tuple[dict[str, Any], ...] = (
    {"raw_score": True},
    {"output_margin": True},
    {"prediction_type": "RawFormulaVal"},
)
METHODS = {
    "cluster": "predict",
    "distance": "transform",
    "label": "predict",
    "probability": "predict_proba",
    "raw": "decision_function",
    "score": "score_samples",
    "value": "predict",
}


def fitted(estimator: Any, world: World) -> Any:
    """The estimator after the first target that it takes; `None` if it takes none."""
    frame = world.frame(0)
    data = (world.fit or (lambda built: built))(world.build(frame))
    name = type(estimator).__name__
    groups = GROUPS if name.endswith("Ranker") else ({},)
    for target in targets(name.endswith(("Ranker", "Regressor"))):
        for group in groups:
            with suppress(Exception):
                return estimator.fit(data, target, **group)
    return None


def outcome(estimator: Any, world: World) -> tuple[str, str]:
    """What becomes of a fitted estimator, and the message that goes with it."""
    example = world.build(world.frame(0))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            model = penstock.convert(estimator, example)
            difference = next(_differences(estimator, model, world), None)
        except penstock.ConvertError as error:
            lost = error.__context__ is not None and "not as its library" in str(error)
            kind = "crash" if lost and _works(estimator, example) else "refused"
            return kind, str(error)
        except Exception:
            return "crash", traceback.format_exc(limit=-3)
    return ("pass", "") if difference is None else ("wrong", difference)


def _works(estimator: Any, example: Any) -> bool:
    """Whether the source library itself can use what it has fitted."""
    methods = ("predict", "transform", "score_samples")
    method = next(method for method in methods if hasattr(estimator, method))
    try:
        getattr(estimator, method)(example)
    except Exception:
        return False
    return True


def _differences(estimator: Any, model: Any, world: World) -> Iterator[str]:
    held = world.frame(1).iloc[:HELD].reset_index(drop=True)
    scales: dict[str, float] = {}
    yield from _compared(estimator, model, world, held, scales, ordinary=True)
    yield from _alone(estimator, model, world, held)
    for rows in hostile(held):
        yield from _compared(estimator, model, world, rows, scales, ordinary=False)


def _compared(
    estimator: Any,
    model: Any,
    world: World,
    frame: Any,
    scales: dict[str, float],
    *,
    ordinary: bool,
) -> Iterator[str]:
    """Row by row what both answer; `scales` keeps how large ordinary answers are."""
    given = model.predict(_rows(model, frame), on_error="return")
    for name, asked in _questions(estimator, model).items():
        expected = _answers(asked, world.build, frame)
        if ordinary:
            scales[name] = _largest([x for row in expected for x in row or ()])
        scale = scales.get(name, 1.0)
        for at, (row, answer) in enumerate(zip(expected, given, strict=True)):
            where = f"{name} of {frame.iloc[at].to_dict()}"
            if isinstance(answer, penstock.DataError):
                if ordinary and row is not None:
                    yield f"{where}: refused ({answer}), where the source answers {row}"
                continue
            found = _listed(answer, name)
            if row is not None and _same(found, row, scale, world.tolerance):
                continue
            # Alone it may refuse what it takes among others, as a column without any text.
            own = _own(row, asked, world, frame, at)
            if not own:
                yield f"{where}: {answer}, where the source refuses"
            elif not _among(found, own, scale, world.tolerance):
                yield f"{where}: {found}, the source {row}"


def _alone(estimator: Any, model: Any, world: World, frame: Any) -> Iterator[str]:
    """One row of a frame and an empty one: the same answers, no error."""
    rows = _rows(model, frame)[:3]
    several = model.predict(rows, on_error="return")
    for row, answer in zip(rows, several, strict=True):
        alone = model.predict([row], on_error="return")[0]
        if repr(alone) != repr(answer) and not isinstance(answer, penstock.DataError):
            yield f"{row} alone: {alone}; with others: {answer}"
    empty = model.predict(world.build(frame.iloc[:0]))
    columns = empty.values() if isinstance(empty, dict) else [empty]
    if any(len(column) for column in columns):
        yield f"no rows: {empty}"


def _rows(model: Any, frame: Any) -> list[dict[str, Any]]:
    """The rows under the names that the model has for the columns."""
    names = [field.name for field in model.schema.inputs]
    if set(names) != {str(name) for name in frame.columns}:
        frame = frame.set_axis(names, axis=1)
    return [
        {str(name): _plain(value) for name, value in row.items()}
        for row in frame.to_dict(orient="records")
    ]


def _plain(value: Any) -> Any:
    if value is pd.NA or value is pd.NaT:
        return None
    return value.item() if isinstance(value, np.generic) else value


def _questions(estimator: Any, model: Any) -> dict[str, Callable[[Any], Any]]:
    """What to ask the estimator for each output; all outputs of a transformer are one."""
    questions = {}
    for name in (output.name for output in model.schema.outputs):
        stem, _, place = name.rpartition("_")
        method = METHODS.get(name) or METHODS.get(stem)
        if method is None:
            return {"": estimator.transform}
        asked = getattr(estimator, method, None) or _raw(estimator)
        if asked is None:
            continue
        questions[name] = _column(asked, int(place)) if name not in METHODS else asked
    return questions


def _raw(estimator: Any) -> Callable[[Any], Any] | None:
    """Raw scores of what has no `decision_function`; mixtures have none in public."""
    if hasattr(estimator, "predict_joint_log_proba"):
        return estimator.predict_joint_log_proba
    known = inspect.signature(estimator.predict).parameters
    found = [options for options in RAW if options.keys() <= known.keys()]
    return partial(estimator.predict, **found[0]) if found else None


def _column(asked: Callable[[Any], Any], at: int) -> Callable[[Any], Any]:
    def ask(data: Any) -> Any:
        answer = asked(data)
        return answer[at] if isinstance(answer, list) else answer[:, at]

    return ask


def _answers(asked: Any, build: Any, frame: Any) -> list[list[Any] | None]:
    """The answers row by row; `None` for rows that the source refuses, found by halving."""
    if not len(frame):
        return []
    try:
        return _matrix(asked(build(frame)))
    except Exception:
        if len(frame) == 1:
            return [None]
    middle = len(frame) // 2
    halves = frame.iloc[:middle], frame.iloc[middle:]
    return [row for half in halves for row in _answers(asked, build, half)]


def _matrix(answer: Any) -> list[list[Any]]:
    if hasattr(answer, "toarray"):
        answer = answer.toarray()
    if isinstance(answer, list) and isinstance(answer[0], np.ndarray):
        answer = np.hstack(answer)
    if isinstance(answer, pd.DataFrame):
        return [list(map(_plain, row)) for row in answer.itertuples(index=False, name=None)]
    array = np.asarray(answer)
    return array.reshape(len(array), -1).tolist()


def _listed(answer: dict[str, Any], name: str) -> list[Any]:
    """The elements of one output, or of all."""
    values = list(answer.values()) if not name else [answer[name]]
    parts = [list(value.values()) if isinstance(value, dict) else value for value in values]
    return [x for part in parts for x in (part if isinstance(part, list) else [part])]


def _own(row: list[Any] | None, asked: Any, world: World, frame: Any, at: int) -> list[list[Any]]:
    """What the source answers itself: with other rows, alone, and where last bits differ."""
    alone = frame.iloc[at : at + 1].reset_index(drop=True)
    company = pd.concat([alone, world.frame(2).iloc[:HELD]], ignore_index=True)
    answers = [row] + [_answers(asked, world.build, rows)[0] for rows in (alone, company)]
    unit = 2.0**-23 if getattr(world.build(alone), "dtype", "") == "float32" else 2.0**-51
    random = np.random.default_rng(at)
    for _ in range(NUDGES):
        nudged = alone.copy()
        for name in alone.columns[[kind.kind == "f" for kind in alone.dtypes]]:
            nudged[name] = alone[name] * (1.0 + unit * random.choice((-2.0, -1.0, 1.0, 2.0)))
        answers += _answers(asked, world.build, nudged)
    return [answer for answer in answers if answer is not None]


def _among(found: list[Any], answers: list[list[Any]], scale: float, tolerance: float) -> bool:
    """Whether each element lies among what the source answers itself, or as near as those are."""
    for at, element in enumerate(found):
        others = [answer[at] for answer in answers]
        if any(_equal(element, other, scale, tolerance) for other in others):
            continue
        if any(isinstance(x, str) or x is None or not math.isfinite(x) for x in (element, *others)):
            return False
        # Two sums of the same numbers in other orders err independently of each other.
        spread = max(others) - min(others)
        if not min(others) - spread <= element <= max(others) + spread:
            return False
    return True


def _largest(row: list[Any]) -> float:
    return max(
        (abs(x) for x in row if isinstance(x, (int, float)) and math.isfinite(x)), default=1.0
    )


def _same(left: list[Any], right: list[Any], scale: float, tolerance: float) -> bool:
    """Elements are as exact as the largest: one sum may be as large as that before it cancels."""
    scale = max(scale, _largest(right))
    return len(left) == len(right) and all(
        _equal(one, other, scale, tolerance) for one, other in zip(left, right, strict=True)
    )


def _equal(left: Any, right: Any, scale: float, tolerance: float) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        return bool(left == right)
    one, other = (math.nan if x is None else float(x) for x in (left, right))
    if one == other or (math.isnan(one) and math.isnan(other)):
        return True
    return abs(one - other) <= tolerance * max(1.0, abs(one), abs(other), scale)
