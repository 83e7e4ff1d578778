"""Instances of the classes of other libraries, which do not declare what their options may be."""

import inspect
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np
from sklearn.feature_selection import SelectKBest
from sklearn.preprocessing import KBinsDiscretizer, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from penstock.converters import table

__all__ = ["base", "classes", "variants"]

MISSING = ("error", "return_nan", "indicator")
FEW = {"n_estimators": 5, "random_state": 0}
# Of each library: options that keep it small, then values to try, of which many classes have none.
SMALL: dict[str, dict[str, Any]] = {
    "catboost": {
        "iterations": 5,
        "depth": 3,
        "verbose": False,
        "thread_count": 1,
        "random_seed": 0,
        "allow_writing_files": False,
    },
    "category_encoders": {},
    "feature_engine": {},
    "glum": {"alpha": 0.1},
    "imblearn": FEW,
    "interpret": {"outer_bags": 2, "max_rounds": 20, "interactions": 2, "n_jobs": 1},
    "lightgbm": FEW | {"verbose": -1, "n_jobs": 1, "min_child_samples": 5},
    "xgboost": FEW | {"n_jobs": 1, "max_depth": 3},
}
TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
CHOOSING = {"estimator": TREE, "cv": 2, "scoring": "accuracy"}
# What some classes cannot do without.
NEEDED: dict[str, dict[str, Any]] = {
    "ArbitraryDiscretiser": {"binning_dict": {"normal": [-np.inf, -0.5, 0.5, np.inf]}},
    "ArbitraryOutlierCapper": {"max_capping_dict": {"normal": 1.0, "counts": 4.0}},
    "DatetimeSubtraction": {"variables": ["end"], "reference": ["start"], "drop_original": True},
    "DropFeatures": {"features_to_drop": ["normal"]},
    "GeoDistanceFeatures": {
        **{"lat1": "normal", "lon1": "counts", "lat2": "signed", "lon2": "large"},
        "validate_ranges": False,
    },
    "LGBMModel": {"objective": "regression"},
    "MathFeatures": {"variables": ["normal", "counts", "large"], "func": ["sum", "mean"]},
    "ProbeFeatureSelection": CHOOSING,
    "RecursiveFeatureAddition": CHOOSING,
    "RecursiveFeatureElimination": CHOOSING,
    "RelativeFeatures": {"variables": ["normal"], "reference": ["counts"], "func": ["add", "sub"]},
    "SelectByShuffling": CHOOSING,
    "SelectBySingleFeaturePerformance": CHOOSING,
    "SklearnTransformerWrapper": {"transformer": StandardScaler()},
}
VALUES: dict[str, dict[str, tuple[Any, ...]]] = {
    "catboost": {
        "boosting_type": ("Ordered", "Plain"),
        "bootstrap_type": ("Bernoulli", "MVS"),
        "grow_policy": ("Depthwise", "Lossguide", "SymmetricTree"),
        "leaf_estimation_method": ("Gradient", "Newton"),
        "loss_function": (
            *("CrossEntropy", "Expectile:alpha=0.3", "Huber:delta=1", "LogCosh", "Logloss", "MAE"),
            *("MAPE", "MultiClass", "MultiClassOneVsAll", "MultiRMSE", "Poisson", "Tweedie"),
            *("Quantile:alpha=0.2", "RMSE", "RMSEWithUncertainty", "MultiLogloss"),
            *("MultiQuantile:alpha=0.2,0.8",),
        ),
        "max_bin": (16,),
        "nan_mode": ("Forbidden", "Max", "Min"),
        "one_hot_max_size": (2, 20),
        "scale_pos_weight": (2.0,),
    },
    "category_encoders": {
        "base": (3,),
        "binomial_target": (True, False),
        "combine_min_nan_groups": (True, False),
        "handle_missing": MISSING,
        "handle_unknown": MISSING,
        "index_start": (0,),
        "min_group_size": (5, 0.1),
        "model": ("beta", "binary", "pooled"),
        "n_components": (3,),
        "hash_method": ("sha1", "sha256"),
        "quantiles": ((0.1, 0.5, 0.9),),
        "sigma": (0.1,),
    },
    "feature_engine": {
        "C": (1.0, {"normal": 20.0}),
        "add_indicators": (True,),
        "base": ("10",),
        "capping_method": ("iqr", "mad", "quantiles"),
        "encoding_method": ("frequency", "arbitrary", "ordered"),
        "errors": ("raise",),
        "exp": (2, 3),
        "features_to_extract": ("all", ["week", "weekend", "semester"]),
        "fill_value": (-1.0, "none"),
        "func": ("std", "max", ["prod"], ["div"], ["mod", "floordiv"]),
        "imputation_method": ("frequent", "mean", "iqr", "max", "missing"),
        "method": ("euclidean", "manhattan"),
        "missing_values": ("ignore", "raise"),
        "n_categories": (2,),
        "output_unit": ("feet", "h", "s"),
        "selection_method": ("variance",),
        "tail": ("both", "left"),
        "start_date": ("2001-02-03",),
        "top_categories": (2,),
        "transformer": (OrdinalEncoder(), KBinsDiscretizer(3, encode="ordinal"), SelectKBest(k=2)),
        "unseen": ("encode", "ignore", "raise"),
    },
    "glum": {
        "family": ("binomial", "gamma", "normal", "poisson", "tweedie"),
        "link": ("identity", "log"),
        "solver": ("irls-cd", "irls-ls", "lbfgs"),
    },
    "imblearn": {"sampling_strategy": ("all", "not majority"), "class_weight": ("balanced",)},
    "interpret": {
        "max_leaves": (3,),
        "missing": ("gain", "high", "low"),
        "objective": ("poisson_deviance", "gamma_deviance", "tweedie_deviance"),
    },
    "lightgbm": {
        "boosting_type": ("dart", "rf"),
        "data_sample_strategy": ("goss",),
        "linear_tree": (True,),
        "max_cat_to_onehot": (1,),
        "objective": (
            *("binary", "cross_entropy", "cross_entropy_lambda", "fair", "gamma", "huber", "mape"),
            *("multiclass", "multiclassova", "poisson", "quantile", "regression", "regression_l1"),
            "tweedie",
        ),
        "reg_sqrt": (True,),
        "use_missing": (False,),
        "zero_as_missing": (True,),
    },
    "xgboost": {
        "base_score": (0.25,),
        "booster": ("dart", "gblinear"),
        "grow_policy": ("lossguide",),
        "missing": (0.0, -1.0),
        "multi_strategy": ("multi_output_tree",),
        "num_parallel_tree": (2,),
        "objective": (
            *("binary:hinge", "binary:logitraw", "count:poisson", "multi:softmax", "reg:gamma"),
            *("multi:softprob", "reg:absoluteerror", "reg:expectileerror", "reg:logistic"),
            *("reg:pseudohubererror", "reg:squaredlogerror", "reg:tweedie", "survival:cox"),
        ),
        "tree_method": ("approx", "exact"),
    },
}


