"""Writes docs/operators.md, every estimator of scikit-learn: `python -m tests.operators_page`.

How often the examination of a class came to which outcome is kept from the page that is there.
"""

import ast
import inspect
import re
import textwrap
import types
from importlib import import_module

from penstock.converters import table
from penstock.converters.refusals import METHODS, REASONS, public_name
from tests.examination.others import classes as neighbors
from tests.pages import ROOT

PAGE = ROOT / "docs" / "operators.md"
OUTCOMES = ("pass", "refused", "wrong", "crash")
HEAD = """\
# Every estimator of scikit-learn, and of its neighbors

Written by `python -m tests.operators_page` from scikit-learn {version} and the code of the
converters; a test holds it to both. Of {all} classes that answer for rows which were not in
training, {converts} convert. *Options refused* are those that a converter may refuse by name, for
some value; [the page of estimators](estimators.md) says which, what each class gives, and how exact
it is.

*Pass* and *refused* count the cases of a generated examination (`python -m tests.examination`,
`make test-all`): the plain estimator on 24 kinds of tables (numbers, texts, documents, gaps,
float32, integers, ties, sparse, one column, ...) and with each option's values, each fitted,
converted, and compared with its library on rows held out and on hostile ones (to -1e9), by code
that knows nothing of the proof that `convert` makes. A case is *wrong* where an answer differs by
more than 1e-6 (1e-5 in float32) from all that the library answers itself (to the row alone, among
others, and with last bits changed), or where the library refuses a row; it is a *crash* where an
error is none of ours.
Over all classes: {totals}.

| class | converts | pass | refused | options refused, or why not |
|---|---|---|---|---|
"""
NEIGHBORS = """
## Neighbors of scikit-learn

[The page of estimators](estimators.md) says what of model files, of pipelines and of results that
are no estimators converts, too.

| class | pass | refused | options refused |
|---|---|---|---|
"""
TAIL = """
## Those that answer for no other rows

They predict and transform nothing, or only the rows that they were fitted on:
{names}.
"""
COUNTED = re.compile(r"\| `([\w.]+)` \|(?: yes \|)? (\d+) \| (\d+) \|")


def classes():
    """All public estimators, by their qualified names."""
    for name in ("enable_halving_search_cv", "enable_iterative_imputer"):
        import_module(f"sklearn.experimental.{name}")
    from sklearn.utils import all_estimators

    return {public_name(cls): cls for _, cls in all_estimators()}


def answering(found):
    """Those that answer for unseen rows; `FrozenEstimator` does what the one inside does."""
    return {
        name: cls
        for name, cls in found.items()
        if any(hasattr(cls, method) for method in METHODS) or name in table()
    }


def counted():
    """The counts that the page has: how often the examination passed and was refused, by class."""
    text = PAGE.read_text(encoding="utf-8")
    return {
        name: {"pass": int(passed), "refused": int(refused)}
        for name, passed, refused in COUNTED.findall(text)
    }


def page(counts):
    """The text of the page, with these counts of outcomes by class."""
    from sklearn import __version__

    found = classes()
    answers = answering(found)
    converts = [name for name in answers if name in table()]
    total = {kind: sum(known.get(kind, 0) for known in counts.values()) for kind in OUTCOMES}
    head = HEAD.format(
        version=".".join(__version__.split(".")[:2]),
        all=len(answers),
        converts=len(converts),
        totals=", ".join(f"{kind} {count:,}" for kind, count in total.items()),
    )
    rows = [f"| `{name}` | {_verdict(name, answers[name], counts)} |" for name in sorted(answers)]
    beside = [
        f"| `{name}` | {_counts(name, counts)} | {_options(name, cls)} |"
        for name, cls in sorted(neighbors().items())
    ]
    others = ", ".join(f"`{name}`" for name in sorted(found.keys() - answers.keys()))
    tail = TAIL.format(names=textwrap.fill(others, 100))
    return head + "\n".join(rows) + "\n" + NEIGHBORS + "\n".join(beside) + "\n" + tail


def _verdict(name, cls, counts):
    if name not in table():
        return f"no | | | {REASONS[name]}"
    return f"yes | {_counts(name, counts)} | {_options(name, cls)}"


def _counts(name, counts):
    known = counts.get(name)
    return f"{known['pass']} | {known['refused']}" if known else " | "


def _options(name, cls):
    named = options(table()[name]) & set(inspect.signature(cls).parameters)
    return ", ".join(f"`{option}`" for option in sorted(named))


def options(converter):
    """What a converter, and all functions of converters that it may call, refuse by name."""
    found, waiting, seen = set(), [converter], set()
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        found |= {
            node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword)
            and node.arg == "option"
            and isinstance(node.value, ast.Constant)
        }
        waiting += _called(function)
    return found


def _called(function):
    """Functions of the converters that the code of this one names, also in a table."""
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    values = [function.__globals__.get(name) for name in _names(function.__code__)]
    for value in [*cells, *values]:
        for item in value.values() if isinstance(value, dict) else [value]:
            inside = str(getattr(item, "__module__", "")).startswith("penstock.converters")
            if isinstance(item, types.FunctionType) and inside and item.__name__ != "<lambda>":
                yield item


def _names(code):
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


if __name__ == "__main__":
    PAGE.write_text(page(counted()), encoding="utf-8")
