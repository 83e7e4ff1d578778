"""Keeps the help texts in docs/cli.md those of the commands: `python -m tests.cli_page`."""

import re
from pathlib import Path

import click

from penstock.cli import group

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
_BLOCK = re.compile(
    r"(?<=^## penstock)( ?\w*)(\n\n```text\n).*?(?=^```$)", re.DOTALL | re.MULTILINE
)


def page(text: str) -> str:
    """The text with the help that the commands give now in its blocks."""
    return _BLOCK.sub(lambda match: match[1] + match[2] + _help(match[1].strip()), text)


def _help(name: str) -> str:
    settings = {**group.context_settings, "terminal_width": 80}
    context = click.Context(group, info_name="penstock", **settings)
    if not name:
        return group.get_help(context) + "\n"
    command = group.get_command(context, name)
    assert command is not None, f"docs/cli.md has a command `{name}` that is not there"
    return command.get_help(click.Context(command, context, name, terminal_width=80)) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
