"""`bayes`: scikit-learn's `GaussianNB`, fitted on a sparse matrix, as it cannot be itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Gaussian"]


@dataclass(frozen=True)
class Gaussian:
    """Means and variances by class, to be fitted; dense, levels would take ten times the memory."""

    parameters: Mapping[str, Any]

    def fit(self, matrix: Any, target: Any, sample_weight: Any = None) -> Any:
        """The fitted estimator of scikit-learn, which answers to dense matrices."""
        import numpy
        from scipy import sparse
        from sklearn.naive_bayes import GaussianNB
        from sklearn.utils.sparsefuncs import mean_variance_axis

        made = GaussianNB(**self.parameters)
        if not sparse.issparse(matrix):
            return made.fit(matrix, target, sample_weight=sample_weight)
        matrix = matrix.tocsr()
        classes, codes = numpy.unique(target, return_inverse=True)
        weights = numpy.ones(len(codes)) if sample_weight is None else sample_weight
        # Fitted on nothing, then told what it would have found.
        made.fit(numpy.zeros((len(classes), matrix.shape[1])), classes)
        made.epsilon_ = made.var_smoothing * mean_variance_axis(matrix, 0)[1].max()
        for code in range(len(classes)):
            rows = numpy.flatnonzero(codes == code)
            means, variances = mean_variance_axis(matrix[rows], 0, weights=weights[rows])
            made.theta_[code], made.var_[code] = means, variances + made.epsilon_
        made.class_count_ = numpy.bincount(codes, weights)
        if made.priors is None:
            made.class_prior_ = made.class_count_ / made.class_count_.sum()
        return made
