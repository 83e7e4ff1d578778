"""Splines, within and beyond their knots."""

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from tests import contract


def spline(*, dtype: str = "float64", missing: bool = False, **options: Any) -> Any:
    def example() -> tuple[Any, ...]:
        frame = contract.numbers(missing=missing, dtype=dtype)[["normal", "large", "signed"]]
        return SplineTransformer(**options).fit(frame), frame

    return example


def before_a_ridge() -> tuple[Any, ...]:
    frame = contract.numbers()[["normal", "counts"]]
    model = make_pipeline(SplineTransformer(knots="quantile", n_knots=4), Ridge())
    return model.fit(frame, contract.amount(frame)), frame


KINDS = ["constant", "linear", "continue", "error", "periodic"]
EXAMPLES = {
    **{f"spline_transformer_{kind}": spline(extrapolation=kind) for kind in KINDS},
    **{
        f"spline_transformer_{kind}_of_degree_{degree}": spline(extrapolation=kind, degree=degree)
        for kind in KINDS
        for degree in (0, 1, 2)
        if (kind, degree) != ("constant", 0)
    },
    "spline_transformer_without_bias": spline(include_bias=False, degree=2),
    "spline_transformer_sparse": spline(sparse_output=True, extrapolation="linear"),
    "spline_transformer_of_quantiles": spline(knots="quantile", n_knots=7),
    "spline_transformer_with_missing": spline(missing=True, handle_missing="zeros"),
    "spline_transformer_with_missing_periodic": spline(
        missing=True, handle_missing="zeros", extrapolation="periodic", include_bias=False
    ),
    "spline_transformer_with_missing_within": spline(
        missing=True, handle_missing="zeros", extrapolation="error"
    ),
    "spline_transformer_in_float32": spline(dtype="float32"),
    "spline_transformer_of_own_knots": spline(
        knots=np.array([[-2.0, 0.0, -3.0], [0.0, 1e3, 0.0], [0.3, 1e4, 1.0], [2.0, 2e4, 9.0]])
    ),
    "before_a_ridge": before_a_ridge,
}


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_at_and_beside_knots_are_as_in_scikit_learn(kind: str) -> None:
    model, frame = EXAMPLES[f"spline_transformer_{kind}"]()
    rows = []
    for at, name in enumerate(frame):
        for knot in model.bsplines_[at].t:
            for number in (knot, np.nextafter(knot, np.inf), np.nextafter(knot, -np.inf)):
                rows.append(frame.iloc[0].to_dict() | {name: float(number)})
    contract.same(model, frame, rows)


def test_steps_that_are_constant_beyond_the_knots_are_refused() -> None:
    model, frame = spline(degree=0, extrapolation="constant")()
    assert "degree" in contract.refused(model, frame)


def test_missing_numbers_as_zeros_beside_lines_are_refused() -> None:
    model, frame = spline(missing=True, handle_missing="zeros", extrapolation="linear")()
    assert "handle_missing" in contract.refused(model, frame)


@pytest.mark.parametrize("extrapolation", ["continue", "periodic"])
def test_a_constant_column_that_has_one_knot_is_refused(extrapolation: str) -> None:
    frame = contract.numbers()[["normal", "constant"]]
    model = SplineTransformer(extrapolation=extrapolation).fit(frame)
    assert "one knot" in contract.refused(model, frame)
