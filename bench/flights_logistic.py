"""The flights pipeline with LogisticRegression."""

import sys
from typing import TYPE_CHECKING

from bench.command import print_table

if TYPE_CHECKING:
    from bench.comparison import Comparison


def comparison() -> "Comparison":
    """Penstock beside scikit-learn and ONNX Runtime; oneDAL gets the encoded matrix."""
    from bench.comparison import Comparison, Goal
    from bench.elsewhere import predicting
    from bench.onnx_runtime import onnx_runtime
    from bench.peers import penstock, scikit_learn

    return Comparison(
        workload="logistic",
        title="LogisticRegression",
        contenders=(penstock, scikit_learn, onnx_runtime, *predicting("onedal")),
        goals=(Goal("batch", "onnxruntime", factor=2), Goal("dictionary", "onnxruntime", factor=5)),
        about="The same flights and pipeline. Treelite, lleaves and ydf have no linear models.",
    )


if __name__ == "__main__":
    sys.exit(print_table(comparison))
