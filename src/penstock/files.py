"""Files that are written whole or not at all."""

import os
import tempfile
from pathlib import Path

from penstock.errors import PenstockError

__all__ = ["write_bytes"]


def write_bytes(path: Path, data: bytes) -> None:
    """Writes beside the target, then renames, so that nobody ever sees half a file."""
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent or ".", prefix=f".{path.name}.")
    except OSError as error:
        raise PenstockError(
            f"`{path}` cannot be written: {error.strerror}; check the folder"
        ) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(beside, 0o666 & ~umask)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
