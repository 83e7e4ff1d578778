"""Files that are written whole or not at all; used by whatever writes for the user."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from penstock.errors import PenstockError

__all__ = ["unwritable", "whole_file", "write_bytes", "write_new"]


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that gets its name at the end of the block: nobody ever sees half of it.

    A block that raises leaves what was there before. Devices and pipes are written as they are.
    Raises `PenstockError` for what cannot be written.
    """
    path = Path(os.path.realpath(path))
    whole = path.is_file() or not path.exists()
    # The name is short, so that it fits wherever the other does.
    written = path.with_name(f".{os.urandom(6).hex()}.part") if whole else path
    try:
        file = open(written, "xb" if whole else "wb")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield file
        try:
            _finish(file, written, path)
        except OSError as error:
            raise unwritable(path, error) from error
    finally:
        if not file.closed:
            # The block failed, and its error is the one to tell.
            with suppress(OSError):
                file.close()
        if whole:
            written.unlink(missing_ok=True)


def _finish(file: IO[bytes], written: Path, path: Path) -> None:
    file.flush()
    if written == path:
        file.close()
        return
    os.fsync(file.fileno())
    file.close()
    if path.exists():
        os.chmod(written, stat.S_IMODE(path.stat().st_mode))
    os.replace(written, path)


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file; an existing one is replaced whole or not at all."""
    with whole_file(path) as file:
        try:
            file.write(data)
        except OSError as error:
            raise unwritable(path, error) from error


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Writes a file that nobody has yet; `mode` says who may read it from its first byte on.

    Raises `PenstockError` if the name is taken, or what it names cannot be written.
    """
    try:
        file = open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode))  # noqa: SIM115
    except FileExistsError:
        raise PenstockError(
            f"`{path}` is there already, and is not overwritten; move it away, or take another name"
        ) from None
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise unwritable(path, error) from error


def unwritable(path: Path | str, error: OSError) -> PenstockError:
    """The error for a file that cannot be written."""
    reason = error.strerror or str(error)
    return PenstockError(f"`{path}` cannot be written: {reason}; check the folder and the disk")
