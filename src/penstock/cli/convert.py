"""`penstock convert`: a model file of another library to an artifact."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from penstock.cli.options import COLUMNS, TYPES
from penstock.errors import ConvertError
from penstock.formats import format_of

__all__ = ["command"]


@click.command("convert", short_help="Convert a model file to an artifact.")
@click.argument("model", type=click.Path())
@click.option(
    "--example",
    metavar="DATA",
    required=True,
    help="Rows as the model was trained on, as DATA of `predict`.",
)
@click.option("--query", metavar="SQL", help="What of a database the rows are.")
@click.option("--from-table", metavar="NAME", help="The table, if all of it; the sheet of a file.")
@click.option(
    "--types", type=TYPES, default="", help="Types of columns, where what is proposed is wrong."
)
@click.option("-o", "--output", metavar="FILE", required=True, help="The artifact to write.")
@click.option("--name", help="Name of the model; that of FILE if not given.")
@click.option("--version", help="Version of the model; 1 if not given.")
@click.option("--trust", is_flag=True, help="Load a file that can run code as it is loaded.")
@click.option(
    "--drop",
    type=COLUMNS,
    default="",
    help="Columns of DATA that the model does not take, as the target.",
)
@click.option("--no-verify", is_flag=True, help="Do not prove that the artifact answers the same.")
def command(
    model: str,
    *,
    example: str,
    output: str,
    name: str | None,
    version: str | None,
    trust: bool,
    drop: tuple[str, ...],
    no_verify: bool,
    **reading: Any,
) -> None:
    """Convert the fitted model in the file MODEL to an artifact.

    \b
        .txt          LightGBM, as `save_model` writes it
        .json, .ubj   XGBoost, likewise
        .json, .cbm   CatBoost, likewise; .cbm by CatBoost itself
        .bin, .model  LightGBM or XGBoost, by what is in it
        .skops        scikit-learn; types that skops does not know need --trust
        .pkl, .pickle,
        .joblib       anything, with --trust only: loading them runs code

    DATA says what the columns are: types, levels, what is missing. Columns that
    the model was not trained on are left out where it knows its columns, else
    name them with --drop. Parquet keeps categories, CSV does not.
    """
    from penstock.conversion import convert

    fitted = _load(Path(model), trust=trust)
    rows = _select(_read_example(example, **reading), fitted, drop)
    name = name or Path(output).name.removesuffix(".penstock")
    made = convert(fitted, rows, name=name, version=version, verify=not no_verify)
    made.save(output)
    inputs = sum(field.type != "ignored" for field in made.schema.inputs)
    click.echo(
        f"`{output}`: {made.name} {made.version}, {inputs} inputs, {len(made.examples)} examples, "
        f"{made.size:,} bytes",
        err=True,
    )


def _load(path: Path, *, trust: bool) -> Any:
    """The fitted model in a file."""
    loader = LOADERS.get(path.suffix.lower())
    if loader is None:
        known = "`, `".join(LOADERS)
        raise ConvertError(f"`{path}` is no model file by its name; known are `{known}`")
    # Read first: a file that is not there is said to be so, whatever loads it.
    return loader(path, path.read_bytes(), trust)


def _load_document(path: Path, data: bytes, trust: bool) -> Any:
    from penstock.converters.files import read

    try:
        return read(path.name.lower(), data)
    except ConvertError as error:
        raise ConvertError(f"`{path}`: {error}") from None


def _load_skops(path: Path, data: bytes, trust: bool) -> Any:
    import skops.io

    untrusted = _loaded(path, lambda: skops.io.get_untrusted_types(data=data))
    if untrusted and not trust:
        names = "`, `".join(untrusted)
        raise ConvertError(
            f"`{path}` holds types that skops does not know to be safe: `{names}`; if you trust "
            "the file, load it with --trust"
        )
    return _loaded(path, lambda: skops.io.loads(data, trusted=untrusted))


def _load_pickle(path: Path, data: bytes, trust: bool) -> Any:
    if not trust:
        raise ConvertError(
            f"`{path}` is a pickle, and loading it runs code that is in it; if you trust whoever "
            "made it, load it with --trust"
        )
    import joblib

    return _loaded(path, lambda: joblib.load(path))


def _loaded(path: Path, load: Callable[[], Any]) -> Any:
    """What `load` gives; a file that another library cannot load is no error of ours."""
    try:
        return load()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ConvertError(
            f"`{path}` cannot be loaded ({reason}); it needs the libraries and the versions that "
            "it was saved with"
        ) from None


LOADERS: dict[str, Callable[[Path, bytes, bool], Any]] = {
    ".txt": _load_document,
    ".json": _load_document,
    ".ubj": _load_document,
    ".bin": _load_document,
    ".cbm": _load_document,
    ".model": _load_document,
    ".skops": _load_skops,
    ".pkl": _load_pickle,
    ".pickle": _load_pickle,
    ".joblib": _load_pickle,
}


def _read_example(
    data: str, *, query: str | None, from_table: str | None, types: Mapping[str, str]
) -> Any:
    """The rows as a pandas frame, as people read them to train on."""
    # What is a file to pandas is read by pandas, as it was for the training.
    read = _FRAMES.get(format_of(data) or "") if Path(data).is_file() and not types else None
    if read is None or query is not None or from_table is not None:
        from penstock.data import read as read_table

        return read_table(data, query=query, table=from_table, types=types).to_pandas()
    with open(data, "rb") as file:
        try:
            return read(file)
        except OSError:
            raise
        except Exception as error:
            raise ConvertError(f"`{data}` cannot be read as {format_of(data)}: {error}") from None


def _csv_frame(file: Any) -> Any:
    import warnings

    import pandas

    with warnings.catch_warnings():
        # From pandas 3.1 this precision is the default, and naming it is deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        return pandas.read_csv(file, float_precision="round_trip", low_memory=False)


def _ndjson_frame(file: Any) -> Any:
    import pandas

    # Not by `read_json`, which takes texts for numbers and dates.
    return pandas.DataFrame([json.loads(line) for line in file if line.strip()])


def _parquet_frame(file: Any) -> Any:
    import pandas

    return pandas.read_parquet(file)


def _arrow_frame(file: Any) -> Any:
    from pyarrow import ipc

    start = file.read(6)
    file.seek(0)
    open_arrow = ipc.open_file if start == b"ARROW1" else ipc.open_stream
    return open_arrow(file).read_all().to_pandas()


_FRAMES: dict[str, Callable[[Any], Any]] = {
    "csv": _csv_frame,
    "ndjson": _ndjson_frame,
    "parquet": _parquet_frame,
    "arrow": _arrow_frame,
}


def _select(frame: Any, model: Any, drop: Sequence[str]) -> Any:
    """The frame with the columns that the model was trained on, as far as it tells."""
    for name in drop:
        if name not in frame.columns:
            raise ConvertError(f"--drop: the example has no column `{name}`")
    frame = frame.drop(columns=list(drop))
    there = [str(name) for name in frame.columns]
    names = [str(name) for name in getattr(model, "feature_names_in_", ())]
    absent = [name for name in names if name not in there]
    if absent:
        raise ConvertError(
            f"the example has no column `{absent[0]}`, which the model was trained on; it has: "
            + _quoted(there)
        )
    # Files of boosters spell some names in their own way; then position counts.
    spelled = list(getattr(model, "columns", ()))
    if not names and set(spelled) <= set(there):
        names = spelled
    if not names and spelled and len(spelled) != len(there):
        raise ConvertError(
            f"the model was trained on {len(spelled)} columns, and the example has {len(there)}: "
            f"{_quoted(there)}; name with --drop those that it was not trained on"
        )
    return frame[names] if names else frame


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
