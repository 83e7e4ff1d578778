"""Files of rows behind an address: one, those of a pattern or a folder, near or far."""

import bz2
import glob
import gzip
import io
import lzma
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from penstock.data import avro, excel
from penstock.data.addresses import REMOTE, Address
from penstock.errors import DataError, PenstockError, SchemaError
from penstock.formats import FORMATS, SUFFIXES, compression_of, format_of
from penstock.readers import ARROW_FILE, READERS, BadLines, Batch

__all__ = ["File", "Files", "find"]

_READERS = READERS | {"avro": avro.read}
# These need their end before their beginning, or compress by themselves.
_WHOLE = ("parquet", "arrow", "avro", "excel")
_PATTERN = ("*", "?", "[")
_CHECK = "check the address, the network and the credentials"
_CHECK_HADOOP = (
    "`hdfs:` needs Java and Hadoop's `libhdfs`: set JAVA_HOME, HADOOP_HOME and CLASSPATH "
    "(`hadoop classpath --glob`); check the address"
)


@dataclass(frozen=True)
class File:
    """One file: `path` as whoever opens it knows it, `stamp` changes when the file does."""

    path: str
    shown: str
    stamp: str
    size: int | None
    open: Callable[[], IO[bytes]]


class Files:
    """The rows of files of one format, one file after the other."""

    typed = False

    def __init__(self, address: Address, files: list[File], source: str, sheet: str | None) -> None:
        sizes = [file.size for file in files]
        self.name = address.shown
        self.size = None if None in sizes else sum(size or 0 for size in sizes)
        self.rereadable = files[0].path != "-"
        self.declared: dict[str, Any] = {}
        self._address = address
        self._files = files
        self._source = source
        self._sheet = sheet
        self._raw: IO[bytes] | None = None
        self._done = self._told = 0

    def stamp(self) -> list[str]:
        """What the files are and when they changed: other files have another one."""
        return [f"{file.shown} {file.size} {file.stamp}" for file in self._files]

    def advanced(self) -> int:
        """Bytes read since the last call."""
        try:
            position = self._done + (self._raw.tell() if self._raw is not None else 0)
        except (OSError, ValueError):
            return 0
        step, self._told = position - self._told, position
        return step

    def batches(self, bad_lines: BadLines | None) -> Iterator[Batch]:
        """Every batch in order; one without rows if there are none."""
        first = 0
        names: list[str] = []
        pending: Batch | None = None
        self._done = self._told = 0
        for file in self._files:
            for batch in self._of(file, bad_lines):
                names = names or batch.names
                if isinstance(batch.rows, dict) or batch.names == names:
                    aligned = batch
                else:
                    aligned = _aligned(batch, names, file)
                if aligned.row_count or pending is None:
                    pending = replace(aligned, first=first)
                    if aligned.row_count:
                        yield pending
                first += batch.row_count
            self._done += file.size or 0
        if first == 0 and pending is not None:
            yield pending

    def _of(self, file: File, bad_lines: BadLines | None) -> Iterator[Batch]:
        with self._address.reading(_CHECK), file.open() as raw:
            self._raw = raw
            try:
                yield from self._read(_plain(file, raw, self._source), bad_lines)
            except (DataError, SchemaError) as error:
                if len(self._files) == 1:
                    raise
                message = f"`{file.shown}`: {error}"
                if isinstance(error, DataError):
                    raise DataError(message, row=error.row) from None
                raise SchemaError(message) from None
            finally:
                self._raw = None

    def _read(self, file: IO[bytes], bad_lines: BadLines | None) -> Iterator[Batch]:
        if self._source == "excel":
            return excel.read(file, self._sheet)
        return _READERS[self._source](file, bad_lines)


def _aligned(batch: Batch, names: list[str], file: File) -> Batch:
    """The batch with its columns in the order of the first file."""
    absent = sorted(set(names) - set(batch.names))
    other = sorted(set(batch.names) - set(names))
    if absent or other:
        what = f"has no column `{absent[0]}`" if absent else f"has a column `{other[0]}` more"
        raise SchemaError(
            f"`{file.shown}` {what} than the first file; read files of one kind at a time"
        )
    return replace(batch, rows=batch.rows.select(names))


def _plain(file: File, raw: IO[bytes], source: str) -> IO[bytes]:
    """The file as its reader takes it: decompressed, and whole where it comes through a pipe."""
    compression = compression_of(file.path)
    if compression == "gzip":
        return io.BufferedReader(gzip.GzipFile(fileobj=raw))
    if compression == "bz2":
        return bz2.open(raw)
    if compression == "xz":
        return lzma.open(raw)
    if compression == "zstd":
        import pyarrow

        return io.BufferedReader(pyarrow.CompressedInputStream(raw, "zstd"))
    if file.path != "-" or source not in _WHOLE:
        return raw
    if source == "arrow" and not raw.peek(len(ARROW_FILE)).startswith(ARROW_FILE):  # type: ignore[attr-defined]
        return raw
    # These formats have their index at the end, so they are read whole.
    return io.BytesIO(raw.read())


