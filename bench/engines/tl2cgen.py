"""TL2cgen: a Treelite model as C, compiled by the C compiler of the machine."""

import shutil
from pathlib import Path
from typing import Any

import numpy

from bench.engines.request import Engine, Refused, Request
from bench.engines.trees import read
from bench.timing import Call

__all__ = ["engine"]

# Its documentation, "Optimizing prediction": thresholds as integers, and branches annotated.
OPTIONS = {"quantize": 1, "parallel_comp": 16}
ANNOTATED_ROWS = 10_000
MOST_NODES = 200_000


def engine(request: Request) -> Engine:
    """A shared library, on matrices that were made beforehand."""
    import tl2cgen

    library = request.keep(".so")
    dtype = "float32" if request.kind == "xgboost" else "float64"
    rows = request.rows.astype(dtype)
    if not library.exists():
        _compile(request, rows[:ANNOTATED_ROWS], library)
    predictors = {
        threads: tl2cgen.Predictor(str(library), nthread=threads)
        for threads in {1, request.threads}
    }

    def batch(start: int, end: int, threads: int) -> Call:
        matrix = tl2cgen.DMatrix(rows[start:end], dtype=dtype)
        return lambda: predictors[threads].predict(matrix)

    def outputs() -> numpy.ndarray[Any, Any]:
        answers: Any = batch(0, len(rows), request.threads)()
        return numpy.asarray(answers).reshape(len(rows), -1)[:, -1]

    return Engine(
        given="a `DMatrix`, dense",
        batch=batch,
        outputs=outputs,
        load=lambda: tl2cgen.Predictor(str(library), nthread=1),
        file=library,
        note="TL2cgen compiles with `quantize`, and with branches annotated on 10,000 rows.",
    )


def _compile(request: Request, rows: numpy.ndarray[Any, Any], library: Path) -> None:
    import tl2cgen

    model = read(request)
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise Refused("there is no C compiler here")
    trees = [model.get_tree_accessor(at) for at in range(model.num_tree)]
    nodes = sum(int(tree.get_field("num_nodes")[0]) for tree in trees)
    if nodes > MOST_NODES:
        raise Refused(f"{nodes:,} nodes as C are more than we tried to compile")
    branches = request.keep(".branches.json")
    tl2cgen.annotate_branch(model, tl2cgen.DMatrix(rows, dtype=str(rows.dtype)), path=branches)
    partial = library.with_suffix(".partial.so")
    tl2cgen.export_lib(
        model,
        toolchain=Path(compiler).name,
        libpath=partial,
        params={**OPTIONS, "annotate_in": str(branches)},
    )
    partial.rename(library)
