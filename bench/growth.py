"""How penstock's costs grow: rows, trees, leaves, features, levels and threads, one at a time."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.command import print_section

if TYPE_CHECKING:
    import numpy

    from bench.synthetic import Shape
    from bench.timing import Clock, Effort

BATCH = 10_000
WIDE_BATCH = 2_000  # where a row has hundreds of features
ROWS = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
LEVELS = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
ABOUT = """\
Models made at random in LightGBM's text format; where nothing else is said, 500 trees of 63 leaves
on 30 numbers, batches of 10,000 rows, one thread. Every model is compared with LightGBM.
Trees of up to 256 leaves are run whole, a block of rows at a time; larger ones are walked, which
costs more per row at first and then grows with their depth only. Where features are many, what is
read and ranked costs more than the trees."""
# Milliseconds from a file to a model, its examples left out: what is planned.
PLAN_GOALS = {"500": 100, "5,000": 1_500}


@dataclass(frozen=True)
class _Subject:
    """A model at one place of a series, and what it predicts."""

    label: str
    predict: "Clock"
    row: "Clock"
    plan: "Clock"
    count: int
    file_bytes: int
    difference: float


def section(effort: "Effort") -> str:
    """One table per series."""
    from bench.synthetic import Shape

    series: list[tuple[str, Callable[[], Iterable[_Subject]]]] = [
        (
            "trees",
            _shapes((Shape(trees=n) for n in (10, 50, 100, 500, 1_000, 2_000, 5_000)), "trees"),
        ),
        (
            "leaves",
            _shapes((Shape(leaves=n) for n in (8, 16, 31, 63, 127, 255, 512, 1_024)), "leaves"),
        ),
        (
            "features",
            _shapes((Shape(features=n) for n in (10, 30, 100, 300, 1_000, 2_000)), "features"),
        ),
        (
            "levels of a native category, 100 trees of 8 leaves on 10 features",
            _shapes((Shape(trees=100, leaves=8, features=10, levels=n) for n in LEVELS), "levels"),
        ),
        ("levels of a text that becomes a code, a tree of 63 leaves", _texts),
    ]
    parts = ["## Growth", ABOUT, _rows(effort)]
    for title, subjects in series:
        print(f"growth: {title} ...", file=sys.stderr, flush=True)
        parts.append(f"### By {title}")
        parts.append(_table(title.split()[0], list(subjects()), effort))
    return "\n\n".join(parts) + "\n"


def _rows(effort: "Effort") -> str:
    """Batches of every size of the flights with LightGBM, on one thread and on all."""
    import pyarrow

    import penstock
    from bench.contender import ALL_THREADS
    from bench.models import prepare
    from bench.table import table
    from bench.timing import clock, interleave

    print("growth: rows and threads ...", file=sys.stderr, flush=True)
    case = prepare("lightgbm")
    model: Any = penstock.convert(case.model, case.train, verify=False)
    batch = pyarrow.Table.from_pandas(case.texts(case.batch), preserve_index=False)
    table_of_all = pyarrow.concat_tables([batch] * (max(ROWS) // len(batch)))
    cells = []
    for count in ROWS:
        rows = table_of_all.slice(0, count)
        clocks = {
            str(threads): clock(partial(model.predict, rows, threads=threads))
            for threads in sorted({1, ALL_THREADS})
        }
        took = interleave(clocks, effort.batch_rounds)
        speeds = [f"{count / each.median:,.0f}" for each in took.values()]
        gain = took["1"].median / took[str(ALL_THREADS)].median
        cells.append([f"{count:,}", *speeds, f"{gain:.2f}"])
    titles = ["rows", "one thread, rows/s"]
    titles += [f"{ALL_THREADS} threads, rows/s"] if ALL_THREADS > 1 else []
    titles += ["times as fast"]
    return (
        f"### By rows and threads: the flights with LightGBM, from Arrow\n\n{table(titles, cells)}"
    )


def _table(title: str, subjects: list[_Subject], effort: "Effort") -> str:
    from bench.table import table
    from bench.timing import interleave

    batch = interleave({each.label: each.predict for each in subjects}, effort.batch_rounds)
    row = interleave({each.label: each.row for each in subjects}, effort.row_rounds)
    plan = interleave({each.label: each.plan for each in subjects}, effort.load_rounds)
    cells = []
    for each in subjects:
        milliseconds = plan[each.label].median * 1e3
        goal = PLAN_GOALS.get(each.label) if title == "trees" else None
        verdict = "" if goal is None else f"goal < {goal:,}: {_verdict(milliseconds < goal)}"
        cells.append(
            [
                each.label,
                f"{row[each.label].median * 1e6:,.1f}",
                f"{each.count / batch[each.label].median:,.0f}",
                f"{milliseconds:,.1f}",
                f"{each.file_bytes / 1e3:,.0f}",
                f"{each.difference:.1e}" if each.difference else "0",
                verdict,
            ]
        )
    titles = [
        title,
        "one row from a dict, µs",
        "batch, rows/s",
        "plan, ms",
        "file, kB",
        "difference",
    ]
    return table([*titles, ""], cells)


def _verdict(reached: bool) -> str:
    return "reached" if reached else "**missed**"


def _shapes(shapes: "Iterable[Shape]", varied: str) -> Callable[[], Iterable[_Subject]]:
    return lambda: (_of_shape(shape, f"{getattr(shape, varied):,}") for shape in shapes)


def _of_shape(shape: "Shape", label: str) -> _Subject:
    import lightgbm
    import numpy

    import penstock
    from bench import synthetic
    from bench.models import FOLDER, keep

    facts = (shape.trees, shape.leaves, shape.features, shape.levels)
    path = FOLDER / f"made-{'-'.join(map(str, facts))}.txt"
    text = keep(path, lambda path: path.write_text(synthetic.text(shape))).read_text()
    booster = lightgbm.Booster(model_str=text)
    rows = synthetic.rows(shape, WIDE_BATCH if shape.features > 100 else BATCH)
    model = penstock.convert(booster, rows[:200], verify=False)
    few = rows[:1_000]
    answers: Any = model.predict(few)
    difference = numpy.abs(numpy.asarray(answers["probability_1"]) - booster.predict(few)).max()
    row = {f"x{at}": float(value) for at, value in enumerate(rows[0])}
    return _subject(label, model, rows, row, float(difference))


def _texts() -> Iterable[_Subject]:
    """An OrdinalEncoder for so many texts, before one tree."""
    import numpy
    import pandas
    import pyarrow
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder
    from sklearn.tree import DecisionTreeRegressor

    import penstock

    random = numpy.random.default_rng(5)
    for count in LEVELS:
        frame = pandas.DataFrame({"level": [f"level {at}" for at in range(count)]})
        target = random.normal(size=count)
        tree = DecisionTreeRegressor(max_leaf_nodes=63, random_state=0)
        pipeline = make_pipeline(OrdinalEncoder(), tree).fit(frame, target)
        model = penstock.convert(pipeline, frame, verify=False)
        chosen = frame.take(random.integers(0, count, size=BATCH)).reset_index(drop=True)
        answers: Any = model.predict(chosen)
        difference = numpy.abs(answers["value"].to_numpy() - pipeline.predict(chosen)).max()
        rows = pyarrow.Table.from_pandas(chosen)
        row = {"level": str(chosen["level"][0])}
        yield _subject(f"{count:,}", model, rows, row, float(difference))


def _subject(
    label: str, model: Any, rows: "numpy.ndarray[Any, Any] | Any", row: Any, difference: float
) -> _Subject:
    import tempfile
    from pathlib import Path

    import penstock
    from bench.timing import clock

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.penstock"
        model.save(path)
        data = path.read_bytes()
    return _Subject(
        label=label,
        predict=clock(lambda: model.predict(rows, threads=1)),
        row=clock(lambda: model.predict(row)),
        plan=clock(lambda: penstock.Model(data, verify=False)),
        count=len(rows),
        file_bytes=len(data),
        difference=difference,
    )


if __name__ == "__main__":
    sys.exit(print_section(section))
