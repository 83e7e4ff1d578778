"""Predictions and explanations for the batches of a file; for the command line and others."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.errors import DataError, SchemaError
from penstock.model import Model
from penstock.readers import SPELLED, Batch

__all__ = ["Bulk"]


@dataclass(frozen=True)
class Bulk:
    """How batches are predicted: `kept` columns go to the output, `dropped` ones nowhere.

    `on_error="return"` answers refused rows by missing values and a column `error`. `explained`
    adds explanations, with so many reasons for each row. `cast` gives a kept column its type, or
    `None` if it is to stay as it is. `warned` counts warnings by column and
    code, if it is there.
    """

    model: Model
    kept: Sequence[str] = ()
    dropped: Sequence[str] = ()
    on_error: str = "raise"
    threads: int | None = None
    explained: int | None = None
    warned: Counter[tuple[str, str]] | None = None
    cast: Callable[[Batch, str], Any] | None = None

    def predict(self, batch: Batch) -> Any:
        """The predictions of a batch as a PyArrow table, behind the columns that are kept.

        Raises `SchemaError` for columns that are neither inputs nor named here, and `DataError`
        with the row counted from the start of the file.
        """
        import pyarrow

        inputs = self._inputs(batch)
        answers = self.model.predict_columns(
            inputs,
            threads=self.threads,
            lexical=batch.lexical,
            warnings=self.warned is not None,
        )
        if self.warned is not None:
            self.warned.update(
                (one["field"], one["code"]) for _, found in answers.warnings() for one in found
            )
        errors = {row: _renumbered(error, batch.first) for row, error in answers.errors()}
        if errors and self.on_error == "raise":
            raise errors[min(errors)]
        table = pyarrow.table(answers)
        if self.explained is not None:
            table = _joined(table, self._explanations(inputs, lexical=batch.lexical))
        if self.on_error == "return":
            messages = [str(errors[row]) if row in errors else None for row in range(len(table))]
            table = table.append_column("error", pyarrow.array(messages, pyarrow.string()))
        taken = sorted(set(self.kept) & set(table.column_names))
        if taken:
            raise SchemaError(
                f"column `{taken[0]}` is to be kept, but the model answers with a column of that "
                "name; rename it"
            )
        for at, name in enumerate(self.kept):
            table = table.add_column(at, name, self._kept(batch, name))
        return table

    def _kept(self, batch: Batch, name: str) -> Any:
        typed = self.cast(batch, name) if self.cast is not None else None
        return _array(batch.rows[name], lexical=batch.lexical) if typed is None else typed

    def _explanations(self, inputs: Any, *, lexical: bool) -> Any:
        import pyarrow

        answers = self.model.explain_columns(
            inputs, self.explained or None, threads=self.threads, lexical=lexical
        )
        return pyarrow.table(answers)

    def _inputs(self, batch: Batch) -> Any:
        absent = [name for name in (*self.kept, *self.dropped) if name not in batch.names]
        if absent:
            raise SchemaError(
                f"the data has no column `{absent[0]}`; --columns and --drop name columns of it"
            )
        inputs = {str(field.name) for field in self.model.schema.inputs}
        aside = {*self.dropped, *(set(self.kept) - inputs)}
        table = batch.select([name for name in batch.names if name not in aside])
        if isinstance(table, dict):
            # A key that no row of this batch has may be in others: absent and null are one.
            for field in self.model.schema.inputs:
                if field.type != "ignored":
                    table.setdefault(str(field.name), [None] * batch.row_count)
                if field.type == "number":
                    table[str(field.name)] = [
                        SPELLED.get(value, value) if isinstance(value, str) else value
                        for value in table[str(field.name)]
                    ]
        return table


def _joined(predictions: Any, explanations: Any) -> Any:
    """Both side by side; a raw score that is predicted is not there twice."""
    for name in explanations.column_names:
        if name not in predictions.column_names:
            predictions = predictions.append_column(name, explanations[name])
        elif name.split("_")[0] != "raw":
            raise SchemaError(
                f"the model answers with a column `{name}` of its own; explain without predicting, "
                "with `Model.explain`"
            )
    return predictions


def _array(values: Any, *, lexical: bool) -> Any:
    """A kept column for the output; lists of several types as JSON."""
    import pyarrow
    from pyarrow import compute

    if lexical and not isinstance(values, list):
        # In CSV, nothing is how missing is written.
        empty = compute.equal(values, "")
        return compute.if_else(empty, pyarrow.scalar(None, pyarrow.string()), values)
    if not isinstance(values, list):
        return values
    try:
        return pyarrow.array(values)
    except (pyarrow.ArrowException, OverflowError):
        texts = [None if value is None else json.dumps(value) for value in values]
        return pyarrow.array(texts, pyarrow.string())


def _renumbered(error: DataError, first: int) -> DataError:
    """The error with its row counted from the start of the file."""
    row = (error.row or 0) + first
    reason = str(error).removeprefix(f"row {error.row}: ")
    return DataError(f"row {row}: {reason}", row=row, field=error.field, code=error.code)
