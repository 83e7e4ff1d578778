"""A loaded artifact: what everything that predicts calls."""

import json
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from penstock import _core
from penstock.errors import ArtifactError, PenstockError
from penstock.files import write_bytes
from penstock.keys import private_key, public_key
from penstock.schema import Schema
from penstock.tables import fill, kind_of, like, named

__all__ = ["Model", "load", "sign"]


class Entries(Protocol):
    """The bytes of the entries of an artifact, as `penstock.artifact` makes them."""

    @property
    def manifest(self) -> bytes: ...
    @property
    def tensors(self) -> bytes: ...
    @property
    def examples(self) -> bytes: ...
    @property
    def card(self) -> bytes: ...


class Model:
    """A model that predicts; immutable, so that any number of threads can use it without locks."""

    def __init__(
        self,
        data: bytes,
        *,
        verify: bool = True,
        require_signature: str | os.PathLike[str] | None = None,
    ) -> None:
        """Opens the bytes of an artifact; `verify` runs its examples.

        `require_signature`: the file of a public key, which must have signed the artifact.
        Raises `ArtifactError` for whatever cannot be trusted.
        """
        key = None if require_signature is None else public_key(require_signature)
        self._engine = _core.Engine.open(data, verify, key)
        self._data = data
        self._signed_by = None if key is None else key.id

    @classmethod
    def from_entries(cls, entries: Entries, *, verify: bool = True) -> "Model":
        """The model of entries that were just made."""
        data = _core.pack(entries.manifest, entries.tensors, entries.examples, entries.card)
        return cls(data, verify=verify)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the artifact with its signatures; a file is replaced whole or not at all."""
        write_bytes(Path(path), self._data)

    def signed(self, key: str | os.PathLike[str]) -> "Model":
        """The same model with the signature of the private key in a file; other ones stay."""
        return Model(private_key(key).sign(self._data), verify=False)

    # -- predicting --

    def predict(
        self,
        rows: Any,
        *,
        threads: int | None = None,
        on_error: str = "raise",
        warnings: bool = False,
    ) -> Any:
        """Predictions in the form in which the rows come.

        `rows`: a dict (one row; answer: a dict), a list of dicts (a list), a pandas, Polars or
        PyArrow frame (the same kind), any other object with `__arrow_c_stream__` (an object that
        has it too), or a 2-D array with one column per input (a dict of arrays). Of a model with
        one input also a list of texts, or a Series.

        `threads`: at most so many for a table, all cores by default; the bits do not depend on it.
        `on_error="return"`: rows that are refused do not raise. A dict, alone or in a list, is
        then answered by a `DataError`; a table has missing values in that row and a column `error`.
        `warnings=True` adds `warnings`, a list of `{"field", "code", "value"}` per row.

        Raises `SchemaError` for wrong columns and `DataError` for wrong values.
        """
        return_errors = _returns_errors(on_error)
        rows = named(rows, self._input_names)
        if _is_row(rows):
            row = rows if isinstance(rows, dict) else dict(rows)
            return self._engine.predict_row(row, return_errors=return_errors, warnings=warnings)
        if isinstance(rows, (list, tuple)):
            return self._engine.predict_rows(
                list(rows), return_errors=return_errors, warnings=warnings
            )
        answers = self.predict_columns(rows, threads=threads, warnings=warnings)
        if on_error == "raise":
            answers.raise_first()
        return like(rows, answers, errors=return_errors, warnings=warnings)

    def predict_columns(
        self,
        rows: Any,
        *,
        threads: int | None = None,
        warnings: bool = False,
        lexical: bool = False,
    ) -> _core.Answers:
        """The engine's answers to a table; nothing is raised for refused rows.

        `lexical`: texts take the type of their column, as in a CSV file.
        """
        columns = self._columns(rows, lexical=lexical)
        return self._engine.predict_table(
            columns, threads=_thread_count(threads), warnings=warnings
        )

    def predict_json(self, text: str) -> dict[str, Any]:
        """The prediction for one row that is written as a JSON object."""
        return self._engine.predict_json(text)

    # -- explaining --

    def explain(
        self,
        rows: Any,
        top: int | None = None,
        *,
        threads: int | None = None,
        on_error: str = "raise",
        warnings: bool = False,
    ) -> Any:
        """What each input brings to the raw score of each row, in the form in which the rows come.

        The raw score is what comes before a link or a probability; of forests the mean. A dict is
        answered by `base` (the raw score before anything is known of the row), `contributions` (by
        input, however many columns were made of it) and `raw`, which is their sum but for rounding;
        each by class where there are several raw scores. A table is answered by the columns `base`,
        `contribution_<input>` and `raw`, with the class behind the first word: `base_<class>`.

        `top=3` adds `reasons`: the three inputs that bring most, up or down, each with `input`, its
        `value` as it was sent, and `contribution`; in a table `reason_1`, `reason_1_value` (text),
        `reason_1_contribution`, and so on. Inputs that bring nothing are no reasons.

        Contributions are exact SHAP values: of trees path-dependent, with the training rows in
        their nodes; of linear models against the means of the example given to `convert`.
        `threads`, `on_error`, `warnings` and what is raised are as in `predict`; a model that
        cannot be explained raises `PenstockError`, which says why.
        """
        return_errors = _returns_errors(on_error)
        _check_top(top)
        rows = named(rows, self._input_names)
        if _is_row(rows):
            row = rows if isinstance(rows, dict) else dict(rows)
            return self._explainer.explain_row(
                row, top=top, return_errors=return_errors, warnings=warnings
            )
        if isinstance(rows, (list, tuple)):
            return self._explainer.explain_rows(
                list(rows), top=top, return_errors=return_errors, warnings=warnings
            )
        answers = self.explain_columns(rows, top, threads=threads, warnings=warnings)
        if not return_errors:
            answers.raise_first()
        return like(rows, answers, errors=return_errors, warnings=warnings)

    def explain_columns(
        self,
        rows: Any,
        top: int | None = None,
        *,
        threads: int | None = None,
        warnings: bool = False,
        lexical: bool = False,
    ) -> _core.Answers:
        """The engine's explanations of a table; nothing is raised for refused rows.

        `lexical`: texts take the type of their column, as in a CSV file.
        """
        _check_top(top)
        explainer = self._explainer
        columns = self._columns(rows, lexical=lexical)
        return explainer.explain_table(
            columns, top=top, threads=_thread_count(threads), warnings=warnings
        )

    def explain_json(self, text: str, top: int | None = None) -> dict[str, Any]:
        """The explanation of one row that is written as a JSON object."""
        _check_top(top)
        return self._explainer.explain_json(text, top=top)

    # -- what the model is --

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest of the artifact, as docs/format.md describes it."""
        manifest: dict[str, Any] = json.loads(self._engine.manifest)
        return manifest

    @cached_property
    def schema(self) -> Schema:
        """The inputs with their policies, and the outputs."""
        return Schema.from_json(self.manifest["schema"])

    @property
    def name(self) -> str:
        return str(self.manifest["name"])

    @property
    def version(self) -> str:
        return str(self.manifest["version"])

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest, in hex: the identity of the artifact."""
        return self._engine.digest

    @property
    def signatures(self) -> list[tuple[str, str]]:
        """Algorithm and key id of each signature in the artifact.

        They are claims: only `load` with `require_signature` checks one.
        """
        return self._engine.signatures

    @property
    def signed_by(self) -> str | None:
        """The id of the key that `require_signature` named, and that has signed this."""
        return self._signed_by

    @property
    def size(self) -> int:
        """Size of the artifact in bytes."""
        return len(self._data)

    @property
    def unpacked_size(self) -> int:
        """Size of all entries together in bytes."""
        return self._engine.unpacked_size

    @property
    def card(self) -> str:
        """The model card, in Markdown."""
        return self._engine.card

    @cached_property
    def examples(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Rows and what the source library answered."""
        examples = json.loads(self._engine.examples)
        return list(zip(examples["rows"], examples["expected"], strict=True))

    @property
    def plan(self) -> list[str]:
        """What the engine does for a row, one line per step."""
        return self._engine.plan()

    def verify(self) -> None:
        """Runs the examples; raises `ArtifactError` with the first difference if there is one."""
        differences = self._engine.verify()
        if differences:
            raise ArtifactError(f"{len(differences)} of the examples differ; {differences[0]}")

    def describe(self) -> str:
        """The schema and the steps, for people."""
        from penstock.description import describe

        return describe(self.manifest)

    @cached_property
    def _explainer(self) -> _core.Explainer:
        # Made when it is first needed: it takes memory that predictions have no use for.
        return self._engine.explainer(self._data)

    def _columns(self, rows: Any, *, lexical: bool) -> _core.Columns:
        columns = _core.Columns()
        fill(columns, rows, self._input_names)
        if lexical:
            columns.set_lexical()
        return columns

    @cached_property
    def _input_names(self) -> tuple[str, ...]:
        return tuple(str(field["name"]) for field in self.manifest["schema"]["inputs"])

    def __repr__(self) -> str:
        return f"<Model {self.name!r} version {self.version!r}, {self.digest[:12]}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # The examples were run, or left out on purpose, when this one was opened.
        return _reopened, (self._data,)