def classes() -> dict[str, type]:
    """The classes that convert, by their names; nobody makes a model file or a result by hand."""
    found = {}
    for name in table():
        module, _, attribute = name.rpartition(".")
        if module.partition(".")[0] in SMALL and attribute not in ("Booster", "Pipeline"):
            found[name] = getattr(import_module(module), attribute)
    return found


def base(cls: type) -> Any:
    """A small instance of the class; `None` if it needs what nobody can guess."""
    needed = NEEDED.get(cls.__name__, {})
    small = SMALL[cls.__module__.partition(".")[0]] | needed
    signature = inspect.signature(cls).parameters
    loose = any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.values())
    try:
        if "params" in signature:
            return cls(small)
        return cls(**{name: value for name, value in small.items() if loose or name in signature})
    except Exception:
        return None


def variants(cls: type) -> Iterator[tuple[str, Any]]:
    """`option=value`, and the instance that has it."""
    library = cls.__module__.partition(".")[0]
    flags = {
        name: (not parameter.default,)
        for name, parameter in inspect.signature(cls).parameters.items()
        if isinstance(parameter.default, bool) and name not in ("warm_start", "copy_X")
    }
    for option, values in sorted((flags | VALUES[library]).items()):
        for value in values:
            with suppress(Exception):
                yield f"{option}={value!r}", base(cls).set_params(**{option: value})
