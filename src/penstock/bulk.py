"""Predictions for the batches of a file; what the command line and other bulk callers use."""

from collections.abc import Sequence
from typing import Any

from penstock.errors import DataError, SchemaError
from penstock.model import Model
from penstock.readers import Batch

__all__ = ["predictions"]


def predictions(
    model: Model, batch: Batch, kept: Sequence[str], on_error: str, threads: int | None
) -> Any:
    """The predictions of a batch as a PyArrow table, behind the columns that are kept.

    Raises `SchemaError` for columns that are neither inputs nor kept, and `DataError` with the row
    counted from the start of the file.
    """
    import pyarrow

    inputs = {field.name for field in model.schema.inputs}
    absent = [name for name in kept if name not in batch.names]
    if absent:
        raise SchemaError(f"--columns: the data has no column `{absent[0]}`")
    used = [name for name in batch.names if name in inputs or name not in kept]
    answers = model.predict_columns(batch.select(used), threads=threads, lexical=batch.lexical)
    errors = {row: error for row, error in answers.errors()}
    if errors and on_error == "raise":
        raise _renumbered(errors[min(errors)], batch.first)
    table = pyarrow.table(answers)
    if on_error == "return":
        messages = [_message(errors.get(row), batch.first) for row in range(len(table))]
        table = table.append_column("error", pyarrow.array(messages, pyarrow.string()))
    columns = batch.select(kept)
    for at, name in enumerate(kept):
        values = columns[name]
        if isinstance(values, list):
            values = pyarrow.array(values)
        table = table.add_column(at, name, values)
    return table


def _renumbered(error: DataError, first: int) -> DataError:
    """The error with its row counted from the start of the file."""
    row = (error.row or 0) + first
    reason = str(error).removeprefix(f"row {error.row}: ")
    return DataError(f"row {row}: {reason}", row=row, field=error.field, code=error.code)


def _message(error: DataError | None, first: int) -> str | None:
    return None if error is None else str(_renumbered(error, first))
