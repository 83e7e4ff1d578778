"""scikit-learn's imputers: missing values replaced, or told by an indicator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, NoReturn

from penstock.converters.context import Context
from penstock.converters.grouping import grouped
from penstock.converters.ties import CHANCE, tied
from penstock.converters.validation import (
    array_dtype,
    check_version,
    dense,
    float_dtype,
    marker,
    sized,
)
from penstock.converters.values import Column, Reordering, Value

__all__ = ["CONVERTERS"]

# Strategies that take the array as it comes; the others turn it into floats first.
AS_IT_COMES = ("constant", "most_frequent")
# scikit-learn's distances have half of the digits (the root of ‖x‖² - 2x·p + ‖p‖²).
NEAREST_TOLERANCE = {"distance": 1e-6, "uniform": 1e-12}


@dataclass(frozen=True)
class Mask:
    """Which elements of a column the source library takes for missing.

    `nulls`: those without a value; `equal`: those with this value (`None`: no value is).
    `refuses_nulls`: a row without a value is refused.
    """

    text: bool
    nulls: bool
    equal: float | str | None
    refuses_nulls: bool

    @property
    def matches(self) -> bool:
        """Whether any element can be missing."""
        return self.nulls or self.equal is not None


def simple_imputer(estimator: Any, value: Value, context: Context) -> Value:
    """Missing values become the statistic of their column; columns without one are left out."""
    dtype = _imputed_dtype(estimator, value, context)
    as_it_comes = estimator.strategy in AS_IT_COMES or dtype == "object"
    array = _array(value, dtype, context, as_it_comes=as_it_comes)
    masks = _masks(estimator.missing_values, array, context)
    array = _checked(array, masks, context)
    empty = [] if estimator.keep_empty_features else _empty(estimator.statistics_)
    kept = [at for at in range(array.width) if at not in empty]
    filling = estimator.statistics_[kept].astype(estimator._fill_dtype)
    if "float" in dtype and filling.dtype.kind in "iuf":
        # They are assigned to an array of this dtype.
        filling = filling.astype(dtype)
    kept_masks = [masks[at] for at in kept]
    option = "fill_value" if estimator.strategy == "constant" else "strategy"
    result = _imputed(context.select(array, kept), kept_masks, list(filling), option, context)
    return _with_indicator(estimator, result, array, masks, context) or result


def nearest_imputer(estimator: Any, value: Value, context: Context) -> Value:
    """Missing values become the mean of those of the nearest rows of training that have them."""
    import numpy

    if estimator.weights not in ("uniform", "distance"):
        context.refuse("an artifact holds no functions of your own", option="weights")
    if estimator.metric != "nan_euclidean":
        context.refuse("an artifact holds no functions of your own", option="metric")
    dtype = float_dtype(dense(value, context), context)
    if "float32" in (dtype, str(estimator._fit_X.dtype)):
        context.refuse("computes in float32; fit it on float64")
    array = _array(value, dtype, context, as_it_comes=False)
    masks = _masks(estimator.missing_values, array, context)
    array = _checked(array, masks, context)
    nothing = [numpy.nan] * array.width
    blank = array
    if any(mask.equal is not None for mask in masks):
        blank = _imputed(array, masks, nothing, "missing_values", context)
    gaps, points = estimator._mask_fit_X, estimator._fit_X

    def reordered(order: Any, near: Any) -> dict[str, Any]:
        # What stands for a missing value stays what it is.
        rows = numpy.where(gaps[order], points[order], near)
        return {"_fit_X": rows, "_mask_fit_X": gaps[order]}

    context.reorderings.append(Reordering(estimator, points, reordered))
    known = numpy.where(estimator._mask_fit_X, numpy.nan, estimator._fit_X)
    if tied(known.astype("float64"), int(estimator.n_neighbors)):
        context.refuse(
            f"rows of training are equally near to each other, and which of them {CHANCE}; take an "
            "imputer that does not choose among rows, or drop columns of few values"
        )
    means = numpy.ma.array(estimator._fit_X, mask=estimator._mask_fit_X).mean(axis=0)
    full = context.add(
        "impute_nearest",
        blank,
        array.columns,
        tolerance=NEAREST_TOLERANCE[estimator.weights],
        points=known.astype("float64"),
        means=numpy.asarray(means.filled(0.0), dtype="float64"),
        count=int(estimator.n_neighbors),
        weights=estimator.weights,
    )
    result = _without_empty(estimator, full, context)
    return _with_indicator(estimator, result, array, masks, context) or result


def _without_empty(estimator: Any, full: Value, context: Context) -> Value:
    """Without the columns that have no value in training, or with 0 in these."""
    import numpy

    valid = [int(at) for at in numpy.flatnonzero(estimator._valid_mask)]
    if not estimator.keep_empty_features or len(valid) == full.width:
        return context.select(full, valid)
    zero = context.add("constant", [], full.columns[:1], values=numpy.zeros(1))
    both = context.concat([full, zero])
    return context.select(both, [at if at in valid else full.width for at in range(full.width)])


def _with_indicator(
    estimator: Any, result: Value, array: Value, masks: Sequence[Mask], context: Context
) -> Value | None:
    """The result, and which elements were missing behind it; `None` where that is not asked."""
    if not estimator.add_indicator:
        return None
    features = [int(at) for at in estimator.indicator_.features_]
    told = _indicators(context.select(array, features), [masks[at] for at in features], context)
    dtype = array.columns[0].dtype
    kind = "boolean" if dtype == "object" else "number"
    told = told.with_columns([Column(None, kind, dtype)] * told.width)
    return context.concat([result, told], sparse=array.sparse)


def missing_indicator(estimator: Any, value: Value, context: Context) -> Value:
    """1 where a value is missing, in the columns that had such in training or in all columns."""
    if type(estimator.missing_values).__name__ == "NAType":
        context.refuse("pandas.NA is refused in numbers; use NaN", option="missing_values")
    dtype = array_dtype(value)
    array = _array(value, dtype, context, as_it_comes=True)
    masks = _masks(estimator.missing_values, array, context)
    told = _indicators(_checked(array, masks, context), masks, context)
    features = [int(at) for at in estimator.features_]
    if estimator.features == "missing-only" and estimator.error_on_new:
        told = _refused_elsewhere(told, set(features), context)
    told = context.select(told, features)
    sparse = value.sparse if estimator.sparse == "auto" else bool(estimator.sparse)
    columns = (Column(None, "boolean", "bool"),) * told.width
    return replace(told, columns=columns, sparse=sparse)


# -- the array that scikit-learn sees --


def _imputed_dtype(estimator: Any, value: Value, context: Context) -> str:
    """The dtype of the array that is imputed (sklearn/impute/_base.py, `_validate_input`)."""
    import numpy

    check_version(estimator, "_fill_dtype", context)
    fitted = estimator._fill_dtype
    if fitted.kind == "O":
        return "object"
    as_it_comes = estimator.strategy in AS_IT_COMES
    dtype = array_dtype(value) if as_it_comes else float_dtype(value, context)
    if estimator.strategy == "constant" and not numpy.can_cast(fitted, dtype, "same_kind"):
        context.refuse(
            f"was fitted on {fitted} and refuses {dtype}, which the example has",
            option="fill_value",
        )
    return dtype


def _array(value: Value, dtype: str, context: Context, *, as_it_comes: bool) -> Value:
    """The columns as those of an array of this dtype; `missing` is what is missing there."""
    if dtype == "bool" or any(column.dtype == "float16" for column in value.columns):
        context.refuse("takes no array of booleans or of float16; cast it before")
    objects = dtype == "object"
    booleans = [column for column in value.columns if _was_boolean(column)]
    if as_it_comes and not objects and booleans:
        context.refuse(
            "booleans beside numbers become objects where one is missing, and infinities are no "
            "longer refused; cast the booleans to a number dtype before fitting"
        )
    if not objects or any(column.kind == "timestamp" for column in value.columns):
        value = replace(context.number(value), columns=value.columns)
    kinds = [column.kind if objects else "number" for column in value.columns]
    columns = [Column(None, kind, dtype) for kind in kinds]
    if as_it_comes:
        nulls = [marker(column, frame=value.frame, objects=objects) for column in value.columns]
        columns = [
            replace(column, missing=null) for column, null in zip(columns, nulls, strict=True)
        ]
    return replace(value, columns=tuple(columns), frame="")


def _was_boolean(column: Column) -> bool:
    """Whether the column has booleans, or numbers that a missing boolean makes objects."""
    return column.dtype == "bool" or (column.dtype != "object" and column.missing == "none")


def _checked(array: Value, masks: Sequence[Mask], context: Context) -> Value:
    """The array, where a row is refused that `check_array` refuses.

    Arrays of objects may hold infinities, those of floats may not.
    """

    def check(refuses: bool, columns: Value, _: list[int]) -> Value:
        objects = columns.columns[0].dtype == "object"
        return context.require(
            columns, missing=not refuses, infinite=objects, precision=array.precision
        )

    return grouped(array, [mask.refuses_nulls for mask in masks], context, check)


# -- which elements are missing --


def _masks(missing: Any, array: Value, context: Context) -> list[Mask]:
    """The mask of every column (sklearn/utils/_mask.py, `_get_mask`)."""
    numeric = array.columns[0].dtype != "object"
    if numeric and (missing is None or isinstance(missing, str)):
        context.refuse(f"{missing!r} is refused in an array of numbers", option="missing_values")
    if array.sparse and isinstance(missing, Real) and missing == 0:
        context.refuse("0 is refused in a sparse matrix", option="missing_values")
    return [_mask(missing, column) for column in array.columns]


def _mask(missing: Any, column: Column) -> Mask:
    text = column.kind == "text"
    if type(missing).__name__ == "NAType":
        return Mask(text, nulls=True, equal=None, refuses_nulls=False)
    if missing is None:
        is_none = column.missing == "none"
        return Mask(text, nulls=is_none, equal=None, refuses_nulls=not is_none)
    if missing != missing:
        # NA is neither equal nor unequal to itself, which numpy refuses.
        is_nan, is_na = column.missing == "nan", column.missing == "na"
        return Mask(text, nulls=is_nan, equal=None, refuses_nulls=is_na)
    if isinstance(missing, str):
        equal: float | str | None = str(missing) if text else None
    else:
        equal = None if text else _comparable(missing, column)
    return Mask(text, nulls=False, equal=equal, refuses_nulls=column.missing != "none")


def _comparable(missing: Any, column: Column) -> float | None:
    """The number as it is compared; `None` for infinities, which are refused anyway."""
    import numpy

    if not numpy.isfinite(missing):
        return None
    # A Python number is rounded to the dtype of the array that it is compared with (NEP 50).
    rounded = column.dtype == "float32" and not hasattr(missing, "dtype")
    return float(numpy.float32(missing) if rounded else missing)


def _empty(statistics: Any) -> list[int]:
    """Columns that had no value in training: their statistic is NaN."""
    import numpy

    return [
        at
        for at, item in enumerate(statistics)
        if isinstance(item, (float, numpy.floating)) and item != item
    ]


# -- nodes --


def _imputed(
    array: Value, masks: Sequence[Mask], filling: Sequence[Any], option: str, context: Context
) -> Value:
    """The columns, missing values replaced; `option` is what the filling comes from."""

    def impute(mask: Mask, columns: Value, positions: list[int]) -> Value:
        if not mask.matches:
            return columns
        items = [filling[at] for at in positions]
        if mask.text:
            texts = [_text(item, option, context) for item in items]
            # The engine has one kind of missing text; where it is replaced, none is left.
            described: Sequence[Column] = [
                replace(column, missing="never" if mask.nulls else column.missing)
                for column in columns.columns
            ]
            return context.add(
                "impute_text", columns, described, missing=mask.equal, replacements=texts
            )
        import numpy

        numbers = [_number(item, option, context) for item in items]
        described = [
            _described(column, number)
            for column, number in zip(columns.columns, numbers, strict=True)
        ]
        return context.add(
            "impute",
            columns,
            described,
            sparse=columns.sparse,
            missing=mask.equal,
            replacements=numpy.array(numbers, dtype="float64"),
        )

    return grouped(array, masks, context, impute)


def _described(column: Column, number: float) -> Column:
    """The column; booleans among which another number comes are numbers."""
    keeps = column.kind != "boolean" or number in (0.0, 1.0)
    return column if keeps else replace(column, kind="number")


def _text(item: Any, option: str, context: Context) -> str:
    if not isinstance(item, str):
        _refuse_mixture(item, "text", option, context)
    return str(item)


def _number(item: Any, option: str, context: Context) -> float:
    if isinstance(item, str) or not hasattr(item, "__float__"):
        _refuse_mixture(item, "numbers", option, context)
    return float(item)


def _refuse_mixture(item: Any, kind: str, option: str, context: Context) -> NoReturn:
    context.refuse(
        f"{item!r} takes the place of missing values in a column of {kind}, and a column has one "
        "type; impute columns of text and of numbers apart, and leave out columns without values",
        option=option,
    )


def _indicators(array: Value, masks: Sequence[Mask], context: Context) -> Value:
    """1 where an element is missing, else 0."""

    def indicate(mask: Mask, columns: Value, _: list[int]) -> Value:
        described = [Column(None, "number") for _ in columns.columns]
        if mask.matches:
            return context.add(
                "indicate_missing", columns, described, sparse=array.sparse, missing=mask.equal
            )
        import numpy

        zeros = context.add("constant", [], described, values=numpy.zeros(columns.width))
        # Together with the columns, so that what is refused in them stays refused.
        both = context.concat([zeros, columns], sparse=array.sparse)
        return context.select(both, range(columns.width))

    return grouped(array, masks, context, indicate)


def _refused_elsewhere(told: Value, features: set[int], context: Context) -> Value:
    """The indicators; a row is refused where one is 1 that is not among the features."""

    def check(known: bool, columns: Value, _: list[int]) -> Value:
        if known:
            return columns
        import numpy

        # What `require` can refuse is a missing value.
        missing = context.add(
            "impute",
            columns,
            columns.columns,
            missing=1,
            replacements=numpy.full(columns.width, numpy.nan),
        )
        return context.require(missing, infinite=True)

    return grouped(told, [at in features for at in range(told.width)], context, check)


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.impute.KNNImputer": nearest_imputer,
        "sklearn.impute.MissingIndicator": missing_indicator,
        "sklearn.impute.SimpleImputer": simple_imputer,
    }
)
