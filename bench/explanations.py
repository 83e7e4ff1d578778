"""The flights pipeline with LightGBM, explained: what each of the 27 columns contributes."""

import sys
from typing import TYPE_CHECKING, Any

from bench.command import print_table

if TYPE_CHECKING:
    from bench.comparison import Comparison
    from bench.contender import Contender, Outputs
    from bench.models import Case
    from bench.timing import Clock

ROWS = 1_000  # LightGBM takes milliseconds for each


def comparison() -> "Comparison":
    """Penstock explains the columns as they are sent; the others those of the encoded matrix."""
    from bench.comparison import Comparison, Goal
    from bench.elsewhere import explaining

    return Comparison(
        workload="lightgbm",
        title="Explanations of LightGBM, 500 trees of 63 leaves",
        contenders=(_penstock, _lightgbm, *explaining(ROWS, "onedal", "ydf")),
        goals=(Goal("1000", "lightgbm", factor=5),),
        about="Path-dependent Shapley values of the raw score, of the pipeline and rows above.",
        largest=ROWS,
        expected=lambda case: _by_column(case, _contributions(case)),
        reduced=_by_column,
        weighed=False,
    )


def _penstock(case: "Case") -> "list[Contender]":
    import inspect

    import pyarrow

    import penstock
    from bench.contender import Absent, Contender
    from bench.timing import clock
    from demo.data import first_row

    if not hasattr(penstock.Model, "explain"):
        raise Absent("penstock", "this version has no `Model.explain`")
    model: Any = penstock.convert(case.model, case.train, verify=False)
    rows = case.texts(case.batch.head(ROWS))
    row, table = first_row(rows), pyarrow.Table.from_pandas(rows)
    threaded = "threads" in inspect.signature(model.explain).parameters

    def batch(count: int, threads: int) -> "Clock":
        part = table[:count]
        options = {"threads": threads} if threaded else {}
        return clock(lambda: model.explain(part, **options))

    def outputs() -> "Outputs":
        import numpy

        explained = model.explain(table)
        columns = [f"contribution_{name}" for name in case.batch]
        return numpy.column_stack([explained[name] for name in (*columns, "base")])

    itself = Contender(
        name="penstock",
        library="penstock",
        given="an Arrow table, texts as texts",
        dictionary=clock(lambda: model.explain(row)),
        prepared=batch(1, 1),
        batch=batch,
        outputs=outputs,
    )
    return [itself]


def _lightgbm(case: "Case") -> "list[Contender]":
    from bench.contender import Contender
    from bench.timing import clock, quickest

    booster = case.predictor.booster_
    sparse = case.matrix(case.batch.head(ROWS)).tocsr()
    forms = {"dense": case.dense[:ROWS], "sparse": sparse}

    def explain(form: str, count: int, threads: int) -> Any:
        part = forms[form][:count]
        return lambda: booster.predict(part, pred_contrib=True, num_threads=threads)

    best = quickest({form: explain(form, ROWS // 10, 1) for form in forms}, rounds=1)
    itself = Contender(
        name="LightGBM, `pred_contrib`",
        library="lightgbm",
        given=f"the matrix, {best}, float64; one row dense",
        dictionary=None,
        prepared=clock(explain("dense", 1, 1)),
        batch=lambda count, threads: clock(explain(best, count, threads)),
        outputs=lambda: _contributions(case),
    )
    return [itself]


def _contributions(case: "Case") -> "Outputs":
    """LightGBM's, by column of the matrix, and the base value in the last column."""
    explained: Outputs = case.predictor.booster_.predict(case.dense[:ROWS], pred_contrib=True)
    return explained


def _by_column(case: "Case", contributions: "Outputs") -> "Outputs":
    """Those of a one-hot block, summed for the text that it stands for."""
    import numpy

    from demo.data import NUMBERS

    encoder = case.model[0].named_transformers_["texts"][-1]
    widths = [1] * len(NUMBERS) + [len(levels) for levels in encoder.categories_] + [1]
    if contributions.shape[1] == len(widths):
        return contributions
    starts = numpy.concatenate([[0], numpy.cumsum(widths)[:-1]])
    return numpy.add.reduceat(contributions, starts, axis=1)


if __name__ == "__main__":
    sys.exit(print_table(comparison))
