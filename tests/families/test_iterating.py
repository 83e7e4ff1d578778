"""`IterativeImputer` with estimators that convert."""

from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

import penstock
from tests import contract


def frame(*, dtype: str = "float64") -> Any:
    made = contract.numbers(missing=True, dtype=dtype)[["normal", "counts", "signed"]]
    return made.assign(product=made["counts"] * 2 + made["signed"].fillna(0.5))


def imputing(estimator: Any = None, **options: Any) -> Any:
    def example() -> tuple[Any, ...]:
        data = frame()
        options.setdefault("max_iter", 4)
        imputer = IterativeImputer(estimator, random_state=0, **options)
        return imputer.fit(data), data

    return example


def with_a_marker() -> tuple[Any, ...]:
    data = frame().fillna(-99.0)
    return IterativeImputer(missing_values=-99.0, max_iter=3, random_state=0).fit(data), data


def with_an_empty_column() -> tuple[Any, ...]:
    data = frame().assign(empty=np.nan)[["empty", "normal", "counts", "signed"]]
    return IterativeImputer(max_iter=3, random_state=0).fit(data), data


def keeping_an_empty_column() -> tuple[Any, ...]:
    data = frame().assign(empty=np.nan)[["empty", "normal", "counts", "signed"]].to_numpy()
    imputer = IterativeImputer(max_iter=3, random_state=0, keep_empty_features=True)
    return imputer.fit(data), data


def without_missing_in_training() -> tuple[Any, ...]:
    data = contract.numbers()[["normal", "counts", "signed"]]
    return IterativeImputer(max_iter=3, random_state=0).fit(data), data


def before_a_classifier() -> tuple[Any, ...]:
    data = frame()
    model = make_pipeline(IterativeImputer(max_iter=3), StandardScaler(), LogisticRegression())
    return model.fit(data, contract.answer(data)), data


EXAMPLES = {
    "iterative_imputer": imputing(),
    "iterative_imputer_with_limits": imputing(min_value=0.0, max_value=[1.0, 3.0, 2.0, 9.0]),
    "iterative_imputer_with_indicator": imputing(add_indicator=True),
    "iterative_imputer_by_ridge_and_median": imputing(Ridge(), initial_strategy="median"),
    "iterative_imputer_by_trees": imputing(DecisionTreeRegressor(max_depth=4, random_state=0)),
    "iterative_imputer_by_forests": imputing(
        RandomForestRegressor(5, max_depth=4, random_state=0), max_iter=2
    ),
    "iterative_imputer_by_pipelines": imputing(make_pipeline(StandardScaler(), Ridge())),
    "iterative_imputer_of_nearest": imputing(n_nearest_features=2, imputation_order="descending"),
    "iterative_imputer_skipping": imputing(skip_complete=True, initial_strategy="constant"),
    "iterative_imputer_without_rounds": imputing(max_iter=0),
    "with_a_marker": with_a_marker,
    "with_an_empty_column": with_an_empty_column,
    "keeping_an_empty_column": keeping_an_empty_column,
    "without_missing_in_training": without_missing_in_training,
    "before_a_classifier": before_a_classifier,
}


def test_draws_by_chance_are_refused() -> None:
    assert "sample_posterior" in contract.refused(*imputing(sample_posterior=True)())


def test_float32_is_refused() -> None:
    data = frame(dtype="float32")
    assert "float64" in contract.refused(IterativeImputer(max_iter=2).fit(data), data)


def test_a_row_without_any_value_is_answered_as_among_other_rows() -> None:
    model, data = imputing()()
    row = dict.fromkeys(data)
    (answer,) = penstock.convert(model, data).predict([row])
    expected = model.transform(data.reindex([1, 10**6]))[1]
    np.testing.assert_allclose(list(answer.values()), expected, rtol=1e-9)
