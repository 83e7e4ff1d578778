"""How many clusters: `kmeans` for each number of them on a sample, ranked by the silhouette."""

import time

from penstock.errors import DataError
from penstock.training.events import Event, Listener
from penstock.training.fitting import Fit
from penstock.training.metrics import silhouette
from penstock.training.preparing import Prepared
from penstock.training.recipe import Recipe
from penstock.training.searching import Entry, ranked

__all__ = ["counted", "is_open"]

MOST_CLUSTERS = 10
SAMPLE_ROWS = 20_000


def is_open(recipe: Recipe) -> bool:
    """Whether the recipe leaves it to the data how many clusters there are."""
    said = recipe.clusters is not None or "n_clusters" in recipe.parameters
    return recipe.algorithm == "kmeans" and not said


def counted(fit: Fit, found: Prepared, recipe: Recipe, tell: Listener) -> tuple[Entry, ...]:
    """From two clusters on, each number with its silhouette on the rows that it was fitted on.

    Raises `DataError` where the rows are too few or too much the same for two of them.
    """
    import numpy

    rows = found.parts.learning
    random = numpy.random.default_rng(recipe.seed)
    rows = numpy.sort(random.choice(rows, min(len(rows), SAMPLE_ROWS), replace=False))
    entries = []
    for count in range(2, (recipe.most_clusters or MOST_CLUSTERS) + 1):
        if count >= len(rows):
            break
        start = time.monotonic()
        parameters = {**recipe.parameters, "n_clusters": count}
        pipeline = fit.fit(recipe.but(parameters=parameters), rows, None).pipeline
        space = pipeline[:-1].transform(found.rows.iloc[rows])
        score = silhouette(space, pipeline[-1].labels_)
        seconds = time.monotonic() - start
        if numpy.isnan(score):
            break
        entries.append(Entry("kmeans", parameters, "silhouette", score, seconds, False))
        text = f"{count} clusters: silhouette {score:.4f} on {len(rows):,} rows, {seconds:.1f} s"
        tell(Event("trial", text, {"clusters": count, "score": score}))
    if not entries:
        raise DataError("the rows are not different enough for two clusters; say `clusters`")
    return ranked(entries)
