"""What OpenAPI documents say of rows and predictions, and what the gateway makes of them."""

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from jsonschema import Draft202012Validator

from penstock.schema import Field
from tests import toys
from tests.gateway import zoo
from tests.gateway.serving import gateway

ROW = {"amount": 12.5, "color": "red", "postcode": "12345"}

# Values of an input, and whether the model takes them.
VALUES = {
    "amount": {True: [0, 100, 99.5, True], False: [-1, 100.5, "1", None, "Infinity", [], {}]},
    "share": {True: [0.5, 7, -7, None, "NaN", "Infinity", False], False: ["half", []]},
    "age": {True: [1, None, "old", [], {}, True], False: []},
    "color": {True: ["red", "green", zoo.HOSTILE, None], False: ["blue", "", 1, True]},
    "city": {True: ["Rome", "Paris", None], False: [1, False]},
    "postcode": {True: ["00000", None], False: ["1234", "123456", "abcde", 12345]},
    "is_new": {True: [True, False, 0, 1, None], False: [2, "true", 0.5]},
    "at": {
        True: [
            "2024-02-28",
            "2024-05-01T12:30",
            "2024-05-01 12:30:00.5+02:00",
            "1999-12-31T23:59:59Z",
            None,
        ],
        False: ["yesterday", "2024-13-01", "2024-04-31", "2024-05-01T24:00", "2024-05-01T", "", 0],
    },
    "note": {True: ["anything", [], {}, None, 1], False: []},
}
CASES = [
    (name, value, taken)
    for name, values in VALUES.items()
    for taken, listed in values.items()
    for value in listed
]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    toys.late().save(folder / "late.penstock")
    zoo.every_type().save(folder / "every_type.penstock")
    toys.coded(
        Field("city", "text"),
        ("Rome", "Oslo", "a name of more than 16 bytes", "8 bytes.", "", "é"),
        unseen=-2,
    ).save(folder / "coded.penstock")
    routes = [
        {"name": name, "versions": [{"artifact": f"{name}.penstock"}]}
        for name in ("late", "every_type", "coded")
    ]
    two = [
        {"artifact": "late.penstock", "version": "1"},
        {"artifact": "coded.penstock", "version": "2"},
    ]
    routes.append({"name": "Größe", "versions": two})
    (folder / "routes.json").write_text(json.dumps({"routes": routes}))
    with gateway(folder) as address:
        yield address


