"""Rows to train on as a pandas frame, from whatever holds them; the one place that reads data."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from penstock.errors import DataError, PenstockError
from penstock.readers import SUFFIXES, format_of

__all__ = ["frame"]


def frame(data: Any) -> Any:
    """A pandas frame of a frame, an Arrow table or stream, or a file by its path.

    Raises `PenstockError` for what is no table, or has columns without names.
    """
    import pandas

    if isinstance(data, (str, os.PathLike)):
        made = _of_file(Path(data))
    elif isinstance(data, pandas.DataFrame):
        made = data
    elif hasattr(data, "__arrow_c_stream__"):
        import pyarrow

        made = pyarrow.table(data).to_pandas()
    else:
        raise PenstockError(
            f"the data is a {type(data).__name__}; give a pandas or Polars frame, an Arrow table, "
            "or the path of a file"
        )
    for name in made.columns:
        if not isinstance(name, str):
            raise PenstockError(f"the column name {name!r} is no text; name the columns")
    if made.columns.has_duplicates:
        twice = made.columns[made.columns.duplicated()][0]
        raise PenstockError(f"two columns have the name `{twice}`; rename one")
    return made.reset_index(drop=True)


def _of_file(path: Path) -> Any:
    source = format_of(path.name)
    if source is None:
        known = "`, `".join(sorted(SUFFIXES))
        raise PenstockError(f"the format of `{path}` is not known; use one of `{known}`")
    with path.open("rb") as file:
        try:
            return _READERS[source](file)
        except OSError:
            raise
        except Exception as error:
            raise DataError(f"`{path}` cannot be read as {source}: {error}") from None


def _csv(file: Any) -> Any:
    import warnings

    import pandas

    with warnings.catch_warnings():
        # From pandas 3.1 this precision is the default, and naming it is deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        return pandas.read_csv(file, float_precision="round_trip", low_memory=False)


def _ndjson(file: Any) -> Any:
    import pandas

    # Not by `read_json`, which takes texts for numbers and dates.
    return pandas.DataFrame([json.loads(line) for line in file if line.strip()])


def _parquet(file: Any) -> Any:
    import pandas

    return pandas.read_parquet(file)


def _arrow(file: Any) -> Any:
    from pyarrow import ipc

    start = file.read(6)
    file.seek(0)
    reader = (ipc.open_file if start == b"ARROW1" else ipc.open_stream)(file)
    return reader.read_all().to_pandas()


_READERS: dict[str, Callable[[Any], Any]] = {
    "csv": _csv,
    "ndjson": _ndjson,
    "parquet": _parquet,
    "arrow": _arrow,
}
