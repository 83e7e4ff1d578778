"""Pipelines, column transformers, unions and searches, beside scikit-learn."""

import numpy as np
import pandas as pd
import polars as pl
from sklearn.cluster import DBSCAN
from sklearn.compose import (
    ColumnTransformer,
    make_column_selector,
    make_column_transformer,
)
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import NMF, PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
)
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

import penstock
from tests import contract


def fitted(transformer, frame):
    return transformer.fit(frame), frame


def pipeline_with_passthrough():
    return fitted(make_pipeline("passthrough", StandardScaler(), None), contract.numbers())


def pipeline_of_one_predictor():
    frame = contract.numbers()
    return make_pipeline(LogisticRegression()).fit(frame, contract.answer(frame)), frame


def pipeline_in_a_pipeline():
    frame = contract.numbers()
    inner = make_pipeline(StandardScaler(), FunctionTransformer())
    return make_pipeline(inner, LinearRegression()).fit(frame, contract.amount(frame)), frame


def pipeline_on_an_array():
    array = contract.numbers().to_numpy()
    target = contract.amount(contract.numbers())
    return make_pipeline(StandardScaler(), Ridge()).fit(array, target), array


def pipeline_on_a_polars_frame():
    frame = contract.numbers()
    columns = make_column_transformer(
        (StandardScaler(), ["large", "normal"]), ("passthrough", ["signed"])
    )
    return fitted(columns, pl.from_pandas(frame))


def column_transformer_by_names():
    columns = [
        ("scale", StandardScaler(), ["large", "normal"]),
        ("leave", "passthrough", ["flag", "integer"]),
        ("none", "drop", ["color", "word"]),
        ("empty", StandardScaler(), []),
    ]
    return fitted(ColumnTransformer(columns), contract.mixed(missing=False))


def column_transformer_by_position_slice_and_mask():
    columns = [
        ("positions", StandardScaler(), [3, -1]),
        ("slice", MinMaxScaler(), slice(0, 2)),
        ("mask", RobustScaler(), [True, False, True, False, False]),
    ]
    return fitted(ColumnTransformer(columns), contract.numbers())


def column_transformer_by_name_slice():
    columns = [("slice", StandardScaler(), slice("large", "constant"))]
    return fitted(ColumnTransformer(columns, remainder=MinMaxScaler()), contract.numbers())


def column_transformer_by_function_and_selector():
    columns = [
        ("selector", StandardScaler(), make_column_selector(dtype_include="float")),
        ("function", MinMaxScaler(), lambda frame: ["integer"]),
    ]
    return fitted(ColumnTransformer(columns), contract.mixed(missing=False))


def column_transformer_with_remainder_passed_through():
    columns = ColumnTransformer([("scale", StandardScaler(), ["large"])], remainder="passthrough")
    return fitted(columns, contract.numbers(missing=True))


def column_transformer_passing_text_through():
    columns = ColumnTransformer([("scale", StandardScaler(), ["large"])], remainder="passthrough")
    return fitted(columns, contract.mixed().drop(columns="size"))


def column_transformer_with_weights():
    columns = [
        ("scale", StandardScaler(), ["large"]),
        ("ranges", MinMaxScaler(), ["signed", "counts"]),
    ]
    weights = {"scale": 0.3, "ranges": 7}
    return fitted(ColumnTransformer(columns, transformer_weights=weights), contract.numbers())


def column_transformer_on_float32():
    columns = [("scale", StandardScaler(), [0, 1]), ("ranges", MinMaxScaler(), [2, 4])]
    weights = {"scale": 0.3}
    frame = contract.numbers(dtype="float32")
    return fitted(ColumnTransformer(columns, transformer_weights=weights), frame)


def column_transformer_with_pandas_output():
    columns = ColumnTransformer(
        [("scale", StandardScaler(), ["large", "normal"]), ("ranges", MinMaxScaler(), ["signed"])],
        verbose_feature_names_out=False,
    )
    later = ColumnTransformer([("later", RobustScaler(), ["signed", "large"])])
    return fitted(make_pipeline(columns, later).set_output(transform="pandas"), contract.numbers())


def column_transformer_with_polars_output():
    columns = ColumnTransformer(
        [("scale", StandardScaler(), ["large", "normal"])], remainder="passthrough"
    )
    return fitted(columns.set_output(transform="polars"), contract.numbers())