def ask(served, path, body=None):
    """Status and JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(served + path, data)) as response:
            return response.status, json.load(response)
    except HTTPError as error:
        return error.code, json.load(error)


def schema_of(document, *path):
    """Part of a document as a schema that finds the components."""
    part = document
    for key in path:
        part = part[key]
    return Draft202012Validator({**part, "components": document["components"]})


@pytest.fixture(scope="module")
def every_type(served):
    return ask(served, "/v1/models/every_type/openapi.json")[1]


@pytest.mark.parametrize(("name", "value", "taken"), CASES)
def test_the_document_and_the_model_agree_on_values(served, every_type, name, value, taken):
    row = {**ROW, name: value}
    validator = schema_of(every_type, "components", "schemas", "Row")
    status, answer = ask(served, "/v1/models/every_type/predict", row)
    assert (validator.is_valid(row), status) == (taken, 200 if taken else 422), answer


def test_what_is_not_required_may_be_absent(served, every_type):
    schema = every_type["components"]["schemas"]["Row"]
    assert schema["required"] == ["amount"]
    assert ask(served, "/v1/models/every_type/predict", {"amount": 1})[0] == 200
    assert ask(served, "/v1/models/every_type/predict", {"color": "red"})[0] == 422


BODIES = [
    ROW,
    [ROW, ROW],
    [],
    {"rows": [ROW]},
    {"rows": [ROW], "on_error": "raise", "fields": ["age", "id"], "warnings": True, "version": "1"},
    {"rows": [{"no": "column"}, ROW], "on_error": "return"},
    {"rows": [], "version": None, "on_error": None, "fields": None, "warnings": None},
]


@pytest.mark.parametrize("body", BODIES, ids=json.dumps)
def test_every_form_of_body_is_told_and_answered_as_told(served, every_type, body):
    post = ("paths", "/v1/models/every_type/predict", "post")
    taken = schema_of(every_type, *post, "requestBody", "content", "application/json", "schema")
    assert taken.is_valid(body)
    status, answer = ask(served, "/v1/models/every_type/predict", body)
    assert status == 200
    told = schema_of(every_type, *post, "responses", "200", "content", "application/json", "schema")
    assert told.is_valid(answer)


REFUSED = [
    {"row": []},
    {"rows": [ROW], "version": "none"},
    {"rows": [ROW], "on_error": "ignore"},
    {"rows": [{"no": "column"}]},
    {"rows": ROW},
    {**ROW, "no": "column"},
    "rows",
]


@pytest.mark.parametrize("body", REFUSED, ids=json.dumps)
def test_what_is_refused_is_not_told_and_is_told_as_a_problem(served, every_type, body):
    post = ("paths", "/v1/models/every_type/predict", "post")
    taken = schema_of(every_type, *post, "requestBody", "content", "application/json", "schema")
    assert not taken.is_valid(body)
    status, answer = ask(served, "/v1/models/every_type/predict", body)
    assert str(status) in every_type["paths"]["/v1/models/every_type/predict"]["post"]["responses"]
    assert schema_of(every_type, "components", "schemas", "Problem").is_valid(answer)


def test_levels_are_choices_where_others_are_refused_and_examples_where_not(served):
    late = ask(served, "/v1/models/late/openapi.json")[1]["components"]["schemas"]["Row"]
    assert late["properties"]["carrier"]["examples"] == sorted(toys.CARRIERS)
    coded = ask(served, "/v1/models/coded/openapi.json")[1]["components"]["schemas"]["Row"]
    levels = coded["properties"]["city"]["enum"]
    assert levels == ["", "8 bytes.", "Oslo", "Rome", "a name of more than 16 bytes", "é", None]
    for level in levels:
        assert ask(served, "/v1/models/coded/predict", {"city": level})[0] == 200
    assert ask(served, "/v1/models/coded/predict", {"city": "Paris"})[0] == 422


def test_the_example_is_one_that_the_model_answers(served, every_type):
    (example, *_) = every_type["components"]["schemas"]["Row"]["examples"]
    assert ask(served, "/v1/models/every_type/predict", example)[0] == 200


def test_inputs_are_told_in_their_order(every_type):
    assert every_type["components"]["schemas"]["Row"]["x-penstock-inputs"] == list(VALUES)


def test_reasons_are_an_option_where_the_model_can_tell_them(served, every_type):
    late = ask(served, "/v1/models/late/openapi.json")[1]
    for document, path, explains in ((late, "late", False), (every_type, "every_type", False)):
        status, _ = ask(
            served, f"/v1/models/{path}/predict?explain=1", {"amount": 1, "distance": 1}
        )
        listed = document["paths"][f"/v1/models/{path}/predict"]["post"]["parameters"]
        assert status == 422
        assert any(one["name"] == "explain" for one in listed) == explains


def test_one_document_tells_of_all_models_and_refers_to_nothing_that_is_not_there(served):
    status, document = ask(served, "/openapi.json")
    assert status == 200
    assert document["openapi"] == "3.1.0"
    paths = [path for path in document["paths"] if path.endswith("/predict")]
    assert len(paths) == 4
    references = {value for value in texts(document) if value.startswith("#/")}
    for reference in references:
        part = document
        for key in reference.split("/")[1:]:
            part = part[key]
    for model in ("late", "every_type", "coded", "Gr%C3%B6%C3%9Fe"):
        assert ask(served, f"/v1/models/{model}/openapi.json")[0] == 200
        assert f"/v1/models/{model}/predict" in document["paths"]


def test_versions_of_other_schemas_are_told_side_by_side_or_alone(served):
    path = "/v1/models/Gr%C3%B6%C3%9Fe"
    both = ask(served, f"{path}/openapi.json")[1]["components"]["schemas"]
    assert {"Version1.Row", "Version2.Row"} <= set(both)
    alone = ask(served, f"{path}/openapi.json?version=2")[1]["components"]["schemas"]
    assert list(alone["Row"]["properties"]) == ["city"]
    status, problem = ask(served, f"{path}/openapi.json?version=3")
    assert (status, problem["code"]) == (404, "unknown_version")


def texts(value):
    if isinstance(value, str):
        yield value
    for inner in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from texts(inner)
