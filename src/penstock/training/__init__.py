"""From a table to a model: what `penstock.train` and its commands do; all libraries optional."""

__all__ = ()
