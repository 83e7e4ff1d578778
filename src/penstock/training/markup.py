"""HTML of a report: sections, tables and plots side by side, with one style for light and dark."""

import html
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["STYLE", "plots", "section", "table", "text"]

STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #8a93a3; --line: #d9dee7; --page: #fff;
  --first: #1f6feb; --second: #d9730d; --warn: #9a5b00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e8f0; --soft: #8d97a8; --line: #333b49;
  --page: #12161d; --first: #6ea8ff; --second: #ffab5e; --warn: #f0b45a; } }
@media print { :root { --ink: #000; --soft: #666; --line: #ccc; --page: #fff; --first: #1f6feb;
  --second: #d9730d; --warn: #7a4a00; }
  svg, tr { break-inside: avoid-page; } h2 { break-after: avoid-page; } }
body { margin: 0 auto; padding: 2rem 1.25rem; max-width: 62rem; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
p { max-width: 46rem; margin: .4rem 0; } .soft { color: var(--soft); } .warn { color: var(--warn); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(18.5rem, 1fr)); gap: 1rem; }
.plots svg { width: 100%; height: auto; }
.tiles { display: flex; flex-wrap: wrap; gap: 1rem 2.2rem; margin: 1.2rem 0; }
.tiles b { display: block; font-size: 1.5rem; font-weight: 600; }
"""


def section(title: str, content: str) -> str:
    """A part of the page under a title; nothing if there is no content."""
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def plots(drawn: Iterable[str]) -> str:
    """Drawings in a grid."""
    return f'<div class="plots">{"".join(f"<div>{plot}</div>" for plot in drawn)}</div>'


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0) -> str:
    """Rows under titles; the last `numbers` columns are aligned to the right."""
    first = len(titles) - numbers

    def line(cells: Sequence[str], tag: str) -> str:
        made = (
            f"<{tag}{' class=number' if at >= first else ''}>{text(cell)}</{tag}>"
            for at, cell in enumerate(cells)
        )
        return f"<tr>{''.join(made)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f'<div class="scroll"><table>{line(titles, "th")}{body}</table></div>'


def text(value: Any) -> str:
    """The value as text that is no markup."""
    return html.escape(str(value), quote=True)
