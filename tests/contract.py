"""The contract that every family's examples are held to, and small worlds to fit them on.

A family's test file, `tests/families/test_<family>.py`, has a table of examples:

    from sklearn.preprocessing import StandardScaler
    from tests import contract

    def standard_scaler():
        frame = contract.numbers()
        return StandardScaler().fit(frame), frame

    EXAMPLES = {"standard_scaler": standard_scaler}

A name is a sentence's worth of words: estimator, then the option that is different
(`standard_scaler_without_mean`). A function takes nothing, fits with fixed seeds on a few hundred
rows, and returns `(fitted estimator, example)`, or `(fitted estimator, example, policies)`.
`tests/test_contract.py` finds every table and checks, for each example:

- `convert`, which proves parity on typical and hostile rows;
- other hostile rows than those that `convert` saw, answers and refusals;
- row by row equals batch and table, one thread equals many, columns in another order;
- save, load, save: identical bytes; converting again too; examples verify.

Rows of one's own, as those of hypothesis, are compared with `same`; what is refused by name, with
`refused`:

    def test_ties_at_thresholds_go_left():
        contract.same(estimator, frame, [row, ...])

    def test_linear_trees_are_refused():
        assert "linear_tree" in contract.refused(estimator, frame)
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import penstock
from penstock.conversion import prepare
from penstock.kinds import plain
from penstock.proof.hostile import Probe, hostile, typical
from penstock.proof.parity import Subject, compare, sent

Example = Callable[[], tuple[Any, ...]]

ROWS = 300


def numbers(
    rows: int = ROWS, *, missing: bool = False, dtype: str = "float64", seed: int = 0
) -> Any:
    """Numbers on different scales: a constant, integers in floats, ties, zeros, negatives."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "normal": random.normal(size=rows),
            "large": random.lognormal(8, 2, size=rows),
            "counts": random.poisson(3, size=rows).astype(float),
            "constant": np.full(rows, 2.5),
            "signed": random.choice([-1.5, 0.0, 0.25, 7.0], size=rows),
        }
    ).astype(dtype)
    if missing:
        for at, name in enumerate(frame):
            frame.loc[frame.index % (7 + at) == 0, name] = np.nan
    return frame


