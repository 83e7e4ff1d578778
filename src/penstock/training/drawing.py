"""Plots of a report as SVG texts, in colors that the page decides."""

import io
from collections.abc import Callable, Sequence
from typing import Any

from penstock.errors import PenstockError

__all__ = ["bars", "curve", "histogram", "partial", "scatter"]

# Drawn in these, and then replaced by variables of the page, so that it can be light or dark.
_INK, _SOFT, _FIRST, _SECOND = "#010203", "#040506", "#070809", "#0a0b0c"
_VARIABLES = {
    _INK: "var(--ink)",
    _SOFT: "var(--soft)",
    _FIRST: "var(--first)",
    _SECOND: "var(--second)",
}
_SIZE = (4.4, 3.3)

Points = Sequence[tuple[Any, Any, str]]


def _drawn(title: str, draw: Callable[[Any], None], size: tuple[float, float] = _SIZE) -> str:
    """The SVG of what is drawn; the same drawing gives the same text."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        raise PenstockError(
            "a report needs `matplotlib`, which is not installed: pip install 'penstock[train]'"
        ) from None
    from matplotlib.figure import Figure

    settings: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": title,
        "font.family": "sans-serif",
        "font.size": 9,
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "axes.edgecolor": _SOFT,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "legend.frameon": False,
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.set_title(title, loc="left", fontsize=10, color=_INK)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    for color, variable in _VARIABLES.items():
        text = text.replace(color, variable)
    return text.replace("<svg", f'<svg role="img" aria-label="{_plain(title)}"', 1)


def _plain(text: str) -> str:
    import html

    return html.escape(text, quote=True)


def curve(title: str, labels: tuple[str, str], lines: Points, *, diagonal: bool = False) -> str:
    """Lines with names, and the diagonal where chance lies on it."""

    def draw(axes: Any) -> None:
        if diagonal:
            axes.plot((0, 1), (0, 1), color=_SOFT, linestyle="--", linewidth=1)
        for (x, y, name), color in zip(lines, (_FIRST, _SECOND), strict=False):
            marker = "o" if len(x) <= 20 else None
            axes.plot(x, y, color=color, label=name, marker=marker, markersize=4)
        axes.set(xlabel=labels[0], ylabel=labels[1])
        if len(lines) > 1:
            axes.legend()

    return _drawn(title, draw)


def histogram(title: str, label: str, parts: Sequence[tuple[Any, str]]) -> str:
    """Distributions over each other, as shares."""
    import numpy

    edges = numpy.histogram_bin_edges(numpy.concatenate([values for values, _ in parts]), 30)

    def draw(axes: Any) -> None:
        for (values, name), color in zip(parts, (_FIRST, _SECOND), strict=False):
            share = numpy.full(len(values), 1 / max(len(values), 1))
            axes.hist(values, edges, weights=share, color=color, alpha=0.55, label=name)
        axes.set(xlabel=label, ylabel="share of rows")
        if len(parts) > 1:
            axes.legend()

    return _drawn(title, draw)


def scatter(title: str, labels: tuple[str, str], x: Any, y: Any) -> str:
    """Points, the line at zero."""

    def draw(axes: Any) -> None:
        axes.axhline(0, color=_SOFT, linewidth=1)
        # As an image, thousands of points stay small.
        axes.scatter(x, y, s=6, color=_FIRST, alpha=0.35, linewidths=0)
        axes.set(xlabel=labels[0], ylabel=labels[1])

    return _drawn(title, draw)


def bars(title: str, label: str, names: Sequence[str], values: Sequence[float]) -> str:
    """A bar for each name, the first on top."""

    def draw(axes: Any) -> None:
        places = range(len(names))
        axes.barh(list(places), list(values), color=_FIRST)
        axes.set_yticks(list(places), [_short(name) for name in names])
        axes.invert_yaxis()
        axes.set(xlabel=label)

    return _drawn(title, draw, (_SIZE[0], max(1.6, 0.24 * len(names) + 0.9)))


def partial(name: str, label: str, x: Sequence[Any], y: Sequence[float], counts: Any) -> str:
    """The mean prediction by value of a column, over how often the values are."""
    import numpy

    def draw(axes: Any) -> None:
        places = numpy.arange(len(x))
        behind = axes.twinx()
        behind.bar(places, counts / max(counts.max(), 1), color=_SOFT, alpha=0.35, width=0.9)
        behind.set_ylim(0, 3)
        behind.set_yticks([])
        axes.set_zorder(behind.get_zorder() + 1)
        axes.patch.set_visible(False)
        # Nothing lies between two levels, and none can be guessed from those beside it.
        are_levels = any(isinstance(each, str) for each in x)
        line = "none" if are_levels else "-"
        axes.plot(places, y, color=_FIRST, marker="o", markersize=4, linestyle=line)
        step = 1 if are_levels else max(1, len(x) // 6)
        shown = [_short(_value(each), 12) for each in list(x)[::step]]
        axes.set_xticks(places[::step], shown, rotation=45 if are_levels else 0)
        axes.set(ylabel=label)

    return _drawn(name, draw)


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _short(text: str, most: int = 24) -> str:
    # `$` would begin a formula.
    text = text.replace("$", r"\$")
    return text if len(text) <= most else text[: most - 1] + "…"
