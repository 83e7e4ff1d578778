"""Voting, stacking and bagging beside scikit-learn."""

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor

import penstock
from penstock.conversion import prepare
from tests import contract

TEXTS, NUMBERS, FLAGS = ("no", "yes"), (30, 10, 20), (False, True)
SMALL = {"max_depth": 3, "random_state": 0}
TREE = DecisionTreeClassifier(**SMALL)
FOREST = RandomForestClassifier(n_estimators=4, **SMALL)
LINEAR = make_pipeline(StandardScaler(), LogisticRegression())
LINEAR_WEIGHED = LogisticRegression(C=1e-3, max_iter=1000)
BOOSTED = HistGradientBoostingClassifier(max_iter=3, random_state=0)
XGB = XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1)
LGBM = LGBMClassifier(n_estimators=3, num_leaves=4, verbose=-1, n_jobs=1)


def named(*estimators):
    return [(f"m{at}", estimator) for at, estimator in enumerate(estimators)]


def classifier(estimator, classes=TEXTS, frame=contract.numbers):
    return lambda: (estimator.fit(frame(), contract.answer(contract.numbers(), classes)), frame())


def regressor(estimator, frame=contract.numbers, target=contract.amount):
    return lambda: (estimator.fit(frame(), target(contract.numbers())), frame())


def voting(*estimators, **options):
    return VotingClassifier(named(*estimators), **options)


def stacking(*estimators, **options):
    return StackingClassifier(named(*estimators), **{"cv": 2, **options})


def mixed():
    return contract.mixed(missing=False)


def prepared(estimator, **options):
    """A pipeline inside the ensemble: it is given the frame as it is."""
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", **options), ["color", "size"]),
        ("passthrough", ["normal", "signed", "integer"]),
    )
    return make_pipeline(columns, StandardScaler(with_mean=False), estimator)


def sparse():
    columns = make_column_transformer(
        (OneHotEncoder(), ["color", "size"]),
        ("passthrough", ["normal", "signed"]),
        sparse_threshold=1.0,
    )
    estimator = stacking(
        FOREST, TREE, passthrough=True, final_estimator=LogisticRegression(max_iter=1000)
    )
    frame = mixed()
    return make_pipeline(columns, estimator).fit(frame, contract.answer(frame)), frame


def singles():
    return contract.numbers(dtype="float32").to_numpy()


def two(frame):
    amount = contract.amount(frame)
    return np.stack([amount, -3 * amount], axis=1)


def rare(frame):
    """A class so rare that some samples of bagging lack it."""
    answer = contract.answer(frame)
    answer[:2] = "rare"
    return answer


def partly_labeled(estimator, classes=(0, 1, 2)):
    def make():
        frame = contract.numbers()
        labels = contract.answer(frame, classes)
        labels[::3] = -1
        return SelfTrainingClassifier(estimator).fit(frame, labels), frame

    return make


