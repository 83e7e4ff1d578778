"""Engines in environments of their own, one file each; `bench.worker` runs them."""
