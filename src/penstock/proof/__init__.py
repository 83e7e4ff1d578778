"""The proof of a conversion: rows made to fail, both sides asked, every answer compared."""

__all__ = ()
