"""Contenders: penstock, scikit-learn, LightGBM's own predict; all from one trained pipeline."""

from typing import Any

import numpy

from bench.contender import Contender, Probabilities
from bench.models import Case
from bench.timing import quickest
from demo.data import first_row

__all__ = ["lightgbm_itself", "penstock", "scikit_learn"]


def penstock(case: Case) -> list[Contender]:
    """The artifact, given plain dictionaries, Arrow tables and pandas frames."""
    import pyarrow

    import penstock

    path = case.file(".penstock")
    penstock.convert(case.pipeline, case.train, name=case.name, version="bench").save(path)
    model: Any = penstock.load(path)
    row, frame = first_row(case.batch), case.batch
    table = pyarrow.Table.from_pandas(frame, preserve_index=False)

    def column(predictions: Any) -> Probabilities:
        return numpy.asarray(predictions["probability_1"])

    arrow = Contender(
        name="penstock",
        library="penstock",
        given="a dictionary; an Arrow table",
        row=lambda: model.predict(row),
        batch=lambda: model.predict(table, threads=1),
        late=column,
        file=path,
    )
    pandas = Contender(
        name="penstock, pandas",
        library="penstock",
        given="a pandas frame",
        row=None,
        batch=lambda: model.predict(frame, threads=1),
        late=column,
        file=path,
    )
    return [arrow, pandas]


def scikit_learn(case: Case) -> list[Contender]:
    """The pipeline itself, given pandas frames."""
    pipeline, first, frame = case.pipeline, case.first, case.batch
    classifier = pipeline[-1]
    if "n_jobs" in classifier.get_params():
        classifier.set_params(n_jobs=1)
    itself = Contender(
        name="scikit-learn",
        library="scikit-learn",
        given="a pandas frame",
        row=lambda: pipeline.predict_proba(first),
        batch=lambda: pipeline.predict_proba(frame),
        late=lambda probabilities: probabilities[:, 1],
        file=case.file(".pickle"),
    )
    return [itself]


def lightgbm_itself(case: Case) -> list[Contender]:
    """LightGBM's own predict, given the matrix that the steps before it make."""
    booster = case.pipeline[-1].booster_
    sparse = case.pipeline[0].transform(case.batch).tocsr()
    dense = sparse.toarray()
    first = dense[:1]

    path = case.file(".txt")
    booster.save_model(path)
    forms = {
        "dense": lambda: booster.predict(dense, num_threads=1),
        "sparse": lambda: booster.predict(sparse, num_threads=1),
    }
    best = quickest(forms)
    itself = Contender(
        name="LightGBM",
        library="lightgbm",
        given=f"the transformed {best} matrix",
        row=lambda: booster.predict(first, num_threads=1),
        batch=forms[best],
        late=lambda probabilities: probabilities,
        file=path,
        note="LightGBM gets its matrix ready made: imputing and encoding are not in its time.",
    )
    return [itself]