EXAMPLES = {
    "self_training_classifier": partly_labeled(TREE),
    "self_training_classifier_of_a_linear_model": partly_labeled(LINEAR, (0, 1)),
    "self_training_classifier_without_raw_scores": partly_labeled(GaussianNB()),
    "voting_classifier_hard": classifier(voting(TREE, FOREST, LGBM)),
    "voting_classifier_hard_with_weights": classifier(
        voting(TREE, FOREST, LINEAR, RidgeClassifier(), weights=[0.1, 0.2, 0.3, 0.3]), NUMBERS
    ),
    "voting_classifier_soft": classifier(voting(TREE, FOREST, BOOSTED, voting="soft"), NUMBERS),
    "voting_classifier_soft_with_weights": classifier(
        voting(TREE, FOREST, LINEAR, voting="soft", weights=[1, 2, 0.5]), FLAGS
    ),
    "voting_classifier_soft_in_float32": classifier(voting(XGB, XGB, voting="soft")),
    "voting_classifier_soft_in_float32_with_whole_weights": classifier(
        voting(XGB, XGB, LGBM, voting="soft", weights=[1, 2, 3]), NUMBERS
    ),
    "voting_classifier_with_one_dropped": classifier(
        voting(TREE, "drop", FOREST, voting="soft", weights=[1, 5, 2])
    ),
    "voting_classifier_on_pipelines": classifier(
        voting(prepared(FOREST), prepared(LogisticRegression()), voting="soft"), TEXTS, mixed
    ),
    "voting_regressor": regressor(
        VotingRegressor(named(DecisionTreeRegressor(**SMALL), LinearRegression()))
    ),
    "voting_regressor_of_many": regressor(
        VotingRegressor(named(*[DecisionTreeRegressor(max_depth=at) for at in range(1, 11)]))
    ),
    "voting_regressor_in_float32_with_weights": regressor(
        VotingRegressor(
            named(*[XGBRegressor(n_estimators=3, max_depth=at) for at in (1, 2)]), weights=[1, 3]
        )
    ),
    "stacking_classifier": classifier(stacking(TREE, LINEAR)),
    "stacking_classifier_of_three": classifier(stacking(FOREST, BOOSTED), NUMBERS),
    "stacking_classifier_by_trees": classifier(
        stacking(TREE, FOREST, final_estimator=GradientBoostingClassifier(n_estimators=3)), NUMBERS
    ),
    "stacking_classifier_of_predictions": classifier(
        stacking(TREE, LINEAR, stack_method="predict"), NUMBERS
    ),
    "stacking_classifier_of_scores": classifier(
        stacking(LinearSVC(dual=False), BOOSTED, stack_method="decision_function")
    ),
    "stacking_classifier_of_whatever_there_is": classifier(
        stacking(LinearSVC(dual=False), FOREST, DecisionTreeRegressor(**SMALL)), NUMBERS
    ),
    "stacking_classifier_with_passthrough": classifier(
        stacking(TREE, FOREST, passthrough=True, final_estimator=BOOSTED), FLAGS
    ),
    "stacking_classifier_with_passthrough_of_a_sparse_matrix": sparse,
    "stacking_classifier_with_passthrough_in_a_frame": lambda: (
        stacking(TREE, FOREST, passthrough=True, final_estimator=XGB)
        .set_output(transform="pandas")
        .fit(contract.numbers(), contract.answer(contract.numbers(), NUMBERS)),
        contract.numbers(),
    ),
    "stacking_classifier_of_fitted_ones": lambda: (
        StackingClassifier(
            named(FOREST.fit(contract.numbers(), contract.answer(contract.numbers()))),
            cv="prefit",
        ).fit(contract.numbers(), contract.answer(contract.numbers())),
        contract.numbers(),
    ),
    "stacking_regressor": regressor(
        StackingRegressor(named(DecisionTreeRegressor(**SMALL), LinearRegression()), cv=2)
    ),
    "stacking_regressor_with_passthrough": regressor(
        StackingRegressor(
            named(DecisionTreeRegressor(**SMALL), "drop"),
            final_estimator=RandomForestRegressor(n_estimators=3, **SMALL),
            passthrough=True,
            cv=2,
        )
    ),
    "ada_boost_classifier": classifier(AdaBoostClassifier(n_estimators=5, random_state=0)),
    "ada_boost_classifier_of_three": classifier(
        AdaBoostClassifier(TREE, n_estimators=4, learning_rate=0.5, random_state=0), NUMBERS
    ),
    "ada_boost_classifier_of_linear_models": classifier(
        AdaBoostClassifier(LINEAR_WEIGHED, n_estimators=3, random_state=0), FLAGS
    ),
    "ada_boost_regressor": regressor(AdaBoostRegressor(n_estimators=7, random_state=0)),
    "ada_boost_regressor_of_linear_models": regressor(
        AdaBoostRegressor(LinearRegression(), n_estimators=4, loss="square", random_state=0)
    ),
    "bagging_classifier": classifier(BaggingClassifier(n_estimators=4, random_state=0), NUMBERS),
    "bagging_classifier_of_some_columns": classifier(
        BaggingClassifier(TREE, n_estimators=4, max_features=0.5, n_jobs=2, random_state=0)
    ),
    "bagging_classifier_with_columns_that_come_twice": classifier(
        BaggingClassifier(LINEAR, n_estimators=3, bootstrap_features=True, random_state=0)
    ),
    "bagging_classifier_of_three_with_scores": classifier(
        BaggingClassifier(LINEAR, n_estimators=3, random_state=0), NUMBERS
    ),
    "bagging_classifier_by_votes": classifier(
        BaggingClassifier(RidgeClassifier(), n_estimators=5, random_state=0), NUMBERS
    ),
    "bagging_classifier_without_a_class_in_some": lambda: (
        BaggingClassifier(
            make_pipeline(StandardScaler(), TREE), n_estimators=5, random_state=0
        ).fit(contract.numbers(), rare(contract.numbers())),
        contract.numbers(),
    ),
    "bagging_classifier_on_a_frame": classifier(
        BaggingClassifier(FOREST, n_estimators=2, random_state=0),
        frame=lambda: mixed()[["flag", "integer", "normal"]],
    ),
    "bagging_classifier_of_trees_without_a_class_in_some": lambda: (
        BaggingClassifier(TREE, n_estimators=5, random_state=0).fit(
            contract.numbers(missing=True), rare(contract.numbers())
        ),
        contract.numbers(missing=True),
    ),
    "bagging_regressor": regressor(BaggingRegressor(n_estimators=4, random_state=0)),
    "bagging_regressor_of_trees_with_columns_that_come_twice": regressor(
        BaggingRegressor(n_estimators=4, max_features=3, bootstrap_features=True, random_state=0),
        target=two,
    ),
    "bagging_regressor_of_two_targets": regressor(
        BaggingRegressor(LinearRegression(), n_estimators=3, random_state=0), target=two
    ),
    "bagging_regressor_in_float32": regressor(
        BaggingRegressor(XGBRegressor(n_estimators=2), n_estimators=3, random_state=0), singles
    ),
}


