"""scikit-learn's topics of texts, which it searches for row by row."""

from collections.abc import Callable, Mapping
from typing import Any

from penstock.converters.context import Context
from penstock.converters.validation import floats, sized
from penstock.converters.values import Value, numeric_columns

__all__ = ["CONVERTERS"]

# Of up to a hundred steps, each of which starts from the rounded result of the one before.
TOPICS_TOLERANCE = 1e-9


def latent_dirichlet_allocation(estimator: Any, value: Value, context: Context) -> Value:
    """The shares of the topics of a row; one with a negative count is refused.

    sklearn/decomposition/_lda.py, `_update_doc_distribution`: a row is searched for by itself, and
    alike in all batches.
    """
    weights = estimator.exp_dirichlet_component_
    rows = floats(value, context)
    if rows.precision != "f64" or weights.dtype != "float64":
        context.refuse("computes in float32; fit it on float64")
    return context.add(
        "topics",
        rows,
        numeric_columns(len(weights)),
        tolerance=TOPICS_TOLERANCE,
        weights=weights.T.ravel(),
        prior=float(estimator.doc_topic_prior_),
        change=float(estimator.mean_change_tol),
        steps=int(estimator.max_doc_update_iter),
        count=len(weights),
    )


CONVERTERS: Mapping[str, Callable[..., Any]] = sized(
    {"sklearn.decomposition.LatentDirichletAllocation": latent_dirichlet_allocation}
)
