"""Transformers of feature-engine: they change some columns of a pandas frame, or add to it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from penstock.converters.context import Context
from penstock.converters.tabulating import Question, tabulated
from penstock.converters.values import LINEAR_TOLERANCE, Column, Value, codes

__all__ = [
    "CONVERTERS",
    "column_positions",
    "discretiser",
    "ordered",
    "plain_numbers",
    "replaced",
    "selection",
]

Change = Callable[[Any, Value, Context], Value]


def ordered(estimator: Any, value: Value, context: Context) -> Value:
    """The columns as they were in training (`_base_transformers`: frames are put in order)."""
    if value.frame != "pandas":
        context.refuse("takes pandas frames; give one as the example")
    names = [str(name) for name in estimator.feature_names_in_]
    if sorted(names) != sorted(str(name) for name in value.names):
        context.refuse("was fitted on other columns than the example has")
    at = {str(name): position for position, name in enumerate(value.names)}
    return context.select(value, [at[name] for name in names])


def column_positions(value: Value, names: Sequence[Any]) -> list[int]:
    """Where the columns of these names are."""
    known = [str(name) for name in value.names]
    return [known.index(str(name)) for name in names]


def plain_numbers(
    value: Value, positions: Sequence[int], context: Context, *, finite: bool
) -> Value:
    """These columns as float64; `finite`: a row with a missing or infinite one is refused."""
    part = context.select(value, positions)
    for column in part.columns:
        if column.kind != "number" or column.dtype in ("float32", "float16", "category"):
            context.refuse(f"column `{column.name}` is {column.dtype}; cast it to float64")
    numbers = context.require(part, missing=not finite, infinite=not finite)
    return numbers.with_columns(Column(column.name, "number") for column in part.columns)


def replaced(value: Value, positions: Sequence[int], part: Value, context: Context) -> Value:
    """The value with these columns in place of its own."""
    places = list(range(value.width))
    for at, position in enumerate(positions):
        places[position] = value.width + at
    chosen = context.select(context.concat([value, part]), places)
    names = zip(chosen.columns, value.names, strict=True)
    return replace(
        chosen,
        columns=tuple(replace(column, name=name) for column, name in names),
        frame="pandas",
    )


def _changing(change: Change, *, finite: bool = True) -> Callable[..., Value]:
    """A converter that changes the numbers of the variables, all at once."""

    def convert(estimator: Any, value: Value, context: Context) -> Value:
        value = ordered(estimator, value, context)
        positions = column_positions(value, estimator.variables_)
        part = plain_numbers(value, positions, context, finite=finite)
        return replaced(value, positions, change(estimator, part, context), context)

    return convert


# -- imputation --


def number_imputer(estimator: Any, value: Value, context: Context) -> Value:
    """Missing numbers become what was learned of their column."""
    import numpy

    value = ordered(estimator, value, context)
    filling = estimator.imputer_dict_
    positions = column_positions(value, list(filling))
    part = plain_numbers(value, positions, context, finite=False)
    replacements = numpy.array([float(filling[name]) for name in filling])
    part = context.add("impute", part, part.columns, missing=None, replacements=replacements)
    return replaced(value, positions, part, context)


def categorical_imputer(estimator: Any, value: Value, context: Context) -> Value:
    """Missing texts become a text."""
    value = ordered(estimator, value, context)
    filling = estimator.imputer_dict_
    positions = column_positions(value, list(filling))
    part = _texts(context.select(value, positions), context)
    if not all(isinstance(text, str) for text in filling.values()):
        context.refuse("fills texts with what is no text", option="fill_value")
    replacements = [str(filling[name]) for name in filling]
    columns = tuple(replace(column, missing="never") for column in part.columns)
    part = context.add("impute_text", part, columns, missing=None, replacements=replacements)
    return replaced(value, positions, part, context)


def _texts(value: Value, context: Context) -> Value:
    for column in value.columns:
        if column.kind != "text" or column.dtype == "category":
            context.refuse(
                f"column `{column.name}` is {column.dtype}; texts that are no categories convert"
            )
    return value


def missing_indicator(estimator: Any, value: Value, context: Context) -> Value:
    """The columns, and 1 for each that is missing."""
    value = ordered(estimator, value, context)
    part = context.select(value, column_positions(value, estimator.variables_))
    columns = [Column(f"{name}_na", "number", "int8") for name in estimator.variables_]
    told = [
        context.add("indicate_missing", context.select(part, [at]), [column], missing=None)
        for at, column in enumerate(columns)
    ]
    return replace(context.concat([value, *told]), frame="pandas")


# -- encoding --


def encoder(estimator: Any, value: Value, context: Context) -> Value:
    """Each level as what the encoder gives for it."""
    value = ordered(estimator, value, context)
    names = list(estimator.feature_names_in_)
    learned = estimator.encoder_dict_
    levels = {names.index(name): _met(learned[name]) for name in estimator.variables_}
    return tabulated(Question(estimator.transform, names, levels), value, context)


def _met(learned: Any) -> list[Any]:
    """Levels that came in training; what is learned of the other categories of a dtype is NaN."""
    if not isinstance(learned, dict):
        return list(learned)
    return [level for level, number in learned.items() if number == number]


def rare_label_encoder(estimator: Any, value: Value, context: Context) -> Value:
    """Levels that are not among the frequent ones become one text."""
    import numpy

    value = ordered(estimator, value, context)
    positions = column_positions(value, estimator.variables_)
    part = _texts(context.select(value, positions), context)
    if not isinstance(estimator.replace_with, str):
        context.refuse("takes the place of texts and is none", option="replace_with")
    made = []
    for at, name in enumerate(estimator.variables_):
        levels = [level for level in estimator.encoder_dict_[name] if isinstance(level, str)]
        count = len(levels)
        coded = context.add(
            "encode_text",
            context.select(part, [at]),
            codes(1),
            levels=levels,
            ends=numpy.array([count]),
            codes=numpy.arange(count),
            missing_codes=numpy.array([_missing_code(estimator, part.columns[at], count)]),
            unseen_codes=numpy.array([count]),
        )
        texts = [*levels, estimator.replace_with]
        made.append(
            context.add(
                "lookup_text",
                coded,
                [part.columns[at]],
                values=texts,
                present=numpy.ones(len(texts), dtype="int32"),
                absent=None,
            )
        )
    return replaced(value, positions, context.concat(made), context)


def _missing_code(estimator: Any, column: Column, rare: int) -> int:
    """The code of a missing text: NaN stays where it is let through, and None is rare."""
    if estimator.missing_values == "raise":
        return -2
    return -1 if column.missing == "nan" else rare


# -- discretisation --


def discretiser(estimator: Any, value: Value, context: Context) -> Value:
    """The number of the interval, which is closed on the right, and the first on the left too."""
    import numpy

    if getattr(estimator, "return_boundaries", False):
        context.refuse("texts of intervals", option="return_boundaries")
    if getattr(estimator, "return_object", False):
        context.refuse("numbers as objects", option="return_object")
    value = ordered(estimator, value, context)
    positions = column_positions(value, estimator.variables_)
    part = plain_numbers(value, positions, context, finite=True)
    edges = [_edges(estimator.binner_dict_[name]) for name in estimator.variables_]
    coded = context.add(
        "digitize",
        part,
        codes(part.width),
        edges=numpy.concatenate(edges),
        ends=numpy.cumsum([len(one) for one in edges]),
    )
    # Below the first and above the last edge there is no interval.
    tables = [[math.nan, *range(len(one) - 1), math.nan] for one in edges]
    part = context.add(
        "lookup",
        coded,
        part.columns,
        values=numpy.array([number for table in tables for number in table], dtype="float64"),
        ends=numpy.cumsum([len(table) for table in tables]),
        absent=numpy.full(part.width, math.nan),
    )
    if getattr(estimator, "errors", "ignore") == "raise":
        part = context.require(part)
    return replaced(value, positions, part, context)


def _edges(bins: Sequence[float]) -> Any:
    """Edges from which on a number is in the next interval (pandas, `cut`)."""
    import numpy

    edges = numpy.asarray(bins, dtype="float64")
    return numpy.array([edges[0], *numpy.nextafter(edges[1:], math.inf)])


# -- outliers --


def capper(estimator: Any, value: Value, context: Context) -> Value:
    """Numbers beyond the caps become the caps."""
    import numpy

    if getattr(estimator, "add_indicators", False):
        context.refuse("columns of their own for what was capped", option="add_indicators")
    value = ordered(estimator, value, context)
    right, left = estimator.right_tail_caps_, estimator.left_tail_caps_
    names = list(estimator.variables_)
    positions = column_positions(value, names)
    finite = estimator.missing_values == "raise"
    part = plain_numbers(value, positions, context, finite=finite)
    low = numpy.array([float(left.get(name, -math.inf)) for name in names])
    high = numpy.array([float(right.get(name, math.inf)) for name in names])
    if not (low <= high).all():
        context.refuse("has a lower cap above the upper one")
    part = context.add("clip", part, part.columns, minimum=low, maximum=high, precision="f64")
    return replaced(value, positions, part, context)


# -- transformation --


def _logarithm(estimator: Any, value: Value, context: Context) -> Value:
    shift = getattr(estimator, "C_", None)
    if shift is not None:
        names = estimator.variables_
        shifts = [shift[name] if isinstance(shift, dict) else shift for name in names]
        value = context.arithmetic(value, "add", shifts, precision="f64")
    # Of 0 it is infinite, of numbers below missing; both are refused.
    return context.require(context.map(value, "log" if estimator.base == "e" else "log10"))


def _arcsine(_: Any, value: Value, context: Context) -> Value:
    return context.require(context.map(context.map(value, "sqrt"), "arcsin"))


def _area_sine(estimator: Any, value: Value, context: Context) -> Value:
    shifted = context.arithmetic(value, "subtract", float(estimator.loc))
    return context.map(context.arithmetic(shifted, "divide", float(estimator.scale)), "arcsinh")


def _reciprocal(_: Any, value: Value, context: Context) -> Value:
    # Zeros are refused: the logarithm of their size is infinite.
    size = context.require(context.map(context.map(value, "abs"), "log"))
    told = context.map(size, "isfinite")
    inverse = context.map(value, "reciprocal")
    return context.add("choose", [told, inverse, inverse], value.columns)


def _power_transform(family: str) -> Change:
    def change(estimator: Any, value: Value, context: Context) -> Value:
        import numpy

        exponents = [float(estimator.lambda_dict_[name]) for name in estimator.variables_]
        if not numpy.isfinite(exponents).all():
            context.refuse("has an exponent that is not finite; fit it on other columns")
        return context.add(
            "power",
            value,
            value.columns,
            tolerance=LINEAR_TOLERANCE,
            family=family,
            exponents=numpy.array(exponents),
            precision="f64",
        )

    return change


POWERS = {0.5: "sqrt", 1: "identity", 2: "square"}


def _power(estimator: Any, value: Value, context: Context) -> Value:
    if estimator.exp not in POWERS:
        context.refuse("other powers than 0.5, 1 and 2", option="exp")
    return context.map(value, POWERS[estimator.exp])


def _mean_normalization(estimator: Any, value: Value, context: Context) -> Value:
    names = estimator.variables_
    means = [float(estimator.mean_[name]) for name in names]
    spans = [float(estimator.range_[name]) for name in names]
    shifted = context.arithmetic(value, "subtract", means, precision="f64")
    return context.arithmetic(shifted, "divide", spans, precision="f64")


# -- selection --


def selection(estimator: Any, value: Value, context: Context) -> Value:
    """The columns that are not dropped."""
    value = ordered(estimator, value, context)
    dropped = set(column_positions(value, estimator.features_to_drop_))
    return context.select(value, [at for at in range(value.width) if at not in dropped])


SELECTIONS = {
    "drop_constant_features": "DropConstantFeatures",
    "drop_correlated_features": "DropCorrelatedFeatures",
    "drop_duplicate_features": "DropDuplicateFeatures",
    "drop_features": "DropFeatures",
    "drop_psi_features": "DropHighPSIFeatures",
    "information_value": "SelectByInformationValue",
    "mrmr": "MRMR",
    "probe_feature_selection": "ProbeFeatureSelection",
    "recursive_feature_addition": "RecursiveFeatureAddition",
    "recursive_feature_elimination": "RecursiveFeatureElimination",
    "shuffle_features": "SelectByShuffling",
    "single_feature_performance": "SelectBySingleFeaturePerformance",
    "smart_correlation_selection": "SmartCorrelatedSelection",
    "target_mean_selection": "SelectByTargetMeanPerformance",
}

_CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "discretisation.arbitrary.ArbitraryDiscretiser": discretiser,
    "discretisation.equal_frequency.EqualFrequencyDiscretiser": discretiser,
    "discretisation.equal_width.EqualWidthDiscretiser": discretiser,
    "discretisation.geometric_width.GeometricWidthDiscretiser": discretiser,
    "encoding.count_frequency.CountFrequencyEncoder": encoder,
    "encoding.decision_tree.DecisionTreeEncoder": encoder,
    "encoding.mean_encoding.MeanEncoder": encoder,
    "encoding.one_hot.OneHotEncoder": encoder,
    "encoding.ordinal.OrdinalEncoder": encoder,
    "encoding.rare_label.RareLabelEncoder": rare_label_encoder,
    "encoding.woe.WoEEncoder": encoder,
    "imputation.arbitrary_number.ArbitraryNumberImputer": number_imputer,
    "imputation.categorical.CategoricalImputer": categorical_imputer,
    "imputation.end_tail.EndTailImputer": number_imputer,
    "imputation.mean_median.MeanMedianImputer": number_imputer,
    "imputation.missing_indicator.AddMissingIndicator": missing_indicator,
    "outliers.artbitrary.ArbitraryOutlierCapper": capper,
    "outliers.winsorizer.Winsorizer": capper,
    "scaling.mean_normalization.MeanNormalizationScaler": _changing(_mean_normalization),
    **{f"selection.{module}.{name}": selection for module, name in SELECTIONS.items()},
    "transformation.arcsin.ArcsinTransformer": _changing(_arcsine),
    "transformation.arcsinh.ArcSinhTransformer": _changing(_area_sine),
    "transformation.boxcox.BoxCoxTransformer": _changing(_power_transform("box_cox")),
    "transformation.log.LogCpTransformer": _changing(_logarithm),
    "transformation.log.LogTransformer": _changing(_logarithm),
    "transformation.power.PowerTransformer": _changing(_power),
    "transformation.reciprocal.ReciprocalTransformer": _changing(_reciprocal),
    "transformation.yeojohnson.YeoJohnsonTransformer": _changing(_power_transform("yeo_johnson")),
}
CONVERTERS: Mapping[str, Callable[..., Any]] = {
    f"feature_engine.{name}": converter for name, converter in _CONVERTERS.items()
}
