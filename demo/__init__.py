"""The flights demo: real data, real pipelines (the benches use both), what `make demo` tells."""
