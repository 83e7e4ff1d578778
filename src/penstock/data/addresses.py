"""Where a table is, as a person writes it, and how it is named without what must stay secret."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from penstock.errors import PenstockError

__all__ = ["DATABASES", "REMOTE", "Address", "parse"]

# Scheme to the one word for the database behind it.
DATABASES = {
    "sqlite": "sqlite",
    "duckdb": "duckdb",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
}
# Scheme to the package that fsspec needs for it, and the extra of ours that brings it.
REMOTE = {
    "https": ("aiohttp", "http"),
    "http": ("aiohttp", "http"),
    "s3": ("s3fs", "s3"),
    "gs": ("gcsfs", "gs"),
    "gcs": ("gcsfs", "gs"),
    "hdfs": ("pyarrow", "sources"),
}
# A letter alone is a drive of Windows.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.]+):")
# Parameters of a URL whose values are nobody's business.
_SECRET = re.compile(r"pass|pwd|secret|token|credential|signature|key", re.IGNORECASE)
_HIDDEN = "***"
# Characters of a message of a library; one lists all places where it has looked for Java.
_MOST = 400


@dataclass(frozen=True)
class Address:
    """`kind` is `file`, `remote` or one of the databases; `shown` is the name without secrets."""

    kind: str
    text: str = field(repr=False)
    shown: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def scrub(self, message: object) -> str:
        """A message of a library in one line, without what must stay secret."""
        return " ".join(self._hide(str(message)).split())

    def _hide(self, text: str) -> str:
        if self.secrets:
            text = text.replace(self.text, self.shown)
        for secret in self.secrets:
            text = text.replace(secret, _HIDDEN)
        return text

    @contextmanager
    def reading(self, advice: str) -> Iterator[None]:
        """Whatever a library raises here becomes an error that tells no secret."""
        try:
            yield
        except (ModuleNotFoundError, GeneratorExit, KeyboardInterrupt):
            raise
        except PenstockError as error:
            # Readers quote what the library says that brings them the bytes.
            error.args = tuple(self._hide(str(one)) for one in error.args)
            raise
        except Exception as error:
            reason = self.scrub(_told(error)).rstrip(".;") or type(error).__name__
            reason = reason if len(reason) <= _MOST else f"{reason[:_MOST]}…"
            raise PenstockError(f"`{self.shown}`: {reason}; {advice}") from None


def _told(error: BaseException) -> object:
    """What an exception of a library says to a person."""
    if isinstance(error, FileNotFoundError):
        # fsspec takes a server that does not answer for a file that is not there.
        return error.__cause__ or "there is no such file"
    number, text = (*error.args, None, None)[:2]
    # As PyMySQL has it.
    return text if isinstance(number, int) and isinstance(text, str) else error


def parse(text: str) -> Address:
    """What a SOURCE or a target is; raises `PenstockError` for a scheme that is not known."""
    scheme = _SCHEME.match(text)
    if scheme is None:
        return Address("file", text, text)
    word = scheme[1].lower()
    if word in DATABASES:
        return _database(DATABASES[word], text[scheme.end() :])
    if text[scheme.end() :].startswith("//"):
        if word == "file":
            path = unquote(text[scheme.end() + 2 :])
            return Address("file", path, path)
        if word in REMOTE:
            return _remote(word, text)
        known = "`, `".join([*REMOTE, *DATABASES])
        raise PenstockError(f"`{word}:` is not known; take a file, or one of `{known}`")
    return Address("file", text, text)


def _database(kind: str, rest: str) -> Address:
    if kind in ("sqlite", "duckdb"):
        # As in SQLAlchemy's URLs, three slashes before a path and four before an absolute one.
        path = rest.removeprefix("///") if rest.startswith("///") else rest
        path = "/" + path.removeprefix("/") if rest.startswith("////") else path
        if not path:
            raise PenstockError(f"`{kind}:` names no file; write `{kind}:PATH`")
        return Address(kind, path, f"{kind}:{path}")
    rest = rest if rest.startswith("//") else f"///{rest}"
    url = f"{kind}:{rest}"
    shown, secrets = _hidden(url)
    return Address(kind, url, shown, secrets)


def _remote(scheme: str, text: str) -> Address:
    shown, secrets = _hidden(text)
    query = urlsplit(text).query if scheme in ("http", "https") else ""
    if query:
        # The signature of a link that was made for one person is in its query.
        shown = shown.split("?")[0] + "?" + _HIDDEN
        secrets = (*secrets, query, *(value for _, value in parse_qsl(query) if len(value) > 7))
    return Address("remote", text, shown, secrets)


def _hidden(url: str) -> tuple[str, tuple[str, ...]]:
    """The URL without its password, and the passwords in it as they may come in messages."""
    # What follows is a person's mistake, and any part of it may be of a password: none is shown.
    scheme = url.split(":", 1)[0]
    unclear = PenstockError(
        f"the `{scheme}:` URL cannot be read; in names and passwords, write `@`, `:`, `/`, `?`, "
        "`#`, `%` and `=` as %40, %3A, %2F, %3F, %23, %25 and %3D"
    )
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise unclear from None
    user, at, host = parts.netloc.rpartition("@")
    beyond = parts.path + parts.query + parts.fragment
    if "@" in user or (not at and "@" in beyond and ":" in parts.netloc):
        raise unclear
    if scheme in DATABASES and any(sign in parts.path for sign in "@:="):
        # `postgresql:me:password@host/name`, or what libpq calls a connection string.
        raise unclear
    if re.search(r"%(?![0-9A-Fa-f]{2})", user):
        raise unclear
    name, colon, password = user.partition(":")
    shown, secrets = url, [password]
    if colon:
        shown = url.replace(f"//{parts.netloc}", f"//{name}:{_HIDDEN}@{host}", 1)
    for pair in parts.query.split("&"):
        key, _, value = pair.partition("=")
        if value and _SECRET.search(unquote(key)):
            secrets.append(value)
            shown = shown.replace(pair, f"{key}={_HIDDEN}")
    found = {form for secret in secrets for form in (secret, unquote(secret)) if form}
    return shown, tuple(sorted(found, key=len, reverse=True))
