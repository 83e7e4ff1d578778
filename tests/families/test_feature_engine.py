"""Transformers of feature-engine, each before a model or by itself."""

from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from tests import contract

TEXTS = ["color", "word"]


def numbers(*, missing: bool = False) -> Any:
    return contract.numbers(missing=missing)[["normal", "counts", "signed"]]


def positive() -> Any:
    return contract.numbers()[["large", "constant"]].assign(other=numbers()["counts"] + 1.0)


def texts(*, missing: bool = False) -> Any:
    made = contract.texts()[TEXTS].assign(normal=contract.numbers()["normal"])
    return made if missing else made.fillna({"color": "none"})


def target() -> Any:
    return (contract.answer(contract.numbers()) == "yes").astype(int)


def using(path: str, data: Any, **options: Any) -> Any:
    """An example of the class at this path, fitted on the data."""

    def example() -> tuple[Any, ...]:
        package, name = path.split(".")
        cls = getattr(import_module(f"feature_engine.{package}"), name)
        frame = data()
        return cls(**options).fit(frame, target()), frame

    return example


def before_a_model(path: str, data: Any, **options: Any) -> Any:
    def example() -> tuple[Any, ...]:
        package, name = path.split(".")
        cls = getattr(import_module(f"feature_engine.{package}"), name)
        frame = data()
        model = make_pipeline(cls(**options), LogisticRegression(max_iter=30))
        return model.fit(frame, target()), frame

    return example


def with_missing() -> Any:
    return numbers(missing=True)


def with_missing_texts() -> Any:
    return texts(missing=True)


def two_alike() -> Any:
    return numbers().assign(twin=lambda frame: frame["counts"], same=1.0)


def shares() -> Any:
    return numbers()[["normal"]].rank(pct=True).assign(other=numbers()["counts"] / 20)


def five() -> Any:
    return contract.numbers().drop(columns="constant")


def selecting(name: str, **options: Any) -> Any:
    return using(f"selection.{name}", five, **options)


def by_tree(name: str, **options: Any) -> Any:
    tree = DecisionTreeClassifier(max_depth=2, random_state=0)
    return selecting(name, estimator=tree, cv=2, **options)


def categories() -> Any:
    """One category of the dtype is not there."""
    levels = ["blue", "green", "none", "red", "unused"]
    return texts()[["color"]].astype(pd.CategoricalDtype(levels)).assign(x=numbers()["normal"])


