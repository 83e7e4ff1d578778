"""The flights demo: real data, real pipelines, and the story that `make demo` tells; the benches use the first two."""
