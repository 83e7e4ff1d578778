"""Predictions on their way to a table: whole Parquet files in a folder beside it, to go on from."""

import json
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from penstock.errors import PenstockError
from penstock.files import unwritable
from penstock.writers import plain_columns, same_types

__all__ = ["Parts"]

# Rows that may have to be predicted again after an interruption.
ROWS_PER_PART = 1 << 20
_LAST = b"penstock.last"


class Parts:
    """A folder of parts, each of which is there when it is whole."""

    def __init__(self, folder: Path) -> None:
        """Opens a folder of ours, or makes it; `PenstockError` if it is somebody else's."""
        self.folder = folder
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            self._lock = _locked(folder)
        except OSError as error:
            raise unwritable(folder.parent, error) from error
        self.row_count = 0
        self.last: list[Any] | None = None
        self.schema: Any = None
        self._sink: Any = None
        self._held = 0
        for unfinished in folder.glob("*.part"):
            unfinished.unlink()
        for path in self.paths:
            self._take(path)

    @property
    def mark(self) -> str:
        """A name of its own for each folder of parts, which stays if the work is gone on with."""
        if not os.fstat(self._lock).st_size:
            os.write(self._lock, os.urandom(6).hex().encode())
        os.lseek(self._lock, 0, os.SEEK_SET)
        return os.read(self._lock, 12).decode()

    @property
    def paths(self) -> list[Path]:
        """The parts, in order."""
        return sorted(self.folder.glob("part-*.parquet"))

    def add(self, table: Any, keys: Sequence[str]) -> None:
        """Appends a table; the last row's values of `keys` say where to go on."""
        from pyarrow import parquet

        table = plain_columns(table)
        if self.schema is None:
            self.schema = table.schema
        table = same_types(table, self.schema)
        try:
            if self._sink is None:
                self._sink = parquet.ParquetWriter(self._open, self.schema, compression="zstd")
            self._sink.write_table(table)
        except OSError as error:
            raise unwritable(self.folder, error) from error
        self._held += len(table)
        if len(table) and keys:
            self.last = [table[key][-1].as_py() for key in keys]
        if self._held >= ROWS_PER_PART:
            self.finish()

    def finish(self) -> None:
        """Closes the part that is being written, and gives it its name."""
        if self._sink is None:
            return
        self._sink.add_key_value_metadata({_LAST: json.dumps(self.last, default=str)})
        self._sink.close()
        self._sink = None
        path = self.folder / f"part-{len(self.paths):05d}.parquet"
        with open(self._open, "rb") as file:
            os.fsync(file.fileno())
        os.replace(self._open, path)
        self.row_count += self._held
        self._held = 0

    def reader(self) -> Any:
        """All rows as a `RecordBatchReader`; memory does not grow with them."""
        import pyarrow

        return pyarrow.RecordBatchReader.from_batches(self.schema, self._batches())

    def remove(self) -> None:
        """Takes the folder away with all that is in it."""
        if self._sink is not None:
            self._sink.close()
        os.close(self._lock)
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Leaves the folder for another time."""
        if self._sink is not None:
            self._sink.close()
        os.close(self._lock)

    @property
    def _open(self) -> Path:
        return self.folder / "open.part"

    def _batches(self) -> Iterator[Any]:
        from pyarrow import parquet

        for path in self.paths:
            with parquet.ParquetFile(path) as file:
                yield from file.iter_batches()

    def _take(self, path: Path) -> None:
        from pyarrow import parquet

        with parquet.ParquetFile(path) as file:
            self.schema = file.schema_arrow.remove_metadata()
            self.row_count += file.metadata.num_rows
            self.last = json.loads((file.metadata.metadata or {}).get(_LAST, b"null"))


def _locked(folder: Path) -> int:
    """A lock on the folder, held until it is closed; nobody else may have made the folder."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or (hasattr(os, "getuid") and status.st_uid != os.getuid()):
        raise PenstockError(f"`{folder}` belongs to somebody else; set TMPDIR to a folder of yours")
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ModuleNotFoundError:
        pass  # Windows has no such locks.
    except OSError:
        os.close(lock)
        raise PenstockError(
            f"another run is at it (`{folder}` is locked); wait for its end"
        ) from None
    return lock
