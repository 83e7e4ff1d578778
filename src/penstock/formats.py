"""Formats of files of rows, and what the names of files say of them."""

from pathlib import PurePosixPath

__all__ = ["COMPRESSIONS", "FORMATS", "SUFFIXES", "WRITTEN", "compression_of", "format_of"]

FORMATS = ("csv", "tsv", "ndjson", "parquet", "arrow", "avro", "excel")
# Those that predictions are written in.
WRITTEN = ("csv", "ndjson", "parquet", "arrow")
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".avro": "avro",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xlsb": "excel",
    ".xls": "excel",
    ".ods": "excel",
}
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zst": "zstd"}


def compression_of(name: str) -> str | None:
    """How a file is compressed, by the last suffix of its name."""
    return COMPRESSIONS.get(PurePosixPath(name).suffix.lower())


def format_of(name: str, *, compressed: bool = False) -> str | None:
    """The format that the suffix of a name says; `compressed`: the one before that of packing."""
    if compressed and compression_of(name) is not None:
        name = PurePosixPath(name).stem
    return SUFFIXES.get(PurePosixPath(name).suffix.lower())
