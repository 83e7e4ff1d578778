"""Pipelines with samplers, and ensembles of balanced samples, of imbalanced-learn."""

from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from penstock.conversion import prepare
from tests import contract


def frame() -> Any:
    return contract.numbers()


def rare() -> Any:
    """A target with one in six of the second class."""
    answer = contract.answer(frame(), tuple("aaaaab"))
    return np.where(answer == "b", "yes", "no")


def sampled(sampler: str, predictor: Any, **options: Any) -> Any:
    def example() -> tuple[Any, ...]:
        import imblearn

        module = getattr(imblearn, "under_sampling" if "Under" in sampler else "over_sampling")
        draw = getattr(module, sampler)(random_state=0, **options)
        model = imblearn.pipeline.make_pipeline(StandardScaler(), draw, predictor)
        return model.fit(frame(), rare()), frame()

    return example


def balanced(name: str, **options: Any) -> Any:
    def example() -> tuple[Any, ...]:
        import imblearn.ensemble

        model = getattr(imblearn.ensemble, name)(random_state=0, **options)
        return model.fit(frame(), rare()), frame()

    return example


EXAMPLES = {
    "pipeline_with_over_sampling": sampled("RandomOverSampler", LogisticRegression()),
    "pipeline_with_synthetic_rows": sampled(
        "SMOTE", RandomForestClassifier(5, random_state=0), k_neighbors=3
    ),
    "pipeline_with_under_sampling": sampled("RandomUnderSampler", LogisticRegression()),
    "balanced_random_forest": balanced("BalancedRandomForestClassifier", n_estimators=6),
    "balanced_bagging": balanced("BalancedBaggingClassifier", n_estimators=3),
    "easy_ensemble": balanced("EasyEnsembleClassifier", n_estimators=2),
    "rusboost": balanced("RUSBoostClassifier", n_estimators=4),
}


def test_a_pipeline_that_ends_with_a_sampler_is_refused() -> None:
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.pipeline import make_pipeline

    model = make_pipeline(StandardScaler(), RandomOverSampler(random_state=0))
    model.fit_resample(frame(), rare())
    assert "sampler" in contract.refused(model, frame())


def test_balanced_bags_of_trees_are_one_node() -> None:
    nodes = prepare(*EXAMPLES["balanced_bagging"]()).draft.graph.nodes
    assert [node.operator for node in nodes].count("trees") == 1
