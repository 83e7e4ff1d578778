"""The rules of the house: who may know what, how long things are, lists that must agree."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
import warnings
from functools import cache
from pathlib import Path

import pytest

import penstock
from penstock import ConvertError, _core, conversion, converters
from tests.test_contract import EXAMPLES

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "penstock"
MODULES = sorted(PACKAGE.rglob("*.py"))
RUST = sorted(path for path in (ROOT / "rust").glob("*/src/**/*.rs"))

# A module imports only those above it. Modules of a package import each other.
ORDER = (
    *("errors", "schema", "graph", "files", "description", "card", "artifact"),
    *("tables", "keys", "model", "gateway", "formats", "readers", "writers", "bulk", "data"),
    *("converters", "times", "kinds", "frames", "baseline", "centers", "proof", "conversion"),
    *("steps", "training", "cli", "__main__", "__init__"),
)
PACKAGES = ("converters", "data", "proof", "steps", "training", "cli")
# design.md, "Who may know what": the modules of the package that these parts may import.
ALLOWED = {
    "errors": set(),
    "schema": {"errors"},
    "graph": {"errors"},
    "converters": {"converters", "errors", "graph", "schema"},
}
# What wraps the engine: models, the keys that sign them, and the server, which are no models.
ENGINE = {"gateway", "keys", "model"}
# What predicts, and its callers: they know no library that trains and no operator.
CALLERS = {"artifact", "bulk", "cli", "data", "files", "formats", "gateway", "keys", "model"}
CALLERS |= {"readers", "tables", "writers"}
TRAINERS = {"catboost", "lightgbm", "scipy", "sklearn", "xgboost"}

MAX_FILE, MAX_FUNCTION = 400, 50
# What is longer, and why; the list only shrinks.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
# Every option is a parameter, and the help is the docstring.
MAX_PARAMETERS = 7
MANY_PARAMETERS = {
    "src/penstock/cli/convert.py:command": "a parameter for each option, as click passes them",
}

# Converters that no example reaches, and why; the list only shrinks.
UNREACHED: dict[str, str] = {}


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def part_of(path):
    """The module under `penstock`, or the package that it belongs to."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


@cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path, *, running=True):
    """Qualified names that a module imports; `running`: without those for type checkers."""
    found = []
    nodes = [tree_of(path)]
    while nodes:
        node = nodes.pop()
        if running and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            nodes += node.orelse
            continue
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: relative imports hide where things come from"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
        nodes += ast.iter_child_nodes(node)
    return found


def inner_imports(path):
    """Parts of the package that a module imports; `__version__` is part of none."""
    names = [name.split(".") for name in imports(path) if name.startswith("penstock.")]
    return {parts[1] for parts in names} - {"__version__"}


def outer_imports(path):
    """Third-party libraries that a module imports anywhere."""
    names = {name.split(".")[0] for name in imports(path, running=False)}
    return names - set(sys.stdlib_module_names) - {"penstock", "__future__"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_down_only(path):
    part = part_of(path)
    # A package that is new needs its place.
    assert part in ORDER
    above = set(ORDER[: ORDER.index(part) + (part in PACKAGES)])
    engine = {"_core"} if part in ENGINE else set()
    assert inner_imports(path) <= ALLOWED.get(part, above) | engine


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_libraries_are_imported_where_they_are_needed(path):
    """None is imported with a module, but click for commands, and sklearn for its transformers."""
    top = ast.Module(
        [node for node in tree_of(path).body if isinstance(node, (ast.Import, ast.ImportFrom))], []
    )
    names = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in top.body
    }
    # The classes of `steps` are scikit-learn's by inheritance; `penstock` does not import them.
    allowed = {"cli": {"click"}, "steps": {"sklearn"}}.get(part_of(path), set())
    assert names - set(sys.stdlib_module_names) - {"penstock"} <= allowed


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_callers_know_no_operator_and_no_library_that_trains(path):
    if part_of(path) not in CALLERS:
        return
    operators = {name for name, _ in _core.operators()}
    texts = {node.value for node in ast.walk(tree_of(path)) if isinstance(node, ast.Constant)}
    assert not {text for text in texts if isinstance(text, str)} & operators
    assert not outer_imports(path) & TRAINERS


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_is_for_and_what_is_public(path):
    tree = tree_of(path)
    assert ast.get_docstring(tree)
    if path.name == "__main__.py":
        return
    listed = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    assert len(listed) == 1
    module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    public = importlib.import_module(module.removesuffix(".__init__"))
    assert all(hasattr(public, name) for name in public.__all__)


