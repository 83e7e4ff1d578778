"""What all steps share: fitting plans a small model, and `transform` is that model."""

from typing import Any

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from penstock.conversion import planned
from penstock.tables import like

__all__ = ["Step"]


class Step(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer whose features the engine computes, from the nodes that an artifact gets."""

    def fit(self, X: Any, y: Any = None) -> "Step":
        """Learns the types of the columns, and plans the model that transforms."""
        table = _table(X)
        validate_data(self, table, reset=True, skip_check_array=True)
        self._learn(table)
        self._plan(table)
        return self

    def transform(self, X: Any) -> Any:
        """The features in a table of the kind that is given: a frame for a frame, else an array.

        An array of float64, or of objects where a feature is a text. Raises `DataError` for a row
        that is refused.
        """
        check_is_fitted(self)
        table = _table(X)
        validate_data(self, table, reset=False, skip_check_array=True)
        answers = self.model_.predict_columns(table)
        answers.raise_first()
        return _renamed(table, like(table, answers), self._names())

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """The names of the features."""
        import numpy

        check_is_fitted(self)
        return numpy.array(self._names(), dtype=object)

    def _learn(self, table: Any) -> None:
        """Learns what the step needs beside the types."""

    def _plan(self, table: Any) -> None:
        names = getattr(self, "feature_names_in_", None)
        labels = [f"x{at}" for at in range(self.n_features_in_)] if names is None else list(names)
        self.model_ = planned(self, table, labels)

    def _names(self) -> list[str]:
        raise NotImplementedError

    def _inputs(self) -> list[str]:
        names = getattr(self, "feature_names_in_", None)
        return [f"x{at}" for at in range(self.n_features_in_)] if names is None else list(names)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _table(X: Any) -> Any:
    """Frames as they are; all else as an array of two dimensions."""
    if hasattr(X, "__arrow_c_stream__") or hasattr(X, "columns"):
        return X
    return check_array(X, dtype=None, ensure_all_finite=False)


def _renamed(table: Any, answers: Any, names: list[str]) -> Any:
    if hasattr(answers, "rename_columns"):
        return answers.rename_columns(names)
    if hasattr(answers, "columns"):
        answers.columns = names
        return answers
    import numpy

    columns = list(answers.values())
    if all(column.dtype == "float64" for column in columns):
        return numpy.column_stack(columns)
    array = numpy.empty((len(columns[0]), len(columns)), dtype=object)
    for at, column in enumerate(columns):
        array[:, at] = column
    return array