def column_transformer_in_a_column_transformer():
    inner = ColumnTransformer([("scale", StandardScaler(), ["large"])], remainder="passthrough")
    outer = ColumnTransformer(
        [("inner", inner, ["signed", "large"]), ("rest", MinMaxScaler(), ["normal"])]
    )
    return fitted(outer, contract.numbers())


def column_transformer_before_a_classifier():
    frame = contract.mixed(missing=False)
    columns = make_column_transformer(
        (StandardScaler(), ["large", "normal"]), ("passthrough", ["flag", "integer"])
    )
    model = make_pipeline(columns, DecisionTreeClassifier(max_depth=4, random_state=0))
    return model.fit(frame, contract.answer(frame, (1, 2, 3))), frame


def column_transformer_with_sparse_output():
    columns = [
        ("codes", OneHotEncoder(handle_unknown="ignore"), ["town", "color"]),
        ("scale", MaxAbsScaler(), ["signed"]),
    ]
    return fitted(ColumnTransformer(columns), contract.mixed(missing=False))


def sparse_columns_with_weights_before_a_classifier():
    frame = contract.mixed(missing=False)
    columns = ColumnTransformer(
        [
            ("codes", OneHotEncoder(handle_unknown="ignore"), ["town"]),
            ("same", "passthrough", ["normal"]),
        ],
        transformer_weights={"codes": 3},
        sparse_threshold=1.0,
    )
    model = make_pipeline(columns, StandardScaler(with_mean=False), LogisticRegression())
    return model.fit(frame, contract.answer(frame)), frame


def column_transformer_of_pipelines_on_everything():
    frame = contract.mixed()
    texts = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    columns = make_column_transformer(
        (
            make_pipeline(SimpleImputer(), StandardScaler()),
            make_column_selector(dtype_include="float"),
        ),
        (texts, ["town", "word", "size"]),
        ("passthrough", ["flag", "integer"]),
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=500))
    return model.fit(frame, contract.answer(frame, ("a", "b", "c"))), frame


def feature_union_with_sparse_output():
    frame = contract.texts(missing=False)
    union = make_union(
        OneHotEncoder(handle_unknown="ignore"),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    )
    return fitted(union, frame)


def feature_union_with_weights_and_passthrough():
    union = FeatureUnion(
        [
            ("scale", StandardScaler()),
            ("same", "passthrough"),
            ("none", "drop"),
            ("ranges", MinMaxScaler()),
        ],
        transformer_weights={"scale": 2.5},
    )
    return fitted(union, contract.numbers())


def feature_union_with_pandas_output():
    union = make_union(StandardScaler(), MinMaxScaler()).set_output(transform="pandas")
    return fitted(union, contract.numbers())


def search(searcher, *arguments, **keywords):
    def make():
        frame = contract.numbers()
        model = Pipeline([("scale", StandardScaler()), ("ridge", Ridge())])
        search = searcher(model, {"ridge__alpha": [0.1, 1.0, 10.0]}, **keywords)
        return search.fit(frame, contract.amount(frame)), frame

    return make


def search_in_a_pipeline():
    frame = contract.numbers()
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2)
    return make_pipeline(StandardScaler(), search).fit(frame, contract.answer(frame)), frame


class PMMLPipeline(Pipeline):
    """A stand-in by name: the package is under the AGPL, and no part of this project."""


PMMLPipeline.__module__ = "sklearn2pmml.pipeline"


def pipeline_for_pmml():
    frame = contract.numbers()
    model = PMMLPipeline([("scale", StandardScaler()), ("predict", LogisticRegression())])
    return model.fit(frame, contract.answer(frame)), frame


EXAMPLES = {
    make.__name__: make
    for make in (
        pipeline_with_passthrough,
        pipeline_for_pmml,
        pipeline_of_one_predictor,
        pipeline_in_a_pipeline,
        pipeline_on_an_array,
        pipeline_on_a_polars_frame,
        column_transformer_by_names,
        column_transformer_by_position_slice_and_mask,
        column_transformer_by_name_slice,
        column_transformer_by_function_and_selector,
        column_transformer_with_remainder_passed_through,
        column_transformer_passing_text_through,
        column_transformer_with_weights,
        column_transformer_on_float32,
        column_transformer_with_pandas_output,
        column_transformer_with_polars_output,
        column_transformer_in_a_column_transformer,
        column_transformer_before_a_classifier,
        column_transformer_with_sparse_output,
        sparse_columns_with_weights_before_a_classifier,
        column_transformer_of_pipelines_on_everything,
        feature_union_with_sparse_output,
        feature_union_with_weights_and_passthrough,
        feature_union_with_pandas_output,
        search_in_a_pipeline,
    )
} | {
    "grid_search": search(GridSearchCV, cv=2),
    "randomized_search": search(RandomizedSearchCV, n_iter=2, cv=2, random_state=0),
    "halving_grid_search": search(HalvingGridSearchCV, cv=2, random_state=0),
    "halving_random_search": search(HalvingRandomSearchCV, cv=2, random_state=0),
}


