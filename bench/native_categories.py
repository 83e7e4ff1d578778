"""LightGBM with categories of its own: 9 columns, one of them with 4,037 levels."""

import sys
from typing import TYPE_CHECKING

from bench.command import print_table

if TYPE_CHECKING:
    from bench.comparison import Comparison


def comparison() -> "Comparison":
    """Penstock gets texts; those that run trees only get the codes of categories."""
    from bench.comparison import Comparison
    from bench.elsewhere import predicting
    from bench.onnx_runtime import onnx_runtime_without_sets
    from bench.peers import lightgbm_itself, penstock

    return Comparison(
        workload="categories",
        title="Native categories, LightGBM, 500 trees of 63 leaves",
        contenders=(
            *(penstock, lightgbm_itself, onnx_runtime_without_sets),
            *predicting("onedal", "gtil", "ydf"),
        ),
        about="Flights as they are: 19 numbers and 9 texts, with the 4,037 tail numbers. "
        "TL2cgen and lleaves are left out: gcc had not compiled the code of the one after twelve "
        "minutes, LLVM that of the other after thirteen, and 11 GB.",
    )


if __name__ == "__main__":
    sys.exit(print_table(comparison))
