"""Multi-layer perceptrons beside scikit-learn."""

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests import contract

TEXTS, NUMBERS, FLAGS = ("no", "yes"), (30, 10, 20), (False, True)
SMALL = {"hidden_layer_sizes": (7, 3), "max_iter": 20, "random_state": 0}


def scaled(dtype="float64"):
    frame = contract.numbers()
    frame["large"] = np.log(frame["large"])
    return frame.astype(dtype)


def singles():
    return scaled("float32").to_numpy()


def classifier(estimator, classes=TEXTS, frame=scaled):
    return lambda: (estimator.fit(frame(), contract.answer(scaled(), classes)), frame())


def regressor(estimator, target=lambda amount: amount, frame=scaled):
    return lambda: (estimator.fit(frame(), target(contract.amount(scaled()))), frame())


def two(amount):
    return np.stack([amount, -3 * amount], axis=1)


def several_labels():
    frame = scaled()
    matrix = np.stack([frame["normal"] > 0, frame["signed"] > 0], axis=1).astype(int)
    return MLPClassifier(**SMALL).fit(frame, matrix), frame


def sparse():
    frame = contract.mixed(missing=False)
    columns = make_column_transformer(
        (OneHotEncoder(), ["color", "size"]), ("passthrough", ["signed"]), sparse_threshold=1.0
    )
    return make_pipeline(columns, MLPClassifier(**SMALL)).fit(frame, contract.answer(frame)), frame


EXAMPLES = {
    **{
        f"mlp_classifier_with_{activation}": classifier(
            MLPClassifier(activation=activation, **SMALL)
        )
        for activation in ("identity", "logistic", "relu", "tanh")
    },
    "mlp_classifier_of_three": classifier(MLPClassifier(**SMALL), NUMBERS),
    "mlp_classifier_of_booleans_by_lbfgs": classifier(
        MLPClassifier(solver="lbfgs", **SMALL), FLAGS
    ),
    "mlp_classifier_of_several_labels": several_labels,
    "mlp_classifier_on_float32": classifier(MLPClassifier(**SMALL), NUMBERS, singles),
    "mlp_classifier_on_a_sparse_matrix": sparse,
    "mlp_classifier_behind_a_scaler": classifier(
        make_pipeline(StandardScaler(), MLPClassifier((20,), max_iter=20, random_state=0)),
        frame=contract.numbers,
    ),
    **{
        f"mlp_regressor_with_{activation}": regressor(MLPRegressor(activation=activation, **SMALL))
        for activation in ("identity", "logistic", "relu", "tanh")
    },
    "mlp_regressor_of_two_targets": regressor(MLPRegressor(**SMALL), two),
    "mlp_regressor_of_poisson": regressor(MLPRegressor(loss="poisson", **SMALL), np.abs),
    "mlp_regressor_without_a_hidden_layer": regressor(
        MLPRegressor(hidden_layer_sizes=(), max_iter=20, random_state=0)
    ),
    "mlp_regressor_on_float32": regressor(MLPRegressor(**SMALL), frame=singles),
}


def test_an_unknown_activation_is_refused():
    frame = scaled()
    model = MLPRegressor(**SMALL).fit(frame, contract.amount(frame))
    model.activation = "swish"
    assert "`activation`" in contract.refused(model, frame)