def test_search_without_refit_is_refused():
    frame = contract.numbers()
    search = GridSearchCV(Ridge(), {"alpha": [1.0, 2.0]}, refit=False)
    search.fit(frame, contract.amount(frame))
    assert "option `refit`" in contract.refused(search, frame)


def test_subclass_is_refused_by_the_name_of_its_step():
    class Shifted(StandardScaler):
        def transform(self, X):
            return super().transform(X) + 1

    frame = contract.numbers()
    message = contract.refused(make_pipeline(Shifted()).fit(frame), frame)
    assert "step `shifted`" in message
    assert "subclass of `sklearn.preprocessing.StandardScaler`" in message


def test_unknown_estimator_is_refused_with_the_nearest_that_is_known():
    class StandardScalar(StandardScaler.__base__):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return X

    message = contract.refused(StandardScalar(), contract.numbers())
    assert "did you mean `sklearn.preprocessing.StandardScaler`?" in message


class Mirror:
    """Known to nobody."""

    def fit(self, X):
        return self

    def transform(self, X):
        return -X


def test_no_other_class_is_named_where_none_is_alike():
    frame = contract.numbers()
    for model, reason in (
        (NMF(2), "it searches for all rows together"),
        (DBSCAN(), "neither `predict` nor `transform`"),
        (EmpiricalCovariance(), "neither `predict` nor `transform`"),
        (Mirror(), "is not supported;"),
    ):
        message = contract.refused(model.fit(frame.abs()), frame)
        assert reason in message
        assert "did you mean" not in message


def test_trees_behind_what_is_not_exact_are_refused_with_advice():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(300, 4)), columns=list("abcd"))
    frame["b"] = frame["b"].round(1)
    target = frame["a"] + frame["b"] ** 2 > 0.5
    for step in (SplineTransformer(), PCA(2)):
        trees = HistGradientBoostingClassifier()
        message = contract.refused(make_pipeline(step, trees).fit(frame, target), frame)
        assert f"cut at numbers of `{type(step).__name__.lower()}`" in message
        rounding = FunctionTransformer(np.round, kw_args={"decimals": 9})
        penstock.convert(make_pipeline(step, rounding, trees).fit(frame, target), frame)


def test_unfitted_model_is_refused():
    assert "not fitted" in contract.refused(StandardScaler(), contract.numbers())


def test_columns_that_no_step_reads_may_be_anything():
    frame = contract.mixed()
    columns = ColumnTransformer([("scale", StandardScaler(), ["large"])]).fit(frame)
    model = penstock.convert(columns, frame)
    assert model.schema["word"].type == "ignored"
    row = {"large": 1.0, "word": [1, 2]}
    assert model.predict(row) == model.predict({"large": 1.0})


def weighted(frame, weight, **options):
    columns = ColumnTransformer(
        [("kept", "passthrough", list(frame.columns))], transformer_weights={"kept": weight}
    )
    return contract.refused(columns.set_output(**options).fit(frame), frame)


def test_a_whole_weight_of_small_integers_is_refused():
    frame = contract.mixed()[["integer"]].astype("int8")
    message = weighted(frame, 3)
    assert "option `transformer_weights`: 3 is whole" in message and "give 3.0" in message


def test_a_weight_of_float32_in_polars_is_refused():
    frame = pl.from_pandas(contract.numbers(dtype="float32"))
    assert "polars weighs other numbers than float64" in weighted(frame, 3, transform="polars")


def test_texts_in_a_sparse_matrix_are_refused():
    frame = pd.DataFrame({"code": ["1", "2", "1", "3"], "size": [0.0, 0.0, 0.0, 1.0]})
    columns = make_column_transformer(
        ("passthrough", ["code"]), (OneHotEncoder(), ["size"]), sparse_threshold=1
    )
    message = contract.refused(columns.fit(frame), frame)
    assert "turns texts to numbers" in message
