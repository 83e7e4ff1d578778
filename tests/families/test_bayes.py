"""Naive Bayes beside scikit-learn."""

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

import penstock
from tests import contract

TEXTS, NUMBERS, FLAGS = ("no", "yes"), (30, 10, 20), (False, True)


def counts(dtype="float64"):
    frame = contract.numbers()
    return frame[["counts", "constant"]].assign(more=frame["counts"] ** 2).astype(dtype)


def categories(dtype="float64"):
    frame = contract.mixed(missing=False)
    return frame[["counts", "flag"]].assign(grade=frame["integer"] // 10 + 1).astype(dtype)


def classifier(estimator, frame, classes=TEXTS):
    return lambda: (estimator.fit(frame(), contract.answer(contract.numbers(), classes)), frame())


def singles():
    return contract.numbers(dtype="float32").to_numpy()


def wide():
    """More columns than numpy adds one after the other."""
    frame = contract.numbers()
    return frame.join(frame.add_suffix("_again")).join(frame.add_suffix("_thrice"))


def sparse(estimator):
    frame = contract.mixed(missing=False)
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["color", "size", "town"]),
        ("passthrough", ["counts"]),
        sparse_threshold=1.0,
    )
    return make_pipeline(columns, estimator).fit(frame, contract.answer(frame)), frame


def ordinal():
    frame = contract.mixed(missing=False)[["color", "size", "town"]]
    model = make_pipeline(OrdinalEncoder(), CategoricalNB())
    return model.fit(frame, contract.answer(contract.numbers(), NUMBERS)), frame


EXAMPLES = {
    "gaussian": classifier(GaussianNB(), contract.numbers),
    "gaussian_of_three_with_priors": classifier(
        GaussianNB(priors=[0.5, 0.2, 0.3]), contract.numbers, NUMBERS
    ),
    "gaussian_with_smoothing": classifier(GaussianNB(var_smoothing=0.1), contract.numbers, FLAGS),
    "gaussian_of_many_columns": classifier(GaussianNB(), wide, NUMBERS),
    "gaussian_on_float32": classifier(GaussianNB(), singles),
    "gaussian_on_integers": classifier(GaussianNB(), lambda: categories("int64")),
    "multinomial": classifier(MultinomialNB(), counts, NUMBERS),
    "multinomial_without_a_prior": classifier(MultinomialNB(alpha=0.1, fit_prior=False), counts),
    "multinomial_on_a_sparse_matrix": lambda: sparse(MultinomialNB()),
    "complement": classifier(ComplementNB(), counts, NUMBERS),
    "complement_with_norm": classifier(ComplementNB(norm=True), lambda: counts("float32")),
    "bernoulli": classifier(BernoulliNB(), contract.numbers, NUMBERS),
    "bernoulli_with_a_threshold": classifier(BernoulliNB(binarize=0.25), contract.numbers),
    "bernoulli_with_a_threshold_in_float32": classifier(BernoulliNB(binarize=0.1), singles),
    "bernoulli_without_a_threshold": classifier(
        BernoulliNB(binarize=None), lambda: contract.mixed(missing=False)[["flag"]]
    ),
    "bernoulli_on_a_sparse_matrix": lambda: sparse(BernoulliNB(alpha=0.5)),
    "categorical": classifier(CategoricalNB(), categories, NUMBERS),
    "categorical_on_integers": classifier(
        CategoricalNB(min_categories=30, class_prior=[0.3, 0.7]), lambda: categories("int32")
    ),
    "categorical_behind_an_encoder": ordinal,
}


def test_numbers_are_cut_to_categories():
    model, frame = EXAMPLES["categorical"]()
    row = dict(frame.iloc[0])
    contract.same(model, frame, [row | {"counts": value} for value in (0.0, -0.9, 0.9, 1.999)])


@pytest.mark.parametrize("value", [-1.0, 1e9, 1e300])
def test_categories_that_were_never_seen_are_refused(value):
    model, frame = EXAMPLES["categorical"]()
    with pytest.raises(penstock.DataError, match="`counts`"):
        penstock.convert(model, frame).predict(dict(frame.iloc[0]) | {"counts": value})


def test_shares_of_zero_are_refused():
    frame = categories()
    model = CategoricalNB(alpha=0.0, force_alpha=True)
    model.fit(frame, contract.answer(contract.numbers()))
    assert "`alpha`" in contract.refused(model, frame)


def test_a_threshold_below_zero_is_refused_for_sparse_matrices():
    model, frame = sparse(BernoulliNB(binarize=0.0))
    model[-1].binarize = -1.0
    assert "`binarize`" in contract.refused(model, frame)


def test_densities_are_those_of_the_variance():
    frame = contract.numbers()[["normal"]]
    model = GaussianNB().fit(frame, contract.answer(contract.numbers()))
    model.theta_[:], model.var_[:] = [[0.0], [1.0]], [[1.0], [4.0]]
    model.class_prior_ = np.array([0.5, 0.5])
    raw = penstock.convert(model, frame).predict({"normal": 3.0})["raw"]
    half = np.log(0.5)
    assert raw["no"] == pytest.approx(half - 0.5 * np.log(2 * np.pi) - 4.5, rel=1e-14)
    assert raw["yes"] == pytest.approx(half - 0.5 * np.log(8 * np.pi) - 0.5, rel=1e-14)
