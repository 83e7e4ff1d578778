"""Explainable boosting machines of interpret: sums of scores that are looked up by bins."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.converters.context import Context
from penstock.converters.scores import class_labels, complement, link, softmax, winner
from penstock.converters.values import (
    Ask,
    Prediction,
    Value,
    codes,
    labels,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

RAW = Ask("decision_function")
PROBABILITY = Ask("predict_proba")


def classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """A label, probabilities and scores: one for two classes, else one for each."""
    classes = class_labels(estimator.classes_, context)
    scores = _scores(estimator, value, context)
    label = labels(winner(scores, context), classes)
    if estimator.link_ == "logit" and scores.width == 1:
        shares = complement(link(scores, "sigmoid", context), context)
        raw = number("raw", scores, RAW)
    elif estimator.link_ == "mlogit":
        shares = softmax(scores, context)
        raw = numbers("raw", scores, classes, RAW)
    else:
        context.refuse(f"the link `{estimator.link_}`", option="link")
    return Prediction((label, numbers("probability", shares, classes, PROBABILITY), raw))


def regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """The sum of the scores, or its exponential."""
    functions: dict[str, str | None] = {"identity": None, "log": "exp"}
    if estimator.link_ not in functions:
        context.refuse(f"the link `{estimator.link_}`", option="link")
    scores = _scores(estimator, value, context)
    function = functions[estimator.link_]
    mean = scores if function is None else link(scores, function, context)
    return Prediction((number("value", mean),))


def _scores(estimator: Any, value: Value, context: Context) -> Value:
    """The intercept and the scores of all terms, added in their order (`ebm_predict_scores`)."""
    import numpy

    names = list(estimator.feature_names_in_)
    if len(names) != value.width or (value.frame and list(value.names) != names):
        context.refuse("was fitted on other columns, or in another order")
    intercept = numpy.atleast_1d(numpy.asarray(estimator.intercept_, dtype="float64"))
    columns = numeric_columns(len(intercept))
    parts = [context.add("constant", [], columns, values=intercept)]
    known: dict[tuple[int, int], tuple[Value, int]] = {}
    for features, table in zip(estimator.term_features_, estimator.term_scores_, strict=True):
        if len(features) > 2:
            context.refuse("terms of three columns and more", option="interactions")
        coded = [_coded(estimator, at, len(features), value, known, context) for at in features]
        parts.append(_looked_up([code for code, _ in coded], table, len(intercept), context))
    return context.add("sum", parts, columns, weights=None, divisor=1, precision="f64")


def _coded(
    estimator: Any,
    at: int,
    size: int,
    value: Value,
    known: dict[tuple[int, int], tuple[Value, int]],
    context: Context,
) -> tuple[Value, int]:
    """The bin of a column in a term of so many: 0 is missing, the last is unknown."""
    levels = estimator.bins_[at]
    level = min(len(levels), size)
    if (at, level) not in known:
        column = context.select(value, [at])
        bins = levels[level - 1]
        continuous = estimator.feature_types_in_[at] == "continuous"
        code = (_interval if continuous else _level)(column, bins, context)
        known[at, level] = code, len(bins)
    return known[at, level]


def _interval(column: Value, cuts: Any, context: Context) -> Value:
    import numpy

    numbers_in = column.columns[0]
    if numbers_in.kind != "number" or numbers_in.dtype in ("float32", "category"):
        context.refuse(f"column `{numbers_in.name}` is {numbers_in.dtype}; cast it to float64")
    count = len(cuts) + 1
    coded = context.add(
        "digitize", column, codes(1), edges=numpy.asarray(cuts), ends=numpy.array([len(cuts)])
    )
    one = numeric_columns(1)
    position = context.add(
        "lookup",
        coded,
        one,
        values=numpy.arange(1.0, count + 1),
        ends=numpy.array([count]),
        absent=numpy.zeros(1),
    )
    missing = context.add("indicate_missing", column, one, missing=None)
    zero = context.add("constant", [], one, values=numpy.zeros(1))
    position = context.add("choose", [missing, zero, position], one)
    return context.add(
        "encode_number",
        position,
        codes(1),
        levels=numpy.arange(0.0, count + 1),
        ends=numpy.array([count + 1]),
        codes=numpy.arange(count + 1),
        missing_codes=numpy.array([0]),
        unseen_codes=numpy.array([0]),
    )


def _level(column: Value, categories: Mapping[str, int], context: Context) -> Value:
    import numpy

    texts = column.columns[0]
    if texts.kind != "text":
        context.refuse(f"column `{texts.name}` is {texts.dtype} and taken for levels; make it text")
    return context.add(
        "encode_text",
        column,
        codes(1),
        levels=[str(level) for level in categories],
        ends=numpy.array([len(categories)]),
        codes=numpy.array(list(categories.values()), dtype="int32"),
        missing_codes=numpy.array([0]),
        unseen_codes=numpy.array([max(categories.values(), default=0) + 1]),
    )


def _looked_up(coded: list[Value], table: Any, outputs: int, context: Context) -> Value:
    import numpy

    scores = numpy.asarray(table, dtype="float64")
    shape = scores.shape[: len(coded)]
    (code, *others) = coded
    if others:
        first, second = numpy.indices(shape).reshape(2, -1).astype("int32")
        code = context.add(
            "pair_codes", [code, *others], codes(1), first=first, second=second, refuse=False
        )
    rows = scores.reshape(-1, outputs)
    return context.add(
        "lookup",
        context.select(code, [0] * outputs),
        numeric_columns(outputs),
        values=numpy.ascontiguousarray(rows.T).reshape(-1),
        ends=numpy.arange(1, outputs + 1) * len(rows),
        absent=numpy.full(outputs, numpy.nan),
    )


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "interpret.glassbox.ExplainableBoostingClassifier": classifier,
    "interpret.glassbox.ExplainableBoostingRegressor": regressor,
}
