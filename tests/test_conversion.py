"""The proof while converting: differences, refusals, policies, and what ends up in the artifact."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeRegressor

import penstock
import penstock.conversion
from penstock import DataError, Field, SchemaError
from penstock.converters.values import numeric_columns
from tests import contract

NAME = "sklearn.linear_model.LinearRegression"


@pytest.fixture
def broken(monkeypatch):
    """Puts another converter in the place of that of linear regressions."""

    def put(convert):
        table = penstock.conversion.table() | {NAME: convert}
        monkeypatch.setattr(penstock.conversion, "table", lambda: table)

    return put


def regression():
    frame = contract.numbers()
    return LinearRegression().fit(frame, contract.amount(frame)), frame


def linear(estimator, value, context, *, shift=0.0):
    from penstock.converters.values import Prediction, number

    made = context.add(
        "linear",
        value,
        numeric_columns(1),
        coefficients=estimator.coef_.reshape(1, -1),
        intercepts=np.array([estimator.intercept_ + shift]),
    )
    return Prediction((number("value", made, tolerance=1e-12),))


def test_difference_shows_the_row_the_output_and_both_values(broken):
    model, frame = regression()
    broken(lambda *given: linear(*given, shift=1e-9))
    message = contract.refused(model, frame)
    assert "output `value`" in message and "the source library answers" in message
    assert "row (typical): {'normal': " in message
    assert "linear" in message.splitlines()[-1]


def test_clip_that_changes_no_training_row_is_found(broken):
    model, frame = regression()

    def clipped(estimator, value, context):
        ends = [frame.min().to_numpy() - 1, frame.max().to_numpy() + 1]
        value = context.add(
            "clip", value, value.columns, minimum=ends[0], maximum=ends[1], precision="f64"
        )
        return linear(estimator, context.require(value), context)

    broken(clipped)
    assert re.search(r"\((extreme|number), column `", contract.refused(model, frame))


def test_answer_that_the_source_library_refuses_becomes_a_policy(broken):
    model, frame = regression()
    broken(linear)
    made = penstock.convert(model, frame)
    assert made.schema["large"].on_missing == "refuse"
    assert made.schema["large"].infinite == "refuse"
    with pytest.raises(DataError, match="`large`"):
        made.predict({name: 1.0 for name in frame} | {"large": None})


def test_refusal_that_the_source_library_does_not_share_is_an_error(broken):
    from penstock.converters.composing import CONVERTERS

    frame = contract.numbers(missing=True)
    inner = CONVERTERS["sklearn.preprocessing.FunctionTransformer"]
    table = penstock.conversion.table() | {
        "sklearn.preprocessing.FunctionTransformer": lambda estimator, value, context: inner(
            estimator, context.require(value), context
        )
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(penstock.conversion, "table", lambda: table)
        message = contract.refused(FunctionTransformer().fit(frame), frame)
    assert "the engine refuses" in message and "source library answers it" in message


def test_integers_that_come_near_what_a_float_can_hold_convert():
    frame = pd.DataFrame({"account": 2**53 - np.arange(60) ** 7, "size": range(60)})
    model = DecisionTreeRegressor().fit(frame, range(60))
    assert penstock.convert(model, frame).predict(frame)["value"].tolist() == [*range(60)]


def test_example_that_the_source_library_refuses_is_an_error():
    model, frame = regression()
    message = contract.refused(model, frame * np.nan)
    assert "refuses the example" in message and "NaN" in message


def test_example_without_a_column_of_the_model_is_an_error():
    model, frame = regression()
    message = contract.refused(model, frame.drop(columns="large"))
    assert "now missing" in message and "large" in message


def test_policies_override_what_is_inferred():
    frame = contract.numbers()
    made = penstock.convert(
        make_pipeline(FunctionTransformer(np.abs)).fit(frame),
        frame,
        policies={"large": Field(minimum=0, maximum=1e4, on_invalid="missing")},
    )
    row = dict.fromkeys(frame, 1.0)
    assert made.predict(row | {"large": 5e3})["large"] == 5e3
    assert np.isnan(made.predict(row | {"large": 5e4})["large"])
    made.verify()


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"lrge": Field(minimum=0)}, "did you mean `large`?"),
        ({"large": {"minimum": 0}}, "is a dict, not a Field"),
        ({"large": Field(type="text")}, "`type` cannot be text"),
        ({"large": Field(on_missing="allow")}, "refuses what `on_missing` would allow"),
        ({"large": Field(infinite="allow")}, "refuses what `infinite` would allow"),
        ({"large": Field(on_invalid="missing")}, "declare a `replacement` as well"),
    ],
)
def test_policy_that_cannot_be_kept_is_refused(policy, message):
    model, frame = regression()
    assert message in contract.refused(model, frame, policies=policy)


def test_pattern_that_only_python_understands_is_refused():
    frame = contract.texts()
    policies = {"town": Field(pattern="(?=town).*")}
    message = contract.refused(FunctionTransformer().fit(frame), frame, policies=policies)
    assert "cannot keep these policies" in message and "`town`" in message


def test_policy_of_another_type_is_refused():
    frame = contract.texts()
    with pytest.raises(SchemaError, match="`town` is text: `minimum`"):
        penstock.convert(
            FunctionTransformer().fit(frame), frame, policies={"town": Field(minimum=1)}
        )


def test_replacement_makes_missing_values_answerable():
    model, frame = regression()
    made = penstock.convert(model, frame, policies={"large": Field(replacement=2.0)})
    row = dict.fromkeys(frame, 1.0)
    assert made.predict(row | {"large": None}) == made.predict(row | {"large": 2.0})


def test_conversion_without_a_proof_still_has_examples():
    model, frame = regression()
    made = penstock.convert(model, frame, verify=False)
    assert len(made.examples) >= 4
    assert made.schema["large"].on_missing == "allow"


def test_name_version_and_provenance_are_in_the_manifest():
    model, frame = regression()
    made = penstock.convert(model, frame, name="price", version="7")
    assert (made.name, made.version) == ("price", "7")
    provenance = made.manifest["provenance"]
    assert provenance["class"] == NAME and provenance["library"] == "sklearn"
    assert provenance["example_rows"] == len(frame)
    assert {"python", "penstock", "sklearn", "numpy"} <= set(provenance["versions"])


def test_baseline_has_the_statistics_of_every_input():
    frame = contract.mixed()
    baseline = penstock.convert(FunctionTransformer().fit(frame), frame).manifest["baseline"]
    large = baseline["large"]
    assert large["missing"] == frame["large"].isna().sum() and large["count"] == len(frame)
    assert large["minimum"] == frame["large"].min()
    assert large["quantiles"]["0.5"] == np.nanquantile(frame["large"], 0.5)
    counts = frame["color"].value_counts()
    assert baseline["color"]["levels"][0] == [counts.index[0], counts.iloc[0]]
    assert baseline["color"]["missing"] == frame["color"].isna().sum()
    assert baseline["flag"]["distinct"] == 2
    bins = large["bins"]
    counts = pd.cut(frame["large"], [-np.inf, *bins["edges"], np.inf], right=False).value_counts()
    assert bins["counts"] == counts.sort_index().to_list()
    assert sum(bins["counts"]) == len(frame) - large["missing"]
    assert bins["counts"][0] == bins["counts"][-1] == 0


def test_each_of_few_numbers_has_a_bin_and_infinities_the_outer_ones():
    frame = pd.DataFrame({"x": [3.0, 1.0, 1.0, 2.0, np.inf, np.nan]})
    model = penstock.convert(FunctionTransformer().fit(frame), frame)
    edges = [0.5, 1.5, 2.5, 3.5]
    assert model.manifest["baseline"]["x"]["bins"] == {"edges": edges, "counts": [0, 2, 1, 1, 1]}


def test_numbers_at_the_ends_of_floats_have_bins_too():
    largest = np.finfo(float).max
    frame = pd.DataFrame({"x": [-largest, largest], "y": [0.0, 0.0]})
    baseline = penstock.convert(FunctionTransformer().fit(frame), frame).manifest["baseline"]
    assert sum(baseline["x"]["bins"]["counts"]) == 2
    assert baseline["y"]["bins"]["counts"] == [0, 2, 0]


def test_baseline_has_what_the_model_answers_to_the_example():
    frame = pd.DataFrame({"x": np.arange(40.0)})
    answers = np.array(["low", "high"])[(frame["x"] > 29).astype(int)]
    model = penstock.convert(LogisticRegression().fit(frame, answers), frame)
    baseline = model.manifest["baseline"]
    counts = pd.Series(model.predict(frame)["label"]).value_counts()
    assert baseline["output:label"]["counts"] == [counts["high"], counts["low"]]
    elements = baseline["output:probability"]["elements"]
    assert [sum(element["bins"]["counts"]) for element in elements] == [40, 40]


def test_examples_hold_every_kind_of_row_and_are_few():
    frame = contract.mixed().drop(columns="size")
    made = penstock.convert(FunctionTransformer().fit(frame), frame)
    rows = [row for row, _ in made.examples]
    assert 20 < len(rows) <= 60
    assert any(row["color"] is None for row in rows)
    assert any(row["color"] not in {"red", "green", "blue", None} for row in rows)
    assert any(row["large"] == "Infinity" for row in rows)


def test_examples_of_refused_rows_have_the_code_of_the_error():
    model, frame = regression()
    errors = {
        expected["error"]
        for _, expected in penstock.convert(model, frame).examples
        if "error" in expected
    }
    assert {"missing", "infinite"} <= errors


def test_a_column_may_be_called_error():
    frame = contract.numbers().rename(columns={"normal": "error"})
    made = penstock.convert(StandardScaler().fit(frame), frame)
    assert {"error", "large"} <= made.examples[0][1].keys()
    with pytest.raises(DataError):
        made.predict(made.examples[0][0] | {"large": float("inf")})


def test_wide_example_is_converted():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 300)))
    frame.columns = [f"x{at}" for at in frame]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = penstock.convert(StandardScaler().fit(frame), frame)
    assert made.examples
    assert all(field.infinite == "refuse" for field in made.schema.inputs)


def test_priors_that_do_not_fit_the_classes_are_no_crash_in_the_proof():
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

    frame = contract.numbers()
    model = QuadraticDiscriminantAnalysis(priors=[0.4, 0.6])
    model.fit(frame[["normal", "signed"]], contract.answer(frame, ("a", "b", "c")))
    message = contract.refused(model, frame[["normal", "signed"]])
    assert "not as its library leaves it" in message


def test_an_estimator_that_its_library_cannot_use_is_refused_by_name():
    from sklearn.feature_selection import GenericUnivariateSelect

    frame = contract.numbers()
    model = GenericUnivariateSelect(mode="k_best", param=1e-5).fit(frame, contract.amount(frame))
    message = contract.refused(model, frame)
    assert "`sklearn.feature_selection.GenericUnivariateSelect` is not as its library" in message
