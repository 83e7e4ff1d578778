"""The flights pipeline with LogisticRegression."""

import sys
from typing import TYPE_CHECKING

from bench.command import print_table

if TYPE_CHECKING:
    from bench.comparison import Comparison


def comparison() -> "Comparison":
    """Penstock beside scikit-learn and ONNX Runtime."""
    from bench.comparison import Comparison
    from bench.onnx_runtime import onnx_runtime
    from bench.peers import penstock, scikit_learn

    return Comparison(
        pipeline="logistic",
        title="LogisticRegression",
        contenders=(penstock, scikit_learn, onnx_runtime),
    )


if __name__ == "__main__":
    sys.exit(print_table(comparison))
