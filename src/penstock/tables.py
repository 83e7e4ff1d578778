"""Tables of any library to columns of the engine, and its answers back to the same kind."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from penstock.errors import SchemaError

if TYPE_CHECKING:
    from penstock._core import Answers, Columns

__all__ = ["fill", "kind_of", "like"]

# Bytes per item of numpy's numeric kinds that the engine reads in place.
_NUMERIC_KINDS = "fiu"


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


def fill(columns: "Columns", rows: Any, names: Sequence[str]) -> None:
    """Adds every column of the table; `names` are those of the inputs, for arrays without names.

    Raises `SchemaError` where the table has none that can be read.
    """
    kind = kind_of(rows)
    if kind == "pandas":
        _fill_pandas(columns, rows)
    elif kind == "numpy":
        _fill_numpy(columns, rows, names)
    elif hasattr(rows, "__arrow_c_stream__"):
        columns.add_stream(rows.__arrow_c_stream__())
    elif kind == "mapping":
        for name, values in rows.items():
            columns.add_objects(name, list(values))
    else:
        raise SchemaError(
            f"a `{type(rows).__name__}` is not rows; send a dict, a list of dicts, a frame "
            "(pandas, Polars, PyArrow, anything with `__arrow_c_stream__`) or a 2-D array"
        )


def like(rows: Any, answers: "Answers", *, errors: bool = False, warnings: bool = False) -> Any:
    """The answers as the same kind of table as the rows, with pandas' index kept.

    `errors` adds a column `error` (text or missing), `warnings` a column `warnings`.
    """
    kind = kind_of(rows)
    if kind == "pandas":
        import pandas

        frame = pandas.DataFrame(dict(_arrays(answers)), index=rows.index)
        for name, values in _extras(answers, errors, warnings):
            frame[name] = pandas.Series(values, index=frame.index, dtype=object)
        return frame
    if kind == "numpy":
        return dict(_arrays(answers)) | dict(_extras(answers, errors, warnings))
    if kind == "polars":
        import polars

        table = polars.DataFrame(answers)
        for name, values in _extras(answers, errors, warnings):
            table = table.with_columns(polars.Series(name, values))
        return table
    if kind == "pyarrow" or errors or warnings:
        import pyarrow

        table = pyarrow.table(answers)
        for name, values in _extras(answers, errors, warnings):
            table = table.append_column(name, pyarrow.array(values))
        return table
    return answers


def _fill_pandas(columns: "Columns", frame: Any) -> None:
    if getattr(frame, "ndim", 0) != 2:
        raise SchemaError("a pandas Series is not rows; send `series.to_frame()` or a dict")
    columns.set_rows(len(frame))
    for position, name in enumerate(frame.columns):
        if not isinstance(name, str):
            raise SchemaError(
                f"column {name!r} is not named by text; name the columns of the frame"
            )
        _add_series(columns, name, frame.iloc[:, position])


def _add_series(columns: "Columns", name: str, series: Any) -> None:
    dtype = series.dtype
    kind = getattr(dtype, "kind", "O")
    if hasattr(dtype, "numpy_dtype") and not hasattr(dtype, "pyarrow_dtype"):
        _add_masked(columns, name, series)
    elif type(dtype).__name__ == "CategoricalDtype":
        levels = dtype.categories.tolist()
        columns.add_codes(name, series.cat.codes.tolist(), levels)
    elif (
        isinstance(kind, str)
        and kind in _NUMERIC_KINDS
        and type(dtype).__module__ == "numpy.dtypes"
    ):
        columns.add_buffer(name, _plain(series.to_numpy()))
    elif hasattr(dtype, "pyarrow_dtype") or getattr(dtype, "storage", "") == "pyarrow":
        columns.add_stream(series.to_frame(name).__arrow_c_stream__())
    else:
        columns.add_objects(name, series.tolist())


def _add_masked(columns: "Columns", name: str, series: Any) -> None:
    """Nullable dtypes (`Int64`, `boolean`, `Float64`): in place where nothing is missing."""
    if series.dtype.kind in _NUMERIC_KINDS and not series.isna().any():
        columns.add_buffer(name, _plain(series.to_numpy(dtype=series.dtype.numpy_dtype)))
    else:
        columns.add_objects(name, series.tolist())


def _fill_numpy(columns: "Columns", array: Any, names: Sequence[str]) -> None:
    if array.ndim != 2:
        raise SchemaError(f"the array has {array.ndim} dimensions; send rows by columns (2)")
    if array.shape[1] != len(names):
        raise SchemaError(
            f"the array has {array.shape[1]} columns; the model expects {len(names)}: "
            + ", ".join(f"`{name}`" for name in names[:30])
        )
    columns.set_rows(array.shape[0])
    for position, name in enumerate(names):
        column = array[:, position]
        if array.dtype.kind in _NUMERIC_KINDS:
            columns.add_buffer(name, _plain(column))
        else:
            columns.add_objects(name, column.tolist())


def _plain(array: Any) -> Any:
    """The array as the engine reads it: contiguous, native byte order, at most 8 bytes per item."""
    import numpy

    dtype = array.dtype
    if dtype.kind == "f" and dtype.itemsize not in (4, 8):
        dtype = numpy.dtype("float64")
    return numpy.ascontiguousarray(array, dtype=dtype.newbyteorder("="))


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


def _arrays(answers: "Answers") -> list[tuple[str, Any]]:
    """Names and numpy arrays of the answers; numbers are not copied."""
    import numpy

    arrays: list[tuple[str, Any]] = []
    for position, name in enumerate(answers.names):
        kind, *column = answers.column(position)
        if kind == "numbers":
            arrays.append((name, numpy.frombuffer(column[0], dtype="float64")))
        elif kind == "codes":
            codes = numpy.frombuffer(column[0], dtype="uint32")
            arrays.append((name, _labels(codes, column[1])))
        else:
            arrays.append((name, numpy.array(column[0], dtype=object)))
    return arrays


def _labels(codes: Any, levels: list[Any]) -> Any:
    """Labels in their own dtype; a row without one has `None`."""
    import numpy

    if any(isinstance(level, str) for level in levels) or codes.max(initial=0) >= len(levels):
        labels = numpy.array([*levels, None], dtype=object)
        return labels[numpy.minimum(codes, len(levels))]
    return numpy.array(levels)[codes]
