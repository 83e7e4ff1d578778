"""How an example table of each kind is read and made: pandas, Polars, Arrow, numpy."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

from penstock.converters.values import Column
from penstock.errors import ConvertError
from penstock.times import counts

__all__ = ["KINDS", "Kind", "plain"]

# By column name: its description, and the plain values of the table to make.
Contents = Mapping[str, tuple[Column, list[Any]]]


@dataclass(frozen=True)
class Kind:
    """A kind of table: its columns, the values of one of them in some rows or all, a new table."""

    columns: Callable[[Any], Iterable[Column]]
    values: Callable[[Any, int, Sequence[int] | None], Iterable[Any]]
    build: Callable[[Any, Contents], Any]


def plain(value: Any) -> Any:
    """The value as Python has it; `None` where it is missing."""
    if hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    return None if isinstance(value, float) and value != value else value


def classify(name: Any, values: Sequence[Any]) -> tuple[str, str]:
    """Kind of the values of an object column, and what stands for a missing one."""
    words = {_word(name, type_) for type_ in set(map(type, values))}
    if "number" in words and words & {"text", "boolean"} and _only_nan(values):
        words = (words - {"number"}) | {"nan"}
    kinds = words & {"text", "boolean", "number"}
    markers = words - kinds
    if len(kinds) > 1:
        mixture = " and ".join(sorted(kinds))
        raise ConvertError(f"column `{name}` mixes {mixture}; give it one type")
    if len(markers) > 1:
        raise ConvertError(
            f"column `{name}` mixes None, NaN or NA for missing values, which the source library "
            "tells apart; use one of them"
        )
    return (kinds or {"text"}).pop(), (markers or {"nan"}).pop()


def _word(name: Any, type_: type) -> str:
    if issubclass(type_, str):
        return "text"
    if type_.__name__ in ("bool", "bool_"):
        return "boolean"
    if issubclass(type_, Real):
        return "number"
    if type_ is type(None):
        return "none"
    if type_.__name__ == "NAType":
        return "na"
    raise ConvertError(
        f"column `{name}` holds objects of type {type_.__name__}; use numbers, text or booleans"
    )


def _only_nan(values: Iterable[Any]) -> bool:
    numbers = (value for value in values if isinstance(value, Real) and not isinstance(value, bool))
    return all(value != value for value in numbers)


def _wrong_dtype(name: Any, dtype: Any) -> ConvertError:
    return ConvertError(
        f"column `{name}` has dtype {dtype}, which is not supported; use float64, float32, an "
        "integer, boolean, text, category or timestamp dtype"
    )


_SIZES = (8, 16, 32, 64)
# What numpy counts where there is no time.
_NAT = -(2**63)
# Dtypes of numbers to what converters see. Nullable float32 is left out: no rule says in what
# libraries compute then.
NUMBERS: dict[str, str] = {
    "float64": "float64",
    "float32": "float32",
    "Float64": "Float64",
    "double[pyarrow]": "Float64",
    **{f"{u}int{size}": f"{u}int{size}" for u in ("", "u") for size in _SIZES},
    **{f"{u}Int{size}": f"{u}Int{size}" for u in ("", "U") for size in _SIZES},
    **{f"int{size}[pyarrow]": f"Int{size}" for size in _SIZES},
    **{f"uint{size}[pyarrow]": f"UInt{size}" for size in _SIZES},
}


def _integer(values: Sequence[Any], dtype: str, *, nullable: bool, wider: str = "float64") -> str:
    """The dtype of an integer column with these values: a wider one where they do not fit."""
    present = [value for value in values if value is not None]
    fractional = any(isinstance(value, float) and not value.is_integer() for value in present)
    if fractional or (len(present) < len(values) and not nullable):
        return wider
    size = dtype.lower().removesuffix("[pyarrow]")
    bits, unsigned = int(size.lstrip("uint")), size.startswith("u")
    low, high = (0, 2**bits) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    if all(low <= value < high for value in present):
        return dtype
    if wider != "float64":
        return wider
    return "int64" if all(-(2**63) <= value < 2**63 for value in present) else "float64"


# -- pandas --


def _pandas_columns(frame: Any) -> Iterable[Column]:
    return [_pandas_column(name, frame[name]) for name in frame.columns]


def _pandas_column(name: Any, series: Any) -> Column:
    import pandas

    dtype, text = series.dtype, str(series.dtype)
    if isinstance(dtype, pandas.CategoricalDtype):
        categories = tuple(plain(level) for level in dtype.categories)
        return Column(name, classify(name, categories)[0], "category", categories)
    if text == "object":
        kind, missing = classify(name, series.tolist())
        return Column(name, kind, "object", missing=missing)
    if isinstance(dtype, pandas.StringDtype) or text in (
        "string[pyarrow]",
        "large_string[pyarrow]",
    ):
        has_nan = isinstance(getattr(dtype, "na_value", None), float)
        return Column(name, "text", "object", missing="nan" if has_nan else "na")
    if text == "bool":
        return Column(name, "boolean", "bool")
    if text in ("boolean", "bool[pyarrow]"):
        return Column(name, "boolean", "boolean", missing="na")
    if text.startswith(("datetime64", "timestamp")):
        return Column(name, "timestamp", text)
    if text in NUMBERS:
        plain_dtype = NUMBERS[text] == text.lower()
        return Column(name, "number", NUMBERS[text], missing="nan" if plain_dtype else "na")
    raise _wrong_dtype(name, dtype)


def _pandas_values(frame: Any, at: int, rows: Sequence[int] | None) -> Iterable[Any]:
    series = frame.iloc[:, at]
    values: Iterable[Any] = (series if rows is None else series.iloc[list(rows)]).tolist()
    return values


def _pandas_build(frame: Any, contents: Contents) -> Any:
    import pandas

    dtypes = dict(frame.dtypes)
    return pandas.DataFrame(
        {
            name: _pandas_array(dtypes[name], column, values)
            for name, (column, values) in contents.items()
        }
    )


def _pandas_array(dtype: Any, column: Column, values: list[Any]) -> Any:
    import numpy
    import pandas

    if isinstance(dtype, pandas.CategoricalDtype):
        known = set(dtype.categories)
        new = {value: None for value in values if value is not None and value not in known}
        categories = [*dtype.categories, *new] if new else dtype.categories
        return pandas.Categorical(values, categories, ordered=dtype.ordered)
    if column.kind == "timestamp":
        return _pandas_times(dtype, values)
    if str(dtype) == "object":
        return _objects(values, column.missing)
    if column.dtype == "bool" and None in values:
        return _objects(values, "none")
    if column.kind == "number" and "int" in column.dtype.lower():
        nullable = column.missing == "na"
        name = _integer(values, str(dtype), nullable=nullable, wider=column.wider)
        dtype = {"float64": "Float64", "int64": "Int64"}.get(name, name) if nullable else name
    if column.missing == "nan" and column.kind in ("number", "boolean"):
        with numpy.errstate(over="ignore"):  # what f32 cannot hold is infinite there
            return numpy.array(values, dtype=dtype)
    return pandas.array(values, dtype=dtype)


def _pandas_times(dtype: Any, values: list[Any]) -> Any:
    import numpy
    import pandas

    found, counted = counts(values, str(dtype))
    arrow = getattr(dtype, "pyarrow_dtype", None)
    if arrow is not None:
        import pyarrow

        array = pyarrow.array(found, type=pyarrow.timestamp(counted, arrow.tz))
        return pandas.array(array, dtype=pandas.ArrowDtype(array.type))
    numbers = numpy.array([_NAT if count is None else count for count in found], dtype="int64")
    times = pandas.Series(numbers.view(f"datetime64[{counted}]"))
    zone = getattr(dtype, "tz", None)
    return times if zone is None else times.dt.tz_localize("UTC").dt.tz_convert(zone)


def _objects(values: Sequence[Any], missing: str) -> Any:
    import pandas

    # No array: pandas 3 makes a column of str of an array of objects that are texts.
    return pandas.Series(_marked(values, missing), dtype="object")


def _marked(values: Iterable[Any], missing: str) -> list[Any]:
    marker: Any = float("nan") if missing == "nan" else None
    if missing == "na":
        import pandas

        marker = pandas.NA
    return [marker if value is None else value for value in values]


# -- Polars --


def _polars_columns(frame: Any) -> Iterable[Column]:
    return [_polars_column(name, dtype) for name, dtype in frame.schema.items()]


def _polars_column(name: str, dtype: Any) -> Column:
    text = str(dtype).lower().split("(")[0]
    if text in ("string", "categorical", "enum"):
        return Column(name, "text", "object", missing="none")
    if text == "boolean":
        return Column(name, "boolean", "bool", missing="none")
    if text == "datetime":
        return Column(name, "timestamp", str(dtype))
    if text in NUMBERS:
        return Column(name, "number", text)
    raise _wrong_dtype(name, dtype)


def _polars_values(frame: Any, at: int, rows: Sequence[int] | None) -> Iterable[Any]:
    series = frame.to_series(at)
    values: Iterable[Any] = (series if rows is None else series[list(rows)]).to_list()
    return values


def _polars_build(frame: Any, contents: Contents) -> Any:
    import polars

    names = {"float64": polars.Float64, "float32": polars.Float32, "int64": polars.Int64}
    series = []
    for name, (column, values) in contents.items():
        dtype = frame.schema[name]
        if column.kind == "number" and "int" in column.dtype:
            nullable = column.wider == "float64"
            wider = _integer(values, column.dtype, nullable=nullable, wider=column.wider)
            dtype = names.get(wider, dtype)
        if column.kind == "timestamp":
            found, counted = counts(values, str(dtype))
            moment: Any = counted  # Polars types its units as literals
            times = polars.Series(name, found, dtype=polars.Int64).cast(polars.Datetime(moment))
            zone = dtype.time_zone
            if zone is not None:
                times = times.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
            series.append(times)
            continue
        if str(dtype).startswith("Enum"):
            # An Enum holds its own levels only; the source library sees text in both.
            dtype = polars.String
        series.append(polars.Series(name, values, dtype=dtype, strict=False))
    return polars.DataFrame(series)


# -- Arrow --


def _arrow_columns(table: Any) -> Iterable[Column]:
    for field, column in zip(table.schema, table.columns, strict=True):
        if str(field.type).startswith(DICTIONARIES) and column.null_count:
            raise ConvertError(
                f"column `{field.name}` is a dictionary with missing values, each of which "
                "pyarrow gives to the source library as another level; cast it to string, and fit "
                "again"
            )
    return [_arrow_column(field.name, field.type) for field in table.schema]


# As pandas and Polars export their categories.
DICTIONARIES = ("dictionary<values=string", "dictionary<values=large_string")


def _arrow_column(name: str, type_: Any) -> Column:
    text = {"double": "float64", "float": "float32"}.get(str(type_), str(type_))
    if text in ("string", "large_string", "string_view") or text.startswith(DICTIONARIES):
        return Column(name, "text", "object", missing="none")
    if text == "bool":
        return Column(name, "boolean", "bool", missing="none")
    if text.startswith("timestamp"):
        return Column(name, "timestamp", text)
    if text in NUMBERS:
        return Column(name, "number", text)
    raise _wrong_dtype(name, type_)


def _arrow_values(table: Any, at: int, rows: Sequence[int] | None) -> Iterable[Any]:
    column = table.column(at)
    values: Iterable[Any] = (column if rows is None else column.take(list(rows))).to_pylist()
    return values


def _arrow_build(table: Any, contents: Contents) -> Any:
    import pyarrow

    names = {
        "float64": pyarrow.float64(),
        "float32": pyarrow.float32(),
        "int64": pyarrow.int64(),
    }
    arrays = {}
    for name, (column, values) in contents.items():
        type_ = table.schema.field(name).type
        if pyarrow.types.is_dictionary(type_):
            # Texts as they are meant: pyarrow loses what is missing in a dictionary.
            type_ = type_.value_type
        if column.kind == "number" and "int" in column.dtype:
            nullable = column.wider == "float64"
            wider = _integer(values, column.dtype, nullable=nullable, wider=column.wider)
            type_ = names.get(wider, type_)
        if column.kind == "timestamp":
            values, counted = counts(values, str(type_))
            type_ = pyarrow.timestamp(counted, type_.tz)
        if pyarrow.types.is_floating(type_):
            values = [None if value is None else float(value) for value in values]
        arrays[name] = pyarrow.array(values, type=type_)
    return pyarrow.table(arrays)


# -- numpy --


def _array_columns(array: Any) -> Iterable[Column]:
    text = str(array.dtype)
    positions = range(array.shape[1])
    if text in NUMBERS:
        return [Column(None, "number", text) for _ in positions]
    if text == "bool":
        return [Column(None, "boolean", text) for _ in positions]
    if array.dtype.kind == "U":
        return [Column(None, "text", "object") for _ in positions]
    if text != "object":
        raise _wrong_dtype("x0", array.dtype)
    described = [classify(f"x{at}", array[:, at].tolist()) for at in positions]
    return [Column(None, kind, "object", missing=missing) for kind, missing in described]


def _array_values(array: Any, at: int, rows: Sequence[int] | None) -> Iterable[Any]:
    column = array[:, at]
    values: Iterable[Any] = (column if rows is None else column[list(rows)]).tolist()
    return values


def _array_build(array: Any, contents: Contents) -> Any:
    import numpy

    columns = [values for _, values in contents.values()]
    dtype: Any = array.dtype
    if dtype.kind in "iu":
        dtypes = [
            _integer(values, str(dtype), nullable=False, wider=column.wider)
            for column, values in contents.values()
        ]
        dtype = numpy.result_type(*dtypes)
    elif dtype.kind == "U" or (dtype.kind == "b" and any(None in values for values in columns)):
        # Texts of any length, and missing beside booleans.
        dtype = numpy.dtype("object")
    made = numpy.empty((len(columns[0]), len(columns)), dtype=dtype)
    for at, (column, values) in enumerate(contents.values()):
        with numpy.errstate(over="ignore"):  # what f32 cannot hold is infinite there
            made[:, at] = _marked(values, column.missing)
    return made


KINDS: dict[str, Kind] = {
    "array": Kind(_array_columns, _array_values, _array_build),
    "arrow": Kind(_arrow_columns, _arrow_values, _arrow_build),
    "pandas": Kind(_pandas_columns, _pandas_values, _pandas_build),
    "polars": Kind(_polars_columns, _polars_values, _polars_build),
}
