"""A RandomForestClassifier of 100 trees that grow as deep as they like, on flights."""

import sys
from typing import TYPE_CHECKING

from bench.command import print_table

if TYPE_CHECKING:
    from bench.comparison import Comparison


def comparison() -> "Comparison":
    """Penstock beside scikit-learn, with its pipeline and with the forest alone, and others."""
    from bench.comparison import Comparison, Goal
    from bench.elsewhere import predicting
    from bench.onnx_runtime import onnx_runtime_on_matrix
    from bench.peers import forest_itself, penstock, scikit_learn

    return Comparison(
        workload="forest",
        title="RandomForestClassifier, 100 trees of any depth",
        contenders=(
            *(penstock, scikit_learn, forest_itself, onnx_runtime_on_matrix),
            *predicting("onedal", "gtil", "lleaves", "ydf"),
        ),
        goals=(
            Goal("batch", "scikit-learn", factor=3),
            Goal("dictionary", "scikit-learn", factor=500),
        ),
        about="Flights: 19 numbers imputed, 8 texts imputed and coded; 1.9 million nodes. "
        "TL2cgen is left out: so many nodes as C were not tried.",
    )


if __name__ == "__main__":
    sys.exit(print_table(comparison))
