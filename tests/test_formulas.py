"""Formulas and dates: Python itself is the oracle, on numbers and texts that are hostile."""

import datetime
import math
import struct
from functools import cache

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import steps
from penstock.steps import Dates, Derive

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
