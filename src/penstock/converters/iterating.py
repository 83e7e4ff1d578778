"""Missing numbers predicted from the other columns, round after round: `IterativeImputer`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.validation import dense, floats, sized
from penstock.converters.values import Value, numeric_columns

__all__ = ["CONVERTERS"]

# Predictions of all rounds; each adds a dozen nodes.
MOST = 500
# What one round has got wrong goes into the next.
GROWTH = 1000


def iterative_imputer(estimator: Any, value: Value, context: Context) -> Value:
    """What the last round predicts for missing values.

    sklearn/impute/_iterative.py, `transform`.
    """
    _check(estimator, value, context)
    marker = _marker(estimator, context)
    array = floats(dense(value, context), context, missing=marker is None)
    filled = context.transform(estimator.initial_imputer_, array, "initial")
    empty = [bool(is_empty) for is_empty in estimator._is_empty_feature]
    kept = list(range(value.width))
    if not estimator.keep_empty_features:
        kept = [at for at in kept if not empty[at]]
    if filled.width != len(kept):
        context.refuse("keeps columns that its `initial_imputer_` leaves out")
    missing = _missing(context.select(array, kept), marker, context)
    result = filled
    if estimator.n_iter_:
        result = _rounds(estimator, filled, missing, context)
    if not estimator.add_indicator:
        return result
    features = [int(at) for at in estimator.indicator_.features_]
    told = _missing(context.select(array, features), marker, context)
    return context.concat([result, told])


def _check(estimator: Any, value: Value, context: Context) -> None:
    if estimator.sample_posterior:
        context.refuse("draws by chance", option="sample_posterior")
    if value.precision == "f32":
        context.refuse("rounds what it predicts to float32 after each round; cast to float64")
    if len(estimator.imputation_sequence_) > MOST:
        context.refuse(
            f"{len(estimator.imputation_sequence_)} predictions of its rounds; the most is {MOST}",
            option="max_iter",
        )


def _marker(estimator: Any, context: Context) -> float | None:
    """The number that stands for a missing value; `None`: NaN does."""
    missing = estimator.missing_values
    if not isinstance(missing, (int, float)) and not hasattr(missing, "dtype"):
        context.refuse(f"{missing!r} is no number", option="missing_values")
    return None if missing != missing else float(missing)


def _missing(value: Value, marker: float | None, context: Context) -> Value:
    columns = numeric_columns(value.width)
    return context.add("indicate_missing", value, columns, missing=marker)


def _rounds(estimator: Any, filled: Value, missing: Value, context: Context) -> Value:
    """The columns after all rounds, one column at a time."""
    columns = [context.select(filled, [at]) for at in range(filled.width)]
    constant = estimator._is_empty_feature if estimator.keep_empty_features else ()
    for number, (at, neighbors, predictor) in enumerate(estimator.imputation_sequence_):
        if len(constant) and constant[at]:
            continue
        with context.within(f"round {number}"):
            inputs = context.concat([columns[int(other)] for other in neighbors])
            told = context.select(missing, [int(at)])
            inputs = _asked(inputs, told, context)
            answers = context.predict(predictor, inputs).answers
            values = [answer.value for answer in answers if answer.name == "value"]
            if not values or values[0].width != 1:
                context.refuse("predicts no `value`", option="estimator")
            limits = float(estimator._min_value[at]), float(estimator._max_value[at])
            predicted = _clipped(values[0], limits, context)
            columns[at] = context.add("choose", [told, predicted, columns[at]], numeric_columns(1))
    together = context.concat(columns)
    tolerance = together.tolerance * GROWTH
    return replace(together, columns=numeric_columns(filled.width), tolerance=tolerance)


def _asked(inputs: Value, told: Value, context: Context) -> Value:
    """The inputs of a prediction; zeros in rows that need none, and of which none is refused."""
    import numpy

    columns = numeric_columns(inputs.width)
    zeros = context.add("constant", [], columns, values=numpy.zeros(inputs.width))
    told = context.select(told, [0] * inputs.width)
    return context.add("choose", [told, inputs, zeros], columns)


def _clipped(value: Value, limits: tuple[float, float], context: Context) -> Value:
    import numpy

    low, high = limits
    return context.add(
        "clip",
        value,
        numeric_columns(1),
        minimum=numpy.array([low]),
        maximum=numpy.array([high]),
        precision="f64",
    )


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {"sklearn.impute.IterativeImputer": iterative_imputer}
)
