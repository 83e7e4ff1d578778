"""The page of all estimators of scikit-learn, docs/operators.md."""

from penstock.converters import table
from tests.operators_page import PAGE, REASONS, answering, classes, counted, options, page


def test_the_page_of_operators_is_that_of_the_code():
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(counted()), (
        "docs/operators.md is stale; run `python -m tests.operators_page`"
    )


def test_at_least_150_estimators_of_scikit_learn_convert():
    assert sum(name in table() for name in answering(classes())) >= 150


def test_what_does_not_convert_has_a_reason():
    missing = answering(classes()).keys() - table().keys()
    assert missing <= REASONS.keys()


def test_options_are_those_of_all_functions_that_a_converter_calls():
    assert "kernel" in options(table()["sklearn.svm.SVC"])
    assert "kernel" not in options(table()["sklearn.preprocessing.StandardScaler"])
