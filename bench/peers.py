"""Contenders in this process: penstock, scikit-learn, LightGBM and XGBoost themselves."""

from typing import Any

import numpy
import pandas

from bench.contender import ALL_THREADS, Contender
from bench.handover import save_model
from bench.loading import load
from bench.models import Case
from bench.timing import Clock, clock, quickest
from demo.data import first_row

__all__ = ["forest_itself", "lightgbm_itself", "penstock", "scikit_learn", "xgboost_itself"]

TRIED_ROWS = 10_000


def penstock(case: Case) -> list[Contender]:
    """The artifact, given dictionaries and Arrow tables, and the frame that it was trained on."""
    import pyarrow

    import penstock

    path = case.file(".penstock")
    penstock.convert(case.model, case.train, name=case.name, version="bench").save(path)
    model: Any = penstock.load(path)
    rows = case.texts(case.batch)
    row = first_row(rows)
    forms = {
        "penstock": ("an Arrow table, texts as texts", pyarrow.Table.from_pandas(rows)),
        "penstock, pandas": ("a pandas frame", case.batch),
    }

    def contender(name: str, given: str, table: Any) -> Contender:
        def batch(count: int, threads: int) -> Clock:
            part = table[:count]
            return clock(lambda: model.predict(part, threads=threads))

        return Contender(
            name=name,
            library="penstock",
            given=given,
            dictionary=clock(lambda: model.predict(row)) if name == "penstock" else None,
            prepared=batch(1, 1),
            batch=batch,
            outputs=lambda: numpy.asarray(model.predict(table)["probability_1"]),
            load=clock(lambda: load(path)),
            file=path,
        )

    return [contender(name, *form) for name, form in forms.items()]


def scikit_learn(case: Case) -> list[Contender]:
    """The pipeline itself, given pandas frames."""
    pipeline, predictor = case.model, case.predictor
    row = first_row(case.batch)

    def batch(count: int, threads: int) -> Clock:
        part = case.batch.head(count)
        return clock(lambda: _with_threads(predictor, threads) and pipeline.predict_proba(part))

    itself = Contender(
        name="scikit-learn",
        library="scikit-learn",
        given="a pandas frame; from a dictionary, a frame is made of it first",
        dictionary=clock(lambda: pipeline.predict_proba(pandas.DataFrame([row]))),
        prepared=batch(1, 1),
        batch=batch,
        outputs=lambda: case.expected,
        load=clock(lambda: load(case.file(".pickle"))),
        file=case.file(".pickle"),
    )
    return [itself]


def forest_itself(case: Case) -> list[Contender]:
    """The last step of the pipeline, given the matrix that the others make."""
    path = save_model(case)
    forest, matrix = case.predictor, case.dense

    def batch(count: int, threads: int) -> Clock:
        part = matrix[:count]
        return clock(lambda: _with_threads(forest, threads) and forest.predict_proba(part))

    itself = Contender(
        name="scikit-learn, forest alone",
        library="scikit-learn",
        given=f"the matrix, dense, {matrix.dtype}",
        dictionary=None,
        prepared=batch(1, 1),
        batch=batch,
        outputs=lambda: forest.predict_proba(matrix)[:, 1],
        load=clock(lambda: load(path)),
        file=path,
    )
    return [itself]


def _with_threads(estimator: Any, threads: int) -> bool:
    if hasattr(estimator, "n_jobs"):
        estimator.n_jobs = threads
    return True


def lightgbm_itself(case: Case) -> list[Contender]:
    """LightGBM's own predict, given the matrix that the steps before it make."""
    booster = case.predictor.booster_
    path = save_model(case)
    forms: dict[str, Any] = {"dense": case.dense}
    matrix = case.matrix(case.batch)
    if hasattr(matrix, "tocsr"):
        forms["sparse"] = matrix.tocsr()
    tried = {name: form[:TRIED_ROWS] for name, form in forms.items()}
    best = quickest(
        {
            name: lambda part=part: booster.predict(part, num_threads=1)  # type: ignore[misc]
            for name, part in tried.items()
        }
    )
    first = case.dense[:1]

    def batch(count: int, threads: int) -> Clock:
        part = forms[best][:count]
        return clock(lambda: booster.predict(part, num_threads=threads))

    itself = Contender(
        name="LightGBM",
        library="lightgbm",
        given=f"the matrix, {best}, float64; one row dense",
        dictionary=None,
        prepared=clock(lambda: booster.predict(first, num_threads=1)),
        batch=batch,
        outputs=lambda: booster.predict(forms[best]),
        load=clock(lambda: load(path)),
        file=path,
    )
    return [itself]


def xgboost_itself(case: Case) -> list[Contender]:
    """XGBoost's own `inplace_predict`: `predict` would answer a known `DMatrix` from a cache."""
    from xgboost import Booster

    path = save_model(case)
    boosters = {}
    for threads in {1, ALL_THREADS}:
        boosters[threads] = Booster(model_file=str(path))
        boosters[threads].set_param({"nthread": threads})
    matrix = case.dense
    row = first_row(case.batch)

    def batch(count: int, threads: int) -> Clock:
        part = matrix[:count]
        return clock(lambda: boosters[threads].inplace_predict(part))

    def from_dictionary() -> object:
        return boosters[1].inplace_predict(numpy.array([[*row.values()]], dtype=numpy.float32))

    itself = Contender(
        name="XGBoost",
        library="xgboost",
        given="an array, `inplace_predict`",
        dictionary=clock(from_dictionary),
        prepared=batch(1, 1),
        batch=batch,
        outputs=lambda: boosters[ALL_THREADS].inplace_predict(matrix),
        load=clock(lambda: load(path)),
        file=path,
    )
    return [itself]
