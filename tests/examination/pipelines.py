"""Pipelines as people write them: steps for numbers, steps for texts, and a model, by chance."""

import random
from typing import Any

import catboost
import category_encoders
import lightgbm
import numpy as np
import xgboost
from sklearn import (
    compose,
    decomposition,
    discriminant_analysis,
    ensemble,
    feature_selection,
    impute,
    kernel_approximation,
    linear_model,
    multiclass,
    naive_bayes,
    neighbors,
    neural_network,
    preprocessing,
    svm,
    tree,
)
from sklearn.calibration import CalibratedClassifierCV

# scikit-learn asks for this import before its iterative imputer can be named.
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_extraction import text
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline

from tests.contract import texts
from tests.examination.data import WORLDS, World, scaled

__all__ = ["MIXED", "pipeline"]

NUMBERS = tuple(scaled().columns)
TEXTS = tuple(texts().columns)


def _frame(seed: int) -> Any:
    import pandas as pd

    parts = [WORLDS["missing"].frame(seed), WORLDS["missing texts"].frame(seed)]
    frame = pd.concat(parts, axis=1)
    frame["size"] = pd.Categorical(frame["counts"].fillna(0).astype(int).astype(str))
    frame["review"] = WORLDS["documents"].frame(seed)["review"]
    return frame


