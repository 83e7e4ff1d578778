"""Runs the Python blocks of a page, and holds every line to what the comment beside it says.

    model.size  # 4213
    model.predict({"carier": "UA"})
    # SchemaError: column `carier` is not an input of the model; …

Beside or below an expression stands its `repr`, or the error that it raises; `…` stands for
anything, white space for white space. Other comments are comments.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def blocks(path, language):
    """The fenced blocks of a language, in order."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def run(code, namespace):
    """Runs one block; what it says must come true."""
    lines = code.splitlines()
    for statement in ast.parse(code).body:
        said = _said(lines, statement) if isinstance(statement, ast.Expr) else ""
        source = ast.get_source_segment(code, statement)
        if not said:
            exec(source, namespace)
            continue
        try:
            given = repr(eval(source, namespace))
        except Exception as error:
            given = f"{type(error).__name__}: {error}"
        assert _matches(given, said), f"{source}\ngives {given}\nnot   {said}"


def _said(lines, statement):
    """The comment behind the statement, or the comments below it."""
    behind = lines[statement.end_lineno - 1][statement.end_col_offset :].strip()
    if behind:
        return behind.removeprefix("#").strip()
    below = []
    for line in lines[statement.end_lineno :]:
        if not line.startswith("#"):
            break
        below.append(line.removeprefix("#"))
    return "\n".join(below).strip()


def _matches(given, said):
    pattern = "".join(map(_pattern, re.split(r"(…|\s+)", said)))
    return re.fullmatch(pattern, given.strip(), re.DOTALL)


def _pattern(part):
    if part == "…":
        return ".*?"
    return r"\s+" if part.isspace() else re.escape(part)