def test_a_tie_of_votes_is_the_first_class():
    frame = contract.numbers()
    answer = contract.answer(frame, NUMBERS)
    model = voting(*[DecisionTreeClassifier(max_depth=1 + at) for at in range(3)]).fit(
        frame, answer
    )
    for tree, code in zip(model.estimators_, (2, 1, 0), strict=True):
        tree.tree_.value[:] = np.eye(3)[code]
    assert model.predict(frame[:1])[0] == 10
    assert penstock.convert(model, frame).predict(dict(frame.iloc[0])) == {"label": 10}


def test_weights_are_those_of_the_estimators_that_are_left():
    frame = contract.numbers()
    model = voting(TREE, "drop", FOREST, voting="soft", weights=[1, 100, 1])
    model.fit(frame, contract.answer(frame))
    row = dict(frame.iloc[0])
    parts = [
        penstock.convert(member, frame).predict(row)["probability"][1]
        for member in model.estimators_
    ]
    share = penstock.convert(model, frame).predict(row)["probability"]["yes"]
    assert share == sum(parts) / 2


@pytest.mark.parametrize(
    "weights, options",
    [([-1.0, 1.0], {}), ([np.inf, 1.0], {"voting": "soft"}), ([1, -1], {"voting": "soft"})],
)
def test_weights_that_decide_nothing_are_refused(weights, options):
    frame = contract.numbers()
    model = voting(TREE, FOREST, **options).fit(frame, contract.answer(frame))
    model.weights = weights
    assert "`weights`" in contract.refused(model, frame)


def test_labels_of_text_are_no_numbers_to_stack():
    frame = contract.numbers()
    answer = contract.answer(frame)
    codes = (answer == "yes").astype(int)
    tree = DecisionTreeClassifier(**SMALL).fit(frame, codes)
    model = StackingClassifier(named(tree), cv="prefit", stack_method="predict").fit(frame, codes)
    tree.classes_ = np.array(["no", "yes"])
    assert "`no`" in contract.refused(model, frame)


def test_stacks_of_several_labels_are_refused():
    frame = contract.numbers()
    matrix = np.stack([frame["normal"] > 0, frame["signed"] > 0], axis=1).astype(int)
    model = stacking(FOREST, final_estimator=FOREST).fit(frame, matrix)
    assert "several labels" in contract.refused(model, frame)


def test_an_estimator_that_does_not_convert_is_named():
    class Own(DecisionTreeClassifier):
        """May do anything else."""

    frame = contract.numbers()[["normal"]]
    model = voting(TREE, Own()).fit(frame, contract.answer(contract.numbers()))
    assert "step `m1`" in contract.refused(model, frame)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if "_of_trees_" in name])
def test_bagged_trees_are_one_node_and_are_explained(name):
    estimator, frame = EXAMPLES[name]()
    nodes = prepare(estimator, frame).draft.graph.nodes
    assert [node.operator for node in nodes].count("trees") == 1
    model = penstock.convert(estimator, frame, verify=False)
    row = frame.iloc[3].to_dict()
    answer, predicted = model.explain(row), model.predict(row)
    assert answer["raw"] == predicted.get("probability", predicted.get("value"))
    for at, base in answer["base"].items():
        total = base + sum(answer["contributions"][at].values())
        assert total == pytest.approx(answer["raw"][at], abs=1e-12)
