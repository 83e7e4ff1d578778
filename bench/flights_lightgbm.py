"""The flights pipeline with LightGBM, 500 trees of 63 leaves."""

import sys
from typing import TYPE_CHECKING

from bench.command import print_table

if TYPE_CHECKING:
    from bench.comparison import Comparison


def comparison() -> "Comparison":
    """Penstock with the whole pipeline; those that run trees only get the encoded matrix."""
    from bench.comparison import Comparison, Goal
    from bench.elsewhere import predicting
    from bench.onnx_runtime import onnx_runtime
    from bench.peers import lightgbm_itself, penstock, scikit_learn

    return Comparison(
        workload="lightgbm",
        title="LightGBM, 500 trees of 63 leaves",
        contenders=(
            *(penstock, scikit_learn, onnx_runtime, lightgbm_itself),
            *predicting("onedal", "gtil", "tl2cgen", "lleaves", "ydf"),
        ),
        goals=(
            Goal("batch", "onnxruntime", factor=15),
            Goal("batch", "lightgbm", factor=30),
            Goal("dictionary", "onnxruntime", factor=20),
            Goal("load", limit=100),
            Goal("memory", limit=3),
        ),
        about="Flights: 19 numbers imputed and scaled, 8 texts imputed and one-hot, 533 columns.",
    )


if __name__ == "__main__":
    sys.exit(print_table(comparison))
