"""Scalers and row norms beside scikit-learn."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

import penstock
from tests import contract


def fitted(estimator, data=contract.numbers):
    def make():
        return estimator.fit(data()), data()

    return make


def missing():
    return contract.numbers(missing=True)


def single():
    return contract.numbers(missing=True, dtype="float32")


def array():
    return contract.numbers(missing=True).to_numpy()


def single_array():
    return contract.numbers(dtype="float32").to_numpy()


def integers():
    """Integers and booleans of every width, nullable ones and a category of numbers."""
    frame = contract.mixed(missing=False)[["integer", "flag"]]
    frame["small"] = frame["integer"].astype("int8")
    frame["nullable"] = frame["integer"].astype("Int64").mask(frame["integer"] > 40)
    frame["tested"] = frame["flag"].astype("boolean").mask(frame["integer"] == 3)
    frame["grade"] = pd.Categorical(frame["integer"] % 3)
    return frame


def small_integers_beside_float32():
    """As a memory-saving reader leaves them: all are scaled in float32."""
    frame = single()
    return frame.assign(counts=np.arange(len(frame), dtype="int16"))


def small_integers_beside_float32_in_polars():
    return pl.from_pandas(small_integers_beside_float32())


def sparse(*steps, dtype="float64"):
    """The steps behind a transformer that gives a sparse matrix."""

    def make():
        numbers = ["normal", "counts", "signed"]
        frame = contract.mixed()[[*numbers, "town", "size"]]
        frame = frame.astype(dict.fromkeys(numbers, dtype))
        columns = make_column_transformer(
            (SimpleImputer(), numbers),
            (OneHotEncoder(handle_unknown="ignore", dtype=dtype), ["town", "size"]),
            sparse_threshold=1.0,
        )
        return make_pipeline(columns, *steps).fit(frame), frame

    return make


def constant():
    """One row is all there is: no variance, and scales of one."""
    frame = contract.numbers()
    return frame.iloc[:1]


EXAMPLES = {
    "standard_scaler": fitted(StandardScaler()),
    "standard_scaler_with_missing_values": fitted(StandardScaler(), missing),
    "standard_scaler_of_float32": fitted(StandardScaler(), single),
    "standard_scaler_of_float32_and_small_integers": fitted(
        StandardScaler(), small_integers_beside_float32
    ),
    "robust_scaler_of_float32_and_small_integers_in_polars": fitted(
        RobustScaler(), small_integers_beside_float32_in_polars
    ),
    "standard_scaler_of_an_array": fitted(StandardScaler(), array),
    "standard_scaler_of_an_array_of_float32": fitted(StandardScaler(), single_array),
    "standard_scaler_of_integers": fitted(StandardScaler(), integers),
    "standard_scaler_of_one_row": fitted(StandardScaler(), constant),
    "standard_scaler_without_mean": fitted(StandardScaler(with_mean=False), missing),
    "standard_scaler_without_std": fitted(StandardScaler(with_std=False), single),
    "standard_scaler_without_both": fitted(StandardScaler(with_mean=False, with_std=False)),
    "standard_scaler_of_a_sparse_matrix": sparse(StandardScaler(with_mean=False)),
    "standard_scaler_into_a_frame": fitted(StandardScaler().set_output(transform="pandas")),
    "min_max_scaler": fitted(MinMaxScaler(), missing),
    "min_max_scaler_of_float32": fitted(MinMaxScaler((0.1, 0.7)), single),
    "min_max_scaler_that_clips": fitted(MinMaxScaler((-1, 2), clip=True), missing),
    "min_max_scaler_that_clips_float32": fitted(MinMaxScaler((0.1, 0.7), clip=True), single),
    "max_abs_scaler": fitted(MaxAbsScaler(), missing),
    "max_abs_scaler_of_float32": fitted(MaxAbsScaler(), single),
    "max_abs_scaler_that_clips": fitted(MaxAbsScaler(clip=True), missing),
    "max_abs_scaler_of_a_sparse_matrix": sparse(MaxAbsScaler(clip=True)),
    "robust_scaler": fitted(RobustScaler(), missing),
    "robust_scaler_of_float32": fitted(RobustScaler(quantile_range=(10, 80)), single),
    "robust_scaler_fitted_on_float64_for_float32": lambda: (
        RobustScaler().fit(contract.numbers()),
        single(),
    ),
    "robust_scaler_without_centering": fitted(RobustScaler(with_centering=False), array),
    "robust_scaler_without_scaling": fitted(RobustScaler(with_scaling=False)),
    "robust_scaler_with_unit_variance": fitted(RobustScaler(unit_variance=True)),
    "robust_scaler_of_a_sparse_matrix": sparse(RobustScaler(with_centering=False)),
    "normalizer": fitted(Normalizer()),
    "normalizer_of_float32": fitted(Normalizer(), single_array),
    "normalizer_by_sums": fitted(Normalizer("l1")),
    "normalizer_by_sums_of_float32": fitted(Normalizer("l1"), single_array),
    "normalizer_by_maximum": fitted(Normalizer("max"), single_array),
    "normalizer_of_a_sparse_matrix": sparse(Normalizer()),
    "normalizer_of_a_sparse_matrix_by_sums": sparse(Normalizer("l1")),
    "normalizer_of_a_sparse_matrix_by_maximum": sparse(Normalizer("max")),
    "normalizer_of_a_sparse_matrix_of_float32": sparse(Normalizer(), dtype="float32"),
    "normalizer_of_a_sparse_matrix_of_float32_by_sums": sparse(Normalizer("l1"), dtype="float32"),
    "standard_scaler_of_a_sparse_matrix_of_float32": sparse(
        StandardScaler(with_mean=False), dtype="float32"
    ),
}


def test_rows_of_small_norm_are_left_alone():
    frame = contract.numbers()[["normal", "signed"]]
    for norm in ("l1", "l2", "max"):
        small = [{"normal": x, "signed": 0.0} for x in (0.0, 1e-300, 2e-15, 2.3e-15, -1e-14)]
        contract.same(Normalizer(norm).fit(frame), frame, small)


def test_sparse_rows_of_small_norm_are_scaled():
    pipeline, frame = sparse(Normalizer())()
    rows = [
        {"normal": x, "counts": 0.0, "signed": -0.0, "town": None, "size": "XL"}
        for x in (0.0, 1e-300, 2e-15, 1.0)
    ]
    contract.same(pipeline, frame, rows)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_bounds_are_kept_at_the_last_bit(dtype):
    frame = contract.numbers(dtype=dtype)[["normal"]]
    scaler = MinMaxScaler((0.1, 0.7), clip=True).fit(frame)
    low, high = float(scaler.data_min_[0]), float(scaler.data_max_[0])
    kind = np.dtype(dtype).type
    beside = [
        float(np.nextafter(kind(x), kind(to))) for x in (low, high) for to in (-np.inf, np.inf)
    ]
    contract.same(scaler, frame, [{"normal": x} for x in (low, high, *beside)])


def test_only_row_norms_have_a_tolerance():
    for scaler in (StandardScaler(), MinMaxScaler(), MaxAbsScaler(), RobustScaler()):
        model = penstock.convert(scaler.fit(contract.numbers()), contract.numbers())
        assert {output.tolerance for output in model.schema.outputs} == {0.0}
    for norm, tolerance in (("l2", 1e-12), ("l1", 1e-12), ("max", 0.0)):
        scaler = Normalizer(norm).fit(contract.numbers())
        model = penstock.convert(scaler, contract.numbers())
        assert {output.tolerance for output in model.schema.outputs} == {tolerance}


def test_infinity_is_refused():
    model = penstock.convert(StandardScaler().fit(contract.numbers()), contract.numbers())
    row = contract.numbers().iloc[0].to_dict() | {"normal": float("inf")}
    with pytest.raises(penstock.DataError, match="normal"):
        model.predict(row)


def test_missing_is_refused_by_row_norms():
    model = penstock.convert(Normalizer().fit(contract.numbers()), contract.numbers())
    row = contract.numbers().iloc[0].to_dict() | {"large": None}
    with pytest.raises(penstock.DataError, match="large"):
        model.predict(row)


def test_centering_a_sparse_matrix_is_refused():
    pipeline, frame = sparse(StandardScaler(with_mean=False))()
    pipeline[-1].with_mean = True
    assert "option `with_mean`: cannot center" in contract.refused(pipeline, frame)


def test_a_sparse_matrix_is_refused_by_min_max_scaler():
    pipeline, frame = sparse(MaxAbsScaler())()
    pipeline.steps[-1] = ("minmaxscaler", MinMaxScaler().fit(np.eye(pipeline[-1].n_features_in_)))
    assert "takes no sparse matrix" in contract.refused(pipeline, frame)


def test_text_is_refused():
    frame = contract.numbers()
    message = contract.refused(StandardScaler().fit(frame), frame.assign(normal="text"))
    assert "column `normal` is text" in message


def test_float32_beside_booleans_is_refused():
    frame = contract.numbers(dtype="float32").assign(flag=True)
    message = contract.refused(StandardScaler().fit(frame), frame)
    assert "columns of float32 and of bool together" in message


def test_another_number_of_columns_is_refused():
    scaler = StandardScaler().fit(contract.numbers().to_numpy())
    message = contract.refused(scaler, contract.numbers().to_numpy()[:, :3])
    assert "was fitted on 5 columns and gets 3" in message


def test_float16_is_refused():
    frame = contract.numbers()[["signed"]]
    pipeline = make_pipeline(OrdinalEncoder(dtype=np.float16), StandardScaler()).fit(frame)
    assert "step `standardscaler`: computes in float16" in contract.refused(pipeline, frame)
