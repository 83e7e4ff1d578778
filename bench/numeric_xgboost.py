"""XGBoost on 30 numbers, 500 trees of depth 6."""

import sys
from typing import TYPE_CHECKING

from bench.command import print_table

if TYPE_CHECKING:
    from bench.comparison import Comparison


def comparison() -> "Comparison":
    """Everybody gets the same numbers."""
    from bench.comparison import Comparison, Goal
    from bench.elsewhere import predicting
    from bench.onnx_runtime import onnx_runtime_on_matrix
    from bench.peers import penstock, xgboost_itself

    return Comparison(
        workload="xgboost",
        title="XGBoost, 500 trees of depth 6",
        contenders=(
            *(penstock, xgboost_itself, onnx_runtime_on_matrix),
            *predicting("onedal", "gtil", "tl2cgen", "lleaves", "ydf"),
        ),
        goals=(Goal("batch", "onedal", factor=3), Goal("batch", "xgboost", factor=10)),
        about="Made rows, which no branch foresees: 20 normal numbers, 10 codes of 3 to 50 levels.",
    )


if __name__ == "__main__":
    sys.exit(print_table(comparison))
