"""The errors that Penstock raises; the engine raises the same classes by importing this module."""

__all__ = ["ArtifactError", "ConvertError", "DataError", "PenstockError", "SchemaError"]


class PenstockError(Exception):
    """Whatever goes wrong in Penstock derives from this."""


class ConvertError(PenstockError):
    """A fitted model cannot be converted; the message names the step and the option."""


class ArtifactError(PenstockError):
    """A file is not an artifact that this version can trust and run."""


class SchemaError(PenstockError):
    """Wrong columns, or a schema that contradicts itself."""


class DataError(PenstockError):
    """A wrong value; `row` is its position in the batch, `field` its column, `code` the reason."""

    row: int | None
    field: str | None
    code: str | None

    def __init__(
        self,
        message: str,
        row: int | None = None,
        field: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.row = row
        self.field = field
        self.code = code
