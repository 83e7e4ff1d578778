"""Support vector machines beside scikit-learn."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM

import penstock
from tests import contract

TEXTS, NUMBERS, FLAGS = ("no", "yes"), (30, 10, 20), (False, True)
FOUR = tuple("abcd")


def scaled(dtype="float64"):
    frame = contract.numbers()
    frame["large"] = np.log(frame["large"])
    return frame.astype(dtype)


def classifier(estimator, classes=TEXTS, frame=scaled):
    return lambda: (estimator.fit(frame(), contract.answer(scaled(), classes)), frame())


def regressor(estimator, frame=scaled):
    return lambda: (estimator.fit(frame(), contract.amount(scaled())), frame())


def singles():
    return scaled("float32").to_numpy()


EXAMPLES = {
    **{f"svc_{kernel}": classifier(SVC(kernel=kernel)) for kernel in ("linear", "rbf", "sigmoid")},
    "svc_poly": classifier(SVC(kernel="poly", degree=2, coef0=1.0), FLAGS),
    "svc_of_three": classifier(SVC(C=2.0), NUMBERS),
    "svc_of_four_with_ties_broken": classifier(SVC(break_ties=True), FOUR),
    "svc_of_four_by_pairs": classifier(SVC(decision_function_shape="ovo", gamma=0.1), FOUR),
    "svc_with_class_weights": classifier(SVC(class_weight="balanced"), NUMBERS),
    "svc_behind_a_scaler": classifier(
        make_pipeline(StandardScaler(), SVC(gamma="auto")), frame=contract.numbers
    ),
    "svc_on_float32": classifier(SVC(), frame=singles),
    "svc_with_probability": classifier(SVC(probability=True, random_state=0)),
    "svc_of_four_with_probability": classifier(
        SVC(probability=True, random_state=0, decision_function_shape="ovo"), FOUR
    ),
    "nu_svc_with_probability": classifier(
        NuSVC(nu=0.3, probability=True, random_state=0, kernel="poly", degree=2), NUMBERS
    ),
    "nu_svc": classifier(NuSVC(nu=0.3), NUMBERS),
    "svr": regressor(SVR()),
    "svr_poly": regressor(SVR(kernel="poly")),
    "nu_svr": regressor(NuSVR(nu=0.3)),
    "one_class_svm": lambda: (OneClassSVM(nu=0.1).fit(scaled()), scaled()),
}


@pytest.mark.parametrize("kernel", ["precomputed", lambda left, right: left @ right.T])
def test_other_kernels_are_refused(kernel):
    frame = scaled()
    model = SVC().fit(frame, contract.answer(frame))
    model.kernel = kernel
    assert "`kernel`" in contract.refused(model, frame)


@pytest.mark.parametrize("classes", [TEXTS, NUMBERS])
def test_support_vectors_of_texts_are_sparse(classes):
    texts = [f"{'good' if at % 3 else 'bad'} word{at % 7} of {at % 5}" for at in range(60)]
    labels = [classes[at % len(classes)] for at in range(60)]
    model = make_pipeline(TfidfVectorizer(), SVC(probability=True, random_state=0))
    converted = penstock.convert(model.fit(texts, labels), texts)
    unknown = ["", "good", "bad bad word3", "none of these"]
    given = converted.predict(unknown)
    assert [row["label"] for row in given] == model.predict(unknown).tolist()
    shares = [list(row["probability"].values()) for row in given]
    np.testing.assert_allclose(shares, model.predict_proba(unknown), rtol=1e-9)


def test_a_machine_of_dense_rows_takes_no_sparse_matrix():
    frame = scaled()
    model = SVC().fit(frame.to_numpy(), contract.answer(frame))
    before = OneHotEncoder().fit(frame.round())
    model.n_features_in_ = len(before.get_feature_names_out())
    pipeline = make_pipeline(before, model)
    assert "sparse" in contract.refused(pipeline, frame.round())


def test_a_machine_of_a_sparse_matrix_takes_dense_rows():
    frame = scaled()
    model = SVC().fit(scipy.sparse.csr_array(frame.to_numpy()), contract.answer(frame, NUMBERS))
    converted = penstock.convert(model, frame.to_numpy())
    given = converted.predict(frame.to_numpy())
    assert given["label"].tolist() == model.predict(frame.to_numpy()).tolist()
