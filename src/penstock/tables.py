"""Tables of any library to columns of the engine, and its answers back to the same kind."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from penstock.errors import SchemaError

if TYPE_CHECKING:
    from penstock._core import Answers, Columns

__all__ = ["fill", "kind_of", "like", "named"]

# What to send in place of things of these libraries that are no tables.
_HINTS = {
    "Series": "send `series.to_frame()` or a dict",
    "LazyFrame": "send `frame.collect()`",
    "Dataset": "send `dataset.to_table()`",
    "str": "send a dict, or the text to `predict_json`",
}
# numpy's kinds of dtypes whose items the engine reads in place, and what they are to it.
_BUFFERS = {"f": "number", "i": "number", "u": "number", "b": "boolean", "M": "timestamp"}
# numpy's units of time above microseconds, which reach farther.
_COARSE = frozenset(("Y", "M", "W", "D", "h", "m", "s", "ms"))
# Counts of microseconds: numpy's for no time, and one that no double holds, which is refused.
_NAT, _TOO_FAR = -(2**63), 2**63 - 2
# pandas' dtypes of labels, one of which is missing.
_NULLABLE = {int: "Int64", bool: "boolean", float: "float64"}
# Below so many rows per chunk of an Arrow column, crossing to the engine costs more than joining.
_ROWS_PER_CHUNK = 4096
_NAMES_SHOWN = 30


def kind_of(rows: Any) -> str:
    """`pandas`, `polars`, `pyarrow`, `numpy`, `arrow` (another stream), `mapping` or `unknown`."""
    library = type(rows).__module__.split(".")[0]
    if library in ("pandas", "polars", "pyarrow", "numpy"):
        return library
    if hasattr(rows, "__arrow_c_stream__"):
        return "arrow"
    if isinstance(rows, Mapping):
        return "mapping"
    return "unknown"


def named(rows: Any, names: Sequence[str]) -> Any:
    """A list or a Series of the values of a model's only input as rows; others as they are."""
    if len(names) != 1:
        return rows
    if isinstance(rows, (list, tuple)) and rows and all(isinstance(one, str) for one in rows):
        return [{names[0]: value} for value in rows]
    if type(rows).__name__ == "Series" and kind_of(rows) in ("pandas", "polars"):
        return rows.to_frame(names[0])
    return rows


def fill(columns: "Columns", rows: Any, names: Sequence[str]) -> None:
    """Adds every column of the table; `names` are those of the inputs, for arrays without names.

    Raises `SchemaError` where the table has none that can be read.
    """
    kind = kind_of(rows)
    if kind == "pandas" and hasattr(rows, "columns"):
        _fill_pandas(columns, rows)
    elif kind == "numpy" and hasattr(rows, "ndim"):
        _fill_numpy(columns, rows, names)
    elif hasattr(rows, "__arrow_c_stream__") and type(rows).__name__ not in _HINTS:
        rows = _exportable(rows) if kind == "polars" else rows
        columns.add_stream(rows.__arrow_c_stream__())
    elif kind == "mapping":
        for name, values in rows.items():
            columns.add_objects(name, list(values))
    else:
        hint = (
            "send a dict, a list of dicts, a frame (pandas, Polars, PyArrow, anything with "
            "`__arrow_c_stream__`) or a 2-D array"
        )
        name = type(rows).__name__
        raise SchemaError(f"a `{name}` is not rows; {_HINTS.get(name, hint)}")


def _exportable(frame: Any) -> Any:
    import polars

    for name, dtype in frame.schema.items():
        if str(dtype) in ("Int128", "UInt128"):
            raise SchemaError(
                f"column `{name}` has the Polars type {dtype}, which Arrow does not have; cast it "
                "to Int64 or Float64"
            )
    # Polars 2.1 exports columns of type Null with a buffer, which Arrow's readers refuse.
    nulls = [name for name, dtype in frame.schema.items() if dtype == polars.Null]
    return frame.with_columns(polars.col(nulls).cast(polars.Boolean)) if nulls else frame


