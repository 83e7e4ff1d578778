"""Quadratic discriminants beside scikit-learn."""

import numpy as np
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

from tests import contract

TEXTS, NUMBERS, FLAGS = ("no", "yes"), (30, 10, 20), (False, True)


def scaled(dtype="float64"):
    frame = contract.numbers().drop(columns="constant")
    frame["large"] = np.log(frame["large"])
    return frame.astype(dtype)


def classifier(estimator, classes=TEXTS, frame=scaled):
    return lambda: (estimator.fit(frame(), contract.answer(scaled(), classes)), frame())


EXAMPLES = {
    "quadratic": classifier(QuadraticDiscriminantAnalysis()),
    "quadratic_of_three_with_priors": classifier(
        QuadraticDiscriminantAnalysis(priors=[0.2, 0.3, 0.5], reg_param=0.1), NUMBERS
    ),
    "quadratic_of_booleans_by_covariance": classifier(
        QuadraticDiscriminantAnalysis(solver="eigen", shrinkage=0.1), FLAGS
    ),
    "quadratic_on_float32": classifier(
        QuadraticDiscriminantAnalysis(), TEXTS, lambda: scaled("float32").to_numpy()
    ),
}
