"""`make demo`: train on a year of flights, make an artifact, compare it with the pipeline."""

import pickle
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from sklearn.pipeline import Pipeline

    import penstock
    from demo.data import Split

FOLDER = Path("build")
ARTIFACT = FOLDER / "late.penstock"
HOLDOUT = FOLDER / "holdout.csv"
PREDICTIONS = FOLDER / "predictions.csv"
INDENT = 12  # where the text of a step starts
SHOWN = ("carrier", "origin", "dest", "hour", "wind_gust", "visib", "plane_model")


@dataclass(frozen=True)
class Contender:
    """What the table shows of one of the two."""

    probabilities: Any
    file_bytes: int
    load_seconds: float
    row_seconds: float
    holdout_seconds: float


def main() -> None:
    """The whole story, in the order in which a data scientist lives it."""
    from rich.console import Console

    from demo.data import first_row

    console = Console(highlight=False)
    split = _load(console)
    pipeline = _train(console, split)
    model = _convert(console, pipeline, split)
    row = first_row(split.holdout)
    _predict_one(console, model, row)
    with console.status("predicting the hold-out with both ..."):
        theirs = _measure_pipeline(pipeline, split)
        ours = _measure_model(model, split, row)
    _compare(console, split, theirs, ours)
    _suggest(console, split)