def test_only_the_crate_for_python_names_pyo3():
    naming = [
        path
        for path in (ROOT / "rust").rglob("*")
        if path.suffix in (".rs", ".toml") and "target" not in path.parts
        if "pyo3" in path.read_text(encoding="utf-8")
    ]
    assert {path.relative_to(ROOT / "rust").parts[0] for path in naming} == {"python"}


def test_the_core_opens_no_file_no_socket_and_no_thread():
    for path in (ROOT / "rust" / "core" / "src").rglob("*.rs"):
        found = re.findall(r"std::(?:fs|net|thread|env|process|time)\b", path.read_text("utf-8"))
        assert not found, name_of(path)


def python_functions(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.end_lineno - node.lineno + 1


def rust_functions(path):
    """Names and lengths; as rustfmt lays it out, a body ends with a brace in the same column."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for at, line in enumerate(lines):
        start = re.match(r"( *)(?:pub(?:\([a-z: ]+\))? )?[a-z \"C]*\bfn (\w+)", line)
        if start is None or line.rstrip().endswith((";", "}")):
            continue
        ends = (f"{start[1]}}}", f"{start[1]});")
        length = next(
            (end for end, other in enumerate(lines[at + 1 :], 2) if other.startswith(ends)), 1
        )
        yield start[2], length


def test_no_file_is_too_long():
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in MODULES + RUST}
    assert {name for name, length in lengths.items() if length > MAX_FILE} == set(LONG_FILES)


def test_no_function_is_too_long():
    lengths = {
        f"{name_of(path)}:{name}": length
        for paths, functions in ((MODULES, python_functions), (RUST, rust_functions))
        for path in paths
        for name, length in functions(path)
    }
    assert len(lengths) > 500
    assert {name for name, length in lengths.items() if length > MAX_FUNCTION} == set(
        LONG_FUNCTIONS
    )


def test_no_function_has_too_many_parameters():
    many = set()
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.FunctionDef) or node.name == "__init__":
                continue
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            if len([one for one in given if one.arg not in ("self", "cls")]) > MAX_PARAMETERS:
                many.add(f"{name_of(path)}:{node.name}")
    assert many == set(MANY_PARAMETERS)


def test_stub_of_the_engine_names_what_is_in_it():
    stub = ast.parse((PACKAGE / "_core.pyi").read_text(encoding="utf-8"))
    stubbed = {
        node.name: node for node in stub.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))
    }
    there = {name for name in dir(_core) if not name.startswith("__")}
    assert set(stubbed) == there
    for name, node in stubbed.items():
        if isinstance(node, ast.ClassDef):
            methods = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
            public = {item for item in vars(getattr(_core, name)) if not item.startswith("_")}
            assert {item for item in methods if not item.startswith("_")} == public


def test_every_converter_and_every_operator_is_reached_by_an_example(monkeypatch):
    reached, operators = set(), set()

    def recorded(name, converter):
        def convert(*arguments):
            reached.add(name)
            return converter(*arguments)

        return convert

    table = {name: recorded(name, converter) for name, converter in converters.table().items()}
    monkeypatch.setattr(conversion, "table", lambda: table)
    for make in EXAMPLES.values():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator, example, *_ = make()
            try:
                prepared = conversion.prepare(estimator, example)
            except ConvertError:
                continue  # The contract says so of the example itself.
        operators |= {node.operator for node in prepared.draft.graph.nodes}
    assert set(table) - reached == set(UNREACHED)
    assert operators == {name for name, _ in _core.operators()}


def test_no_committed_file_names_a_registry_host():
    """Mirrors are the business of whoever builds; locked requirements hold hashes only."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    # Cargo writes the name of its one registry into every lock file.
    host = re.compile(
        r"(?:pypi|pythonhosted|crates|npmjs|anaconda)\.(?:org|io)|--(?:extra-)?index-url|artifactory"
    )
    for name in set(listed.stdout.splitlines()) - {"rust/Cargo.lock", name_of(Path(__file__))}:
        path = ROOT / name
        if path.is_file():
            text = path.read_bytes().decode("utf-8", errors="replace")
            assert not host.search(text.replace("--no-emit-index-url", "")), name


def test_the_version_is_the_same_wherever_it_stands():
    """In the wheel, in the package, and in the crates."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    cargo = tomllib.loads((ROOT / "rust" / "Cargo.toml").read_text("utf-8"))
    assert project["version"] == penstock.__version__ == cargo["workspace"]["package"]["version"]


@pytest.mark.parametrize("path", [*MODULES, *RUST], ids=name_of)
def test_what_is_left_to_do_has_an_issue(path):
    text = path.read_text(encoding="utf-8")
    assert not re.findall(r"\b(?:TODO|FIXME|XXX)\b(?!\(#\d+\))", text)
