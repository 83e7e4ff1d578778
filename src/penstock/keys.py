"""Files with keys: those that sign artifacts, and those that check signatures."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from penstock import _core
from penstock.errors import PenstockError
from penstock.files import write_new

__all__ = ["keygen", "private_key", "public_key"]

_SEED_SIZE = 32
_PRIVATE_MODE = 0o600
_PUBLIC_MODE = 0o644
_Key = TypeVar("_Key")


def keygen(name: str | os.PathLike[str]) -> str:
    """Makes the files `<name>.key`, which signs, and `<name>.pub`, which checks; gives the key id.

    The private key is not encrypted, and only its owner can read the file. Files that are there
    are never overwritten: `PenstockError`.
    """
    name = os.fspath(name)
    private, public = Path(f"{name}.key"), Path(f"{name}.pub")
    key = _core.PrivateKey.from_seed(os.urandom(_SEED_SIZE))
    write_new(private, key.to_pem().encode(), _PRIVATE_MODE)
    try:
        write_new(public, key.public().to_pem().encode(), _PUBLIC_MODE)
    except PenstockError:
        private.unlink()
        raise
    return key.public().id


def private_key(path: str | os.PathLike[str]) -> _core.PrivateKey:
    """The private key in a file."""
    return _read(path, _core.PrivateKey)


def public_key(path: str | os.PathLike[str]) -> _core.PublicKey:
    """The public key in a file."""
    return _read(path, _core.PublicKey)


def _read(path: str | os.PathLike[str], parse: Callable[[bytes], _Key]) -> _Key:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise PenstockError(f"`{path}` cannot be read: {error.strerror}; check the path") from error
    try:
        return parse(data)
    except PenstockError as error:
        raise PenstockError(f"`{path}` {error}") from None