MIXED = World(_frame)
QUIET = {
    "verbose": False,
    "thread_count": 1,
    "random_seed": 0,
    "allow_writing_files": False,
}
IMPUTERS = (
    lambda: impute.SimpleImputer(),
    lambda: impute.SimpleImputer(strategy="median", add_indicator=True),
    lambda: impute.SimpleImputer(strategy="constant", fill_value=-1),
    lambda: impute.IterativeImputer(max_iter=3, random_state=0),
)
SCALERS = (
    lambda: "passthrough",
    lambda: preprocessing.StandardScaler(),
    lambda: preprocessing.RobustScaler(),
    lambda: preprocessing.MinMaxScaler(clip=True),
    lambda: preprocessing.PowerTransformer(),
    lambda: preprocessing.QuantileTransformer(n_quantiles=20),
    lambda: preprocessing.KBinsDiscretizer(n_bins=4, encode="onehot-dense"),
    lambda: preprocessing.PolynomialFeatures(2, include_bias=False),
    lambda: preprocessing.SplineTransformer(n_knots=4),
    lambda: preprocessing.FunctionTransformer(np.arcsinh),
    lambda: make_pipeline(
        preprocessing.MinMaxScaler(), kernel_approximation.Nystroem(n_components=5)
    ),
    lambda: FeatureUnion([("all", "passthrough"), ("pca", decomposition.PCA(2))]),
)
ENCODERS = (
    lambda: preprocessing.OneHotEncoder(handle_unknown="ignore"),
    lambda: preprocessing.OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=8),
    lambda: preprocessing.OneHotEncoder(drop="first", handle_unknown="ignore", sparse_output=False),
    lambda: preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    lambda: preprocessing.TargetEncoder(random_state=0),
    lambda: category_encoders.BinaryEncoder(),
    lambda: category_encoders.CountEncoder(handle_unknown=0, handle_missing=0),
    lambda: category_encoders.CatBoostEncoder(),
    lambda: category_encoders.JamesSteinEncoder(),
    lambda: make_pipeline(
        impute.SimpleImputer(strategy="most_frequent"),
        preprocessing.OneHotEncoder(handle_unknown="ignore"),
    ),
)
VECTORIZERS = (
    lambda: text.TfidfVectorizer(max_features=12),
    lambda: text.CountVectorizer(analyzer="char_wb", ngram_range=(2, 3), max_features=15),
    lambda: text.HashingVectorizer(n_features=16, alternate_sign=False),
    lambda: make_pipeline(text.TfidfVectorizer(), decomposition.TruncatedSVD(3, random_state=0)),
    lambda: make_pipeline(
        text.CountVectorizer(), decomposition.LatentDirichletAllocation(3, random_state=0)
    ),
)
BETWEEN = (
    lambda: "passthrough",
    lambda: "passthrough",
    lambda: feature_selection.SelectKBest(k=5),
    lambda: feature_selection.VarianceThreshold(0.01),
    lambda: preprocessing.MaxAbsScaler(),
    lambda: decomposition.TruncatedSVD(4, random_state=0),
    lambda: feature_selection.SelectFromModel(ensemble.ExtraTreesClassifier(5, random_state=0)),
    lambda: preprocessing.Normalizer(),
)
CLASSIFIERS = (
    lambda: linear_model.LogisticRegression(),
    lambda: CalibratedClassifierCV(linear_model.RidgeClassifier(), cv=2),
    lambda: ensemble.RandomForestClassifier(8, random_state=0),
    lambda: ensemble.ExtraTreesClassifier(8, random_state=0),
    lambda: ensemble.GradientBoostingClassifier(n_estimators=5, random_state=0),
    lambda: ensemble.BaggingClassifier(n_estimators=4, random_state=0),
    lambda: ensemble.AdaBoostClassifier(n_estimators=5, random_state=0),
    lambda: ensemble.VotingClassifier(
        [("a", linear_model.LogisticRegression()), ("b", tree.DecisionTreeClassifier())],
        voting="soft",
    ),
    lambda: ensemble.StackingClassifier([("a", tree.DecisionTreeClassifier(max_depth=3))], cv=2),
    lambda: neural_network.MLPClassifier((8,), max_iter=30, random_state=0),
    lambda: neighbors.KNeighborsClassifier(),
    lambda: svm.SVC(random_state=0),
    lambda: svm.LinearSVC(),
    lambda: GridSearchCV(linear_model.LogisticRegression(), {"C": [0.1, 1.0]}, cv=2),
    lambda: naive_bayes.BernoulliNB(),
    lambda: naive_bayes.GaussianNB(),
    lambda: ensemble.HistGradientBoostingClassifier(max_iter=5),
    lambda: multiclass.OneVsRestClassifier(linear_model.SGDClassifier(random_state=0)),
    lambda: multiclass.OneVsOneClassifier(svm.LinearSVC(random_state=0)),
    lambda: discriminant_analysis.LinearDiscriminantAnalysis(),
    lambda: lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1),
    lambda: xgboost.XGBClassifier(n_estimators=5, max_depth=3, n_jobs=1),
    lambda: catboost.CatBoostClassifier(iterations=5, depth=3, **QUIET),
)
REGRESSORS = (
    lambda: linear_model.LinearRegression(),
    lambda: linear_model.Lasso(0.01),
    lambda: ensemble.RandomForestRegressor(8, random_state=0),
    lambda: ensemble.GradientBoostingRegressor(n_estimators=5, random_state=0),
    lambda: compose.TransformedTargetRegressor(
        linear_model.Ridge(), func=np.exp2, inverse_func=np.log2
    ),
    lambda: neural_network.MLPRegressor((8,), max_iter=30, random_state=0),
    lambda: neighbors.KNeighborsRegressor(),
    lambda: svm.SVR(),
    lambda: linear_model.HuberRegressor(),
    lambda: ensemble.HistGradientBoostingRegressor(max_iter=5, loss="quantile", quantile=0.3),
    lambda: linear_model.BayesianRidge(),
    lambda: lightgbm.LGBMRegressor(n_estimators=5, verbose=-1, n_jobs=1, objective="l1"),
    lambda: xgboost.XGBRegressor(n_estimators=5, max_depth=3, n_jobs=1),
    lambda: catboost.CatBoostRegressor(iterations=5, depth=3, **QUIET),
    lambda: compose.TransformedTargetRegressor(
        linear_model.Ridge(), transformer=preprocessing.StandardScaler()
    ),
)


def pipeline(seed: int) -> Any:
    """One of many pipelines, with models of both kinds by turns."""
    chance = random.Random(seed)
    numbers = make_pipeline(chance.choice(IMPUTERS)(), chance.choice(SCALERS)())
    parts = [(numbers, list(NUMBERS)), (chance.choice(ENCODERS)(), [*TEXTS, "size"])]
    if chance.random() < 0.4:
        parts.append((chance.choice(VECTORIZERS)(), "review"))
    chance.shuffle(parts)
    columns = compose.make_column_transformer(
        *parts, sparse_threshold=chance.choice((0, 0.3, 1)), n_jobs=1
    )
    # Vectorizers give no frames.
    if len(parts) == 2 and chance.random() < 0.2:
        columns.set_params(sparse_threshold=0).set_output(transform="pandas")
    model = chance.choice(REGRESSORS if seed % 2 else CLASSIFIERS)()
    return make_pipeline(columns, chance.choice(BETWEEN)(), model)