def texts(rows: int = ROWS, *, missing: bool = True, seed: int = 1) -> Any:
    """A frame of text columns: few levels, many levels with rare ones, letters beyond ASCII."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "color": random.choice(["red", "green", "blue"], size=rows),
            "town": random.choice([f"town {at}" for at in range(20)], size=rows, p=_rare(20)),
            "word": random.choice(["Straße", "naïve", "東京", ""], size=rows),
        },
        dtype="object",
    )
    if missing:
        frame.loc[frame.index % 11 == 0, "color"] = None
        frame.loc[frame.index % 13 == 0, "town"] = np.nan
    return frame


def mixed(rows: int = ROWS, *, missing: bool = True, seed: int = 2) -> Any:
    """Numbers, integers, booleans, text and pandas categories in one frame."""
    random = np.random.default_rng(seed)
    frame = pd.concat([numbers(rows, missing=missing), texts(rows, missing=missing)], axis=1)
    frame["integer"] = random.integers(-5, 50, size=rows)
    frame["flag"] = random.random(rows) < 0.3
    frame["size"] = pd.Categorical(
        random.choice(["S", "M", "L"], size=rows), categories=["S", "M", "L", "XL"]
    )
    return frame


def amount(frame: Any, seed: int = 3) -> Any:
    """A target to regress on: depends on the numbers of the frame, with noise."""
    random = np.random.default_rng(seed)
    total = frame.select_dtypes("number").fillna(0).rank(pct=True).sum(axis=1)
    return (total + random.normal(scale=0.1, size=len(frame))).to_numpy()


def answer(frame: Any, classes: Any = ("no", "yes"), seed: int = 4) -> Any:
    """A target to classify: about equal shares, depending on the numbers of the frame."""
    value = amount(frame, seed)
    edges = np.quantile(value, np.linspace(0, 1, len(classes) + 1)[1:-1])
    return np.asarray(classes)[np.searchsorted(edges, value)]


def refused(estimator: Any, example: Any, **keywords: Any) -> str:
    """The message with which `convert` refuses; fails if it does not."""
    try:
        penstock.convert(estimator, example, **keywords)
    except penstock.ConvertError as error:
        return str(error)
    raise AssertionError(f"{type(estimator).__name__} was converted, not refused")


def same(estimator: Any, example: Any, rows: list[dict[str, Any]]) -> None:
    """Compares what the source library and the engine make of these rows, after conversion."""
    model = penstock.convert(estimator, example)
    probes = [Probe(None, "own", row) for row in rows]
    compare(model, prepare(estimator, example).subject.oracle, model.schema.inputs, probes)


def far(frame: Any) -> Any:
    """Rows of the frame in which one number after the other is far from all of training."""
    sizes = (1e6, -1e6, 1e12, -1e15, 1e30, -1e60)
    rows = frame.iloc[: len(sizes) * frame.shape[1]].copy()
    for at, row in enumerate(rows.index):
        rows.loc[row, rows.columns[at % frame.shape[1]]] = sizes[at // frame.shape[1]]
    return rows


def check(estimator: Any, example: Any, policies: Any, folder: Path) -> None:
    """The whole contract for one example."""
    model = penstock.convert(estimator, example, policies=policies)
    model.verify()
    assert penstock.convert(estimator, example, policies=policies).digest == model.digest
    _check_saved(model, folder)
    subject = prepare(estimator, example).subject
    probes = _other_probes(subject, model.schema.inputs)
    if policies is None:
        compare(model, subject.oracle, model.schema.inputs, probes, subject.steps)
    _check_ways(model, subject.oracle.example, [probe.row for probe in probes])


def _other_probes(subject: Subject, fields: Any) -> list[Probe]:
    example = subject.oracle.example
    common = typical(example, 100)
    used = [field.name for field in fields if field.type != "ignored"]
    refused_rows = subject.oracle.refused(common)
    accepted = [row for at, row in enumerate(common) if at not in refused_rows]
    probes = hostile(example, accepted, used, subject.thresholds, seed=7)
    return [Probe(None, "typical", row) for row in common] + probes[::3]


def _check_saved(model: Any, folder: Path) -> None:
    first, second = folder / "first.penstock", folder / "second.penstock"
    model.save(first)
    loaded = penstock.load(first)
    loaded.save(second)
    assert first.read_bytes() == second.read_bytes()
    assert loaded.digest == model.digest


def _check_ways(model: Any, example: Any, rows: list[dict[str, Any]]) -> None:
    """One row, a list, a table, on more threads, in other orders: the same bits."""
    given = sent(rows, model.schema.inputs)
    answers = model.predict(given, on_error="return")
    for row, answer in list(zip(given, answers, strict=True))[::7]:
        other = dict(reversed(row.items()))
        assert _bits([_alone(model, row), _alone(model, other)]) == _bits([answer, answer])
    good = [
        row
        for row, answer in zip(rows, answers, strict=True)
        if not isinstance(answer, penstock.DataError)
    ]
    expected = _flat([a for a in answers if not isinstance(a, penstock.DataError)])
    if not good:
        return
    # A list of texts is a table of one column here.
    table = replace(example, flat="").build(good)
    assert _table(model.predict(table, threads=1)) == expected
    assert _table(model.predict(table, threads=3)) == expected
    if example.kind == "pandas":
        assert _table(model.predict(table[table.columns[::-1]])) == expected


def _alone(model: Any, row: dict[str, Any]) -> Any:
    return model.predict([row], on_error="return")[0]


def _bits(answers: list[Any]) -> list[str]:
    """Answers as texts that differ where a bit does; errors as their kind."""
    return [
        f"{answer.field} {answer.code}" if isinstance(answer, penstock.DataError) else repr(answer)
        for answer in answers
    ]


def _flat(answers: list[dict[str, Any]]) -> list[list[str]]:
    """Each answer as the texts of its columns in a table."""
    flat = []
    for answer in answers:
        values: list[Any] = []
        for value in answer.values():
            values += value.values() if isinstance(value, dict) else [value]
        flat.append([_text(value) for value in values])
    return flat


def _table(table: Any) -> list[list[str]]:
    if hasattr(table, "to_pydict"):
        table = table.to_pydict()
    if isinstance(table, dict):
        columns = [list(column) for column in table.values()]
    else:
        columns = [list(table[name]) for name in table.columns]
    return [[_text(value) for value in row] for row in zip(*columns, strict=True)]


def _text(value: Any) -> str:
    value = plain(value)
    return repr(value + 0.0) if isinstance(value, float) else repr(value)


def _rare(count: int) -> Any:
    weights = 1.0 / np.arange(1, count + 1) ** 2
    return weights / weights.sum()
