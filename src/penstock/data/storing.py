"""Predictions of a table into another one, in constant memory, and going on where they stopped."""

import hashlib
import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from penstock.bulk import Bulk
from penstock.data.columns import sql_word
from penstock.data.delivery import Delivery, check_columns, columns_there, deliver
from penstock.data.parts import Parts
from penstock.data.table import Table
from penstock.errors import DataError, PenstockError, SchemaError
from penstock.readers import Batch

__all__ = ["STAMPS", "Stored", "store"]

# Columns that say which model made a row, and when.
STAMPS = ("model", "model_digest", "predicted_at")


@dataclass
class Stored:
    """What was done: all rows, those that were there from an earlier try, warnings by kind."""

    row_count: int = 0
    resumed: int = 0
    warnings: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: int = 0


def store(
    table: Table,
    bulk: Bulk,
    delivery: Delivery,
    *,
    resume: bool = False,
    stamped: bool = True,
    advance: Callable[[int], None] = lambda rows: None,
) -> Stored:
    """Predicts every row of the table, and brings all predictions to the target at once.

    `resume`: a run that stops keeps what it has done, and the same call goes on from there; the
    rows of a database are then read in order of `delivery.keys`. `stamped` adds the columns
    `STAMPS`. `advance` is told the rows of each batch.

    Raises `PenstockError`; nothing of the target has changed then.
    """
    warnings: Counter[tuple[str, str]] = Counter()
    bulk = replace(bulk, kept=_kept(bulk, delivery), warned=warnings)
    there = columns_there(delivery)
    job = _job(table, bulk, delivery, stamped=stamped) if resume else None
    parts = Parts(_work_folder(delivery, job))
    done = Stored(resumed=parts.row_count, warnings=warnings)
    now = datetime.now(UTC)
    try:
        with closing(_rest(table, delivery, parts, resume=resume)) as batches:
            for batch in batches:
                predictions = bulk.predict(batch)
                _check_keys(predictions, delivery, batch.first)
                if bulk.on_error == "return":
                    done.errors += len(predictions) - predictions["error"].null_count
                if stamped:
                    predictions = _stamped(predictions, bulk, now)
                parts.add(predictions, delivery.keys)
                check_columns(delivery, predictions.column_names, there or predictions.column_names)
                advance(batch.row_count)
        parts.finish()
        done.row_count = parts.row_count
        deliver(delivery, parts)
    except BaseException as error:
        if not resume:
            parts.remove()
            raise
        parts.close()
        _tell_kept(error, parts)
        raise
    parts.remove()
    return done


def _kept(bulk: Bulk, delivery: Delivery) -> tuple[str, ...]:
    """Columns that go to the target beside the predictions: the keys first."""
    return (*delivery.keys, *(name for name in bulk.kept if name not in delivery.keys))


def _tell_kept(error: BaseException, parts: Parts) -> None:
    if isinstance(error, PenstockError) and parts.row_count:
        error.args = (
            f"{error}; what is done is kept in `{parts.folder}`: the same command goes on from "
            "there, or begins anew if it is removed",
        )


def _check_keys(predictions: Any, delivery: Delivery, first: int) -> None:
    """Refuses a missing key as soon as it is there, not when all rows are done."""
    from pyarrow import compute

    for key in delivery.keys:
        if predictions[key].null_count:
            row = first + compute.index(predictions[key].is_null(), True).as_py()
            raise DataError(
                f"row {row}: the key `{key}` is missing; nothing was changed; each row needs one",
                row=row,
                field=key,
            )


def _rest(
    table: Table, delivery: Delivery, parts: Parts, *, resume: bool
) -> Generator[Batch, None, None]:
    """The batches that are not done yet; one at least where nothing is, if only without rows."""
    after = getattr(table.origin, "after", None)
    if not resume or after is None:
        yield from _beyond(table.rows(), parts.row_count)
        return
    if not delivery.keys:
        raise PenstockError(
            f"`{table.name}` gives its rows in no certain order; to resume, name a key with --key"
        )
    table = table.of(after(delivery.keys, parts.last))
    _check_resumable(table, delivery.keys)
    skips, done = parts.last is not None, parts.row_count
    for batch in table.rows():
        if skips and batch.row_count:
            # The last row that was done comes again, unless it is gone.
            last = [batch.rows[key][0].as_py() for key in delivery.keys]
            skips = False
            if last == parts.last:
                batch, done = _tail(batch, 1), done - 1
        if batch.row_count or not parts.row_count:
            yield replace(batch, first=batch.first + done)


def _check_resumable(table: Table, keys: tuple[str, ...]) -> None:
    for key in keys:
        found = sql_word(table.schema.field(key).type) if key in table.names else "text"
        if found not in ("integer", "text"):
            raise PenstockError(
                f"the key `{key}` is a {found}; --resume goes on after a whole number or a text"
            )


def _beyond(batches: Iterator[Batch], done: int) -> Iterator[Batch]:
    for batch in batches:
        skipped = max(0, done - batch.first)
        if skipped == 0:
            yield batch
        elif skipped < batch.row_count:
            yield _tail(batch, skipped)


def _tail(batch: Batch, skipped: int) -> Batch:
    rows = batch.rows
    if isinstance(rows, dict):
        rows = {name: values[skipped:] for name, values in rows.items()}
    else:
        rows = rows.slice(skipped)
    return replace(
        batch, rows=rows, first=batch.first + skipped, row_count=batch.row_count - skipped
    )


def _stamped(predictions: Any, bulk: Bulk, now: datetime) -> Any:
    import pyarrow

    taken = next((name for name in STAMPS if name in predictions.column_names), None)
    if taken is not None:
        raise SchemaError(
            f"a column `{taken}` is there already, beside the one that says how a row was made; "
            "rename it, or leave those out with --no-stamp"
        )
    count = len(predictions)
    values = (f"{bulk.model.name} {bulk.model.version}", bulk.model.digest)
    for name, value in zip(STAMPS, values, strict=False):
        predictions = predictions.append_column(name, pyarrow.repeat(value, count))
    moment = pyarrow.scalar(now, pyarrow.timestamp("us", "UTC"))
    return predictions.append_column(STAMPS[2], pyarrow.repeat(moment, count))


# -- Where work is kept --


def _job(table: Table, bulk: Bulk, delivery: Delivery, *, stamped: bool) -> str:
    """What tells this job from others: the model, the rows, the target, and how."""
    facts = [
        bulk.model.digest,
        *(table.origin.stamp(), delivery.address.shown, delivery.table, delivery.keys),
        *(list(bulk.kept), list(bulk.dropped), bulk.on_error, bulk.explained, stamped),
        repr(bulk.cast),
    ]
    if not table.origin.stamp():
        raise PenstockError(f"{table.name} cannot be read again; leave --resume out")
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _work_folder(delivery: Delivery, job: str | None) -> Path:
    """Beside a file or a folder, as it is to be renamed; else where temporary files are."""
    mark = job or os.urandom(8).hex()
    if delivery.address.kind in ("postgresql", "mysql") or delivery.address.text == ":memory:":
        return Path(tempfile.gettempdir()) / f"penstock-{mark}.part"
    path = Path(os.path.realpath(delivery.address.text))
    return path.with_name(f".{path.name}.{mark}.part")