EXAMPLES = {
    "means_of_categories_that_are_not_all_there": using(
        "encoding.MeanEncoder", categories, unseen="raise"
    ),
    "rare_labels_with_none": using(
        "encoding.RareLabelEncoder",
        lambda: texts().assign(word=lambda frame: frame["word"].where(frame.index % 5 > 0, None)),
        n_categories=2,
        missing_values="ignore",
    ),
    "selection_by_drift": selecting("DropHighPSIFeatures"),
    "selection_by_information": selecting("SelectByInformationValue", bins=2, threshold=0.0001),
    "selection_by_redundancy": selecting("MRMR", max_features=2, random_state=0),
    "selection_by_probes": by_tree("ProbeFeatureSelection", random_state=0),
    "selection_by_addition": by_tree("RecursiveFeatureAddition"),
    "selection_by_elimination": by_tree("RecursiveFeatureElimination"),
    "selection_by_shuffling": by_tree("SelectByShuffling", random_state=0),
    "selection_one_by_one": by_tree("SelectBySingleFeaturePerformance", threshold=0.51),
    "selection_by_means": selecting("SelectByTargetMeanPerformance", threshold=0.51, cv=2),
    "mean_imputer": using("imputation.MeanMedianImputer", with_missing),
    "number_imputer": using("imputation.ArbitraryNumberImputer", with_missing),
    "tail_imputer": using("imputation.EndTailImputer", with_missing),
    "text_imputer": using("imputation.CategoricalImputer", with_missing_texts, variables=TEXTS),
    "frequent_imputer": using(
        "imputation.CategoricalImputer",
        with_missing_texts,
        imputation_method="frequent",
        variables=["color"],
    ),
    "missing_indicator": using("imputation.AddMissingIndicator", with_missing),
    "counts": before_a_model("encoding.CountFrequencyEncoder", texts),
    "counts_encoding_unseen": before_a_model(
        "encoding.CountFrequencyEncoder",
        with_missing_texts,
        unseen="encode",
        missing_values="ignore",
    ),
    "means": before_a_model("encoding.MeanEncoder", texts, unseen="encode"),
    "means_refusing": before_a_model("encoding.MeanEncoder", texts, unseen="raise"),
    "means_ignoring": using("encoding.MeanEncoder", texts, smoothing=2.0),
    "one_hot": before_a_model("encoding.OneHotEncoder", texts),
    "one_hot_without_last": before_a_model("encoding.OneHotEncoder", texts, drop_last=True),
    "one_hot_of_the_most_frequent": before_a_model(
        "encoding.OneHotEncoder", texts, top_categories=2
    ),
    "ordinal": using("encoding.OrdinalEncoder", texts),
    "ordinal_arbitrary": before_a_model(
        "encoding.OrdinalEncoder", texts, encoding_method="arbitrary", unseen="encode"
    ),
    "weights_of_evidence": using("encoding.WoEEncoder", texts),
    "trees_of_levels": using("encoding.DecisionTreeEncoder", texts, regression=False, cv=2),
    "rare_labels": using("encoding.RareLabelEncoder", texts, tol=0.3, n_categories=2),
    "rare_labels_with_missing": using(
        "encoding.RareLabelEncoder", with_missing_texts, n_categories=2, missing_values="ignore"
    ),
    "equal_frequency": using("discretisation.EqualFrequencyDiscretiser", positive, q=4),
    "equal_width": using("discretisation.EqualWidthDiscretiser", numbers, bins=4),
    "geometric_width": using("discretisation.GeometricWidthDiscretiser", numbers, bins=4),
    "arbitrary_bins": using(
        "discretisation.ArbitraryDiscretiser", numbers, binning_dict={"counts": [0, 2, 5, 9]}
    ),
    "arbitrary_bins_refusing": using(
        "discretisation.ArbitraryDiscretiser",
        numbers,
        binning_dict={"counts": [0, 2, 5, 100]},
        errors="raise",
    ),
    "winsorizer": using("outliers.Winsorizer", numbers, tail="both", fold=1.5),
    "winsorizer_with_missing": using(
        "outliers.Winsorizer", with_missing, missing_values="ignore", capping_method="quantiles"
    ),
    "arbitrary_caps": using(
        "outliers.ArbitraryOutlierCapper", numbers, max_capping_dict={"counts": 4.0}
    ),
    "logarithm": using("transformation.LogTransformer", positive),
    "logarithm_of_ten": using("transformation.LogTransformer", positive, base="10"),
    "logarithm_with_constant": using("transformation.LogCpTransformer", numbers, C=5.0),
    "logarithm_with_constants": using("transformation.LogCpTransformer", numbers, C="auto"),
    "reciprocal": using("transformation.ReciprocalTransformer", positive),
    "root": using("transformation.PowerTransformer", positive),
    "square": using("transformation.PowerTransformer", numbers, exp=2),
    "arcsine": using("transformation.ArcsinTransformer", shares),
    "mean_normalization": using("scaling.MeanNormalizationScaler", numbers),
    "without_constants": using("selection.DropConstantFeatures", two_alike),
    "without_duplicates": using("selection.DropDuplicateFeatures", two_alike),
    "without_correlated": using("selection.DropCorrelatedFeatures", two_alike),
    "without_columns": using(
        "selection.DropFeatures", two_alike, features_to_drop=["twin", "normal"]
    ),
    "smart_correlated": using("selection.SmartCorrelatedSelection", two_alike),
}


def test_texts_of_intervals_are_refused() -> None:
    path, options = "discretisation.EqualWidthDiscretiser", {"return_boundaries": True}
    assert "return_boundaries" in contract.refused(*using(path, numbers, **options)())


def test_indicators_of_what_was_capped_are_refused() -> None:
    example = using("outliers.Winsorizer", numbers, add_indicators=True)()
    assert "add_indicators" in contract.refused(*example)


def test_other_powers_are_refused() -> None:
    example = using("transformation.PowerTransformer", positive, exp=0.3)()
    assert "`exp`" in contract.refused(*example)


def test_columns_come_in_the_order_of_training() -> None:
    model, frame = using("transformation.LogTransformer", positive)()
    rows = frame.head(5).to_dict("records")
    contract.same(model, frame[frame.columns[::-1]], rows)
    assert np.isfinite(frame.to_numpy()).all()
