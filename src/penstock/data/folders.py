"""Parquet files into a folder: swapped for those that are there, or added to them."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from penstock.data.parts import Parts
from penstock.errors import PenstockError

__all__ = ["columns_of_folder", "to_folder"]


def columns_of_folder(folder: Path, mode: str) -> list[str] | None:
    """Names of the columns of its first file; `None` if there is none.

    Raises `PenstockError` if it holds what is not to be swapped away.
    """
    if not folder.exists():
        return None
    if not folder.is_dir():
        raise PenstockError(f"`{folder}` is a file; name a folder, as `{folder}.d/`")
    found = sorted(folder.iterdir())
    foreign = next((path.name for path in found if path.suffix != ".parquet"), None)
    if mode == "replace" and foreign is not None:
        raise PenstockError(
            f"`{folder}` has other things than Parquet files, as `{foreign}`; it stays; name "
            "another folder"
        )
    first = next((path for path in found if path.suffix == ".parquet"), None)
    if first is None:
        return None
    import pyarrow
    from pyarrow import parquet

    try:
        return list(parquet.read_schema(first).names)
    except (pyarrow.ArrowException, OSError) as error:
        raise PenstockError(f"`{first}` cannot be read: {error}; move it away") from None


def to_folder(folder: Path, parts: Parts, mode: str) -> None:
    """The files of the parts become files of the folder."""
    if mode == "append" and folder.exists():
        _add(folder, parts)
        return
    # Again, as it may have changed since the beginning.
    columns_of_folder(folder, mode)
    (parts.folder / "lock").unlink(missing_ok=True)
    os.chmod(parts.folder, 0o777 & ~_umask())
    if folder.exists():
        _exchange(parts.folder, folder)
    else:
        os.rename(parts.folder, folder)


def _add(folder: Path, parts: Parts) -> None:
    """Adds the files, under names that are the same if this is interrupted and done again."""
    for path in parts.paths:
        new = folder / f"{path.stem}-{parts.mark}.parquet"
        try:
            # The parts stay until all are there: they say how many rows are done.
            os.link(path, new)
        except FileExistsError:
            continue
        except OSError:
            # A file system without links.
            half = new.with_suffix(".part")
            with suppress(FileNotFoundError):
                half.unlink()
            shutil.copyfile(path, half)
            os.replace(half, new)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _exchange(new: Path, old: Path) -> None:
    """Swaps two folders in one step where the system can (Linux: renameat2), else in two."""
    import ctypes

    here, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of linux/fcntl.h and linux/fs.h
    call = (
        getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
        if os.name == "posix"
        else None
    )
    if call is not None and call(here, os.fsencode(new), here, os.fsencode(old), exchange) == 0:
        return
    away = old.with_name(f".{old.name}.{os.urandom(4).hex()}.old")
    os.rename(old, away)
    try:
        os.rename(new, old)
    except BaseException:
        os.rename(away, old)
        raise
    shutil.rmtree(away)
