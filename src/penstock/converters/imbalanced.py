"""Models of imbalanced-learn: samplers, which draw rows in training, vanish when predicting."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from penstock.converters import blending, composing, trees
from penstock.converters.context import Context
from penstock.converters.values import Prediction, Value

__all__ = ["CONVERTERS"]


def pipeline(estimator: Any, value: Value, context: Context) -> Value | Prediction:
    """The steps without those that sample (imblearn/pipeline.py, `Pipeline._iter`)."""
    steps = [step for step in estimator.steps if not hasattr(step[1], "fit_resample")]
    if len(steps) < len(estimator.steps) and steps[-1:] != estimator.steps[-1:]:
        context.refuse("ends with a sampler, which neither predicts nor transforms")
    return composing.pipeline(SimpleNamespace(steps=steps), value, context)


# Balanced ensembles predict as the classes that they are made of.
CONVERTERS: Mapping[str, Callable[..., Any]] = {
    "imblearn.ensemble.BalancedBaggingClassifier": blending.CONVERTERS[
        "sklearn.ensemble.BaggingClassifier"
    ],
    "imblearn.ensemble.BalancedRandomForestClassifier": trees.CONVERTERS[
        "sklearn.ensemble.RandomForestClassifier"
    ],
    "imblearn.ensemble.EasyEnsembleClassifier": blending.CONVERTERS[
        "sklearn.ensemble.BaggingClassifier"
    ],
    "imblearn.ensemble.RUSBoostClassifier": blending.CONVERTERS[
        "sklearn.ensemble.AdaBoostClassifier"
    ],
    "imblearn.pipeline.Pipeline": pipeline,
}
