"""Estimators that hold other estimators: pipelines, column transformers, unions, searches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context, public_name
from penstock.converters.functions import apply_function, function_transformer
from penstock.converters.inverses import INVERSES
from penstock.converters.output import frame_output
from penstock.converters.values import LINK_TOLERANCE, Answer, Ask, Column, Prediction, Value

__all__ = ["CONVERTERS", "array", "stacked"]

SEARCHES = (
    "GridSearchCV",
    "HalvingGridSearchCV",
    "HalvingRandomSearchCV",
    "RandomizedSearchCV",
)


def pipeline(estimator: Any, value: Value, context: Context) -> Value | Prediction:
    """Each step on what the step before gives; the last one may predict."""
    steps = [step for step in estimator.steps if step[1] not in (None, "passthrough")]
    if not steps:
        return value
    for name, step in steps[:-1]:
        value = context.transform(step, value, name)
    name, last = steps[-1]
    result = context.convert(last, value, name)
    if isinstance(result, Value):
        return result
    return result.bound(last, _transformation([step for _, step in steps[:-1]]))


def _transformation(steps: Sequence[Any]) -> Callable[[Any], Any] | None:
    """What a pipeline does before its last step (sklearn/pipeline.py, `Pipeline.predict`)."""
    if not steps:
        return None

    def transform(data: Any) -> Any:
        for step in steps:
            data = step.transform(data)
        return data

    return transform


def column_transformer(estimator: Any, value: Value, context: Context) -> Value:
    """Each transformer on its columns, then all results side by side."""
    weights = estimator.transformer_weights or {}
    positions = _positions(estimator, value, context)
    results = []
    for name, transformer, given in estimator.transformers_:
        indices = [positions[index] for index in estimator._transformer_to_input_indices[name]]
        if _is(transformer, "drop") or not indices:
            continue
        result = context.select(value, indices)
        # One column by its name or position, and not in a list, is taken by itself.
        if isinstance(given, (str, int)) and not isinstance(given, bool):
            result = replace(result, flat=True)
        if not _is(transformer, "passthrough"):
            result = context.transform(transformer, result, name)
        elif result.flat:
            context.refuse(f"passes column `{given}` by itself; name it in a list")
        results.append(_weighted(result, weights.get(name), context))
    if not results:
        context.refuse("every transformer is dropped; nothing is left to predict from")
    together = _side_by_side(results, estimator, context, sparse=bool(estimator.sparse_output_))
    if not together.frame:
        return together
    # `_hstack` renames all; the names stay where a transformer inside has none to give.
    names = [f"tmp_col_name_{at}_{of}" for at, r in enumerate(results) for of in range(r.width)]
    columns = zip(together.columns, names, strict=True)
    return together.with_columns(replace(column, name=name) for column, name in columns)


def _is(transformer: Any, word: str) -> bool:
    # Not `==` alone: an estimator may define it.
    return isinstance(transformer, str) and transformer == word


def _positions(estimator: Any, value: Value, context: Context) -> list[int]:
    """Where the columns that the transformer was fitted on are among those that flow in."""
    fitted = getattr(estimator, "feature_names_in_", None)
    if fitted is None or not value.frame:
        if estimator.n_features_in_ != value.width:
            context.refuse(
                f"was fitted on {estimator.n_features_in_} columns and gets {value.width}"
            )
        return list(range(value.width))
    at = {name: position for position, name in enumerate(value.names)}
    missing = [name for name in fitted if name not in at]
    # Columns that no transformer takes may be absent; -1 is never looked up for them.
    taken = {
        fitted[index]
        for name, transformer, _ in estimator.transformers_
        if not _is(transformer, "drop")
        for index in estimator._transformer_to_input_indices[name]
    }
    lacking = [name for name in missing if name in taken]
    if lacking:
        context.refuse(f"was fitted with the column `{lacking[0]}`, which the example lacks")
    return [at.get(name, -1) for name in fitted]


def feature_union(estimator: Any, value: Value, context: Context) -> Value:
    """Every transformer on all columns, then all results side by side."""
    weights = estimator.transformer_weights or {}
    results = []
    for name, transformer in estimator.transformer_list:
        if _is(transformer, "drop"):
            continue
        result = value
        if not _is(transformer, "passthrough"):
            result = context.transform(transformer, value, name)
        results.append(_weighted(result, weights.get(name), context))
    if not results:
        context.refuse("every transformer is dropped; nothing is left to predict from")
    return _side_by_side(
        results, estimator, context, sparse=any(result.sparse for result in results)
    )


def search(estimator: Any, value: Value, context: Context) -> Value | Prediction:
    """The best estimator that a search has found."""
    best = getattr(estimator, "best_estimator_", None)
    if best is None:
        context.refuse(
            "the search has no best estimator: fit it with `refit=True`, or convert the estimator "
            "of your choice",
            option="refit",
        )
    result = context.convert(best, value)
    return result if isinstance(result, Value) else result.bound(best)


def frozen_estimator(estimator: Any, value: Value, context: Context) -> Value | Prediction:
    """What the estimator inside gives."""
    inner = estimator.estimator
    result = context.convert(inner, value)
    return result if isinstance(result, Value) else result.bound(inner)


def transformed_target_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """What the regressor predicts, through the inverse of the target's transformer."""
    answers = context.predict(estimator.regressor_, value, "regressor").answers
    values = [answer for answer in answers if answer.name == "value"]
    if not values:
        context.refuse("the regressor has no output `value`", option="regressor")
    with context.within("transformer"):
        answer = _inverse(values[0], estimator.transformer_, context)
    return Prediction((replace(answer, ask=Ask("predict")),))


