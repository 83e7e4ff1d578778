"""Discretizers beside scikit-learn."""

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer, KBinsDiscretizer, OneHotEncoder

import penstock
from tests import contract

# Columns without variance and bins without width are meant.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def fitted(estimator, data=contract.numbers):
    def make():
        return estimator.fit(data()), data()

    return make


def bins(*, data=contract.numbers, **options):
    return fitted(KBinsDiscretizer(subsample=None, random_state=0, **options), data)


def single():
    return contract.numbers(dtype="float32")


def array():
    return contract.numbers().to_numpy()


def integers():
    frame = contract.mixed(missing=False)[["integer", "flag"]]
    frame["nullable"] = frame["integer"].astype("Int64")
    return frame


def booleans():
    return contract.mixed(missing=False)[["flag"]]


def integer_array():
    return contract.mixed(missing=False)[["integer", "counts"]].to_numpy().astype("int64")


def weighted():
    frame = contract.numbers()
    weights = np.random.default_rng(5).integers(0, 4, size=len(frame)).astype(float)
    discretizer = KBinsDiscretizer(n_bins=4, encode="ordinal")
    return discretizer.fit(frame, sample_weight=weights), frame


def sparse_binarizer():
    frame = contract.mixed()[["town", "size"]]
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["town", "size"]))
    return make_pipeline(columns, Binarizer(threshold=0.5)).fit(frame), frame


EXAMPLES = {
    "binarizer": fitted(Binarizer()),
    "binarizer_with_threshold": fitted(Binarizer(threshold=0.25)),
    "binarizer_with_negative_threshold": fitted(Binarizer(threshold=-1.5), array),
    "binarizer_of_float32": fitted(Binarizer(threshold=0.1), single),
    "binarizer_of_float32_with_numpy_threshold": fitted(
        Binarizer(threshold=np.float64(0.1)), single
    ),
    "binarizer_of_float32_with_float32_threshold": fitted(
        Binarizer(threshold=np.float32(0.1)), single
    ),
    "binarizer_of_integers": fitted(Binarizer(threshold=3), integers),
    "binarizer_of_booleans": fitted(Binarizer(), booleans),
    "binarizer_of_an_array_of_integers": fitted(Binarizer(threshold=2.5), integer_array),
    "binarizer_of_a_sparse_matrix": sparse_binarizer,
    "k_bins_discretizer": bins(),
    "k_bins_discretizer_to_a_dense_array": bins(encode="onehot-dense"),
    "k_bins_discretizer_to_ordinals": bins(encode="ordinal"),
    "k_bins_discretizer_of_equal_width": bins(strategy="uniform", encode="ordinal"),
    "k_bins_discretizer_by_k_means": bins(strategy="kmeans", n_bins=4),
    "k_bins_discretizer_of_other_quantiles": bins(
        quantile_method="linear", n_bins=[2, 7, 3, 5, 4], encode="ordinal"
    ),
    "k_bins_discretizer_of_float32": bins(data=single, encode="ordinal"),
    "k_bins_discretizer_into_float32": bins(dtype=np.float32, encode="ordinal"),
    "k_bins_discretizer_into_float64": bins(dtype=np.float64, data=single),
    "k_bins_discretizer_into_one_hot_float32": bins(dtype=np.float32, encode="onehot-dense"),
    "k_bins_discretizer_of_integers": bins(data=integers, n_bins=3),
    "k_bins_discretizer_of_an_array": bins(data=array, n_bins=3, encode="onehot-dense"),
    "k_bins_discretizer_of_weighted_rows": weighted,
    "k_bins_discretizer_of_a_sample": fitted(
        KBinsDiscretizer(subsample=100, random_state=0, encode="ordinal")
    ),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_edges_belong_to_the_upper_bin(dtype):
    frame = contract.numbers(dtype=dtype)[["normal", "signed"]]
    discretizer = KBinsDiscretizer(encode="ordinal").fit(frame)
    edges = [float(edge) for edge in discretizer.bin_edges_[0]]
    beside = [float(np.nextafter(edge, to)) for edge in edges for to in (-np.inf, np.inf)]
    rows = [{"normal": x, "signed": 0.25} for x in (*edges, *beside, 1e300, -1e300, -0.0)]
    contract.same(discretizer, frame, rows)


def test_the_threshold_itself_is_below():
    for dtype in ("float64", "float32"):
        frame = contract.numbers(dtype=dtype)[["normal"]]
        single = float(np.float32(0.1))
        rows = [{"normal": x} for x in (0.1, single, 0.10000001, 0.09999999, np.nextafter(0.1, 1))]
        for threshold in (0.1, np.float64(0.1)):
            contract.same(Binarizer(threshold=threshold).fit(frame), frame, rows)


def test_a_threshold_below_zero_is_refused_for_sparse_matrices():
    pipeline, frame = sparse_binarizer()
    pipeline[-1].threshold = -1
    assert "option `threshold`: a sparse matrix" in contract.refused(pipeline, frame)


def test_an_infinite_threshold_is_refused():
    frame = contract.numbers()
    message = contract.refused(Binarizer(threshold=np.inf).fit(frame), frame)
    assert "option `threshold`: inf is not a finite number" in message


def test_a_float32_threshold_for_float64_is_refused():
    frame = contract.numbers()
    message = contract.refused(Binarizer(threshold=np.float32(0.1)).fit(frame), frame)
    assert "option `threshold`: a numpy.float32 compares in float32" in message


def test_missing_is_refused():
    frame = contract.numbers()
    for estimator in (Binarizer(), KBinsDiscretizer()):
        model = penstock.convert(estimator.fit(frame), frame)
        with pytest.raises(penstock.DataError, match="signed"):
            model.predict(frame.iloc[0].to_dict() | {"signed": None})


def test_numbers_that_float32_cannot_hold_are_refused():
    frame = contract.numbers()
    model = penstock.convert(KBinsDiscretizer(dtype=np.float32).fit(frame), frame)
    with pytest.raises(penstock.DataError, match="large"):
        model.predict(frame.iloc[0].to_dict() | {"large": 3.5e38})


def test_sparse_output_into_a_frame_is_refused():
    frame = contract.numbers()
    discretizer = KBinsDiscretizer().set_output(transform="pandas")
    assert "set_output" in contract.refused(discretizer.fit(frame), frame)
