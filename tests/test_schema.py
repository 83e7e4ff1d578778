"""Fields, outputs and schemas: what may be declared, how they merge, how they are written."""

import math

import pytest

from penstock import Field, Schema, SchemaError
from penstock.schema import Output

AGE = Field(name="age", type="number").complete()


def test_policy_needs_only_what_differs():
    merged = AGE.merged(Field(minimum=0, maximum=120, on_invalid="missing"))
    assert (merged.name, merged.type, merged.minimum, merged.maximum) == ("age", "number", 0, 120)
    assert merged.precision == "f64"


def test_range_follows_the_policy_of_invalid_values_when_only_that_is_given():
    assert AGE.merged(Field(on_invalid="missing")).on_range == "missing"
    assert AGE.merged(Field(on_invalid="missing", on_range="clip")).on_range == "clip"
    assert AGE.merged(Field(on_range="clip")).on_invalid == "refuse"


def test_replacement_alone_means_that_missing_is_replaced():
    assert AGE.merged(Field(replacement=7)).on_missing == "replace"


def test_declaring_missing_as_refused_drops_a_replacement():
    replaced = AGE.merged(Field(replacement=7))
    assert replaced.merged(Field(on_missing="refuse")).replacement is None


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"type": "int"}, "`type` is 'int'; it must be one of `number`"),
        ({"on_missing": "drop"}, "`on_missing` is 'drop'"),
        ({"minimum": 3, "maximum": 1}, "`minimum` 3 is above `maximum` 1"),
        ({"minimum": math.nan}, "`minimum` is nan; it must be a finite number"),
        ({"maximum": "9"}, "`maximum` is '9'; it must be a finite number"),
        ({"pattern": "("}, "`pattern` is no regular expression"),
        ({"on_missing": "replace"}, "give the `replacement` as well"),
        ({"on_missing": "refuse", "replacement": 1}, "but `on_missing` is `refuse`"),
        ({"type": "number", "replacement": "x"}, "is 'x', which is no number"),
        ({"type": "number", "replacement": True}, "is True, which is no number"),
        ({"pattern": "a+", "on_range": "clip"}, "use `missing`"),
        ({"type": "text", "minimum": 0}, "is text: `minimum` is for number and timestamp only"),
        ({"type": "number", "pattern": "a"}, "is number: `pattern` is for text only"),
        ({"type": "boolean", "on_range": "clip"}, "only numbers are clipped"),
        ({"type": "number", "levels": [1, "a"]}, "its level 'a' is not"),
        ({"type": "number", "levels": [True]}, "its level True is not"),
    ],
)
def test_contradiction_in_a_field_is_refused(keywords, message):
    with pytest.raises(SchemaError) as error:
        Field(name="age", **keywords)
    assert message in str(error.value) and "`age`" in str(error.value)


def test_policy_that_names_another_column_is_refused():
    with pytest.raises(SchemaError, match="names another column, `size`"):
        AGE.merged(Field(name="size", minimum=0))


def test_field_without_a_type_is_not_complete():
    with pytest.raises(SchemaError, match="has no `type`"):
        Field(name="age").complete()


def test_two_inputs_of_one_name_are_refused():
    with pytest.raises(SchemaError, match="two inputs have the name `age`"):
        Schema((AGE, AGE), ())


def test_schema_is_the_same_after_it_was_written_and_read():
    schema = Schema(
        (
            AGE.merged(Field(maximum=5.5)),
            Field(name="text", type="text", levels=["a", "b"], pattern="[ab]").complete(),
        ),
        (
            Output("label", "label", "n", levels=(True, False)),
            Output("probability", "numbers", "m", names=(1, 2), tolerance=1e-15),
        ),
    )
    written = schema.to_json()
    assert Schema.from_json(written) == schema
    assert list(written["inputs"][0]) == list(AGE.to_json())


def test_unknown_key_of_a_field_is_refused():
    with pytest.raises(SchemaError, match="unknown key `unit`"):
        Field.from_json(AGE.to_json() | {"unit": "years"})


@pytest.mark.parametrize(
    "keywords", [{"kind": "label"}, {"kind": "number", "names": ("a",)}, {"kind": "numbers"}]
)
def test_names_and_levels_belong_to_some_kinds_of_outputs_only(keywords):
    with pytest.raises(SchemaError):
        Output("y", node="n", **keywords)


def test_schema_prints_as_a_table_with_policies_in_words():
    field = AGE.merged(Field(minimum=0, maximum=120, on_invalid="missing"))
    lines = str(Schema((field,), (Output("value", "number", "n"),))).splitlines()
    assert lines[1] == "age    number  invalid becomes missing; 0..120, outside: missing"
    assert lines[-1] == "value   number"


def test_missing_input_is_named():
    with pytest.raises(SchemaError, match="no input `size`"):
        Schema((AGE,), ())["size"]
