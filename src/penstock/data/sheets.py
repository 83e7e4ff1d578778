"""A profile for people: as text for a terminal, and as one HTML page that needs nothing else."""

from html import escape
from typing import Any

from penstock.data.profile import QUANTILES, Column, Profile
from penstock.data.sizing import memory_here, needs

__all__ = ["page", "text"]

_BARS = " ▁▂▃▄▅▆▇█"
_UNITS = ("B", "kB", "MB", "GB", "TB")
# Of the memory of a machine, what a training may take before another one is called for.
_SHARE = 0.7
_STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#1a1d21, #e8e6e3);
  --paper: light-dark(#ffffff, #16181b); --soft: light-dark(#5b626b, #a3a9b1);
  --line: light-dark(#d9dde2, #33383e); --bar: light-dark(#2f6fb0, #6fa8dc);
  --warn: light-dark(#8a4b00, #f0b35e); }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif;
  max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; } th { color: var(--soft); font-weight: 500; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.soft { color: var(--soft); } .warn { color: var(--warn); } svg { fill: var(--bar); }
@media print { body { margin: 0; } }
"""


def text(found: Profile) -> str:
    """The profile in lines."""
    head = ("column", "type", "missing", "distinct", "", "values")
    rows = [head] + [
        (
            column.name,
            column.type,
            _share(column),
            f"{column.distinct:,}",
            _spark(column.bins),
            _values(column),
        )
        for column in found.columns
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head) - 1)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]
    told = [_head(found), "", *(line.rstrip() for line in lines), ""]
    told += [f"warning: {one}" for one in found.warnings]
    told += [""] if found.warnings else []
    return "\n".join([*told, *_sizing(found)]) + "\n"


def page(found: Profile) -> str:
    """The profile as an HTML page."""
    rows = "".join(
        f"<tr><td>{escape(column.name)}</td><td>{escape(column.type)}</td>"
        f'<td class="number">{_share(column)}</td><td class="number">{column.distinct:,}</td>'
        f"<td>{_drawn(column)}</td><td>{escape(_values(column))}</td></tr>"
        for column in found.columns
    )
    warnings = "".join(f'<li class="warn">{escape(one)}</li>' for one in found.warnings)
    sizing = "".join(f"<li>{escape(line.strip())}</li>" for line in _sizing(found)[1:])
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Profile of {escape(found.name)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body><h1>Profile of {escape(found.name)}</h1><p class="soft">{escape(_head(found))}</p>
<h2>Warnings</h2><ul>{warnings or "<li>none</li>"}</ul>
<h2>Columns</h2><div class="scroll"><table><thead><tr><th>column</th><th>type</th>
<th class="number">missing</th><th class="number">distinct</th><th>distribution</th><th>values</th>
</tr></thead><tbody>{rows}</tbody></table></div>
<h2>{escape(_sizing(found)[0])}</h2><ul>{sizing}</ul></body></html>
"""


def _head(found: Profile) -> str:
    told = f"{found.row_count:,} rows, {len(found.columns)} columns"
    if found.sampled < found.row_count:
        told += f"; distinct values, levels and distributions of a sample of {found.sampled:,}"
    return told


def _share(column: Column) -> str:
    if not column.missing:
        return "0"
    share = column.missing / column.count
    return f"{share:.1%}" if share >= 0.001 else "<0.1%"


def _values(column: Column) -> str:
    if column.levels:
        return ", ".join(f"{_short(level)} {count:,}" for level, count in column.levels[:5])
    if column.quantiles:
        middle = QUANTILES.index(0.5)
        ends = (column.minimum, column.quantiles[middle], column.maximum)
        return f"{' … '.join(map(_short, ends))}, mean {_short(column.mean)}"
    if column.minimum is not None:
        return f"{_short(column.minimum)} … {_short(column.maximum)}"
    return ""


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    shown = str(value)
    return shown if len(shown) <= 30 else shown[:29] + "…"


def _spark(bins: list[int]) -> str:
    most = max(bins, default=0)
    # What is there at all is seen.
    return "".join(_BARS[0 if not one else max(1, round(8 * one / most))] for one in bins)


def _drawn(column: Column) -> str:
    bins = column.bins or [count for _, count in column.levels]
    most = max(bins, default=0)
    if not most:
        return ""
    bars = "".join(
        f'<rect x="{at * 8}" y="{30 - max(1, 30 * count / most):.1f}" width="7" '
        f'height="{max(1, 30 * count / most):.1f}"><title>{count:,}</title></rect>'
        for at, count in enumerate(bins)
        if count
    )
    label = escape(f"distribution of {column.name}", quote=True)
    width = 8 * len(bins)
    return f'<svg role="img" aria-label="{label}" width="{width}" height="30">{bars}</svg>'


def _sizing(found: Profile) -> list[str]:
    """What the table takes here, and what training will, in words."""
    here = memory_here()
    lines = [f"Memory: {_bytes(here)} here (estimates)"]
    lines.append(
        f"  as Arrow {_bytes(found.row_count * found.arrow_bytes)}, as a pandas frame "
        f"{_bytes(found.row_count * found.pandas_bytes)}, as measured on a sample"
    )
    beyond = []
    for need in needs(found):
        fits = need.total <= _SHARE * here
        lines.append(
            f"  {need.algorithm:<10} {_bytes(need.total)}{'' if fits else ', too much here'}"
        )
        if not fits:
            beyond.append(need.total)
    rows = int(_SHARE * here * found.row_count / max(max(one.total for one in needs(found)), 1))
    if beyond:
        lines.append(
            f"  ask for one machine with {_bytes(max(beyond) / _SHARE)} of memory (few big ones, "
            "not many small ones: an algorithm that is spread over machines waits for the slowest)"
        )
    else:
        lines.append(f"  this machine is enough for every algorithm up to {rows:,} such rows")
    return lines


def _bytes(count: float) -> str:
    if count != count:
        return "unknown (pandas is not installed)"
    at = 0
    while count >= 1000 and at < len(_UNITS) - 1:
        count, at = count / 1000, at + 1
    return f"{count:.3g} {_UNITS[at]}"
