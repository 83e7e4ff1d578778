"""Values of options that scikit-learn's declarations do not tell: numbers in lists, functions, ...

All tables of numbers have four columns, those of texts three (`tests/examination/data.py`).
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_selection import chi2, f_regression, mutual_info_classif, r_regression
from sklearn.gaussian_process import kernels
from sklearn.linear_model import (
    ElasticNet,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests import contract

__all__ = ["INSTEAD", "ONLY", "given", "together"]

# Where the tests of scikit-learn, or its defaults, are not what anybody deploys.
INSTEAD: dict[str, dict[str, Any]] = {
    "DictionaryLearning": {"transform_algorithm": "threshold"},
    "DummyClassifier": {"strategy": "prior"},
    "FeatureHasher": {"n_features": 64},
    "HashingVectorizer": {"n_features": 256},
    "LocalOutlierFactor": {"novelty": True},
    "MiniBatchDictionaryLearning": {"transform_algorithm": "threshold"},
    "SparseCoder": {
        "dictionary": np.random.default_rng(0).normal(size=(5, 4)),
        "transform_algorithm": "threshold",
    },
}

# What is no table of columns to those who fit it on one; scikit-learn would read its names.
DOCUMENTS = ("documents", "list of documents")
ONLY: dict[str, tuple[str, ...]] = {
    "CountVectorizer": DOCUMENTS,
    "DictVectorizer": ("dictionaries",),
    "FeatureHasher": ("dictionaries",),
    "HashingVectorizer": DOCUMENTS,
    "TfidfVectorizer": DOCUMENTS,
}

CLASSIFIERS = (
    DecisionTreeClassifier(max_depth=4, random_state=0),
    RandomForestClassifier(n_estimators=4, max_depth=4, random_state=0),
    HistGradientBoostingClassifier(max_iter=4),
    GradientBoostingClassifier(n_estimators=4, random_state=0),
    GaussianNB(),
    BernoulliNB(),
    KNeighborsClassifier(3),
    SVC(random_state=0),
    LinearSVC(random_state=0),
    RidgeClassifier(),
    SGDClassifier(loss="log_loss", random_state=0),
    LinearDiscriminantAnalysis(),
    MLPClassifier((5,), max_iter=20, random_state=0),
    make_pipeline(StandardScaler(), LogisticRegression()),
)
REGRESSORS = (
    DecisionTreeRegressor(max_depth=4, random_state=0),
    RandomForestRegressor(n_estimators=4, max_depth=4, random_state=0),
    ExtraTreesRegressor(n_estimators=4, max_depth=4, random_state=0),
    HistGradientBoostingRegressor(max_iter=4),
    LinearRegression(),
    ElasticNet(),
    PoissonRegressor(),
    KNeighborsRegressor(3),
    SVR(),
    LinearSVR(random_state=0),
    MLPRegressor((5,), max_iter=20, random_state=0),
    make_pipeline(StandardScaler(), LinearRegression()),
)
ESTIMATORS = ("base_estimator", "estimator", "final_estimator", "regressor")

VALUES: dict[str, tuple[Any, ...]] = {
    "class_prior": ([0.2, 0.3, 0.5], [0.4, 0.6]),
    "class_weight": ({"a": 1.0, "b": 2.0, "c": 5.0},),
    "dtype": (np.float32, np.int64),
    "encoded_missing_value": (-1,),
    "feature_range": ((-1, 1), (0, 255)),
    "func": (np.log1p, np.sqrt, np.abs, np.exp, np.sign, np.isnan),
    "hidden_layer_sizes": ((8, 4), ()),
    "max_features": (0.5, 2),
    "metric_params": ({"p": 3}, {"w": [1.0, 0.5, 2.0, 0.0]}),
    "min_weight_fraction_leaf": (0.1,),
    "missing_values": (0, -1, 1.0, "red", ""),
    "monotonic_cst": ([1, -1, 0, 0], [0, 0, 0, 1]),
    "n_components": (2, 0.9, "mle"),
    "neg_label": (-1,),
    "ngram_range": ((1, 2), (2, 2), (1, 3)),
    "n_subsamples": (20,),
    "pos_label": (2,),
    "preprocessor": (str.upper,),
    "priors": ([0.2, 0.3, 0.5], [0.4, 0.6]),
    "quantile_range": ((10.0, 90.0),),
    "score_func": (chi2, mutual_info_classif, f_regression, r_regression),
    "separator": (": ",),
    "stop_words": (["the", "straße", "a"],),
    "token_pattern": (r"(?u)\b\w+\b", r"\S+", r"[a-z]+", r"(?u)\b(\w)\w*\b", r"\w{2,4}"),
    "tokenizer": (str.split,),
    "transformer_weights": ({"trans1": 2.0},),
    "vocabulary": (["the", "straße", "absent"], {"naïve": 1, "x2": 0}),
    "weights": ([1, 2], [0.3, 0.7], [0.2, 0.3, 0.5]),
}


@cache
def _levels() -> list[list[Any]]:
    """What the columns of texts hold, and one more, sorted."""
    frame = contract.texts(contract.ROWS, missing=False, seed=0)
    return [sorted({*frame[name], "zz"}) for name in frame]


# Options that go together, by class.
TOGETHER: dict[str, tuple[dict[str, Any], ...]] = {
    "BaggingClassifier": ({"estimator": LogisticRegression(), "max_features": 0.5},),
    "DummyClassifier": ({"strategy": "constant", "constant": "b"},),
    "DummyRegressor": (
        {"strategy": "quantile", "quantile": 0.3},
        {"strategy": "constant", "constant": 2.0},
    ),
    "FunctionTransformer": ({"func": np.log1p, "validate": True},),
    "IsolationForest": ({"max_features": 2, "contamination": 0.1, "bootstrap": True},),
    "LogisticRegression": ({"solver": "saga", "l1_ratio": 0.5, "max_iter": 50},),
    "MLPClassifier": ({"hidden_layer_sizes": (6, 3), "activation": "logistic"},),
    "MLPRegressor": ({"hidden_layer_sizes": (6, 3), "activation": "tanh"},),
    "NuSVC": ({"kernel": "poly", "degree": 2, "coef0": 1.0},),
    "OneClassSVM": ({"kernel": "poly", "degree": 2, "coef0": 1.0}, {"kernel": "linear"}),
    "OneHotEncoder": (
        {"handle_unknown": "infrequent_if_exist", "min_frequency": 20},
        {"handle_unknown": "infrequent_if_exist", "max_categories": 3, "drop": "first"},
        {"handle_unknown": "warn", "max_categories": 4},
        {"handle_unknown": "ignore", "drop": "if_binary", "sparse_output": False},
        {"handle_unknown": "error", "drop": "first"},
        {"categories": [[0.0, 1.0]] * 4},
        {"categories": _levels(), "handle_unknown": "ignore"},
    ),
    "OrdinalEncoder": (
        {"handle_unknown": "use_encoded_value", "unknown_value": -1},
        {"handle_unknown": "use_encoded_value", "unknown_value": np.nan},
        {"handle_unknown": "use_encoded_value", "unknown_value": 99, "max_categories": 3},
        {"handle_unknown": "use_encoded_value", "unknown_value": 99, "encoded_missing_value": -2},
        {"categories": _levels()},
    ),
    "PolynomialFeatures": (
        {"degree": (2, 3), "include_bias": False},
        {"degree": 3, "interaction_only": True},
    ),
    "QuantileTransformer": ({"output_distribution": "normal", "n_quantiles": 20},),
    "SVC": (
        {"kernel": "poly", "degree": 2, "coef0": 1.0},
        {"kernel": "sigmoid", "gamma": 0.01},
        {"kernel": "linear", "decision_function_shape": "ovo"},
        {"break_ties": True, "decision_function_shape": "ovr"},
    ),
    "SVR": ({"kernel": "poly", "degree": 2, "coef0": 1.0}, {"kernel": "sigmoid", "gamma": 0.01}),
    "SimpleImputer": (
        {"strategy": "constant", "fill_value": "none"},
        {"strategy": "constant", "fill_value": -7, "add_indicator": True},
        {"strategy": "most_frequent", "missing_values": None},
        {"strategy": "most_frequent", "missing_values": "red"},
    ),
    "SplineTransformer": (
        {"extrapolation": "periodic", "include_bias": False},
        {"knots": "quantile", "degree": 2, "extrapolation": "linear"},
    ),
    "StackingClassifier": (
        {"passthrough": True, "stack_method": "predict"},
        {"passthrough": True, "final_estimator": GradientBoostingClassifier(n_estimators=3)},
    ),
    "TfidfVectorizer": (
        {"analyzer": "char_wb", "ngram_range": (2, 4)},
        {"analyzer": "char", "ngram_range": (1, 3), "lowercase": False},
        {"sublinear_tf": True, "norm": "l1", "smooth_idf": False},
        {"strip_accents": "unicode", "ngram_range": (1, 2), "stop_words": "english"},
        {"binary": True, "use_idf": False, "norm": None},
        {"max_features": 10, "min_df": 2, "max_df": 0.9, "dtype": np.float32},
    ),
    "TransformedTargetRegressor": (
        {"func": np.log1p, "inverse_func": np.expm1},
        {"func": np.cbrt, "inverse_func": np.square, "check_inverse": False},
        {"transformer": MinMaxScaler()},
        {"transformer": PowerTransformer()},
        {"transformer": QuantileTransformer(n_quantiles=20)},
        {"transformer": RobustScaler(), "regressor": HistGradientBoostingRegressor(max_iter=4)},
    ),
    "VotingClassifier": (
        {"voting": "soft", "weights": [1, 2]},
        {"voting": "soft", "flatten_transform": False},
    ),
}
TOGETHER["CountVectorizer"] = tuple(
    {name: value for name, value in options.items() if name in ("analyzer", "ngram_range")}
    for options in TOGETHER["TfidfVectorizer"][:2]
)
TOGETHER["HashingVectorizer"] = TOGETHER["CountVectorizer"]
for _name in ("GaussianProcessClassifier", "GaussianProcessRegressor"):
    TOGETHER[_name] = tuple(
        {"kernel": kernel, "optimizer": None}
        for kernel in (
            kernels.RBF(2.0) + kernels.WhiteKernel(0.5),
            2.0 * kernels.Matern(1.5, nu=1.5) + kernels.WhiteKernel(0.5),
            kernels.RationalQuadratic() + kernels.WhiteKernel(0.5),
            kernels.DotProduct() + kernels.WhiteKernel(1.0),
            kernels.ConstantKernel(2.0) * kernels.ExpSineSquared() + kernels.WhiteKernel(0.5),
        )
    )


def given(plain: Any, option: str) -> tuple[Any, ...]:
    """Values to try for this option of this instance."""
    if option not in ESTIMATORS:
        return VALUES.get(option, ())
    regression = is_regressor(plain) or option == "regressor" or "Imputer" in type(plain).__name__
    return REGRESSORS if regression else CLASSIFIERS


def together(cls: type) -> Iterator[dict[str, Any]]:
    """Options that only mean something together."""
    yield from TOGETHER.get(cls.__name__, ())
