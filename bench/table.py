"""Tables in Markdown that can also be read as they are."""

from collections.abc import Sequence

__all__ = ["table"]


def table(titles: Sequence[str], cells: Sequence[Sequence[str]], textual: int = 1) -> str:
    """Columns are aligned: the first ones, and those without a title, to the left."""
    widths = [max(len(row[index]) for row in (titles, *cells)) for index in range(len(titles))]
    lefts = [index < textual or not title for index, title in enumerate(titles)]

    def line(row: Sequence[str]) -> str:
        padded = (
            text.ljust(width) if left else text.rjust(width)
            for text, width, left in zip(row, widths, lefts, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    ruler = [
        "-" * width if left else "-" * (width - 1) + ":"
        for width, left in zip(widths, lefts, strict=True)
    ]
    return "\n".join([line(titles), line(ruler), *map(line, cells)])