# -- Finding files --


def find(address: Address, source: str | None, sheet: str | None = None) -> Files:
    """The files at an address; `source` is one of `FORMATS`, else their names say.

    Raises `PenstockError` where there is none, or where the format is not known.
    """
    if source is not None and source not in FORMATS:
        raise PenstockError(f"the format is {source!r}; it must be one of `{'`, `'.join(FORMATS)}`")
    files = _remote(address) if address.kind == "remote" else _local(address.text)
    formats = {source or format_of(file.path, compressed=True) for file in files}
    if None in formats:
        known = "`, `".join(sorted(SUFFIXES))
        raise PenstockError(
            f"the format of `{address.shown}` is not known; name it with --from (in Python "
            f"`format=`), or use one of `{known}`"
        )
    if len(formats) > 1:
        found = "` and `".join(sorted(str(one) for one in formats)[:2])
        raise PenstockError(
            f"`{address.shown}` has files of the formats `{found}`; name those of one by a pattern"
        )
    found = str(formats.pop())
    packed = next((file for file in files if compression_of(file.path)), None)
    if packed is not None and found in _WHOLE:
        raise PenstockError(
            f"`{packed.shown}`: {found} files are compressed inside, not as a whole; unpack it"
        )
    return Files(address, files, found, sheet)


def _local(text: str) -> list[File]:
    if text == "-":
        return [File("-", "-", "", None, _standard_input)]
    path = Path(text)
    if path.is_dir():
        paths = [
            found
            for found in sorted(path.rglob("*"))
            if found.is_file()
            and not any(part[0] in "._" for part in found.relative_to(path).parts)
        ]
        _check_plain_names(text, [part.parent.relative_to(path).as_posix() for part in paths])
    elif any(sign in text for sign in _PATTERN) and not path.exists():
        paths = [
            Path(one) for one in sorted(glob.glob(text, recursive=True)) if Path(one).is_file()
        ]
    else:
        paths = [path]
    if not paths:
        raise PenstockError(f"`{text}` has no files of rows; check the path")
    return [_local_file(found) for found in paths]


def _local_file(path: Path) -> File:
    status = path.stat()
    # A pipe has no size.
    size = status.st_size if path.is_file() else None
    return File(str(path), str(path), str(status.st_mtime_ns), size, lambda: open(path, "rb"))


def _check_plain_names(text: str, folders: list[str]) -> None:
    """Refuses folders whose names are values of columns, which are not in the files."""
    named = next((folder for folder in folders if "=" in folder), None)
    if named is not None:
        raise PenstockError(
            f"`{text}` has folders that are named for values, as `{named}`; those columns are not "
            "in the files: read it with DuckDB (`read_parquet(..., hive_partitioning=true)`)"
        )


def _standard_input() -> IO[bytes]:
    return io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False))


def _remote(address: Address) -> list[File]:
    scheme = urlsplit(address.text).scheme
    package, extra = REMOTE[scheme]
    try:
        __import__("fsspec")
        __import__(package)
    except ModuleNotFoundError:
        raise PenstockError(
            f"`{scheme}:` needs `fsspec` and `{package}`; pip install 'penstock[{extra}]'"
        ) from None
    import fsspec

    with address.reading(_CHECK_HADOOP if scheme == "hdfs" else _CHECK):
        system, path = fsspec.core.url_to_fs(address.text)
        if scheme in ("http", "https"):
            found = [path]
        elif any(sign in path for sign in _PATTERN):
            found = sorted(system.glob(path))
        elif system.isdir(path):
            found = [
                one for one in sorted(system.find(path)) if one.rsplit("/", 1)[-1][0] not in "._"
            ]
        else:
            found = [path]
        files = [_remote_file(address, system, one) for one in found]
    if not files:
        raise PenstockError(f"`{address.shown}` has no files of rows; check the address")
    return files


def _remote_file(address: Address, system: Any, path: str) -> File:
    information = system.info(path)
    size = information.get("size")
    link = "://" in path
    name = unquote(urlsplit(path).path) if link else path
    shown = address.shown if link else path
    stamps = (information.get(key) for key in ("ETag", "etag", "LastModified", "mtime", "updated"))
    stamp = next((str(one) for one in stamps if one), "")

    def opened() -> IO[bytes]:
        file: IO[bytes] = system.open(path, "rb")
        return file

    return File(name, shown, stamp, size, opened)
