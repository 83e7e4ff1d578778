"""Classes that look like those of libraries that the tests cannot import, by public descriptions.

`sklearn2pmml` is AGPL: nothing of it is installed, read or imported here. `sklearn-pandas` 2.2
takes a function from scikit-learn that is not there any more.
"""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline, make_pipeline


class Domain(TransformerMixin, BaseEstimator):
    def __init__(
        self,
        missing_values=None,
        missing_value_treatment="as_is",
        missing_value_replacement=None,
        invalid_value_treatment="return_invalid",
        invalid_value_replacement=None,
        with_data=True,
        dtype=None,
    ):
        self.missing_values = missing_values
        self.missing_value_treatment = missing_value_treatment
        self.missing_value_replacement = missing_value_replacement
        self.invalid_value_treatment = invalid_value_treatment
        self.invalid_value_replacement = invalid_value_replacement
        self.with_data = with_data
        self.dtype = dtype

    def _column(self, values, at):
        values = pd.Series(values).copy()
        missing = pd.isna(values)
        if missing.any() and self.missing_value_treatment == "return_invalid":
            raise ValueError("a value is missing")
        invalid = ~missing & ~self._valid(values, at)
        if invalid.any() and self.invalid_value_treatment == "return_invalid":
            raise ValueError("a value is invalid")
        values = self._within(values)
        if self.invalid_value_treatment == "as_missing" and invalid.any():
            values[invalid] = np.nan
        if self.invalid_value_treatment == "as_value":
            values[invalid] = self.invalid_value_replacement
        if self.missing_value_replacement is not None:
            values[missing] = self.missing_value_replacement
        return values

    def _within(self, values):
        return values

    def transform(self, X):
        if isinstance(X, pd.DataFrame):
            columns = [self._column(X[name], at) for at, name in enumerate(X.columns)]
            return pd.DataFrame(dict(zip(X.columns, columns, strict=True)))
        columns = [self._column(X[:, at], at).to_numpy() for at in range(X.shape[1])]
        return np.array(columns, dtype=X.dtype).T


class ContinuousDomain(Domain):
    def __init__(
        self,
        missing_value_treatment="as_is",
        missing_value_replacement=None,
        invalid_value_treatment="return_invalid",
        invalid_value_replacement=None,
        with_data=True,
        outlier_treatment="as_is",
        low_value=None,
        high_value=None,
    ):
        super().__init__(
            None,
            missing_value_treatment,
            missing_value_replacement,
            invalid_value_treatment,
            invalid_value_replacement,
            with_data,
        )
        self.outlier_treatment = outlier_treatment
        self.low_value = low_value
        self.high_value = high_value

    def fit(self, X, y=None):
        numbers = np.asarray(X, dtype=float)
        if self.with_data:
            self.data_min_ = np.nanmin(numbers, axis=0)
            self.data_max_ = np.nanmax(numbers, axis=0)
        return self

    def _valid(self, values, at):
        if not self.with_data:
            return pd.Series(True, index=values.index)
        return (values >= self.data_min_[at]) & (values <= self.data_max_[at])

    def _within(self, values):
        if self.outlier_treatment == "as_extreme_values":
            return values.clip(self.low_value, self.high_value)
        if self.outlier_treatment == "as_missing_values":
            return values.where((values >= self.low_value) & (values <= self.high_value))
        return values


class CategoricalDomain(Domain):
    def fit(self, X, y=None):
        table = pd.DataFrame(X)
        levels = [np.array(sorted(table[name].dropna().unique())) for name in table.columns]
        self.data_values_ = levels[0] if len(levels) == 1 else levels
        return self

    def _valid(self, values, at):
        levels = self.data_values_
        return values.isin(levels if isinstance(levels, np.ndarray) else levels[at])


class OrdinalDomain(CategoricalDomain):
    pass


class TemporalDomain(CategoricalDomain):
    pass


