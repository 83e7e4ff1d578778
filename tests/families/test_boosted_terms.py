"""Explainable boosting machines of interpret."""

from typing import Any

import numpy as np

from tests import contract


def boosting(name: str, data: Any, target: Any, **options: Any) -> Any:
    def example() -> tuple[Any, ...]:
        import interpret.glassbox

        frame = data()
        chosen = {"max_rounds": 20, "outer_bags": 1, "n_jobs": 1, "random_state": 0} | options
        return getattr(interpret.glassbox, name)(**chosen).fit(frame, target()), frame

    return example


def numbers() -> Any:
    return contract.numbers(missing=True)


def texts() -> Any:
    made = contract.texts()[["color", "town"]]
    made["town"] = made["town"].astype("object").where(made["town"].notna(), None)
    return made.assign(normal=contract.numbers()["normal"])


def binary() -> Any:
    return contract.answer(contract.numbers())


def several() -> Any:
    return contract.answer(contract.numbers(), ("a", "b", "c"))


def amounts() -> Any:
    return contract.amount(contract.numbers())


def counts() -> Any:
    return np.round(np.exp(amounts() - 1.0)) + 1.0


CLASSIFIER, REGRESSOR = "ExplainableBoostingClassifier", "ExplainableBoostingRegressor"
EXAMPLES = {
    "classifier": boosting(CLASSIFIER, numbers, binary),
    "classifier_of_texts": boosting(CLASSIFIER, texts, binary),
    "classifier_of_several_classes": boosting(CLASSIFIER, numbers, several),
    "classifier_without_pairs": boosting(CLASSIFIER, numbers, binary, interactions=0),
    "regressor": boosting(REGRESSOR, numbers, amounts),
    "regressor_of_counts": boosting(REGRESSOR, numbers, counts, objective="poisson_deviance"),
}


def test_terms_of_three_columns_are_refused() -> None:
    example = boosting(REGRESSOR, numbers, amounts, interactions=[("normal", "large", "counts")])()
    assert "interactions" in contract.refused(*example)
