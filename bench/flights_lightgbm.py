"""The flights pipeline with LightGBM, 500 trees of 63 leaves."""

import sys
from typing import TYPE_CHECKING

from bench.command import print_table

if TYPE_CHECKING:
    from bench.comparison import Comparison


def comparison() -> "Comparison":
    """Penstock beside scikit-learn, ONNX Runtime and LightGBM's own predict."""
    from bench.comparison import Comparison, Goals
    from bench.onnx_runtime import onnx_runtime
    from bench.peers import lightgbm_itself, penstock, scikit_learn

    return Comparison(
        pipeline="lightgbm",
        title="LightGBM, 500 trees of 63 leaves",
        contenders=(penstock, scikit_learn, onnx_runtime, lightgbm_itself),
        goals=Goals(batch=4.0, load_seconds=0.05, memory=3.0),
    )


if __name__ == "__main__":
    sys.exit(print_table(comparison))