def like(rows: Any, answers: "Answers", *, errors: bool = False, warnings: bool = False) -> Any:
    """The answers, which it takes over, as the same kind of table as the rows; pandas' index stays.

    `errors` adds a column `error` (text or missing), `warnings` a column `warnings`.
    """
    _check_extras(answers, errors, warnings)
    kind = kind_of(rows)
    if kind == "pandas":
        return _pandas_frame(rows, answers, errors, warnings)
    if kind == "numpy":
        return _numpy_arrays(answers) | dict(_extras(answers, errors, warnings))
    answers = answers.extended(errors=errors, warnings=warnings)
    unnameable = next((name for name in answers.names if "\0" in name), None)
    if unnameable is not None:
        raise SchemaError(
            f"the model has an output {unnameable!r}, and Arrow has no names with a NUL; send a "
            "pandas frame, an array or dicts"
        )
    if kind == "polars":
        import polars

        return polars.DataFrame(answers).cast({polars.Categorical: polars.String})
    if kind == "pyarrow":
        import pyarrow

        table = pyarrow.table(answers)
        one_batch = isinstance(rows, pyarrow.RecordBatch)
        return table.combine_chunks().to_batches()[0] if one_batch and len(table) else table
    return answers


# -- pandas --


def _fill_pandas(columns: "Columns", frame: Any) -> None:
    columns.set_rows(len(frame))
    for position, name in enumerate(frame.columns):
        if not isinstance(name, str):
            raise SchemaError(
                f"column {name!r} is not named by text; name the columns of the frame"
            )
        _add_series(columns, name, frame.iloc[:, position])