def _reopened(data: bytes) -> Model:
    return Model(data, verify=False)


def load(
    path: str | os.PathLike[str],
    *,
    verify: bool = True,
    require_signature: str | os.PathLike[str] | None = None,
) -> Model:
    """The model in an artifact file; `verify` runs its examples first.

    `require_signature`: the file of a public key; what it has not signed is refused, before
    anything in it is looked at. Raises `ArtifactError` for a file that is no artifact or lies.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ArtifactError(f"`{path}` cannot be read: {error.strerror}; check the path") from error
    try:
        return Model(data, verify=verify, require_signature=require_signature)
    except ArtifactError as error:
        raise ArtifactError(f"`{path}`: {error}") from None


def sign(
    artifact: str | os.PathLike[str],
    key: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
) -> str:
    """Signs an artifact file with the private key in another; gives the key id.

    The signed artifact goes to `output`, or replaces the file whole or not at all. What `load`
    refuses is not signed.
    """
    # Read once: it may be a pipe.
    signer = private_key(key)
    data = signer.sign(load(artifact)._data)
    write_bytes(Path(artifact if output is None else output), data)
    return signer.public().id


def _is_row(rows: Any) -> bool:
    return isinstance(rows, dict) or (isinstance(rows, Mapping) and kind_of(rows) == "mapping")


def _returns_errors(on_error: str) -> bool:
    if on_error not in ("raise", "return"):
        raise PenstockError(f'`on_error` is {on_error!r}; it must be "raise" or "return"')
    return on_error == "return"


def _check_top(top: int | None) -> None:
    if top is not None and (not isinstance(top, int) or isinstance(top, bool) or top < 1):
        raise PenstockError(f"`top` is {top!r}; it must be a number of at least 1")


def _thread_count(threads: int | None) -> int:
    if threads is None:
        # The cores that this process may use, where the system tells; containers have fewer.
        usable = getattr(os, "sched_getaffinity", None)
        return len(usable(0)) if usable is not None else os.cpu_count() or 1
    if not isinstance(threads, int) or threads < 1:
        raise PenstockError(f"`threads` is {threads!r}; it must be a number of at least 1")
    return threads
