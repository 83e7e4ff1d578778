"""Linear models beside scikit-learn."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.compose import make_column_transformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import (
    ARDRegression,
    BayesianRidge,
    ElasticNet,
    ElasticNetCV,
    GammaRegressor,
    HuberRegressor,
    Lars,
    LarsCV,
    Lasso,
    LassoCV,
    LassoLars,
    LassoLarsCV,
    LassoLarsIC,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    MultiTaskElasticNet,
    MultiTaskElasticNetCV,
    MultiTaskLasso,
    MultiTaskLassoCV,
    OrthogonalMatchingPursuit,
    OrthogonalMatchingPursuitCV,
    PassiveAggressiveClassifier,
    PassiveAggressiveRegressor,
    Perceptron,
    PoissonRegressor,
    QuantileRegressor,
    RANSACRegressor,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
    SGDClassifier,
    SGDRegressor,
    TheilSenRegressor,
    TweedieRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC, LinearSVR

import penstock
from tests import contract

TEXTS, NUMBERS, FLAGS = ("no", "yes"), (30, 10, 20), (False, True)
# Far more classes than numpy adds one after the other.
MANY = tuple("abcdefghijkl")


def scaled(dtype="float64"):
    """Numbers on one scale: scores that are sums of huge terms are as inexact as these."""
    frame = contract.numbers()
    frame["large"] = np.log(frame["large"])
    return frame.astype(dtype)


def classifier(estimator, classes=TEXTS, frame=None):
    def make():
        data = scaled() if frame is None else frame()
        return estimator.fit(data, contract.answer(scaled(), classes)), data

    return make


def regressor(estimator, target=lambda amount: amount, frame=None):
    def make():
        data = scaled() if frame is None else frame()
        return estimator.fit(data, target(contract.amount(scaled()))), data

    return make


def two(amount):
    return np.stack([amount, -3 * amount], axis=1)


def one_column(amount):
    return amount[:, np.newaxis]


def positive(amount):
    return np.abs(amount) + 0.1


def labels(matrix=np.asarray):
    frame = scaled()
    amount = contract.amount(frame)
    return matrix(np.stack([amount > 2, amount > 3, frame["signed"] > 0], axis=1).astype(int))


def singles():
    return scaled("float32").to_numpy()


def mixed():
    return contract.mixed(missing=False)[["integer", "flag", "normal", "signed"]]


def sparsified(estimator, target):
    frame = scaled()
    return estimator.fit(frame, target(frame)).sparsify(), frame


def small_integers_beside_float32():
    return scaled("float32").assign(counts=np.arange(300, dtype="int8"))


def one_hot_behind_a_logarithm():
    """The logarithm of 0 is infinite, and comes of no row that is not refused."""
    frame = contract.numbers()[["signed", "constant"]]
    columns = make_column_transformer(
        (make_pipeline(OneHotEncoder(sparse_output=False), FunctionTransformer(np.log)), [1]),
        remainder="passthrough",
    )
    return make_pipeline(columns, LinearRegression()).fit(frame, contract.amount(frame)), frame


def of_booleans(estimator, *, array=False):
    """scikit-learn makes float32 of them in fitting, and multiplies in float32."""

    def make():
        frame = contract.mixed(missing=False)
        flags = pd.DataFrame({"flag": frame["flag"], "many": frame["integer"] > 20})
        amount = flags["flag"] * 1.5 + contract.amount(contract.numbers())
        data = flags.to_numpy() if array else flags
        return estimator.fit(data, amount), data

    return make


EXAMPLES = {
    "linear_regression_on_one_hot_behind_a_logarithm": one_hot_behind_a_logarithm,
    "linear_regression": regressor(LinearRegression()),
    "linear_regression_of_two_targets": regressor(LinearRegression(), two),
    "linear_regression_of_a_matrix_of_one_target": regressor(LinearRegression(), one_column),
    "linear_regression_without_intercept": regressor(
        LinearRegression(fit_intercept=False, positive=True), two
    ),
    "linear_regression_on_float32": regressor(LinearRegression(), frame=singles),
    "linear_regression_on_float32_and_small_integers": regressor(
        LinearRegression(), frame=small_integers_beside_float32
    ),
    "linear_regression_on_mixed_dtypes": regressor(LinearRegression(), frame=mixed),
    "ridge": regressor(Ridge()),
    "ridge_of_two_targets": regressor(Ridge(alpha=[1.0, 2.0]), two),
    "ridge_cv": regressor(RidgeCV()),
    "ridge_cv_with_alpha_per_target": regressor(RidgeCV(alpha_per_target=True), two),
    "lasso": regressor(Lasso(alpha=0.01)),
    "lasso_of_a_matrix_of_one_target": regressor(Lasso(alpha=0.01), one_column),
    "lasso_cv": regressor(LassoCV(alphas=5, cv=2)),
    "elastic_net": regressor(ElasticNet(alpha=0.01)),
    "elastic_net_of_two_targets": regressor(ElasticNet(alpha=0.01), two),
    "elastic_net_cv": regressor(ElasticNetCV(alphas=5, cv=2)),
    "sgd_regressor": regressor(SGDRegressor(loss="huber", random_state=0)),
    "sgd_regressor_sparsified": lambda: sparsified(
        SGDRegressor(penalty="l1", random_state=0), contract.amount
    ),
    "linear_svr": regressor(LinearSVR(random_state=0)),
    "linear_svr_without_intercept": regressor(LinearSVR(fit_intercept=False, random_state=0)),
    "linear_discriminant": classifier(LinearDiscriminantAnalysis()),
    "linear_discriminant_of_three": classifier(
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"), NUMBERS
    ),
    "linear_discriminant_before_a_classifier": classifier(
        make_pipeline(LinearDiscriminantAnalysis(n_components=2), LogisticRegression()),
        NUMBERS,
    ),
    "linear_discriminant_by_eigenvalues_before_a_classifier": classifier(
        make_pipeline(LinearDiscriminantAnalysis(solver="eigen"), LogisticRegression()),
        NUMBERS,
        lambda: scaled().drop(columns="constant"),
    ),
    "ransac_regressor": regressor(RANSACRegressor(random_state=0)),
    "ransac_regressor_of_ridge_on_mixed_dtypes": regressor(
        RANSACRegressor(Ridge(), min_samples=50, random_state=0), frame=mixed
    ),
    "passive_aggressive_classifier": classifier(
        PassiveAggressiveClassifier(random_state=0), NUMBERS
    ),
    "perceptron": classifier(Perceptron(random_state=0)),
    **{
        f"{name}": regressor(estimator)
        for name, estimator in {
            "ard_regression": ARDRegression(max_iter=20),
            "bayesian_ridge": BayesianRidge(),
            "huber_regressor": HuberRegressor(max_iter=1000),
            "lars": Lars(),
            "lars_cv": LarsCV(cv=2),
            "lasso_lars": LassoLars(alpha=0.01),
            "lasso_lars_cv": LassoLarsCV(cv=2),
            "lasso_lars_ic": LassoLarsIC(),
            "orthogonal_matching_pursuit": OrthogonalMatchingPursuit(n_nonzero_coefs=2),
            "orthogonal_matching_pursuit_cv": OrthogonalMatchingPursuitCV(cv=2),
            "passive_aggressive_regressor": PassiveAggressiveRegressor(random_state=0),
            "quantile_regressor": QuantileRegressor(alpha=0.01),
            "theil_sen_regressor": TheilSenRegressor(max_subpopulation=50, random_state=0),
        }.items()
    },
    **{
        f"{name}_of_two_targets": regressor(estimator, two)
        for name, estimator in {
            "lars": Lars(),
            "multi_task_elastic_net": MultiTaskElasticNet(alpha=0.01),
            "multi_task_elastic_net_cv": MultiTaskElasticNetCV(alphas=3, cv=2),
            "multi_task_lasso": MultiTaskLasso(alpha=0.01),
            "multi_task_lasso_cv": MultiTaskLassoCV(alphas=3, cv=2),
        }.items()
    },
    "lars_cv_of_booleans": of_booleans(LarsCV(cv=2)),
    "lars_cv_of_an_array_of_booleans": of_booleans(LarsCV(cv=2), array=True),
    "lasso_lars_cv_of_booleans": of_booleans(LassoLarsCV(cv=2)),
    "orthogonal_matching_pursuit_cv_of_booleans": of_booleans(OrthogonalMatchingPursuitCV(cv=2)),
    "poisson_regressor": regressor(PoissonRegressor(), positive),
    "poisson_regressor_on_float32": regressor(PoissonRegressor(), positive, singles),
    "gamma_regressor": regressor(GammaRegressor(), positive),
    "logistic_regression_of_text": classifier(LogisticRegression()),
    "logistic_regression_of_booleans_by_liblinear": classifier(
        LogisticRegression(solver="liblinear"), FLAGS
    ),
    "logistic_regression_of_integers": classifier(LogisticRegression(), NUMBERS),
    "logistic_regression_of_many_classes": classifier(LogisticRegression(), MANY),
    "logistic_regression_on_float32": classifier(LogisticRegression(), NUMBERS, singles),
    "logistic_regression_of_two_on_float32": classifier(LogisticRegression(), TEXTS, singles),
    "logistic_regression_fitted_on_float64_and_asked_in_float32": lambda: (
        LogisticRegression().fit(scaled().to_numpy(), contract.answer(scaled())),
        singles(),
    ),
    "logistic_regression_cv": classifier(LogisticRegressionCV(cv=2, Cs=2), NUMBERS),
    "logistic_regression_cv_of_two": classifier(LogisticRegressionCV(cv=2, Cs=2)),
    "sgd_classifier_with_log_loss": classifier(SGDClassifier(loss="log_loss", random_state=0)),
    "sgd_classifier_with_log_loss_of_many_classes": classifier(
        SGDClassifier(loss="log_loss", random_state=0), MANY
    ),
    "sgd_classifier_with_modified_huber": classifier(
        SGDClassifier(loss="modified_huber", alpha=0.1, random_state=0)
    ),
    "sgd_classifier_with_modified_huber_of_three": classifier(
        SGDClassifier(loss="modified_huber", alpha=0.1, random_state=0), NUMBERS
    ),
    "sgd_classifier_sparsified": lambda: sparsified(
        SGDClassifier(penalty="l1", random_state=0), contract.answer
    ),
    "linear_svc": classifier(LinearSVC(random_state=0)),
    "linear_svc_of_three_by_crammer_singer": classifier(
        LinearSVC(multi_class="crammer_singer", random_state=0), NUMBERS
    ),
    "ridge_classifier": classifier(RidgeClassifier(), FLAGS),
    "ridge_classifier_of_three": classifier(RidgeClassifier(), NUMBERS),
    "ridge_classifier_of_labels": lambda: (RidgeClassifier().fit(scaled(), labels()), scaled()),
    "ridge_classifier_of_sparse_labels": lambda: (
        RidgeClassifier().fit(scaled(), labels(scipy.sparse.csr_array)),
        scaled(),
    ),
    "ridge_classifier_cv": classifier(RidgeClassifierCV(), NUMBERS),
    **{
        f"tweedie_regressor_of_power_{power}_with_{link}_link": regressor(
            TweedieRegressor(power=power, link=link), positive
        )
        for power, link in ((0, "auto"), (0, "log"), (1.5, "auto"), (3, "identity"))
    },
    **{
        # The rate keeps squared losses from diverging.
        f"sgd_classifier_with_{loss}": classifier(
            SGDClassifier(loss=loss, learning_rate="constant", eta0=1e-3, random_state=0)
        )
        for loss in (
            "epsilon_insensitive",
            "hinge",
            "huber",
            "perceptron",
            "squared_epsilon_insensitive",
            "squared_error",
            "squared_hinge",
        )
    },
}


def test_every_loss_of_sgd_has_an_example():
    assert {f"sgd_classifier_with_{loss}" for loss in SGDClassifier.loss_functions} <= set(EXAMPLES)


def test_a_score_of_zero_is_the_first_class():
    frame = scaled()
    model = LogisticRegression().fit(frame, contract.answer(frame))
    model.coef_[:] = 0.0
    model.intercept_[:] = 0.0
    converted = penstock.convert(model, frame)
    row = dict(frame.iloc[0])
    assert converted.predict(row)["label"] == "no" == model.predict(frame[:1])[0]
    assert converted.predict(row)["probability"] == {"no": 0.5, "yes": 0.5}


def test_equal_scores_are_the_first_class():
    frame = scaled()
    model = LogisticRegression(max_iter=1000).fit(frame, contract.answer(frame, NUMBERS))
    model.coef_[:] = 0.0
    model.intercept_[:] = [-1.0, 2.0, 2.0]
    converted = penstock.convert(model, frame)
    assert converted.predict(dict(frame.iloc[0]))["label"] == 20 == model.predict(frame[:1])[0]


def test_scores_beyond_every_margin_share_equally():
    frame = scaled()
    model = SGDClassifier(loss="modified_huber", random_state=0)
    model.fit(frame, contract.answer(frame, NUMBERS))
    model.coef_[:] = 0.0
    model.intercept_[:] = -2.0
    shares = penstock.convert(model, frame).predict(dict(frame.iloc[0]))["probability"]
    assert list(shares.values()) == model.predict_proba(frame[:1])[0].tolist() == [1 / 3] * 3


def test_missing_values_are_refused_as_scikit_learn_does():
    frame = scaled()
    model = penstock.convert(Ridge().fit(frame, contract.amount(frame)), frame)
    with pytest.raises(penstock.DataError, match="`large`"):
        model.predict(dict(frame.iloc[0]) | {"large": None})


@pytest.mark.parametrize("estimator", [Lasso(alpha=0.01), ElasticNet(alpha=0.01)], ids=repr)
def test_infinite_and_missing_values_in_sparse_rows_of_lasso_are_answered(estimator):
    frame = contract.mixed(missing=False)[["color", "normal", "signed"]]
    columns = make_column_transformer(
        (OneHotEncoder(), ["color"]), remainder="passthrough", sparse_threshold=1.0
    )
    model = make_pipeline(columns, estimator).fit(frame, contract.amount(scaled()))
    converted = penstock.convert(model, frame)
    changed = [
        {"normal": np.inf},
        {"normal": -np.inf},
        {"normal": np.nan},
        {"normal": np.inf, "signed": np.inf},
        {"normal": np.inf, "signed": -np.inf},
    ]
    rows = frame[: len(changed)].copy()
    for at, values in enumerate(changed):
        rows.loc[rows.index[at], list(values)] = list(values.values())
    expected = model.predict(rows)
    assert np.isinf(expected).any() and np.isnan(expected).any()
    np.testing.assert_array_equal(converted.predict(rows)["value"], expected)


def test_infinite_values_in_sparse_rows_of_other_linear_models_are_refused():
    frame = contract.mixed(missing=False)[["color", "normal", "signed"]]
    columns = make_column_transformer(
        (OneHotEncoder(), ["color"]), remainder="passthrough", sparse_threshold=1.0
    )
    model = make_pipeline(columns, Ridge()).fit(frame, contract.amount(scaled()))
    with pytest.raises(penstock.DataError, match="`normal`"):
        penstock.convert(model, frame).predict(dict(frame.iloc[0]) | {"normal": np.inf})


def test_labels_that_are_no_scalars_are_refused_by_their_type():
    frame = scaled()
    days = np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[D]")
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(frame, contract.answer(frame))
    model[-1].classes_ = days
    message = contract.refused(model, frame)
    assert "step `logisticregression`" in message and "date" in message


def test_a_single_class_is_refused():
    frame = scaled()
    model = RidgeClassifier().fit(frame, contract.answer(frame))
    model.classes_ = model.classes_[:1]
    assert "`no` alone" in contract.refused(model, frame).replace("'", "`")


def test_text_columns_are_refused_by_name():
    frame = contract.texts(missing=False)
    model = LinearRegression().fit(contract.numbers().iloc[:, :3], np.arange(300.0))
    model.feature_names_in_ = np.array(frame.columns, dtype=object)
    assert "column `color` is text" in contract.refused(model, frame)


def test_shares_of_float32_are_even_where_all_underflow():
    array = contract.numbers().to_numpy(dtype="float32")[:, [0, 2, 4]]
    target = contract.answer(contract.numbers(), ("a", "b", "c"))
    model = SGDClassifier(loss="log_loss", random_state=0).fit(array, target)
    # Scores from -10 to -110: SciPy's `expit` is 0 below -88.7, and f32 goes on to -103.
    model.coef_[:] = 0
    model.coef_[:, 0] = -10
    rows = [{"x0": float(x), "x1": 0.0, "x2": 0.0} for x in range(1, 12)]
    contract.same(model, array, rows)
