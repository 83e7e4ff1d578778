"""Encoders of labels beside scikit-learn, as transformers of a table with one column."""

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import LabelBinarizer, LabelEncoder

import penstock
from tests import contract

# scikit-learn warns of tables where it expects a series.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")


def column(values, dtype=None):
    """A table of one column, and the labels as they are fitted."""
    return pd.DataFrame({"label": pd.Series(values * 5, dtype=dtype)})


def label(estimator, values, dtype=None, **options):
    def make():
        frame = column(values, dtype)
        return estimator(**options).fit(frame["label"]), frame

    return make


def label_of_array(estimator, values, dtype, **options):
    def make():
        array = np.array(values * 5, dtype=dtype)
        return estimator(**options).fit(array), array[:, np.newaxis]

    return make


EXAMPLES = {
    "label_encoder": label(LabelEncoder, ["b", "a", "Straße"], object),
    "label_encoder_of_none": label(LabelEncoder, ["b", None, "a"], object),
    "label_encoder_of_nan": label(LabelEncoder, ["b", np.nan, "a"], object),
    "label_encoder_of_strings": label(LabelEncoder, ["b", "a", None], "str"),
    "label_encoder_of_categories": label(LabelEncoder, ["b", "a"], "category"),
    "label_encoder_of_integers": label(LabelEncoder, [5, -1, 3]),
    "label_encoder_of_floats": label(LabelEncoder, [5.5, np.nan, 3.0]),
    "label_encoder_of_float32": label_of_array(LabelEncoder, [0.1, 0.7], "float32"),
    "label_encoder_of_booleans": label(LabelEncoder, [True, False]),
    "label_encoder_of_an_array_of_booleans": label_of_array(LabelEncoder, [True, False], bool),
    "label_encoder_of_one_boolean": label(LabelEncoder, [True]),
    "label_encoder_of_nullable_integers": label(LabelEncoder, [2, 1], "Int64"),
    "label_encoder_of_number_objects": label(LabelEncoder, [2, None, 1.5], object),
    "label_binarizer": label(LabelBinarizer, ["b", "a", "Straße"], object),
    "label_binarizer_of_two": label(LabelBinarizer, ["b", "a"], object),
    "label_binarizer_of_strings": label(LabelBinarizer, ["b", "a", "c"], "str"),
    "label_binarizer_of_texts_in_an_array": label_of_array(LabelBinarizer, ["b", "a"], object),
    "label_binarizer_of_integers": label(LabelBinarizer, [5, -1, 3], neg_label=-1, pos_label=2),
    "label_binarizer_of_two_integers": label(LabelBinarizer, [5, -1], neg_label=-3, pos_label=0),
    "label_binarizer_of_small_integers": label_of_array(LabelBinarizer, [5, -1, 3], "int8"),
    "label_binarizer_of_floats": label(LabelBinarizer, [5.0, -1.0, 3.0]),
    "label_binarizer_of_booleans": label(LabelBinarizer, [True, False], neg_label=-1),
    "label_binarizer_of_nullable_integers": label(LabelBinarizer, [2, 1, 3], "Int64"),
    "label_binarizer_into_a_sparse_matrix": label(
        LabelBinarizer, ["b", "a", "c"], object, sparse_output=True, pos_label=4
    ),
}


@pytest.mark.parametrize("dtype", ["<U2", "int8", "uint64"])
def test_labels_that_numpy_casts_are_refused(dtype):
    array = np.array([1, 2, 3], dtype=dtype)
    message = contract.refused(LabelEncoder().fit(array), array[:, np.newaxis])
    assert f"was fitted on labels of {dtype}" in message


@pytest.mark.parametrize("estimator", [LabelEncoder, LabelBinarizer])
def test_labels_in_several_columns_are_refused(estimator):
    frame = column(["a", "b", "c"], object)
    encoder = estimator().fit(frame["label"])
    assert "takes one column; the example has 2" in contract.refused(
        encoder, frame.assign(other="a")
    )


def test_a_single_label_is_refused_by_the_binarizer():
    frame = column(["a"], object)
    message = contract.refused(LabelBinarizer().fit(frame["label"]), frame)
    assert "was fitted on 1 labels" in message


def test_several_labels_at_once_are_refused_by_the_binarizer():
    binarizer = LabelBinarizer().fit(np.array([[1, 0], [0, 1]]))
    message = contract.refused(binarizer, column([1, 0]))
    assert "`multilabel-indicator`" in message


def test_labels_that_the_column_cannot_hold_are_refused_by_the_binarizer():
    array = np.array([1, 2, 5], dtype="int8")
    binarizer = LabelBinarizer(pos_label=1000).fit(array)
    message = contract.refused(binarizer, array[:, np.newaxis])
    assert "option `pos_label`: 1000 is no int8" in message


def test_fractions_are_refused_by_the_binarizer():
    frame = column([5.0, -1.0, 3.0])
    model = penstock.convert(LabelBinarizer().fit(frame["label"]), frame)
    assert model.predict({"label": 4.0}) == {"value": {-1.0: 0.0, 3.0: 0.0, 5.0: 0.0}}
    for label_ in (4.5, 1e300, float("inf"), None):
        with pytest.raises(penstock.DataError, match="label"):
            model.predict({"label": label_})


def test_labels_are_cut_to_integers_by_the_encoder():
    frame = column([5, -1, 3])
    encoder = LabelEncoder().fit(frame["label"])
    contract.same(encoder, frame, [{"label": x} for x in (3.9, -1.5, 5, 4.5, 1e300)])
