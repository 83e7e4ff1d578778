"""Functions as transformers, beside numpy and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

import penstock
from tests import contract


def fitted(transformer, frame):
    return transformer.fit(frame), frame


def function_transformer_without_a_function():
    return fitted(FunctionTransformer(), contract.mixed().drop(columns="size"))


def function_transformer_with_validation():
    return fitted(FunctionTransformer(np.square, validate=True), contract.numbers())


def function(name, ufunc, low=-3.0, high=3.0):
    def make():
        array = np.random.default_rng(0).uniform(low, high, size=(100, 2))
        return fitted(FunctionTransformer(ufunc), array)

    return name, make


FUNCTIONS = dict(
    [
        *(
            function(f"function_transformer_{ufunc.__name__}", ufunc)
            for ufunc in (
                *(np.absolute, np.fabs, np.arctan, np.ceil, np.cos, np.cosh, np.deg2rad),
                *(np.degrees, np.exp, np.exp2, np.expm1, np.floor, np.isfinite, np.isinf, np.isnan),
                *(
                    np.negative,
                    np.positive,
                    np.rad2deg,
                    np.radians,
                    np.reciprocal,
                    np.rint,
                    np.sign,
                ),
                *(np.sin, np.sinh, np.square, np.tan, np.trunc, expit),
                *(np.arcsinh, np.cbrt, np.tanh),
            )
        ),
        *(
            function(f"function_transformer_{ufunc.__name__}", ufunc, 0.01, 1e6)
            for ufunc in (np.log, np.log10, np.log1p, np.log2, np.sqrt)
        ),
        *(
            function(f"function_transformer_{ufunc.__name__}", ufunc, 1.0, 1e10)
            for ufunc in (np.arccosh,)
        ),
        *(
            function(f"function_transformer_{ufunc.__name__}", ufunc, -1.0, 1.0)
            for ufunc in (np.arccos, np.arcsin, np.arctanh)
        ),
    ]
)


def function_transformer_on_float32():
    return fitted(FunctionTransformer(np.sqrt), contract.numbers(dtype="float32").abs())


def function_transformer_on_integers():
    frame = contract.mixed(missing=False)[["integer"]]
    return fitted(FunctionTransformer(np.absolute), frame)


def called(function, **keywords):
    def make():
        return fitted(FunctionTransformer(function, kw_args=keywords), contract.numbers())

    return make


def called_before_a_tree():
    frame = contract.numbers()
    rounded = FunctionTransformer(np.round, kw_args={"decimals": 1})
    model = make_pipeline(rounded, DecisionTreeClassifier(max_depth=5, random_state=0))
    return model.fit(frame, contract.answer(frame)), frame


CALLED = {
    "clip": (np.clip, {"a_min": -0.5, "a_max": 7}),
    "clip_below": (np.clip, {"a_min": 0.25, "a_max": None}),
    "clip_above": (np.clip, {"max": 0.1}),
    "round": (np.round, {}),
    "round_to_two": (np.round, {"decimals": 2}),
    "round_to_hundreds": (np.around, {"decimals": -2}),
    "nan_to_num": (np.nan_to_num, {}),
    "nan_to_one": (np.nan_to_num, {"nan": 1.0}),
}


EXAMPLES = {
    "function_transformer_without_a_function": function_transformer_without_a_function,
    "function_transformer_with_validation": function_transformer_with_validation,
    "function_transformer_on_float32": function_transformer_on_float32,
    "function_transformer_on_integers": function_transformer_on_integers,
    **FUNCTIONS,
    **{
        f"called_{name}": called(function, **keywords)
        for name, (function, keywords) in CALLED.items()
    },
    "called_clip_on_an_array": lambda: fitted(
        FunctionTransformer(np.clip, kw_args={"max": 0.5}), contract.numbers().to_numpy()
    ),
    "called_round_before_a_tree": called_before_a_tree,
}


def test_function_without_a_name_of_numpy_is_refused():
    frame = contract.numbers()
    transformer = make_pipeline(FunctionTransformer(lambda x: x * 2)).fit(frame)
    message = contract.refused(transformer, frame)
    assert "step `functiontransformer`" in message and "option `func`" in message


def test_keywords_of_a_function_are_refused():
    frame = contract.numbers()
    transformer = FunctionTransformer(np.log1p, kw_args={"where": True}).fit(frame)
    assert "`where`" in contract.refused(transformer, frame)


@pytest.mark.parametrize("ufunc", [np.arccosh, np.arcsinh, np.arctanh])
def test_areas_have_the_bits_of_the_c_library(ufunc):
    sizes = 2.0 ** np.arange(-40, 60) * np.random.default_rng(0).uniform(1, 2, size=100)
    numbers = np.concatenate([sizes, -sizes, [0.0, -0.0, 0.5, 1.0, -1.0, 2.0, 2.0**28, 2.0**-28]])
    frame = pd.DataFrame({"x": numbers})
    with np.errstate(all="ignore"):
        expected = ufunc(numbers)
        model = penstock.convert(FunctionTransformer(ufunc).fit(frame), frame)
    np.testing.assert_array_equal(model.predict(frame)["x"], expected)


@pytest.mark.parametrize("ufunc", [np.square, np.reciprocal])
def test_functions_that_numpy_computes_in_integers_are_refused(ufunc):
    frame = contract.mixed(missing=False)[["integer"]]
    assert "in integers" in contract.refused(FunctionTransformer(ufunc).fit(frame), frame)


def test_inexact_functions_in_float32_are_refused():
    frame = contract.numbers(dtype="float32").abs()
    assert "float32" in contract.refused(FunctionTransformer(np.log1p).fit(frame), frame)


@pytest.mark.parametrize(
    ("function", "keywords", "words"),
    [
        (np.clip, {"a_min": 2, "a_max": 1}, "descend"),
        (np.clip, {"a_min": np.zeros(5), "a_max": None}, "`a_min` is no plain number"),
        (np.nan_to_num, {"posinf": 3.0}, "`posinf`"),
        (np.round, {"decimals": 400}, "`decimals`"),
    ],
)
def test_other_keywords_of_functions_are_refused(function, keywords, words):
    frame = contract.numbers()
    transformer = FunctionTransformer(function, kw_args=keywords).fit(frame)
    message = contract.refused(transformer, frame)
    assert words in message and "option `kw_args`" in message


def test_functions_of_other_dtypes_than_float64_are_refused():
    frame = contract.mixed(missing=False)[["integer"]]
    for function, keywords in ((np.clip, {"a_min": 0, "a_max": 1}), (np.round, {})):
        transformer = FunctionTransformer(function, kw_args=keywords).fit(frame)
        assert "float64" in contract.refused(transformer, frame)


def test_negatives_of_numbers_without_a_sign_are_refused():
    frame = contract.mixed()[["integer"]].abs().astype("uint32")
    message = contract.refused(FunctionTransformer(np.negative).fit(frame), frame)
    assert "option `func`" in message and "without a sign" in message
