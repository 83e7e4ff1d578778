"""`DataFrameMapper` of sklearn-pandas: transformers of columns, side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.converters.composing import array, pipeline, stacked
from penstock.converters.context import Context
from penstock.converters.refusals import public_name
from penstock.converters.values import Prediction, Value

__all__ = ["CONVERTERS"]

LABELS = ("sklearn.preprocessing.LabelBinarizer", "sklearn.preprocessing.LabelEncoder")


def data_frame_mapper(estimator: Any, value: Value, context: Context) -> Value:
    """Each transformer on its columns, then all results (dataframe_mapper.py, `_transform`)."""
    if value.frame != "pandas":
        context.refuse("takes pandas frames; give one as the example")
    built = estimator.built_features
    results = []
    for at, (columns, transformer, options) in enumerate(
        built if isinstance(built, list) else [built]
    ):
        as_frame = bool(options.get("input_df", estimator.input_df))
        results.append(_mapped(str(at), columns, transformer, value, context, as_frame=as_frame))
    if estimator.built_default is not False:
        others = _unselected(estimator, value)
        default = estimator.built_default
        as_frame = bool(estimator.input_df)
        if others or default is not None:
            results.append(_mapped("default", others, default, value, context, as_frame=as_frame))
    if not results or not sum(result.width for result in results):
        context.refuse("maps no column; nothing is left to predict from")
    return _together(results, estimator, context)


def _unselected(estimator: Any, value: Value) -> list[Any]:
    selected: set[Any] = set()
    for columns, *_ in estimator.features:
        selected |= set(columns) if isinstance(columns, list) else {columns}
    dropped = estimator.drop_cols or ()
    return [name for name in value.names if name not in selected and name not in dropped]


def _mapped(
    step: str, columns: Any, transformer: Any, value: Value, context: Context, *, as_frame: bool
) -> Value:
    """What the transformer makes of these columns; a name alone gives it a column by itself."""
    alone = isinstance(columns, str)
    names = [columns] if alone else list(columns)
    with context.within(step):
        lacking = [name for name in names if name not in value.names]
        if lacking:
            context.refuse(f"takes the column `{lacking[0]}`, which the example lacks")
        part = context.select(value, [value.names.index(name) for name in names])
        if not as_frame:
            part = replace(part, frame="", columns=array(part))
        if alone:
            _check_alone(value.columns[value.names.index(columns)], context)
            part = replace(part, flat=transformer is not None)
        if transformer is None:
            return part
        if alone and public_name(type(transformer)) in LABELS:
            return _labeled(transformer, part, context)
        return context.transform(transformer, part)


def _check_alone(column: Any, context: Context) -> None:
    nullable = column.dtype != column.dtype.lower() or column.dtype in ("boolean", "category")
    if nullable:
        context.refuse(
            f"column `{column.name}` of dtype {column.dtype} is taken by itself; name it in a list"
        )


def _labeled(transformer: Any, value: Value, context: Context) -> Value:
    """What an encoder of labels makes of a column; it answers else, as it is no transformer."""
    result = context.convert(transformer, replace(value, flat=False))
    if not isinstance(result, Prediction):
        return result
    # Of a table with more than its two labels a `LabelBinarizer` makes two columns.
    context.row_by_row = True
    return result.answers[0].value


def _together(results: Sequence[Value], estimator: Any, context: Context) -> Value:
    is_sparse = any(result.sparse for result in results)
    sparse = is_sparse and bool(estimator.sparse)
    if is_sparse and not all(result.numeric for result in results):
        context.refuse("makes a sparse matrix of texts; encode them")
    columns = [column for result in results for column in array(result)]
    if not estimator.df_out:
        # `numpy.hstack` of all, where a frame becomes an array.
        return context.concat(results, sparse=sparse).with_columns(stacked(columns))
    names = list(estimator.transformed_names_)
    if len(names) != len(columns) or len(set(names)) != len(names):
        context.refuse(
            "has no names for its columns, or one twice; call `transform` before converting, and "
            "give an `alias`",
            option="df_out",
        )
    for column in columns:
        if column.kind == "text" and column.missing == "none":
            context.refuse(
                "makes a frame of texts that may be None, which pandas makes NaN where a text is "
                "beside it; impute them",
                option="df_out",
            )
    own = [
        column
        for result in results
        for column in (result.columns if result.frame else array(result))
    ]
    named = zip(own, names, strict=True)
    typed = [replace(column, name=str(name)) for column, name in named]
    return context.concat(results, frame="pandas").with_columns(typed)


CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "sklearn_pandas.dataframe_mapper.DataFrameMapper": data_frame_mapper,
    "sklearn_pandas.pipeline.TransformerPipeline": pipeline,
}