def _say(console: "Console", step: str, *lines: str) -> None:
    """A step of the story: its name on the left, its lines beside it, wrapped where they start."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold cyan", width=INDENT - 2)
    grid.add_column(overflow="fold")
    grid.add_row(step, "\n".join(lines))
    console.print(grid)


def _load(console: "Console") -> "Split":
    from demo import data

    with console.status("reading flights, weather and planes ..."):
        rows = data.load()
        split = data.split(rows)
    missing = int(rows[list(data.FEATURES)].isna().any().sum())
    _say(
        console,
        "1 data",
        f"{len(rows):,} flights from New York in 2013, with weather and planes",
        f"{len(data.NUMBERS)} numeric and {len(data.TEXTS)} text columns, {missing} with gaps",
        f"{rows['late'].mean():.0%} arrived more than {data.LATE_MINUTES} minutes late; "
        f"the last {len(split.holdout):,} are held out",
    )
    return split


def _train(console: "Console", split: "Split") -> "Pipeline":
    from rich.progress import Progress

    from demo.pipelines import DEMO_TREES, demo_pipeline

    pipeline = demo_pipeline()
    start = time.perf_counter()
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"training {DEMO_TREES} trees", total=DEMO_TREES)

        def advance(_: Any) -> None:
            progress.advance(task)

        pipeline.fit(split.train, split.train_target, classifier__callbacks=[advance])
    seconds = time.perf_counter() - start
    _say(
        console,
        "2 train",
        f"a scikit-learn pipeline: texts to codes, then {DEMO_TREES} trees of LightGBM",
        f"{seconds:.0f} s on {len(split.train):,} flights",
    )
    return pipeline


def _convert(console: "Console", pipeline: "Pipeline", split: "Split") -> "penstock.Model":
    import penstock

    FOLDER.mkdir(exist_ok=True)
    with console.status("converting, and proving that the predictions are the same ..."):
        start = time.perf_counter()
        converted = penstock.convert(pipeline, split.train, name="late", version="1")
        seconds = time.perf_counter() - start
    converted.save(ARTIFACT)
    model = penstock.load(ARTIFACT)
    model.verify()
    _say(
        console,
        "3 convert",
        f"[green]penstock.convert(pipeline, frame)[/], parity proved on the way: {seconds:.1f} s",
        f"saved as [green]{ARTIFACT}[/]: {model.size / 1e6:.1f} MB",
        f"loaded and verified: its {len(model.examples)} examples give what the pipeline gave",
    )
    return model


def _predict_one(console: "Console", model: "penstock.Model", row: dict[str, object]) -> None:
    from rich.pretty import pretty_repr

    shown = ", ".join(f"{name!r}: {row[name]!r}" for name in SHOWN)
    answer = pretty_repr(model.predict(row), max_width=100)
    _say(
        console,
        "4 predict",
        f"[green]model.predict({{{shown}, … {len(row) - len(SHOWN)} more}})[/]",
        answer,
    )


def _measure_pipeline(pipeline: "Pipeline", split: "Split") -> Contender:
    pickled = pickle.dumps(pipeline, protocol=5)
    first = split.holdout.head(1)
    return Contender(
        probabilities=pipeline.predict_proba(split.holdout)[:, 1],
        file_bytes=len(pickled),
        load_seconds=_median_seconds(lambda: pickle.loads(pickled)),
        row_seconds=_median_seconds(lambda: pipeline.predict_proba(first)),
        holdout_seconds=_median_seconds(lambda: pipeline.predict_proba(split.holdout)),
    )


def _measure_model(model: "penstock.Model", split: "Split", row: dict[str, object]) -> Contender:
    import penstock

    return Contender(
        probabilities=model.predict(split.holdout)["probability_1"].to_numpy(),
        file_bytes=model.size,
        load_seconds=_median_seconds(lambda: penstock.load(ARTIFACT)),
        row_seconds=_median_seconds(lambda: model.predict(row)),
        holdout_seconds=_median_seconds(lambda: model.predict(split.holdout)),
    )


def _median_seconds(call: Callable[[], object], budget_seconds: float = 2.0) -> float:
    """The median over as many calls as fit the budget, at least three."""
    call()
    seconds: list[float] = []
    end = time.perf_counter() + budget_seconds
    while len(seconds) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _compare(console: "Console", split: "Split", theirs: Contender, ours: Contender) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from sklearn.metrics import roc_auc_score

    area = [roc_auc_score(split.holdout_target, each.probabilities) for each in (theirs, ours)]
    difference = float(abs(theirs.probabilities - ours.probabilities).max())
    table = Table()
    table.add_column()
    for title in ("scikit-learn", "penstock", "ratio"):
        table.add_column(title, justify="right", style="green" if title == "penstock" else "")
    table.add_row("AUC", f"{area[0]:.4f}", f"{area[1]:.4f}", "")
    table.add_row("file, MB", *_cells(theirs.file_bytes, ours.file_bytes, 1e6))
    table.add_row("load, ms", *_cells(theirs.load_seconds, ours.load_seconds, 1e-3))
    table.add_row("one row, ms", *_cells(theirs.row_seconds, ours.row_seconds, 1e-3))
    table.add_row("hold-out, ms", *_cells(theirs.holdout_seconds, ours.holdout_seconds, 1e-3))
    table.add_row("largest difference", "", f"{difference:g}", "")
    _say(console, "5 compare", f"pipeline and artifact on {len(split.holdout):,} later flights")
    console.print(Padding(table, (0, 0, 0, INDENT)))


def _cells(theirs: float, ours: float, unit: float) -> tuple[str, str, str]:
    """Both figures, and how many times penstock's goes into the other."""
    return _figure(theirs / unit), _figure(ours / unit), f"{_figure(theirs / ours)} x"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _suggest(console: "Console", split: "Split") -> None:
    split.holdout.to_csv(HOLDOUT, index=False)
    command = Path(sys.executable).parent / "penstock"
    if command.is_relative_to(Path.cwd()):
        command = command.relative_to(Path.cwd())
    _say(
        console,
        "6 go on",
        f"the model is [green]{ARTIFACT}[/], the held-out flights are [green]{HOLDOUT}[/]",
    )
    for arguments in (
        f"inspect {ARTIFACT}",
        f"verify {ARTIFACT}",
        f"predict {ARTIFACT} {HOLDOUT} -o {PREDICTIONS}",
    ):
        # Not wrapped, so that it can be copied.
        console.print(f"{' ' * INDENT}{command} {arguments}", soft_wrap=True)


if __name__ == "__main__":
    try:
        main()
    except ModuleNotFoundError as missing:
        sys.exit(f"error: module `{missing.name}` is not installed here; run `make demo`")
