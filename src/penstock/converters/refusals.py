"""What is said of estimators that do not convert, or not where they stand."""

import difflib
from collections.abc import Mapping
from typing import Any

from penstock.graph import Graph

__all__ = ["METHODS", "REASONS", "cutting", "misplaced", "public_name", "unlike", "unsupported"]


def public_name(cls: type) -> str:
    """The name under which a class is public: `sklearn.linear_model.LogisticRegression`."""
    parts: list[str] = []
    for part in cls.__module__.split("."):
        if part.startswith("_"):
            break
        parts.append(part)
    return ".".join([*parts, cls.__qualname__])


# What hands on what it gets as it is.
_HANDING = frozenset(
    (
        "CalibratedClassifierCV",
        "FeatureUnion",
        "FixedThresholdClassifier",
        "FrozenEstimator",
        "GridSearchCV",
        "HalvingGridSearchCV",
        "HalvingRandomSearchCV",
        "OneVsRestClassifier",
        "PMMLPipeline",
        "Pipeline",
        "RandomizedSearchCV",
        "StackingClassifier",
        "StackingRegressor",
        "TransformerPipeline",
        "TransformedTargetRegressor",
        "TunedThresholdClassifierCV",
        "VotingClassifier",
        "VotingRegressor",
    )
)
_OF_ONE = frozenset(
    ("CountVectorizer", "FunctionTransformer", "HashingVectorizer", "TfidfVectorizer")
)
_OF_DICTIONARIES = frozenset(("DictVectorizer", "FeatureHasher"))


def unlike(estimator: Any, error: Exception) -> str:
    """What is said where something goes wrong that no converter knows."""
    return (
        f"`{public_name(type(estimator))}` is not as its library leaves it after fitting "
        f"({type(error).__name__}: {error}); fit it again, with valid options"
    )


def misplaced(cls: type, *, flat: bool, keyed: bool) -> str:
    """Why an estimator takes no column by itself (`flat`) or no dictionaries (`keyed`), if so."""
    if cls.__name__ in _HANDING:
        return ""
    name = public_name(cls)
    if flat and cls.__name__ not in _OF_ONE:
        return (
            f"`{name}` takes a table, and gets one column by itself; name it as a list, "
            '`["column"]` and not `"column"`'
        )
    if keyed and cls.__name__ not in _OF_DICTIONARIES:
        return (
            f"`{name}` takes a table, and gets dictionaries; give a frame as the example, as "
            "`pandas.DataFrame(rows)`"
        )
    return ""


NOT_YET = "not yet"
_SEARCHED = "it searches for each row, in steps, what fits it best"
_GRAPH = "it gives a sparse matrix as wide as the training data"
_OTHER_ROWS = "what it gives for a row depends on the rows beside it"
_DROPS = "it leaves out rows, also when predicting; leave it out of the pipeline after fitting"
_TIMES = "how it casts to times is not known; give times, and no domain of them"
# Why some well-known classes do not convert, and what to do instead.
REASONS: Mapping[str, str] = {
    "category_encoders.multi_hot.MultiHotEncoder": NOT_YET,
    "feature_engine.imputation.drop_missing_data.DropMissingData": _DROPS,
    "feature_engine.imputation.random_sample.RandomSampleImputer": "it draws by chance",
    "feature_engine.outliers.trimmer.OutlierTrimmer": _DROPS,
    **{
        f"feature_engine.timeseries.forecasting.{module}.{name}": _OTHER_ROWS
        for module, name in (
            ("expanding_window_features", "ExpandingWindowFeatures"),
            ("lag_features", "LagFeatures"),
            ("window_features", "WindowFeatures"),
        )
    },
    "sklearn.decomposition.MiniBatchNMF": (
        "it searches for all rows together: one row and many differ"
    ),
    "sklearn.decomposition.NMF": "it searches for all rows together: one row and many differ",
    "sklearn.feature_extraction.image.PatchExtractor": "it takes pictures, not rows",
    "sklearn.manifold.Isomap": "it keeps the distances between all rows of training",
    "sklearn.manifold.LocallyLinearEmbedding": _SEARCHED,
    "sklearn.neighbors.KNeighborsTransformer": _GRAPH,
    "sklearn.neighbors.RadiusNeighborsTransformer": _GRAPH,
    "sklearn.preprocessing.MultiLabelBinarizer": "it takes lists of labels, not columns",
    **{
        f"sklearn2pmml.decoration.{name}": _TIMES
        for name in ("DateDomain", "DateTimeDomain", "TemporalDomain")
    },
}
# Methods that answer for rows that were not in training.
METHODS = ("predict", "score_samples", "transform")
# So alike are names only by a slip; others that are near have nothing to do with each other.
ALIKE = 0.92


def unsupported(cls: type, converters: Mapping[str, Any]) -> str:
    """Why a class has no converter, and what to do."""
    name = public_name(cls)
    base = next((base for base in cls.__mro__[1:] if public_name(base) in converters), None)
    if base is not None:
        return (
            f"`{name}` is a subclass of `{public_name(base)}` and may do anything else; convert "
            "the base class, or add a converter with the entry point `penstock.converters`"
        )
    if REASONS.get(name, NOT_YET) != NOT_YET:
        return f"`{name}` is not supported: {REASONS[name]}"
    if not any(hasattr(cls, method) for method in METHODS):
        return (
            f"`{name}` is not supported: it has neither `predict` nor `transform`, so that it "
            "answers for no other rows than those it was fitted on"
        )
    ends = {known.rsplit(".", 1)[-1].lower(): known for known in sorted(converters)}
    near = difflib.get_close_matches(cls.__name__.lower(), ends, n=1, cutoff=ALIKE)
    hint = f"; did you mean `{ends[near[0]]}`?" if near else ";"
    return (
        f"`{name}` is not supported{hint} `penstock.supported()` lists what is, and the entry "
        "point `penstock.converters` adds to it"
    )


def cutting(graph: Graph, tolerances: Mapping[str, float]) -> str:
    """What to do where trees cut at numbers that are not exact to the last bit; empty: nothing.

    `tolerances`: of the inputs of each node.
    """
    for node in graph.nodes:
        tolerance = tolerances.get(node.name, 0.0)
        if node.operator == "trees" and tolerance > 0:
            step, trees = (name.split(".")[0] for name in (node.inputs[0], node.name))
            return (
                f"\nThe trees of `{trees}` cut at numbers of `{step}`, which are within "
                f"{tolerance:g} of those of the source library; a number beside a cut may fall on "
                "its other side. Round them between the two in training: "
                '`FunctionTransformer(numpy.round, kw_args={"decimals": 9})`'
            )
    return ""
