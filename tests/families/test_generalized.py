"""Generalized linear models of glum and statsmodels."""

from typing import Any

import numpy as np
import pytest

from tests import contract


def frame() -> Any:
    return contract.numbers()[["normal", "counts", "signed"]]


def counts() -> Any:
    return np.round(np.exp(contract.amount(frame()) - 1.0))


def regressor(
    *, arrays: bool = False, kind: str = "GeneralizedLinearRegressor", **options: Any
) -> Any:
    def example() -> tuple[Any, ...]:
        import glum

        data = frame().to_numpy() if arrays else frame()
        target = counts() + 1.0
        if options.get("family") == "binomial":
            target = (target > np.median(target)).astype(float)
        return getattr(glum, kind)(**options).fit(data, target), data

    return example


def with_constant() -> Any:
    return frame().assign(const=1.0)[["const", "normal", "counts", "signed"]]


def squares() -> tuple[Any, ...]:
    import statsmodels.api as sm

    return sm.OLS(counts(), with_constant()).fit(), with_constant()


def weighted_squares() -> tuple[Any, ...]:
    import statsmodels.api as sm

    weights = np.linspace(1.0, 2.0, len(frame()))
    return sm.WLS(counts(), with_constant(), weights=weights).fit(), with_constant()


def squares_of_arrays() -> tuple[Any, ...]:
    import statsmodels.api as sm

    data = with_constant().to_numpy()
    return sm.OLS(counts(), data).fit(), data


def family(name: str, link: str | None = None) -> Any:
    def example() -> tuple[Any, ...]:
        import statsmodels.api as sm

        target = counts() + 1.0
        if name == "Binomial":
            target = (target > np.median(target)).astype(float)
        options = {} if link is None else {"link": getattr(sm.families.links, link)()}
        chosen = getattr(sm.families, name)(**options)
        return sm.GLM(target, with_constant(), family=chosen).fit(), with_constant()

    return example


def discrete(name: str) -> Any:
    def example() -> tuple[Any, ...]:
        import statsmodels.api as sm

        target = counts() if name == "Poisson" else (counts() > np.median(counts())).astype(float)
        return getattr(sm, name)(target, with_constant()).fit(disp=0), with_constant()

    return example


EXAMPLES = {
    "glum_normal": regressor(alpha=0.1),
    "glum_poisson": regressor(family="poisson", alpha=0.1),
    "glum_poisson_of_arrays": regressor(family="poisson", alpha=0.1, arrays=True),
    "glum_binomial": regressor(family="binomial", alpha=0.1),
    "glum_tweedie": regressor(family="gamma", link="log", alpha=0.1),
    "glum_without_intercept": regressor(fit_intercept=False, alpha=0.1),
    "glum_cv": regressor(kind="GeneralizedLinearRegressorCV", family="poisson", l1_ratio=0.5),
    "squares": squares,
    "weighted_squares": weighted_squares,
    "squares_of_arrays": squares_of_arrays,
    "family_of_counts": family("Poisson"),
    "family_of_shares": family("Binomial"),
    "family_of_amounts": family("Gamma", "Log"),
    "family_of_normals": family("Gaussian"),
    "logit": discrete("Logit"),
    "poisson": discrete("Poisson"),
}


def test_formulas_are_refused() -> None:
    import statsmodels.formula.api as smf

    data = frame().assign(y=counts())
    assert "formula" in contract.refused(smf.ols("y ~ normal + counts", data).fit(), frame())


@pytest.mark.parametrize("name", ["Probit"])
def test_other_links_are_refused_by_name(name: str) -> None:
    model, data = discrete(name)()
    assert "`link`" in contract.refused(model, data)


def test_columns_in_another_order_are_refused() -> None:
    model, data = squares()
    assert "in this order" in contract.refused(model, data[data.columns[::-1]])


def test_columns_of_categories_are_refused() -> None:
    import glum

    data = contract.mixed(missing=False)[["size", "normal"]]
    model = glum.GeneralizedLinearRegressor(alpha=0.1).fit(data, contract.amount(frame()))
    assert "categories" in contract.refused(model, data)