class MultiDomain(TransformerMixin, BaseEstimator):
    def __init__(self, domains):
        self.domains = domains

    def fit(self, X, y=None):
        for at, domain in enumerate(self.domains):
            if domain is not None:
                domain.fit(X.iloc[:, [at]])
        return self

    def transform(self, X):
        parts = [
            X.iloc[:, [at]] if domain is None else domain.transform(X.iloc[:, [at]])
            for at, domain in enumerate(self.domains)
        ]
        return pd.concat(parts, axis=1)


class Alias(TransformerMixin, BaseEstimator):
    def __init__(self, transformer, name):
        self.transformer = transformer
        self.name = name

    def fit(self, X, y=None):
        self.transformer_ = self.transformer.fit(X, y)
        return self

    def transform(self, X):
        return self.transformer_.transform(X)


DOMAINS = (
    *(Alias, CategoricalDomain, ContinuousDomain, MultiDomain, OrdinalDomain, TemporalDomain),
)
for domain in DOMAINS:
    domain.__module__ = "sklearn2pmml.decoration"


class TransformerPipeline(Pipeline):
    """Steps that all transform."""


class DataFrameMapper(BaseEstimator, TransformerMixin):
    """Transformers of columns of a frame, side by side; a name alone is a column by itself."""

    def __init__(
        self, features, default=False, sparse=False, df_out=False, input_df=False, drop_cols=None
    ):
        self.features = features
        self.default = default
        self.sparse = sparse
        self.df_out = df_out
        self.input_df = input_df
        self.drop_cols = [] if drop_cols is None else drop_cols

    def fit(self, X, y=None):
        def built(transformer):
            if isinstance(transformer, list):
                return TransformerPipeline(make_pipeline(*transformer).steps)
            return transformer

        self.built_features = [
            (columns(X) if callable(columns) else columns, built(transformer), *(options or [{}]))
            for columns, transformer, *options in self.features
        ]
        self.built_default = built(self.default)
        for columns, transformer, options in self._parts(X):
            if transformer is not None:
                part = self._part(X, columns, options)
                fit = transformer.fit
                fit(part) if isinstance(transformer, Pipeline) or y is None else _fit(fit, part, y)
        self.transform(X)
        return self

    def _parts(self, X):
        yield from self.built_features
        if self.built_default is not False:
            taken = set()
            for columns, *_ in self.features:
                taken |= set(columns) if isinstance(columns, list) else {columns}
            names = [name for name in X.columns if name not in taken | set(self.drop_cols)]
            yield names, self.built_default, {}

    def _part(self, X, columns, options):
        part = X[columns]
        return part if options.get("input_df", self.input_df) else part.values

    def transform(self, X):
        from scipy import sparse

        made, names = [], []
        for columns, transformer, options in self._parts(X):
            part = self._part(X, columns, options)
            part = part if transformer is None else transformer.transform(part)
            made.append(np.array([part]).T if part.ndim == 1 else part)
            name = options.get("alias") or (
                columns if isinstance(columns, str) else "_".join(columns)
            )
            count = made[-1].shape[1]
            names += [name] if count == 1 else [f"{name}_{at}" for at in range(count)]
        self.transformed_names_ = names
        if any(sparse.issparse(part) for part in made):
            together = sparse.hstack(made).tocsr()
            return together if self.sparse else together.toarray()
        together = np.hstack(made)
        if not self.df_out:
            return together
        frame = pd.DataFrame(together, columns=names, index=X.index)
        dtypes = [
            dtype
            for part in made
            for dtype in (part.dtypes if hasattr(part, "dtypes") else [part.dtype] * part.shape[1])
        ]
        for name, dtype in zip(names, dtypes, strict=True):
            frame[name] = frame[name].astype(dtype)
        return frame


def _fit(fit, part, y):
    try:
        return fit(part, y)
    except TypeError:
        return fit(part)


TransformerPipeline.__module__ = "sklearn_pandas.pipeline"
DataFrameMapper.__module__ = "sklearn_pandas.dataframe_mapper"