def _inverse(answer: Answer, transformer: Any, context: Context) -> Answer:
    name = public_name(type(transformer))
    if name == "sklearn.preprocessing.FunctionTransformer":
        value = answer.value
        if transformer.validate:
            value = context.require(value)
        value, exact = apply_function(
            value, transformer.inverse_func, transformer.inv_kw_args, context, "inverse_func"
        )
        # A relative error e of x is the relative error x·e of exp(x); logarithms are below 30.
        tolerance = answer.tolerance if exact else max(30 * answer.tolerance, LINK_TOLERANCE)
        return replace(answer, value=value, tolerance=tolerance)
    if name not in INVERSES:
        known = "`, `".join(sorted(INVERSES))
        context.refuse(
            f"the inverse of `{name}` is not supported; supported are functions and `{known}`",
            option="transformer",
        )
    value, tolerance = INVERSES[name](transformer, answer.value, context)
    return replace(answer, value=value, tolerance=max(tolerance, answer.tolerance))


def _weighted(value: Value, weight: float | None, context: Context) -> Value:
    """The value times the weight of its transformer (sklearn/pipeline.py, `_transform_one`)."""
    if weight is None:
        return value
    import numpy

    plain = all(column.dtype.startswith(("float", "int", "uint")) for column in value.columns)
    if not value.numeric or not plain:
        context.refuse("the weighted transformer gives no numbers", option="transformer_weights")
    if value.arrow and any(column.dtype != "float64" for column in value.columns):
        context.refuse(
            f"{value.frame} weighs other numbers than float64 in types of its own",
            option="transformer_weights",
        )
    # numpy computes in the type that it finds for array and weight; a plain float gives way.
    products = [numpy.ones(1, column.dtype) * weight for column in value.columns]
    if any(product.dtype.kind in "iu" and product.dtype.itemsize < 8 for product in products):
        context.refuse(
            f"{weight!r} is whole and weighs small integers, which numpy lets overflow; give "
            f"{float(weight)!r}",
            option="transformer_weights",
        )
    columns = (
        replace(column, dtype=str(product.dtype))
        for column, product in zip(value.columns, products, strict=True)
    )
    value = value.with_columns(columns)
    operands = numpy.array([product[0] for product in products], dtype="float64")
    return context.arithmetic(value, "multiply", operands, sparse=value.sparse, frame=value.frame)


def _side_by_side(
    values: Sequence[Value], estimator: Any, context: Context, *, sparse: bool
) -> Value:
    """All columns of all values: a frame where `set_output` asks for it, else one array."""
    library = frame_output(estimator)
    if library and all(value.frame == library for value in values):
        return context.concat(values, frame=library)
    if sparse and not all(value.numeric for value in values):
        context.refuse(
            "gives a sparse matrix, in which scikit-learn turns texts to numbers; encode them, or "
            "leave sparse matrices out (`sparse_threshold=0`)"
        )
    columns = stacked([column for value in values for column in array(value)])
    return context.concat(values, sparse=sparse).with_columns(columns)


def array(value: Value) -> tuple[Column, ...]:
    """The columns as `numpy.asarray` types them: one dtype, `object` where none is common."""
    if not value.frame:
        return value.columns
    # A frame with a missing boolean has None, in an array of objects.
    value = value.with_columns(
        replace(column, missing="none") if column.dtype == "bool" else column
        for column in value.columns
    )
    dtypes = {column.dtype for column in value.columns}
    plain = dtypes == {"bool"} or not dtypes & {"bool", "boolean", "category", "object"}
    if plain and value.numeric and all(dtype == dtype.lower() for dtype in dtypes):
        return stacked(value.columns)
    return tuple(
        replace(column, name=None, dtype="object", categories=None) for column in value.columns
    )


def stacked(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns of arrays side by side: without names, all of numpy's result type."""
    import numpy

    dtypes = sorted({column.dtype for column in columns})
    if not dtypes:
        return ()
    common = "object" if "object" in dtypes else str(numpy.result_type(*dtypes))
    return tuple(
        replace(column, name=None, kind=_kind(column.kind, common), dtype=common, categories=None)
        for column in columns
    )


def _kind(kind: str, dtype: str) -> str:
    return "number" if kind == "boolean" and dtype not in ("bool", "object") else kind


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "sklearn.compose.ColumnTransformer": column_transformer,
    "sklearn.compose.TransformedTargetRegressor": transformed_target_regressor,
    "sklearn.frozen.FrozenEstimator": frozen_estimator,
    "sklearn.pipeline.FeatureUnion": feature_union,
    "sklearn.pipeline.Pipeline": pipeline,
    "sklearn.preprocessing.FunctionTransformer": function_transformer,
    # By the name alone: a pipeline of scikit-learn with metadata for PMML.
    "sklearn2pmml.pipeline.PMMLPipeline": pipeline,
    **{f"sklearn.model_selection.{name}": search for name in SEARCHES},
}
