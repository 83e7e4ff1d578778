"""`penstock.steps.Derive` and `Dates` as transformers: their tables, pipelines and refusals."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

import penstock
from penstock import ConvertError
from penstock.converters.vocabulary import FUNCTIONS
from penstock.steps import Dates, Derive
from tests import contract
from tests.test_formulas import NUMBERS, PARTS, WORDS


def frame():
    random = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "loan": random.lognormal(9, 1, 200),
            "income": np.where(random.random(200) < 0.1, 0.0, random.lognormal(10, 1, 200)),
            "dti": np.where(random.random(200) < 0.1, np.nan, random.uniform(0, 40, 200)),
            "home": pd.Series(random.choice(["RENT", "OWN", "OTHER"], 200), dtype="object"),
        }
    )


RISK = {
    "ratio": "loan / income",
    "risky": "home in ('RENT', 'OTHER') and dti > 20",
    "_base": "default(dti, 0) / 10",
    "level": "round(_base, 1) + (1 if risky else 0)",
}


def fitted(step, data):
    return lambda: (step().fit(data()), data())


def in_a_pipeline():
    data = frame()
    columns = make_column_transformer(
        (Derive(**RISK), ["loan", "income", "dti", "home"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["home"]),
    )
    pipeline = make_pipeline(columns, DecisionTreeClassifier(max_depth=4))
    return pipeline.fit(data, contract.answer(data)), data


def before_an_encoder():
    data = frame()
    features = Derive(kind="home.lower()[0:2]", rich="income > 20000", n="len(home)")
    columns = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["kind"]), remainder="passthrough"
    )
    pipeline = make_pipeline(features, columns, LogisticRegression())
    return pipeline.fit(data, contract.answer(data)), data


def of_an_array():
    data = frame()[["loan", "income"]].to_numpy()
    return Derive(ratio="x0 / x1", larger="max(x0, x1)").fit(data), data


def of_texts():
    return Derive(a="home.lower()", b="home + '-' + home", c="len(home)").fit(frame()), frame()


def everything():
    words = [*WORDS, "one.more"][: len(NUMBERS)]
    data = pd.DataFrame({"a": NUMBERS, "t": pd.Series(words, dtype="object")})
    data = pd.concat([data, data.assign(t="a.b")], ignore_index=True)
    every = {
        "hashed": "hash_bucket(t, 10)",
        "words": "count_words(t, ['a', 'b.c'])",
        "sliced": "t[1:]",
        "part": "part(t, '.', 0)",
        "replaced": "replace(t, 'a', 'b')",
        "stripped": "strip(t)",
        "extracted": "extract(t, '[a-z]')",
        "matched": "matches(t, '[a-z]+')",
        "found": "contains(t, 'a')",
        "long": "'long' if len(t) > 5 else 'short'",
        "equal": "t == 'a'",
        "joined": "t + 'x'",
        "upper": "upper(t)",
        "combined": "a ** 2 % 7",
        "rounded": "round(a, 3)",
        "cosine": "cos(a)",
        "at": "hour(at_zone(parse_time(t, '%Y'), 'Europe/Berlin'))",
        "since": "day(floor_time(parse_time(t, '%Y'), 'week'))",
    }
    return Derive(**every).fit(data), data


def flights(dtype="datetime64[us]", zone=None, seed=5):
    random = np.random.default_rng(seed)
    seconds = random.integers(1.3e9, 1.7e9, 200)
    at = pd.Series(pd.to_datetime(seconds, unit="s").astype(dtype))
    at = at if zone is None else at.dt.tz_localize("UTC").dt.tz_convert(zone)
    return pd.DataFrame({"at": at.where(at.index % 17 != 0), "miles": random.uniform(1, 9, 200)})


def dates(dtype="datetime64[us]", zone=None, clocks=None):
    def example():
        data = flights(dtype, zone)[["at"]]
        return Dates(parts=list(PARTS), zone=clocks).fit(data), data

    return example


def dates_before_a_model():
    data = flights("datetime64[s]")
    columns = make_column_transformer(
        (Dates(zone="Europe/Berlin"), ["at"]), ("passthrough", ["miles"])
    )
    tree = DecisionTreeClassifier(max_depth=4, random_state=0)
    return make_pipeline(columns, tree).fit(data, data["miles"] > 5), data


def times_in_formulas():
    data = flights("datetime64[ns]", "America/New_York")
    step = Derive(
        weekend="weekday(at_zone(at, 'America/New_York')) >= 5",
        since="difference(at, parse_time('2013-01-01', '%Y-%m-%d'), 'day')",
        late="at >= '2016-12-31T23:59:59.5' and miles > 3",
        month="difference(at, floor_time(at, 'month'), 'second')",
    )
    return step.fit(data), data


def of_polars_times():
    import polars

    data = polars.from_pandas(flights("datetime64[ms]", "Asia/Tokyo"))
    return Dates(zone="Asia/Tokyo").fit(data.select("at")), data.select("at")


def of_arrow_times():
    import pyarrow

    data = pyarrow.Table.from_pandas(flights("datetime64[ns]")[["at"]], preserve_index=False)
    return Dates().fit(data), data


EXAMPLES = {
    "dates_of_microseconds": dates(),
    "dates_of_nanoseconds_by_the_clocks_of_a_zone": dates("datetime64[ns]", "UTC", "Europe/Berlin"),
    "dates_of_seconds": dates("datetime64[s]", None, "America/New_York"),
    "dates_of_arrow_in_pandas": dates("timestamp[us][pyarrow]"),
    "dates_of_polars": of_polars_times,
    "dates_of_arrow": of_arrow_times,
    "dates_before_a_model": dates_before_a_model,
    "derive_of_times": times_in_formulas,
    "derive_in_a_column_transformer": in_a_pipeline,
    "derive_before_an_encoder": before_an_encoder,
    "derive_of_a_frame": fitted(lambda: Derive(**RISK), frame),
    "derive_of_an_array": of_an_array,
    "derive_of_texts": of_texts,
    "derive_everything": everything,
    "derive_into_a_pandas_frame": fitted(
        lambda: Derive(ratio="loan / income").set_output(transform="pandas"), frame
    ),
}


def test_features_are_the_same_in_every_kind_of_table():
    import polars
    import pyarrow

    data = frame()
    step = Derive(**RISK, short="home[0:1]").fit(data)
    wanted = step.transform(data)
    assert list(wanted.columns) == ["ratio", "risky", "level", "short"]
    assert wanted.index.equals(data.index)
    polar = step.transform(polars.from_pandas(data)).to_pandas()
    arrow = step.transform(pyarrow.Table.from_pandas(data)).to_pandas()
    for other in (polar, arrow):
        pd.testing.assert_frame_equal(other, wanted, check_dtype=False)


def test_a_step_is_cloned_pickled_and_changed():
    step = Derive(**RISK).fit(frame())
    again = pickle.loads(pickle.dumps(step))
    pd.testing.assert_frame_equal(again.transform(frame()), step.transform(frame()))
    other = clone(step).set_params(ratio="income / loan")
    assert other.fit(frame()).transform(frame())["ratio"][3] != step.transform(frame())["ratio"][3]
    assert step.get_params()["ratio"] == "loan / income"
    assert "ratio='loan / income'" in repr(step)


@pytest.mark.parametrize(
    "formula, message",
    {
        "lon / income": "`lon`: there is no column `lon`; did you mean `loan`?",
        "loan +": "is no expression of Python",
        "lenght(home)": "there is no function `lenght`; did you mean `length`?",
        "home * 2": "texts are only added",
        "loan + home": "`home`: is a text, and a number is due",
        "1 if loan else 0": "compare it with something, as in `x != 0`",
        "home > 3": "compares a text with a number",
        "home[0]": "write `text[0:1]`",
        "[x for x in home]": "ListComp is not supported in a formula",
        "open('x')": "there is no function `open`",
        "home.__class__": "there is no function `__class__`",
        "loan in (1, 'a')": "not all of these can be the number on the left",
        "matches(home, '(')": "is no regular expression",
        "at_zone(home, 'Mars')": "there is no time zone `Mars`",
        "loan if dti > 1 else home": "both must be of one kind",
        "length(home, 1)": "`length` takes other arguments",
    }.items(),
)
def test_a_wrong_formula_is_refused_with_its_part(formula, message):
    with pytest.raises(ConvertError) as error:
        Derive(feature=formula).fit(frame())
    assert message in str(error.value)
    assert "formula `feature`" in str(error.value)


def test_estimator_checks_of_scikit_learn():
    from sklearn.utils.estimator_checks import check_estimator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(Derive(twice="x0 * 2", more="x0 + 1"), on_fail=None)
    failed = {
        result["check_name"]: result["exception"]
        for result in results
        if result["status"] == "failed"
    }
    assert set(failed) <= ALLOWED, failed


# What scikit-learn asks and a step cannot do, and why.
ALLOWED = {
    # The names of formulas are free, so they are kept in one attribute that is no parameter.
    "check_no_attributes_set_in_init",
}


def test_every_function_of_formulas_is_on_its_page():
    from tests.pages import ROOT

    page = (ROOT / "docs" / "steps.md").read_text(encoding="utf-8")
    assert [name for name in FUNCTIONS if f"`{name}(" not in page] == []


def test_a_service_of_features_alone_is_an_artifact(tmp_path):
    model = penstock.convert(Derive(**RISK).fit(frame()), frame())
    model.save(tmp_path / "features.penstock")
    answer = penstock.load(tmp_path / "features.penstock").predict(
        {"loan": 100.0, "income": 50.0, "dti": 30.0, "home": "RENT"}
    )
    assert answer == {"ratio": 2.0, "risky": 1.0, "level": 4.0}
