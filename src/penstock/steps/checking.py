"""What may come in a column: ranges, levels and patterns, in training as in production."""

from typing import Any

from penstock.errors import SchemaError
from penstock.schema import Field
from penstock.steps.running import Step

__all__ = ["Check"]


class Check(Step):
    """The columns as they are, checked: `Check(age=Field(minimum=0, maximum=120))`.

    A `penstock.Field` says what is refused (`DataError` with the name of the column), treated as
    missing, clipped or replaced. In an artifact it becomes the policy of the input, so `Check`
    comes before all that computes.
    """

    def __init__(self, **fields: Field) -> None:
        self.fields = fields

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The fields by the name of their column."""
        return dict(self.fields)

    def set_params(self, **params: Any) -> "Check":
        """Changes fields, or adds some."""
        self.fields = {**self.fields, **params}
        return self

    def _learn(self, table: Any) -> None:
        for name, field in self.fields.items():
            if not isinstance(field, Field):
                raise SchemaError(
                    f"the check of `{name}` is a {type(field).__name__}; give a `penstock.Field`, "
                    "as in `Field(minimum=0)`"
                )

    def _names(self) -> list[str]:
        return self._inputs()


Check.__module__ = "penstock.steps"
