"""The example that comes with a model: what columns it has, and tables like it with other rows."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from penstock.converters.values import Column
from penstock.errors import ConvertError
from penstock.kinds import KINDS, plain
from penstock.times import written

__all__ = ["KEYED", "Example", "Row", "describe"]

# Integers that float32 holds.
SMALL = frozenset(("int8", "int16", "uint8", "uint16"))

# One row as a person would send it: plain values by column name, `None` where one is missing, times
# as text.
Row = dict[str, Any]


@dataclass(frozen=True)
class Example:
    """Rows as the model was trained on, in a table of one of the `KINDS`."""

    kind: str
    columns: tuple[Column, ...]
    data: Any
    # What the source library sees if it is one column by itself: a `list`, an `array`, a `series`;
    # or `KEYED`.
    flat: str = ""

    @property
    def frame(self) -> bool:
        """Whether the source library sees names."""
        return self.kind != "array"

    @property
    def names(self) -> list[str]:
        """Names of the columns in order."""
        return [str(column.name) for column in self.columns]

    @property
    def row_count(self) -> int:
        """Number of rows."""
        return int(self.data.shape[0])

    def values(self, at: int, rows: Sequence[int] | None = None) -> list[Any]:
        """Plain values of the column at this position, of all rows or of these."""
        values = [plain(value) for value in KINDS[self.kind].values(self.data, at, rows)]
        return list(map(written, values)) if self.columns[at].kind == "timestamp" else values

    def raw_values(self, at: int) -> list[Any]:
        """All values of the column at this position, missing ones as the table has them."""
        return list(KINDS[self.kind].values(self.data, at, None))

    def rows(self, rows: Sequence[int]) -> list[Row]:
        """These rows as plain values."""
        columns = [self.values(at, rows) for at in range(len(self.columns))]
        return [dict(zip(self.names, row, strict=True)) for row in zip(*columns, strict=True)]

    def widened(self, names: frozenset[str]) -> "Example":
        """The example, where small integers of these names become float32 if they do not fit.

        They stand beside float32, as which a row brings what is no small integer: another dtype
        would turn the whole array that the source library makes into float64.
        """
        columns = (
            replace(column, wider="float32")
            if column.name in names and column.dtype in SMALL
            else column
            for column in self.columns
        )
        return replace(self, columns=tuple(columns))

    def build(self, rows: Sequence[Row]) -> Any:
        """A table of the kind and the dtypes of the example, with other rows.

        Integers become floats where one is missing or has a fraction, and categories grow by new
        levels, as happens to the frames that the source library is given.
        """
        contents = {
            name: (column, [row.get(name) for row in rows])
            for name, column in zip(self.names, self.columns, strict=True)
        }
        table = KINDS[self.kind].build(self.data, contents)
        if self.flat == KEYED:
            return _dictionaries(self.names, table)
        return FLAT[self.flat](table) if self.flat else table


# What the source library sees if it takes dictionaries, which lack the keys of what is missing.
KEYED = "dictionaries"


def _dictionaries(names: Sequence[str], table: Any) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in table.tolist()
    ]


# From the table of one column to what the source library sees.
FLAT: dict[str, Callable[[Any], Any]] = {
    "array": lambda table: table[:, 0],
    "list": lambda table: table[:, 0].tolist(),
    "pandas": lambda table: table.iloc[:, 0],
    "polars": lambda table: table.to_series(0),
}
# The input of a model that takes texts, where nobody has named it.
FLAT_NAME = "text"


def describe(data: Any, names: Sequence[str] | None = None) -> Example:
    """The example with its columns; those of an array are called `names`, else `x0`, `x1`, ..."""
    if isinstance(data, (list, tuple)) and data and all(isinstance(one, Mapping) for one in data):
        return _keyed(data)
    flat, data = _flat(data)
    kind, data = _kind(data)
    _check_names([str(name) if kind == "arrow" else name for name in _names(kind, data)])
    example = Example(kind, tuple(KINDS[kind].columns(data)), data, flat)
    if not example.columns or not example.row_count:
        raise ConvertError("the example has no rows or no columns; give the rows trained on")
    if kind != "array":
        return example
    if flat:
        return replace(example, columns=(replace(example.columns[0], name=FLAT_NAME),))
    width = len(example.columns)
    labels = (
        names if names is not None and len(names) == width else [f"x{at}" for at in range(width)]
    )
    named = zip(example.columns, labels, strict=True)
    return replace(example, columns=tuple(replace(column, name=str(to)) for column, to in named))


def _keyed(data: Sequence[Mapping[Any, Any]]) -> Example:
    """Dictionaries as an array of objects: `None` where a row lacks the key."""
    import numpy

    names = list(dict.fromkeys(name for row in data for name in row))
    _check_names(names)
    for name in names:
        if any(row.get(name, 0) is None for row in data):
            raise ConvertError(
                f"the key `{name}` is None in some rows of the example; leave it out of them"
            )
    table = numpy.empty((len(data), len(names)), dtype="object")
    for at, name in enumerate(names):
        table[:, at] = [row.get(name) for row in data]
    columns = []
    for at, (name, column) in enumerate(zip(names, KINDS["array"].columns(table), strict=True)):
        has_nan = any(value != value for value in table[:, at])
        columns.append(replace(column, name=name, missing="nan" if has_nan else "none"))
    if not columns:
        raise ConvertError("the dictionaries of the example have no keys")
    return Example("array", tuple(columns), table, KEYED)


def _flat(data: Any) -> tuple[str, Any]:
    """What kind of a column by itself this is, if any, and the table of that one column."""
    owner = type(data).__module__.split(".")[0]
    texts = str(getattr(data, "dtype", "")).lower() in ("object", "str", "string")
    if owner in ("pandas", "polars") and type(data).__name__ == "Series" and texts:
        name = data.name if isinstance(data.name, str) and data.name else FLAT_NAME
        return owner, data.to_frame(name)
    if isinstance(data, (list, tuple)) and all(isinstance(one, str | None) for one in data):
        import numpy

        column = numpy.empty((len(data), 1), dtype="object")
        column[:, 0] = data
        return "list", column
    if owner == "numpy" and getattr(data, "ndim", 0) == 1 and data.dtype.kind in "OU":
        return "array", data.reshape(-1, 1)
    return "", data


def _kind(data: Any) -> tuple[str, Any]:
    owner = type(data).__module__.split(".")[0]
    if owner == "pandas" and hasattr(data, "columns"):
        return "pandas", data
    if owner == "polars" and hasattr(data, "to_series"):
        return "polars", data
    if owner == "numpy" and getattr(data, "ndim", 0) == 2:
        return "array", data
    if hasattr(data, "__arrow_c_stream__") and owner not in ("pandas", "polars"):
        import pyarrow

        return "arrow", data if isinstance(data, pyarrow.Table) else pyarrow.table(data)
    raise ConvertError(
        f"the example is a {type(data).__name__}; give a pandas, Polars or Arrow table, a dense "
        "2-D numpy array, or, for a model of texts, a list or a Series of them, or, for one of "
        "dictionaries, a list of those"
    )


def _names(kind: str, data: Any) -> list[Any]:
    if kind == "array":
        return []
    return list(data.column_names if kind == "arrow" else data.columns)


def _check_names(names: list[Any]) -> None:
    for name in names:
        if not isinstance(name, str):
            raise ConvertError(
                f"column name {name!r} is no text; name the columns, or give the example as an "
                "array: `example.to_numpy()`"
            )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ConvertError(f"two columns of the example have the name `{twice[0]}`; rename one")
