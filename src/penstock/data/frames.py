"""Frames and Arrow streams as origins of a table: what is in memory already."""

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.errors import PenstockError
from penstock.readers import BadLines, Batch, numbered

__all__ = ["Frame"]


class Frame:
    """The rows of a frame, of an object with `__arrow_c_stream__`, or of a list of dicts."""

    typed = False

    def __init__(self, frame: Any) -> None:
        self.name = f"a {type(frame).__module__.split('.')[0]} {type(frame).__name__}"
        self.size: int | None = None
        self.declared: dict[str, Any] = {}
        self.frame = frame
        # A stream is gone once it was read; a frame is not.
        self.rereadable = isinstance(frame, list | Mapping) or hasattr(frame, "__len__")

    def stamp(self) -> list[str]:
        """Nothing: what is in memory has no name that outlives it."""
        return []

    def advanced(self) -> int:
        """Nothing: rows in memory are at hand."""
        return 0

    def batches(self, bad_lines: BadLines | None) -> Iterator[Batch]:
        """Every batch in order; one without rows if there are none."""
        import pyarrow

        reader = _reader(self.frame)
        try:
            yield from numbered(reader, reader.schema)
        except pyarrow.ArrowException as error:
            raise PenstockError(f"{self.name} cannot be read: {error}") from None


def _reader(frame: Any) -> Any:
    import pyarrow

    library = type(frame).__module__.split(".")[0]
    if library == "pandas":
        return pyarrow.Table.from_pandas(frame, preserve_index=False).to_reader()
    if isinstance(frame, Mapping):
        return pyarrow.table(dict(frame)).to_reader()
    if isinstance(frame, list):
        return pyarrow.Table.from_pylist(frame).to_reader()
    if hasattr(frame, "__arrow_c_stream__"):
        return pyarrow.RecordBatchReader.from_stream(frame)
    raise PenstockError(
        f"a `{type(frame).__name__}` is no table; give a path, a URL, a frame (pandas, Polars, "
        "PyArrow, anything with `__arrow_c_stream__`), or a list of dicts"
    )
