"""Plain functions that become formulas: the function itself is the oracle."""

import math
import random

import pandas as pd
import pytest

import penstock
from penstock import ConvertError
from penstock.steps import Derive, count_words, entropy, missing, share

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"
_CHOOSE = random.Random(4)
WORDS = frozenset("".join(_CHOOSE.choices(LETTERS, k=_CHOOSE.randint(2, 8))) for _ in range(20_000))
LIMIT = 20


def domain(name):
    """The features of a domain name."""
    label = name.lower().split(".")[0]
    return {
        "length": len(label),
        "entropy": entropy(label),
        "vowels": share(label, "aeiou"),
        "words": count_words(label, WORDS),
    }


def risk(dti, home, loan):
    score = 0
    if missing(dti):
        kind = "unknown"
        score += 1
    elif dti > LIMIT:
        kind = f"high {home}"
        score += 2 if home in ("RENT", "OTHER") else 1
    else:
        kind = "low"
    factor: float = math.sqrt(abs(loan)) / max(1, score)
    if factor > 50:
        return {"kind": kind, "score": score, "factor": 50}
    return {"kind": kind, "score": score, "factor": round(factor, 1)}


def names():
    texts = ["".join(_CHOOSE.choices(LETTERS, k=_CHOOSE.randint(1, 25))) for _ in range(300)]
    return pd.DataFrame({"name": pd.Series([f"{text}.COM" for text in texts], dtype="object")})


def loans():
    homes = [_CHOOSE.choice(["RENT", "OWN", "OTHER"]) for _ in range(200)]
    dti = [None if at % 7 == 0 else _CHOOSE.uniform(0, 40) for at in range(200)]
    loan = [_CHOOSE.uniform(-10, 9000) for _ in range(200)]
    home = pd.Series(homes, dtype="object")
    return pd.DataFrame({"dti": pd.Series(dti, dtype="float64"), "home": home, "loan": loan})


@pytest.mark.parametrize("function, data", [(domain, names()), (risk, loans())])
def test_a_function_and_its_translation_give_the_same(function, data):
    step = Derive.from_function(function).fit(data)
    given = step.transform(data).to_dict("records")
    for row, answer in zip(data.to_dict("records"), given, strict=True):
        wanted = function(**row)
        assert answer.keys() == wanted.keys()
        for name, value in wanted.items():
            if isinstance(value, str):
                assert answer[name] == value
            else:
                assert math.isclose(answer[name], value, rel_tol=1e-12, abs_tol=1e-12), (name, row)


def test_a_translated_function_converts_and_serves():
    model = penstock.convert(Derive.from_function(domain).fit(names()), names())
    answer = model.predict({"name": "Example.com"})
    assert (answer["length"], answer["vowels"]) == (7, 3 / 7)
    assert answer["entropy"] == pytest.approx(entropy("example"), rel=1e-14)


def test_one_value_has_the_name_of_the_function():
    def doubled(x):
        return 2 * x

    step = Derive.from_function(doubled)
    assert step.fit_transform(pd.DataFrame({"x": [1.5]})).to_dict("list") == {"doubled": [3.0]}


def test_a_loop_is_refused_with_its_line():
    def looping(x):
        total = 0
        for at in range(3):
            total += at * x
        return total

    line = looping.__code__.co_firstlineno + 2
    with pytest.raises(ConvertError, match=rf"`looping`, line {line}: `for at in range\(3\):`"):
        Derive.from_function(looping)


def test_what_has_no_value_in_one_case_is_refused():
    def half(x):
        if x > 1:
            y = 2
        return y

    with pytest.raises(ConvertError, match="`y` has no value here"):
        Derive.from_function(half)


def test_a_function_of_ones_own_is_refused():
    def calling(x):
        return names(x)

    with pytest.raises(ConvertError, match="`names` is no function that formulas have"):
        Derive.from_function(calling)


def test_a_way_without_a_value_is_refused():
    def sometimes(x):
        if x > 1:
            return x

    with pytest.raises(ConvertError, match="not every way through it returns something"):
        Derive.from_function(sometimes)


def test_a_translation_that_differs_is_refused():
    def doubled(x):
        return 2 * x

    step = Derive.from_function(doubled).set_params(doubled="3 * x")
    with pytest.raises(ConvertError, match="please report this"):
        step.fit(pd.DataFrame({"x": [1.5]}))
