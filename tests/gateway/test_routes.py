"""`docs/routes.schema.json` and the gateway agree on which routes are right."""

import json
import subprocess

import pytest
from jsonschema import Draft202012Validator

from tests.gateway import zoo
from tests.gateway.serving import ROOT, binary

SCHEMA = json.loads((ROOT / "docs" / "routes.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("routes")
    (folder / "sub").mkdir()
    for path in ("a.penstock", "sub/b.penstock", "..c.penstock"):
        zoo.hostile().save(folder / path)
    return folder


def refusal(folder, routes):
    """Why the gateway refuses the routes; nothing if it does not."""
    (folder / "routes.json").write_text(json.dumps(routes), encoding="utf-8")
    # An address of nobody here: what comes that far has loaded everything.
    tokens = folder / "tokens"
    tokens.write_text(f"team {'0' * 64}\n", encoding="utf-8")
    command = [binary(), str(folder), "--host", "192.0.2.1", "--port", "0", "--tokens", str(tokens)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    return "" if "cannot listen" in done.stderr else done.stderr


def one(**route):
    return {"routes": [{"name": "m", "versions": [{"artifact": "a.penstock"}], **route}]}


GOOD = {
    "no routes": {"routes": []},
    "the least": one(),
    "a name with signs": one(name="_A-1.b"),
    "a name of other letters": one(name="Größe"),
    "the longest name": one(name="n" * 100),
    "a folder inside": one(versions=[{"artifact": "sub/b.penstock"}]),
    "dots that are a name": one(versions=[{"artifact": "..c.penstock"}]),
    "weights": one(
        versions=[
            {"artifact": "a.penstock", "weight": 0, "version": "1"},
            {"artifact": "a.penstock", "weight": 2.5, "version": "2"},
        ]
    ),
    "nothing said": one(
        versions=[{"artifact": "a.penstock", "version": None}],
        **{
            "sticky": None,
            "tokens": None,
            "capture": None,
            "shadows": [],
            "limits": {"rows": None},
        },
    ),
    "everything said": one(
        shadows=[{"artifact": "a.penstock", "version": "s", "share": 0.5}],
        sticky={"header": "x-user"},
        tokens=["team"],
        limits={"rows": 10, "body": 1000, "in_flight": 5},
        capture={"share": 0.01, "omit": ["carrier"], "hash": ["distance"]},
    ),
    "an input that is sticky": one(sticky={"input": "carrier"}),
}

BAD = {
    "no object": [],
    "no routes": {},
    "another key": {"routes": [], "route": []},
    "no name": {"routes": [{"versions": [{"artifact": "a.penstock"}]}]},
    "no versions": one(versions=[]),
    "no artifact": one(versions=[{}]),
    "an empty name": one(name=""),
    "a name that is too long": one(name="n" * 101),
    "a slash in a name": one(name="a/b"),
    "a name that hides": one(name=".a"),
    "a space in a name": one(name="a b"),
    "a misspelt key": one(shadow=[]),
    "a misspelt key of a version": one(versions=[{"artifact": "a.penstock", "wieght": 1}]),
    "a negative weight": one(versions=[{"artifact": "a.penstock", "weight": -1}]),
    "a weight as text": one(versions=[{"artifact": "a.penstock", "weight": "1"}]),
    "a path from the root": one(versions=[{"artifact": "/a.penstock"}]),
    "a path out of the folder": one(versions=[{"artifact": "../a.penstock"}]),
    "a path out and in": one(versions=[{"artifact": "sub/../a.penstock"}]),
    "a path from here": one(versions=[{"artifact": "./a.penstock"}]),
    "no path": one(versions=[{"artifact": ""}]),
    "a share above 1": one(shadows=[{"artifact": "a.penstock", "share": 1.5}]),
    "a shadow with a weight": one(shadows=[{"artifact": "a.penstock", "weight": 1}]),
    "a sticky that is neither": one(sticky={"cookie": "c"}),
    "a sticky that is both": one(sticky={"input": "a", "header": "b"}),
    "tokens as text": one(tokens="team"),
    "a negative limit": one(limits={"rows": -1}),
    "half a row": one(limits={"rows": 1.5}),
    "another limit": one(limits={"columns": 3}),
    "a capture of no share": one(capture={}),
    "a capture of too much": one(capture={"share": 2}),
}


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("routes", GOOD.values(), ids=GOOD)
def test_good_routes_are_taken_by_both(folder, routes):
    assert [error.message for error in VALIDATOR.iter_errors(routes)] == []
    assert refusal(folder, routes) == ""


@pytest.mark.parametrize("routes", BAD.values(), ids=BAD)
def test_bad_routes_are_refused_by_both(folder, routes):
    assert not VALIDATOR.is_valid(routes)
    assert "`routes.json`" in refusal(folder, routes)


def keys(schema):
    """The names of all properties, wherever they stand."""
    if isinstance(schema, dict):
        own = set(schema.get("properties", {}))
        return own.union(*map(keys, schema.values()))
    return set().union(*map(keys, schema)) if isinstance(schema, list) else set()


def test_the_schema_names_every_key_that_is_read():
    """A key that is added to the parser is added here: both sides list what they know."""
    source = (ROOT / "rust" / "gateway" / "src" / "routes.rs").read_text(encoding="utf-8")
    structures = source.split("fn one()")[0]
    read = {
        line.split(":")[0].strip().removeprefix("pub ")
        for line in structures.splitlines()
        if line.startswith("    pub ") and ":" in line
    }
    assert keys(SCHEMA) == read | {"input", "header"}
