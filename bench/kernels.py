"""The flights pipeline with LightGBM on each kernel that this processor runs."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.command import print_section

if TYPE_CHECKING:
    from bench.timing import Effort

VARIABLE = "PENSTOCK_KERNEL"
KERNELS = ("avx512", "avx2", "neon", "scalar")


def section(effort: "Effort") -> str:
    """Rows per second with each kernel, one thread."""
    import pyarrow

    import penstock
    from bench.models import prepare
    from bench.table import table
    from bench.timing import clock, interleave
    from demo.data import first_row

    case = prepare("lightgbm")
    path = case.file(".penstock")
    penstock.convert(case.model, case.train, name=case.name, version="bench").save(path)
    frame = case.texts(case.batch.head(effort.largest))
    rows, row = pyarrow.Table.from_pandas(frame), first_row(frame)
    trees = case.predictor.booster_.num_trees()

    models, absent = _models(path)
    batches = {
        name: clock(lambda model=model: model.predict(rows, threads=1))  # type: ignore[misc]
        for name, model in models.items()
    }
    single = {
        name: clock(lambda model=model: model.predict(row))  # type: ignore[misc]
        for name, model in models.items()
    }
    took = interleave(batches, effort.batch_rounds)
    ones = interleave(single, effort.row_rounds)
    answers = {name: model.predict(rows) for name, model in models.items()}
    same = all(answer.equals(answers["scalar"]) for answer in answers.values())
    cells = [
        [
            f"`{name}`",
            f"{ones[name].median * 1e6:,.1f}",
            f"{len(frame) / took[name].median:,.0f}",
            f"{took[name].median / len(frame) / trees * 1e9:.2f}",
            f"{took['scalar'].median / took[name].median:.1f}",
        ]
        for name in models
    ]
    titles = [
        f"`{VARIABLE}`",
        "one row from a dict, µs",
        f"batch of {len(frame):,}, rows/s",
        "ns per row and tree",
        "times the batch of scalar",
    ]
    verdict = "the same bits from all" if same else "**the kernels differ**"
    notes = [f"All on one thread, the whole pipeline; {verdict}.", *absent]
    parts = ["## Kernels", table(titles, cells), "\n".join(f"- {note}" for note in notes)]
    return "\n\n".join(parts) + "\n"


def _models(path: Path) -> tuple[dict[str, Any], list[str]]:
    """A model per kernel, and what is said of those that this processor lacks."""
    import penstock

    models: dict[str, Any] = {}
    absent = []
    before = os.environ.get(VARIABLE)
    try:
        for name in KERNELS:
            os.environ[VARIABLE] = name
            try:
                models[name] = penstock.load(path)
            except penstock.ArtifactError as error:
                absent.append(f"`{name}` is not there: {str(error).split(': ', 1)[-1]}.")
    finally:
        os.environ.pop(VARIABLE)
        if before is not None:
            os.environ[VARIABLE] = before
    return models, absent


if __name__ == "__main__":
    sys.exit(print_section(section))
