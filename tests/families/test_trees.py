"""Decision trees and forests beside scikit-learn."""

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

import penstock
from tests import contract

SMALL = {"max_depth": 5, "random_state": 0}
FOREST = {"n_estimators": 5, **SMALL}
TEXTS, NUMBERS, FLAGS = ("no", "yes"), (30, 10, 20), (False, True)


def classifier(estimator, classes=TEXTS, *, missing=False):
    def make():
        frame = contract.numbers(missing=missing)
        return estimator.fit(frame, contract.answer(frame, classes)), frame

    return make


def regressor(estimator, target=lambda amount: amount, *, missing=False):
    def make():
        frame = contract.numbers(missing=missing)
        return estimator.fit(frame, target(contract.amount(frame))), frame

    return make


def two(amount):
    return np.stack([amount, -3 * amount], axis=1)


def two_labels(estimator, first=TEXTS, second=("a", "b longer", "c"), *, missing=False):
    """Targets with different numbers of classes: the values of a node are padded with zeros."""

    def make():
        frame = contract.numbers(missing=missing)
        pair = [contract.answer(frame, first), contract.answer(frame, second, seed=9)]
        return estimator.fit(frame, np.stack(pair, axis=1)), frame

    return make


def mixed():
    """Booleans, integers, floats and categories of numbers, none of them missing in training."""
    frame = contract.mixed(missing=False)
    frame["grade"] = (frame["integer"] // 10).astype("category")
    return frame[["flag", "integer", "normal", "grade"]]


def on(frame, estimator, target=contract.answer):
    return lambda: (estimator.fit(frame(), target(contract.numbers())), frame())


def nullable():
    frame = contract.mixed()[["normal", "integer", "flag"]]
    frame["integer"] = frame["integer"].astype("Int64")
    frame["flag"] = frame["flag"].astype("boolean")
    frame.loc[::9, ["integer", "flag"]] = None
    return frame


def embedding(**options):
    def make():
        model = RandomTreesEmbedding(5, max_depth=3, random_state=0, **options)
        return model.fit(contract.numbers()), contract.numbers()

    return make


def embedding_before_a_classifier():
    frame = contract.numbers()
    model = make_pipeline(
        RandomTreesEmbedding(4, max_depth=3, random_state=0), LogisticRegression()
    )
    return model.fit(frame, contract.answer(frame, TEXTS)), frame


EXAMPLES = {
    "random_trees_embedding": embedding(),
    "random_trees_embedding_dense": embedding(sparse_output=False),
    "random_trees_embedding_before_a_classifier": embedding_before_a_classifier,
    "decision_tree_classifier_of_text": classifier(DecisionTreeClassifier(**SMALL)),
    "decision_tree_classifier_of_booleans": classifier(DecisionTreeClassifier(**SMALL), FLAGS),
    "decision_tree_classifier_of_floats": classifier(
        DecisionTreeClassifier(**SMALL), (0.0, 1.0, 2.0)
    ),
    "decision_tree_classifier_with_missing_values": classifier(
        DecisionTreeClassifier(criterion="entropy", **SMALL), NUMBERS, missing=True
    ),
    "decision_tree_classifier_of_one_class": on(
        contract.numbers, DecisionTreeClassifier(), lambda frame: np.full(len(frame), "only")
    ),
    "decision_tree_classifier_pruned": classifier(
        DecisionTreeClassifier(ccp_alpha=0.02, **SMALL), NUMBERS
    ),
    "decision_tree_classifier_with_class_weights": classifier(
        DecisionTreeClassifier(class_weight={"no": 3, "yes": 0.1}, **SMALL)
    ),
    "decision_tree_classifier_of_two_targets": two_labels(DecisionTreeClassifier(**SMALL)),
    "decision_tree_classifier_with_monotonic_constraints": classifier(
        DecisionTreeClassifier(monotonic_cst=[1, 0, -1, 0, 0], **SMALL)
    ),
    "decision_tree_classifier_on_mixed_dtypes": on(mixed, DecisionTreeClassifier(**SMALL)),
    "decision_tree_classifier_on_nullable_dtypes": on(nullable, DecisionTreeClassifier(**SMALL)),
    "decision_tree_classifier_on_an_array_of_float32": on(
        lambda: contract.numbers(missing=True, dtype="float32").to_numpy(),
        DecisionTreeClassifier(**SMALL),
    ),
    "decision_tree_classifier_on_one_column": on(
        lambda: contract.numbers()[["normal"]], DecisionTreeClassifier(**SMALL)
    ),
    "decision_tree_regressor": regressor(DecisionTreeRegressor(**SMALL)),
    "decision_tree_regressor_of_two_targets": regressor(DecisionTreeRegressor(**SMALL), two),
    "decision_tree_regressor_with_absolute_error": regressor(
        DecisionTreeRegressor(criterion="absolute_error", **SMALL)
    ),
    "decision_tree_regressor_with_poisson_and_missing_values": regressor(
        DecisionTreeRegressor(criterion="poisson", **SMALL), missing=True
    ),
    "decision_tree_regressor_that_is_a_leaf": regressor(
        DecisionTreeRegressor(min_samples_leaf=200)
    ),
    "extra_tree_classifier_with_missing_values": classifier(
        ExtraTreeClassifier(**SMALL), missing=True
    ),
    "extra_tree_classifier_with_best_splits": classifier(
        ExtraTreeClassifier(splitter="best", **SMALL)
    ),
    "extra_tree_regressor": regressor(ExtraTreeRegressor(**SMALL), two, missing=True),
    "random_forest_classifier": classifier(RandomForestClassifier(**FOREST), NUMBERS),
    "random_forest_classifier_in_parallel_with_missing_values": classifier(
        RandomForestClassifier(n_jobs=2, **FOREST), missing=True
    ),
    "random_forest_classifier_of_three_targets": on(
        contract.numbers,
        RandomForestClassifier(n_jobs=2, **FOREST),
        lambda frame: np.stack(
            [contract.answer(frame, range(count), seed=count) for count in (2, 5, 3)], axis=1
        ),
    ),
    "random_forest_regressor": regressor(RandomForestRegressor(**FOREST)),
    "random_forest_regressor_in_parallel_of_two_targets": regressor(
        RandomForestRegressor(n_jobs=2, **FOREST), two, missing=True
    ),
    "extra_trees_classifier": classifier(ExtraTreesClassifier(**FOREST), FLAGS, missing=True),
    "extra_trees_classifier_of_two_targets": two_labels(ExtraTreesClassifier(**FOREST)),
    "extra_trees_regressor": regressor(ExtraTreesRegressor(bootstrap=True, **FOREST)),
}


def test_missing_values_go_where_training_sent_them():
    frame = contract.numbers()
    model = DecisionTreeClassifier(**SMALL).fit(frame, contract.answer(frame))
    contract.same(model, frame, [dict(frame.iloc[at]) | {"normal": None} for at in range(50)])


def test_best_splits_of_extra_trees_refuse_missing_values():
    frame = contract.numbers()
    tree = ExtraTreeClassifier(splitter="best", **SMALL).fit(frame, contract.answer(frame))
    model = penstock.convert(tree, frame)
    with pytest.raises(penstock.DataError, match="`normal`"):
        model.predict(dict(frame.iloc[0]) | {"normal": None})


def test_numbers_too_large_for_float32_are_refused():
    frame = contract.numbers()
    forest = RandomForestRegressor(**FOREST).fit(frame, contract.amount(frame))
    model = penstock.convert(forest, frame)
    largest = float(np.finfo("float32").max)
    model.predict(dict(frame.iloc[0]) | {"large": np.nextafter(3.40282356e38, 0)})
    model.predict(dict(frame.iloc[0]) | {"large": largest})
    with pytest.raises(penstock.DataError, match="`large`"):
        model.predict(dict(frame.iloc[0]) | {"large": 3.4028236e38})


def test_numbers_are_rounded_to_float32_before_the_test():
    frame = contract.numbers()
    tree = DecisionTreeRegressor(max_depth=1).fit(frame[["normal"]], frame["normal"] > 0)
    threshold = tree.tree_.threshold[0]
    beside = [float(np.float32(threshold)) * (1 + step * 2e-8) for step in range(-9, 10)]
    contract.same(tree, frame[["normal"]], [{"normal": value} for value in beside])


def test_trees_of_a_forest_are_added_in_their_order():
    # 1e16 + 1 - 1e16 is 0 in this order, and 1 in another.
    frame = contract.numbers()
    forest = RandomForestRegressor(n_estimators=3, max_depth=1, n_jobs=2, random_state=0)
    forest.fit(frame, contract.amount(frame))
    for tree, value in zip(forest.estimators_, (1e16, 1.0, -1e16), strict=True):
        tree.tree_.value[:] = value
    assert penstock.convert(forest, frame).predict(dict(frame.iloc[0]))["value"] == 0.0


def test_equal_shares_are_the_first_class():
    frame = contract.numbers()
    tree = DecisionTreeClassifier(**SMALL).fit(frame, contract.answer(frame, NUMBERS))
    tree.tree_.value[:] = [[0.2, 0.4, 0.4]]
    assert penstock.convert(tree, frame).predict(dict(frame.iloc[0]))["label"] == 20


def test_labels_beyond_scalars_are_refused():
    frame = contract.numbers()
    tree = DecisionTreeClassifier(**SMALL).fit(frame, contract.answer(frame))
    tree.classes_ = np.array([b"no", b"yes"])
    assert "bytes" in contract.refused(tree, frame)
