"""The flights demo: real data, real pipelines (the benches use both), what `make demo` tells."""

import os

# OpenMP reads this when it is loaded. Its threads spin while they wait for each other, and on a
# machine that has other work too, LightGBM then trains five times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
