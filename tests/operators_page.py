"""Writes docs/operators.md, every estimator of scikit-learn: `python -m tests.operators_page`."""

import ast
import inspect
import textwrap
import types
from importlib import import_module

from penstock.converters import table
from penstock.converters.context import public_name
from tests.pages import ROOT

PAGE = ROOT / "docs" / "operators.md"
# Methods that answer for rows that were not in training.
METHODS = ("predict", "score_samples", "transform")

NOT_YET = "not yet"
DICTIONARIES = "takes dictionaries of any keys, not columns"
SEARCHED = "searches for each row, in steps, what fits it best"
GRAPH = "gives a sparse matrix as wide as the training data"
# Of those that convert a reason is not looked at.
REASONS = {
    "sklearn.decomposition.LatentDirichletAllocation": SEARCHED,
    "sklearn.decomposition.MiniBatchNMF": "searches for all rows together: one row and many differ",
    "sklearn.decomposition.NMF": "searches for all rows together: one row and many differ",
    "sklearn.feature_extraction.DictVectorizer": DICTIONARIES,
    "sklearn.feature_extraction.FeatureHasher": DICTIONARIES,
    "sklearn.feature_extraction.image.PatchExtractor": "takes pictures, not rows",
    "sklearn.manifold.Isomap": "keeps the distances between all rows of training",
    "sklearn.manifold.LocallyLinearEmbedding": SEARCHED,
    "sklearn.neighbors.KNeighborsTransformer": GRAPH,
    "sklearn.neighbors.KernelDensity": NOT_YET,
    "sklearn.neighbors.RadiusNeighborsTransformer": GRAPH,
    "sklearn.preprocessing.MultiLabelBinarizer": "takes lists of labels, not columns",
}
HEAD = """\
# Every estimator of scikit-learn

Written by `python -m tests.operators_page` from scikit-learn {version} and the code of the
converters; a test holds it to both. Of {all} classes that answer for rows which were not in
training, {converts} convert. *Options refused* are those that a converter may refuse by name, for
some value; [the page of estimators](estimators.md) says which, what each class gives, and how exact
it is.

| class | converts | options refused, or why not |
|---|---|---|
"""
TAIL = """
## Those that answer for no other rows

They predict and transform nothing, or only the rows that they were fitted on:
{names}.
"""


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


def page():
    """The text of the page."""
    from sklearn import __version__

    found = classes()
    answers = answering(found)
    converts = [name for name in answers if name in table()]
    head = HEAD.format(
        version=".".join(__version__.split(".")[:2]), all=len(answers), converts=len(converts)
    )
    rows = [f"| `{name}` | {_verdict(name, answers[name])} |" for name in sorted(answers)]
    others = ", ".join(f"`{name}`" for name in sorted(found.keys() - answers.keys()))
    return head + "\n".join(rows) + "\n" + TAIL.format(names=textwrap.fill(others, 100))


def _verdict(name, cls):
    if name not in table():
        return f"no | {REASONS[name]}"
    named = options(table()[name]) & set(inspect.signature(cls).parameters)
    return "yes | " + ", ".join(f"`{option}`" for option in sorted(named))


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
    PAGE.write_text(page(), encoding="utf-8")
