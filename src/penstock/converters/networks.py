"""scikit-learn's multi-layer perceptrons: layers of dot products and functions of each number."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.converters.context import Context
from penstock.converters.scores import class_labels, complement, largest, link, softmax
from penstock.converters.validation import sized
from penstock.converters.values import (
    Answer,
    Ask,
    Prediction,
    Value,
    codes,
    labels,
    number,
    numbers,
    numeric_columns,
)

__all__ = ["CONVERTERS"]

PROBABILITY = Ask("predict_proba")
# The order of sums is a detail of the BLAS, and each layer adds what the one before has got wrong:
# sums of terms a hundred times as large as themselves, over a few layers; in float32 likewise.
NETWORK_TOLERANCE = 1e-10
SINGLE_TOLERANCE = 1e-4


def mlp_regressor(estimator: Any, value: Value, context: Context) -> Prediction:
    """What the last layer gives, for one target or several."""
    outputs = _outputs(estimator, value, context)
    if outputs.width == 1:
        return Prediction((number("value", outputs),))
    return Prediction((numbers("value", outputs, range(outputs.width), Ask("predict")),))


def mlp_classifier(estimator: Any, value: Value, context: Context) -> Prediction:
    """Of two classes the second above a half, of more the largest; of labels each by itself."""
    shares = _outputs(estimator, value, context)
    # sklearn/preprocessing/_label.py, `LabelBinarizer.inverse_transform`.
    if estimator._label_binarizer.y_type_.startswith("multilabel"):
        return Prediction(_several_labels(shares, context))
    classes = class_labels(estimator.classes_, context)
    if shares.width == 1:
        code = context.add("above", shares, codes(1), threshold=0.5)
        shares = complement(shares, context)
    else:
        code = largest(shares, context)
    return Prediction(
        (
            labels(code, classes, decided_by="probability"),
            numbers("probability", shares, classes, PROBABILITY),
        )
    )


def _several_labels(shares: Value, context: Context) -> tuple[Answer, ...]:
    answers: list[Answer] = []
    for at in range(shares.width):
        share, pick, name = context.select(shares, [at]), _column(at), f"probability_{at}"
        answers += [
            labels(
                context.add("above", share, codes(1), threshold=0.5),
                (0, 1),
                name=f"label_{at}",
                ask=Ask("predict", pick=pick),
                decided_by=name,
                rivals=lambda shares: (shares[0], 0.5),
            ),
            number(name, share, Ask("predict_proba", pick=pick)),
        ]
    return tuple(answers)


def _outputs(estimator: Any, value: Value, context: Context) -> Value:
    """sklearn/neural_network/_multilayer_perceptron.py, `_forward_pass_fast`."""
    import numpy

    single = value.precision == "f32" and estimator.coefs_[0].dtype == numpy.float32
    result = context.require(context.number(value), precision=value.precision)
    layers = zip(estimator.coefs_, estimator.intercepts_, strict=True)
    for at, (coefficients, intercepts) in enumerate(layers):
        result = context.add(
            "linear",
            result,
            numeric_columns(len(intercepts)),
            tolerance=SINGLE_TOLERANCE if single else NETWORK_TOLERANCE,
            coefficients=coefficients.T.astype("float64"),
            intercepts=intercepts.astype("float64"),
        )
        if single:
            result = context.cast(result, "f32")
        last = at == len(estimator.coefs_) - 1
        name = estimator.out_activation_ if last else estimator.activation
        if name not in ACTIVATIONS:
            context.refuse(f"`{name}` is not known", option="activation")
        result = ACTIVATIONS[name](result, context)
    return result


def _rectified(value: Value, context: Context) -> Value:
    import numpy

    return context.add(
        "clip",
        value,
        value.columns,
        minimum=numpy.zeros(value.width),
        maximum=numpy.full(value.width, numpy.inf),
        precision=value.precision,
    )


def _column(at: int) -> Callable[[Any], Any]:
    return lambda answer: answer[:, at]


# sklearn/neural_network/_base.py, `ACTIVATIONS`.
ACTIVATIONS: dict[str, Callable[[Value, Context], Value]] = {
    "exp": lambda value, context: link(value, "exp", context),
    "identity": lambda value, context: value,
    "logistic": lambda value, context: link(value, "sigmoid", context),
    "relu": _rectified,
    "softmax": softmax,
    "tanh": lambda value, context: link(value, "tanh", context),
}

CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {
        "sklearn.neural_network.MLPClassifier": mlp_classifier,
        "sklearn.neural_network.MLPRegressor": mlp_regressor,
    }
)
