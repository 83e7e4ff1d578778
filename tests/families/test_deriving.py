"""Formulas and dates: Python itself is the oracle, on numbers and texts that are hostile."""

import datetime
import math
import pickle
import struct
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

import penstock
from penstock import ConvertError, steps
from penstock.converters.vocabulary import FUNCTIONS
from penstock.steps import Dates, Derive
from tests import contract

NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 3.0, 7.25, 1e-300, 1e300, -1e300, 0.1, 2.675]
NUMBERS += [math.inf, -math.inf, math.nan, 5e-324, 1.005, 12345.678, 1e16, -7.0, 100.0]
WORDS = [
    "",
    " ",
    "a",
    "Straße",
    "İstanbul",
    "ΣΑΣ",
    "東京 駅",
    "naïve.example.com",
    "A.B.c",
    "\x1c x\t",
]
WORDS += [
    "1_000",
    " 12.5\n",
    "1e5",
    "inf",
    "-7",
    "_1",
    "aa" * 40,
    "x" * 300,
    "ab-12",
    "é",
    "aaaa",
    None,
]
# What Python raises where a formula has no value.
RAISED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
VOCABULARY = {name: getattr(steps, name) for name in steps.functions.__all__}
VOCABULARY |= {name: getattr(math, name) for name in dir(math) if not name.startswith("_")}
VOCABULARY |= {"math": math}

ARITHMETIC = ["a + b", "a - b", "a * b", "a / b", "a // b", "a % b", "a ** b", "-a", "+a", "a + 1"]
ARITHMETIC += [
    "a / 3",
    "a / 0",
    "2 - a",
    "2 / a",
    "a ** 2",
    "a ** 0.5",
    "a % 3",
    "a // -2",
    "3 * a",
]
ARITHMETIC += [
    "abs(a)",
    "round(a)",
    "round(a, 1)",
    "round(a, 2)",
    "round(a, 5)",
    "exp(a)",
    "log(a)",
]
ARITHMETIC += [
    "log1p(a)",
    "log2(a)",
    "log10(a)",
    "sqrt(a)",
    "sin(a)",
    "cos(a)",
    "tan(a)",
    "asin(a)",
]
ARITHMETIC += ["acos(a)", "atan(a)", "sinh(a)", "cosh(a)", "tanh(a)", "expm1(a)", "atan2(a, b)"]
ARITHMETIC += [
    "log(a, 3)",
    "pow(a, b)",
    "math.sqrt(a) + math.pi",
    "degrees(a)",
    "radians(a)",
    "exp2(a)",
]
ARITHMETIC += ["haversine(a, b, 48.1, 11.5)", "cyclic_sin(a, 7)", "cyclic_cos(a, b)", "float(a)"]
CONDITIONS = [
    "a < b",
    "a <= b",
    "a > b",
    "a >= b",
    "a == b",
    "a != b",
    "0 < a < b",
    "a < 1 or b > 2",
]
CONDITIONS += [
    "not a < b",
    "a in (1, 2.5, -1)",
    "a not in (1, b_, 3)",
    "a if a > b else b",
    "missing(a)",
]
CONDITIONS += [
    "a < 1 and not (b > 2 or a == b)",
    "1 if a == a else 0",
    "(a > 0) + (b > 0)",
    "a is None",
]
CONDITIONS += ["bucket(a, 0, 1, 3)", "default(a, 5)", "a is not None", "None if a > 0 else a"]
TEXTS = [
    "len(t)",
    "t.lower()",
    "t.upper()",
    "t.strip()",
    "t.lstrip()",
    "t.rstrip()",
    "t.strip('a.')",
]
TEXTS += [
    "'a' in t",
    "t.startswith('a')",
    "t.endswith('e')",
    "t.replace('a', 'bb')",
    "t.count('a')",
]
TEXTS += [
    "t.count('aa')",
    "t.split('.')[0]",
    "t.split('.')[1]",
    "t.split('.')[-1]",
    "part(t, '-', 1)",
]
TEXTS += ["t[1:3]", "t[:-1]", "t[-2:]", "t[3:1]", "t[:]", "t + '!'", "f'<{t}>{u}'", "float(t)"]
TEXTS += ["matches(t, '[a-z]+-[0-9]+')", "extract(t, '([a-z]+)[.]')", "extract(t, '[0-9]+')"]
TEXTS += [
    "entropy(t) if len(t) > 0 else 0",
    "share(t, 'aeiouß東')",
    "hash_bucket(t, 97)",
    "contains(t, '駅')",
]
TEXTS += ["t if len(t) > 3 else 'short'", "t in ('a', '', 'é')", "count_words(t, vocabulary)"]
TEXTS += [
    "t.lower().replace('s', 'z')[0:2] + t.upper()",
    "None if t == 'a' else t",
    "default(t, 'none')",
]
TEXTS += ["t == 'a'", "t != 'a'", "t == 'é' or t == ''", "not 'a' in t"]
# Here a comparison with a missing text is false, where Python raises.
OF_TEXTS_THAT_ARE_THERE = ("not 'a' in t", "t if len(t) > 3 else 'short'")
# And where a text is missing in an f-string, Python writes None.
OF_TEXTS_THAT_ARE_THERE += ("entropy(t) if len(t) > 0 else 0", "f'<{t}>{u}'")
CONSTANTS = {"b_": 2.5, "vocabulary": ["a", "aa", "example", "exam", "ple.c", "東京", "駅", "str"]}