def _add_series(columns: "Columns", name: str, series: Any) -> None:
    import pandas

    dtype = series.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        columns.add_codes(name, _plain(series.cat.codes.to_numpy()), dtype.categories.tolist())
    elif isinstance(dtype, pandas.ArrowDtype) or "pyarrow" in getattr(dtype, "storage", ""):
        _add_arrow(columns, name, series.array)
    elif isinstance(dtype, pandas.DatetimeTZDtype):
        _add_array(columns, name, series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
    elif type(dtype).__module__.startswith("numpy"):
        _add_array(columns, name, series.to_numpy())
    elif hasattr(dtype, "numpy_dtype"):
        # The nullable dtypes: `Int64`, `Float32`, `boolean` and so on.
        values = series.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        _add_array(columns, name, values, series.isna().to_numpy())
    else:
        columns.add_objects(name, series.tolist())


def _add_arrow(columns: "Columns", name: str, array: Any) -> None:
    import pyarrow

    table = pyarrow.table({name: array})
    if table.column(0).num_chunks > 1 + len(table) // _ROWS_PER_CHUNK:
        table = table.combine_chunks()
    columns.add_stream(table.__arrow_c_stream__())


def _pandas_frame(rows: Any, answers: "Answers", errors: bool, warnings: bool) -> Any:
    import pandas

    arrays: dict[str, Any] = {}
    for position, name in enumerate(answers.names):
        if answers.kind(position) == "texts":
            arrays[name] = _pandas_column(answers, position)
            continue
        kind, *column = answers.take_column(position)
        if kind == "codes":
            arrays[name] = _pandas_labels(column[0], column[1])
        else:
            arrays[name] = _numbers(column[0])
    frame = pandas.DataFrame(arrays, index=rows.index, copy=False)
    for name, values in _extras(answers, errors, warnings):
        frame[name] = _pandas_texts(values) if name == "error" else values
    return frame


def _pandas_labels(buffer: Any, levels: list[Any]) -> Any:
    """Labels in their own dtype; rows without one make it nullable."""
    import pandas

    codes = _codes(buffer, levels)
    kinds = {type(level) for level in levels}
    if kinds == {str}:
        return _pandas_texts([*levels, None]).take(codes)
    if codes.max(initial=0) < len(levels):
        return pandas.array(levels, dtype=pandas.Series(levels).dtype).take(codes)
    dtype = _NULLABLE[kinds.pop()] if len(kinds) == 1 else "object"
    return pandas.array([*levels, None], dtype=dtype).take(codes)


def _pandas_column(answers: "Answers", position: int) -> Any:
    """A column of texts; where pandas keeps texts as Arrow does, none is made an object."""
    import pandas

    dtype = pandas.Series([""]).dtype
    if getattr(dtype, "storage", "") != "pyarrow":
        return _pandas_texts(answers.column(position)[1])
    import pyarrow

    return pandas.array(pyarrow.table(answers.only(position)).column(0), dtype=dtype)


def _pandas_texts(values: list[Any]) -> Any:
    """Texts in the dtype that this pandas has for them."""
    import pandas

    return pandas.array(values, dtype=pandas.Series([""]).dtype)


# -- numpy --


def _fill_numpy(columns: "Columns", array: Any, names: Sequence[str]) -> None:
    if array.ndim != 2:
        raise SchemaError(
            f"the array has {array.ndim} dimensions; send rows by columns (2), as in "
            "`array.reshape(1, -1)` for one row"
        )
    if array.shape[1] != len(names):
        shown = ", ".join(f"`{name}`" for name in names[:_NAMES_SHOWN])
        more = len(names) - _NAMES_SHOWN
        raise SchemaError(
            f"the array has {array.shape[1]} columns; the model expects {len(names)}: {shown}"
            + (f" and {more} more" if more > 0 else "")
        )
    columns.set_rows(array.shape[0])
    for position, name in enumerate(names):
        _add_array(columns, name, array[:, position])


def _add_array(columns: "Columns", name: str, array: Any, missing: Any = None) -> None:
    """A column of one dimension; `missing` is true where a value is missing."""
    kind = _BUFFERS.get(array.dtype.kind)
    if kind is None or array.dtype.itemsize > 8:
        columns.add_objects(name, array.tolist())
        return
    if kind == "timestamp":
        array = _microseconds(array)
    elif kind == "boolean":
        array = array.view("uint8")
    mask = None if missing is None or not missing.any() else _plain(missing.view("uint8"))
    columns.add_buffer(name, _plain(array), kind=kind, missing=mask)


def _microseconds(array: Any) -> Any:
    """Times as microseconds since 1970; what they cannot count is `_TOO_FAR`.

    numpy's own casts go around silently: beyond 292,277 years, and within a microsecond of the
    first time that nanoseconds can count.
    """
    import numpy

    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    counted = numpy.datetime_data(array.dtype)[0]
    if counted == "ns":
        counts = numpy.ascontiguousarray(array).view("int64") // 1_000
    else:
        times = array.astype("datetime64[us]")
        counts = times.view("int64")
        if counted in _COARSE:
            counts[times.astype(array.dtype) != array] = _TOO_FAR
    counts[numpy.isnat(array)] = _NAT
    return counts


def _plain(array: Any) -> Any:
    """The array as the engine reads it: contiguous, in native byte order, of a type of its own."""
    import numpy

    dtype = array.dtype
    if dtype == numpy.float16:
        dtype = numpy.dtype("float64")
    return numpy.ascontiguousarray(array, dtype=dtype.newbyteorder("="))


def _numpy_arrays(answers: "Answers") -> dict[str, Any]:
    import numpy

    arrays: dict[str, Any] = {}
    for position, name in enumerate(answers.names):
        kind, *column = answers.take_column(position)
        if kind == "codes":
            arrays[name] = _numpy_labels(_codes(*column), column[1])
        elif kind == "texts":
            arrays[name] = numpy.array(column[0], dtype=object)
        else:
            arrays[name] = _numbers(column[0])
    return arrays


def _numpy_labels(codes: Any, levels: list[Any]) -> Any:
    """Labels in their own dtype, texts as objects; rows without one make all objects."""
    import numpy

    plain = codes.max(initial=0) < len(levels) and str not in map(type, levels)
    return numpy.array(levels if plain else [*levels, None], dtype=None if plain else object)[codes]


# -- both --


def _numbers(buffer: Any) -> Any:
    """The numbers of a column, which are not copied."""
    import numpy

    return numpy.frombuffer(buffer, dtype="float64")


def _codes(buffer: Any, levels: list[Any]) -> Any:
    """Positions in the levels; that of a row without a label is one beyond them."""
    import numpy

    codes = numpy.frombuffer(buffer, dtype="uint32")
    return numpy.minimum(codes, len(levels)).astype("int64")


def _extras(answers: "Answers", errors: bool, warnings: bool) -> list[tuple[str, list[Any]]]:
    """The columns `error` and `warnings`, where they are wanted."""
    extras: list[tuple[str, list[Any]]] = []
    if errors:
        messages: list[Any] = [None] * len(answers)
        for row, error in answers.errors():
            messages[row] = str(error)
        extras.append(("error", messages))
    if warnings:
        lists: list[Any] = [[] for _ in range(len(answers))]
        for row, items in answers.warnings():
            lists[row] = items
        extras.append(("warnings", lists))
    return extras


def _check_extras(answers: "Answers", errors: bool, warnings: bool) -> None:
    wanted = {"error"} if errors else set()
    wanted |= {"warnings"} if warnings else set()
    taken = sorted(wanted & set(answers.names))
    if taken:
        raise SchemaError(
            f"the model has an output `{taken[0]}` of its own; "
            'predict without `on_error="return"` and `warnings`, or send a list of rows'
        )
