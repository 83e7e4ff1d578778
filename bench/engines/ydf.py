"""ydf: a model of its own on the same rows, with as many trees of the same size."""

from collections.abc import Callable
from typing import Any

import numpy

from bench.engines.request import Engine, Refused, Request
from bench.timing import Call

__all__ = ["engine", "explaining"]

TRAIN_ROWS = 50_000  # its training is not what is measured
BOOSTED: dict[str, Any] = {
    "num_trees": 500,
    "shrinkage": 0.05,
    "validation_ratio": 0.0,
    "early_stopping": "NONE",
}
LEAF_WISE = {**BOOSTED, "growing_strategy": "BEST_FIRST_GLOBAL", "max_depth": -1}
LEARNERS: dict[str, tuple[str, dict[str, Any]]] = {
    "lightgbm": ("GradientBoostedTreesLearner", {**LEAF_WISE, "max_num_nodes": 125}),
    "xgboost": ("GradientBoostedTreesLearner", {**BOOSTED, "max_depth": 6}),
    "forest": (
        "RandomForestLearner",
        {
            "num_trees": 100,
            "max_depth": -1,
            "min_examples": 1,
            "compute_oob_performances": False,
            "winner_take_all": False,
        },
    ),
}


def engine(request: Request) -> Engine:
    """Predicts from a `VerticalDataset` that was made beforehand."""
    return _engine(request, lambda model: model.predict)


def explaining(request: Request) -> Engine:
    """Shapley values of its own model."""
    return _engine(request, lambda model: model.predict_shap)


def _engine(request: Request, method: Callable[[Any], Any]) -> Engine:
    import ydf

    if request.kind not in LEARNERS:
        raise Refused("it has no linear models")
    path = request.keep("-model")
    if not path.exists():
        _train(request).save(str(path))
    model = ydf.load_model(str(path))
    columns = dict(numpy.load(request.columns, allow_pickle=False))
    predict = method(model)

    def batch(start: int, end: int, threads: int) -> Call:
        part = {name: values[start:end] for name, values in columns.items()}
        dataset = ydf.create_vertical_dataset(
            part, data_spec=model.data_spec(), required_columns=model.input_feature_names()
        )
        return lambda: predict(dataset, num_threads=threads)

    return Engine(
        given="a `VerticalDataset`",
        batch=batch,
        outputs=None,
        load=lambda: ydf.load_model(str(path)),
        note="ydf runs a model that it trained itself, on 50,000 of the rows; as many trees, as "
        "deep or with as many leaves.",
    )


def _train(request: Request) -> Any:
    import ydf

    columns = dict(numpy.load(request.train, allow_pickle=False))
    few = {name: values[-TRAIN_ROWS:] for name, values in columns.items()}
    learner, options = LEARNERS[request.kind]
    trainer = getattr(ydf, learner)(label="target", max_vocab_count=-1, **options)
    return trainer.train(few, verbose=0)