def expected(formula, row):
    """What Python gives; NaN or None where it raises, and where that is what it gives."""
    try:
        value = eval(formula, VOCABULARY | CONSTANTS, dict(row))
    except RAISED:
        return None
    return None if isinstance(value, complex) or steps.missing(value) else value


@cache
def derived(formulas):
    """A step for each formula, fitted once."""
    frame = pd.DataFrame({"a": [1.0], "b": [2.0], "t": ["a"], "u": ["b"]})
    named = {f"f{at}": formula for at, formula in enumerate(formulas)}
    return Derive(constants=CONSTANTS, **named).fit(frame)


def assert_python(formulas, rows):
    """Compares with Python, row by row, in a table and alone."""
    step = derived(tuple(formulas))
    table = step.transform(pd.DataFrame(rows).astype({"t": "object", "u": "object"}))
    for at, row in enumerate(rows):
        alone = list(step.model_.predict(row).values())
        for of, formula in enumerate(formulas):
            wanted, given = expected(formula, row), table.iat[at, of]
            assert same(wanted, given), f"{formula} of {row}: {wanted!r}, not {given!r}"
            assert same(wanted, alone[of]), f"{formula} of {row} alone"
            assert bits(given) == bits(alone[of])


def bits(value):
    if steps.missing(value):
        return "missing"
    return struct.pack("<d", value) if isinstance(value, float) else str(value)


def same(wanted, given):
    given = None if steps.missing(given) else given
    if wanted is None or given is None or isinstance(wanted, str):
        return wanted == given
    return math.isclose(wanted, given, rel_tol=1e-14, abs_tol=1e-300)


def row(a=1.0, b=2.0, t="a", u="b"):
    return {"a": a, "b": b, "t": t, "u": u}


def without_floor_of_infinity(formula, a):
    """Python has no integer for an infinity; `round` of one stays one."""
    return not (math.isinf(a) and formula == "round(a)")


@pytest.mark.parametrize("formula", ARITHMETIC + CONDITIONS)
def test_a_formula_of_numbers_gives_what_python_gives(formula):
    rows = [row(a, b) for a in NUMBERS for b in NUMBERS if without_floor_of_infinity(formula, a)]
    if formula == "default(a, 5)":
        rows = [one for one in rows if one["a"] == one["a"]]
    assert_python([formula], rows if " is " not in formula else [row(a) for a in (0.0, 1.0)])


@pytest.mark.parametrize("formula", TEXTS)
def test_a_formula_of_texts_gives_what_python_gives(formula):
    rows = [row(t=t, u=u) for t in WORDS for u in ("b", "東", None)]
    if formula in OF_TEXTS_THAT_ARE_THERE:
        rows = [one for one in rows if None not in (one["t"], one["u"])]
    assert_python([formula], rows)


finite = st.floats(allow_nan=True, allow_infinity=True) | st.integers(-1000, 1000).map(float)


@settings(max_examples=150, deadline=None)
@given(a=finite, b=finite)
def test_numbers_at_random_give_what_python_gives(a, b):
    formulas = [formula for formula in ARITHMETIC[:28] if without_floor_of_infinity(formula, a)]
    assert_python(formulas, [row(a, b)])


# Digits beyond ASCII are no numbers here.
letters = st.characters(exclude_categories=["Cs", "Nd"]) | st.sampled_from("0123456789")


@settings(max_examples=150, deadline=None)
@given(t=st.text(letters, max_size=30), u=st.text(alphabet="aé東.", max_size=8))
def test_texts_at_random_give_what_python_gives(t, u):
    # Letters that Unicode has added since are no matter of this test.
    known = [one for one in TEXTS if "lower" not in one and "upper" not in one]
    assert_python(known, [row(t=t, u=u)])


def test_a_missing_text_equals_nothing():
    frame = pd.DataFrame({"t": [None, "a"], "u": [None, None]}, dtype="object")
    step = Derive(same="t == u", other="t != u", less="t < u", least="'a' <= t").fit(frame)
    assert step.transform(frame).to_numpy().tolist() == [[0, 1, 0, 0], [0, 1, 0, 1]]


def test_a_missing_condition_counts_as_false():
    frame = pd.DataFrame({"flag": [True, None, False]}, dtype="object")
    step = Derive(a="1 if flag else 2", b="not flag", c="flag or flag", d="flag and flag").fit(
        frame
    )
    assert step.transform(frame).to_numpy().tolist() == [[1, 0, 1, 1], [2, 1, 0, 0], [2, 1, 0, 0]]


