"""Examines every class that converts: `python -m tests.examination [--all] [--write] [NAME]...`.

Prints how many cases there are of each outcome, and what is wrong or crashes; with `--all` what is
refused, too. `--write` writes the counts into docs/operators.md. On two cores it takes a quarter of
an hour.
"""

import sys
from collections import Counter
from typing import Any

from joblib import Parallel, delayed

from tests.examination.cases import examine, examined
from tests.operators_page import OUTCOMES, PAGE, counted, page


def main(arguments: list[str]) -> None:
    """Prints the outcomes of the classes whose names contain one of these texts."""
    wanted = [part for part in arguments if not part.startswith("--")]
    names = [name for name in examined() if not wanted or any(part in name for part in wanted)]
    known: dict[str, Any] = counted() if wanted else {}
    total: Counter = Counter()
    asked = (delayed(examine)(name, refusals="--all" in arguments) for name in names)
    answers = Parallel(n_jobs=-1, return_as="generator")(asked)
    for name, (counts, faults) in zip(names, answers, strict=True):
        known[name] = {kind: counts[kind] for kind in OUTCOMES}
        total += counts
        print(name, dict(counts), flush=True)
        for fault in faults:
            print("  ", fault[:700].replace("\n", " "), flush=True)
    print(dict(total))
    if "--write" in arguments:
        PAGE.write_text(page(known), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
