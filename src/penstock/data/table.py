"""A table wherever it is: its schema, its rows as a stream, and as frames."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Protocol

from penstock.data.columns import cast, check_types, propose, said, wider, word
from penstock.errors import DataError, PenstockError, SchemaError
from penstock.readers import BadLines, Batch, numbered

__all__ = ["Origin", "Table"]

# Rows that types are proposed from.
_SAMPLE_ROWS = 1 << 17
_SAMPLE_BATCHES = 8


class Origin(Protocol):
    """Where rows come from: files, a database, a frame."""

    @property
    def name(self) -> str:
        """What messages call it; nothing in it is secret."""

    @property
    def size(self) -> int | None:
        """How much there is to read, in the unit of `advanced`; `None` if nobody knows."""

    @property
    def rereadable(self) -> bool:
        """Whether `batches` gives the rows more than once."""

    @property
    def typed(self) -> bool:
        """Whether rows come in the types of their columns to a model too, as from a database."""

    @property
    def declared(self) -> Mapping[str, Any]:
        """Arrow types of columns that whatever is behind this says itself."""

    def stamp(self) -> list[str]:
        """What tells these rows from others, and from what they were before a change."""

    def advanced(self) -> int:
        """How much was read since the last call."""

    def batches(self, bad_lines: BadLines | None) -> Iterator[Batch]:
        """Every batch in order; one without rows if there are none."""


class Table:
    """Named columns of rows that are read when they are asked for; `penstock.read` makes it.

    It can be given to whatever takes an Arrow stream, and then memory does not grow with it.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        types: Mapping[str, str] | None = None,
        columns: Sequence[str] | None = None,
        bad_lines: str = "skip",
    ) -> None:
        if bad_lines not in ("skip", "raise"):
            raise PenstockError(f'`bad_lines` is {bad_lines!r}; it must be "skip" or "raise"')
        self._origin = origin
        self._said = dict(types or {})
        self._columns = columns
        self._skips = bad_lines == "skip"
        self._types: dict[str, Any] | None = None
        self._begun: Iterator[Batch] | None = None
        self._used = False
        self.bad_lines = BadLines()
        # Columns whose type was made wider by a row further down, with the row's message.
        self.widened: dict[str, str] = {}

    @property
    def name(self) -> str:
        """What messages and records call this table; credentials are left out."""
        return self._origin.name

    @property
    def origin(self) -> Origin:
        """Where the rows come from."""
        return self._origin

    def of(self, origin: Origin, types: Mapping[str, str] | None = None) -> "Table":
        """The same wishes for the rows of another origin, and other types of some columns."""
        bad_lines = "skip" if self._skips else "raise"
        said = {**self._said, **(types or {})}
        return Table(origin, types=said, columns=self._columns, bad_lines=bad_lines)

    @property
    def schema(self) -> Any:
        """Names and types of the columns, as a PyArrow schema; it takes the first rows to know."""
        import pyarrow

        return pyarrow.schema([pyarrow.field(*item) for item in self._typed().items()])

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self._typed())

    @property
    def types(self) -> dict[str, str]:
        """By column `number`, `text`, `boolean` or `timestamp`; Arrow's name for anything else."""
        return {name: word(type_) for name, type_ in self._typed().items()}

    # -- reading --

    def rows(self) -> Iterator[Batch]:
        """The batches as they are read, before types are settled; for what has a schema itself."""
        return numbered(self.batches(), self.schema) if self._origin.typed else self._raw()

    def batches(self) -> Iterator[Any]:
        """PyArrow record batches, one after the other; one at least, if only without rows.

        Raises `DataError` for a value that the type of its column does not take, with its row.
        """
        types = self._typed()
        for batch in self._raw():
            whole = cast(batch, self._settled())
            yield whole if self._columns is None else whole.select(list(types))

    def reader(self) -> Any:
        """The batches as a `pyarrow.RecordBatchReader`."""
        import pyarrow

        return pyarrow.RecordBatchReader.from_batches(self.schema, self.batches())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.reader().__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> Any:
        """All rows as a PyArrow table, in memory.

        A column whose type turns out too narrow further down gets a wider one, unless the caller
        said its type; `widened` tells of it.
        """
        import pyarrow

        while True:
            try:
                return pyarrow.Table.from_batches(list(self.batches()), self.schema)
            except DataError as error:
                if not self._widen(error):
                    raise

    def to_pandas(self) -> Any:
        """All rows as a pandas frame, in memory; a pandas frame that was given is given back."""
        frame = getattr(self._origin, "frame", None)
        if type(frame).__module__.startswith("pandas") and not self._said and not self._columns:
            return frame
        return self.to_arrow().to_pandas(date_as_object=False)

    def __repr__(self) -> str:
        return f"<Table `{self.name}`>"

    # -- how --

    def _raw(self) -> Iterator[Batch]:
        if self._begun is not None:
            begun, self._begun = self._begun, None
            return begun
        return self._open()

    def _open(self) -> Iterator[Batch]:
        if self._used and not self._origin.rereadable:
            raise PenstockError(
                f"`{self.name}` can be read once only, and has been; keep what `to_arrow()` gives"
            )
        self._used = True
        self.bad_lines = BadLines()
        return iter(self._origin.batches(self.bad_lines if self._skips else None))

    def _typed(self) -> dict[str, Any]:
        """The types of the columns that are taken, in the caller's order."""
        types = self._settled()
        if self._columns is None:
            return types
        absent = next((name for name in self._columns if name not in types), None)
        if absent is not None:
            known = "`, `".join(types)
            raise SchemaError(f"`{self.name}` has no column `{absent}`; it has: `{known}`")
        return {name: types[name] for name in self._columns}

    def _settled(self) -> dict[str, Any]:
        """The types of all columns: said, declared, or proposed by the first rows."""
        if self._types is None:
            sample = self._sample()
            types = propose(sample)
            types |= {
                name: self._origin.declared[name] for name in types if name in self._origin.declared
            }
            # Rows of JSON may have a column that the first ones have not.
            open_ended = isinstance(sample[0].rows, dict) and not self._origin.declared
            check_types(self._said, None if open_ended else types)
            self._types = types | {name: said(type_) for name, type_ in self._said.items()}
        return self._types

    def _sample(self) -> list[Batch]:
        reading = self._open()
        sample: list[Batch] = []
        rows = 0
        for batch in reading:
            sample.append(batch)
            rows += batch.row_count
            if rows >= _SAMPLE_ROWS or len(sample) == _SAMPLE_BATCHES:
                break
        self._begun = chain(sample, reading)
        return sample

    def _widen(self, error: DataError) -> bool:
        """Whether the column of the error has a wider type now, and the rows can be read again."""
        name = error.field
        if name is None or name in self._said or not self._origin.rereadable:
            return False
        types = self._settled()
        if name not in types:
            types[name] = said("text")
        else:
            type_ = wider(types[name])
            if type_ is None:
                return False
            types[name] = type_
        self.widened[name] = str(error)
        return True