def test_rounding_to_digits_is_that_of_the_decimal_number():
    numbers = [x / 1000 + y for x in range(0, 3000, 5) for y in (0.0, 1e-9, 0.1, 1e5)]
    frame = pd.DataFrame({"x": [*numbers, *(-x for x in numbers)]})
    given = Derive(two="round(x, 2)", nine="round(x, 9)").fit_transform(frame)
    assert given["two"].tolist() == [round(x, 2) for x in frame["x"]]
    assert given["nine"].tolist() == [round(x, 9) for x in frame["x"]]


# -- times --

TIMES = ["1970-01-01", "2024-02-29T23:59:59.999999", "1900-03-01", "2023-01-01", "2021-01-03T12:30"]
TIMES += [
    "1969-12-31T23:59:59.5",
    "2020-12-31",
    "2026-10-25T00:30",
    "2026-10-25T01:30",
    "2099-07-01",
]


def times():
    return pd.DataFrame(
        {"at": pd.to_datetime([*TIMES, None], format="ISO8601").astype("datetime64[us]")}
    )


PARTS = {
    "year": lambda time: time.year,
    "quarter": lambda time: (time.month + 2) // 3,
    "month": lambda time: time.month,
    "week": lambda time: time.isocalendar().week,
    "day": lambda time: time.day,
    "day_of_year": lambda time: time.timetuple().tm_yday,
    "weekday": lambda time: time.weekday(),
    "hour": lambda time: time.hour,
    "minute": lambda time: time.minute,
    "second": lambda time: time.second,
    "microsecond": lambda time: time.microsecond,
}


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
def test_parts_of_times_are_those_of_datetime(zone):
    import zoneinfo

    given = Dates(parts=list(PARTS), zone=zone).fit_transform(times())
    for at, text in enumerate(TIMES):
        time = datetime.datetime.fromisoformat(text)
        if zone is not None:
            utc = time.replace(tzinfo=datetime.UTC)
            time = utc.astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None)
        for name, part in PARTS.items():
            assert given[f"at_{name}"][at] == part(time), f"{name} of {text} in {zone}"
    assert given.iloc[-1].isna().all()


@pytest.mark.parametrize(
    "format, texts",
    {
        "%Y-%m-%d": [
            "2024-02-29",
            "2023-02-29",
            "2024-2-9",
            "2024-13-01",
            "24-01-01",
            "",
            "x",
            None,
        ],
        "%d.%m.%y %H:%M": ["31.12.68 23:59", "31.12.69 0:00", "1.1.00  7:5", "31.04.20 00:00"],
        "%Y%m%d": ["20240131", "2024111", "202411", "20241301", "20240132"],
        "%Y-%m-%dT%H:%M:%S.%f%z": ["2024-01-01T00:00:00.5+0130", "2024-01-01T00:00:00.123456Z"],
        "%d %b %Y": ["01 Jan 2024", "1 dec 1999", "01 Foo 2024", "30 Feb 2024"],
        "%Y-%m-%d %H:%M:%S": ["2024-01-01 23:59:60", "2024-01-01 24:00:00", "2024-01-01 1:2:3 "],
    }.items(),
)
def test_texts_become_times_as_strptime_reads_them(format, texts):
    frame = pd.DataFrame({"t": texts}, dtype="object")
    formula = (
        f"difference(parse_time(t, {format!r}), parse_time('1970-01-01', '%Y-%m-%d'), 'second')"
    )
    given = Derive(seconds=formula).fit_transform(frame)["seconds"]
    for text, seconds in zip(texts, given, strict=True):
        try:
            time = datetime.datetime.strptime(text, format)
            wanted = time.replace(tzinfo=time.tzinfo or datetime.UTC).timestamp()
        except (TypeError, ValueError):
            wanted = None
        assert same(wanted, seconds), f"{text}: {wanted}, not {seconds}"


def test_times_are_compared_and_rounded_down():
    step = Derive(
        later="at >= '2024-01-01'",
        days="difference(at, floor_time(at, 'month'), 'days')",
        week="weekday(floor_time(at, 'week'))",
        quarter="month(floor_time(at, 'quarter'))",
        hours="difference(floor_time(at, 'hour'), floor_time(at, 'day'), 'hours')",
        berlin="hour(at_zone(at, 'Europe/Berlin'))",
    )
    given = step.fit_transform(times())
    assert given["later"].tolist() == [0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0]
    assert given["days"][1] == pytest.approx(28 + 86399.999999 / 86400)
    assert set(given["week"].dropna()) == {0}
    assert set(given["quarter"].dropna()) <= {1, 4, 7, 10}
    assert given["hours"][4] == 12
    # The clocks go back at 01:00 UTC.
    assert given["berlin"][7:9].tolist() == [2, 2]


# -- the transformer --


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
