"""Feature steps beside the plain Python function, pandas and Polars."""

import random
import string
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.command import print_section

if TYPE_CHECKING:
    from bench.timing import Effort, Measured

# Goals: times the speed of the function and of pandas, and the share of the speed of Polars.
FUNCTION_GOAL, PANDAS_GOAL, POLARS_GOAL = 100, 3, 0.5
WORDS = 100_000
KEYS = 100_000
LETTERS = string.ascii_lowercase + string.digits + "-"
TITLES = ["", "rows", "times the other", "engine, rows/s", "the other, rows/s", "goal", ""]
ABOUT = """\
What a step and its rival make of the same frame, from frame to frame, on all cores where they use
them (pandas and the function use one). The function is called row by row on texts that are ready;
the step gets a frame of texts as pandas keeps them. Words and names are made of letters and digits
at random: {words:,} words of 3 to 9, names of 6 to 20 and `.com`; a lookup has {keys:,} keys, of
which five in six rows have one; a third of the numbers of a check are out of its range."""


@dataclass(frozen=True)
class Duel:
    """A step and what does the same, on so many rows each."""

    name: str
    rival: str
    rows: tuple[int, int]
    engine: Callable[[], Any]
    other: Callable[[], Any]
    goal: float


def section(effort: "Effort") -> str:
    """Rows per second of each duel, and whether the goals are reached."""
    from bench.table import table
    from bench.timing import clock, interleave

    rows = effort.largest * 10
    cells = []
    groups = (_formulas, _lookups, _checks, _levels)
    duels = [*_domains(effort.largest), *(duel for group in groups for duel in group(rows))]
    for duel in duels:
        took = interleave(
            {"engine": clock(duel.engine), "other": clock(duel.other)}, effort.batch_rounds
        )
        cells.append(_cells(duel, took))
    about = ABOUT.format(words=WORDS, keys=KEYS)
    return f"## Feature steps\n\n{about}\n\n{table(TITLES, cells)}\n"


def _cells(duel: Duel, took: "dict[str, Measured]") -> list[str]:
    engine = duel.rows[0] / took["engine"].median
    other = duel.rows[1] / took["other"].median
    verdict = "reached" if engine / other >= duel.goal else "**missed**"
    return [
        f"{duel.name}, {duel.rival}",
        f"{duel.rows[0]:,}",
        f"{engine / other:.2f}",
        f"{engine:,.0f}",
        f"{other:,.0f}",
        f"≥ {duel.goal:g}",
        verdict,
    ]


def _domains(rows: int) -> list[Duel]:
    """The features of domain names, against the function itself."""
    import pandas

    from penstock.steps import Derive, count_words, entropy, share

    chooser = random.Random(1)

    def text(low: int, high: int) -> str:
        return "".join(chooser.choices(LETTERS, k=chooser.randint(low, high)))

    vocabulary = frozenset(text(3, 9) for _ in range(WORDS))
    names = pandas.DataFrame({"name": [f"{text(6, 20)}.com" for _ in range(rows)]})

    def domain(name: str) -> dict[str, float]:
        label = name.lower().split(".")[0]
        return {
            "length": len(label),
            "entropy": entropy(label),
            "vowels": share(label, "aeiou"),
            "words": count_words(label, vocabulary),
        }

    step = Derive.from_function(domain).fit(names.head(1000))
    few = names["name"].head(2000).tolist()
    return [
        Duel(
            "four features of a domain name",
            "the function",
            (rows, len(few)),
            lambda: step.transform(names),
            lambda: [domain(name) for name in few],
            FUNCTION_GOAL,
        )
    ]


def _formulas(rows: int) -> list[Duel]:
    """Three formulas of numbers."""
    import numpy
    import pandas
    import polars

    from penstock.steps import Derive

    numbers = numpy.random.default_rng(1)
    columns = {name: numbers.uniform(1, 100, rows) for name in ("loan", "income", "dti")}
    pandas_loans, polars_loans = pandas.DataFrame(columns), polars.DataFrame(columns)
    step = Derive(
        ratio="loan / income", high="dti > 20 and loan > 50", root="sqrt(loan) * 2 + dti"
    ).fit(pandas_loans.head(100))

    def by_pandas() -> Any:
        loan, dti = pandas_loans["loan"], pandas_loans["dti"]
        high = ((dti > 20) & (loan > 50)).astype("float64")
        root = numpy.sqrt(loan) * 2 + dti
        return pandas.DataFrame(
            {"ratio": loan / pandas_loans["income"], "high": high, "root": root}
        )

    def by_polars() -> Any:
        loan, income, dti = polars.col("loan"), polars.col("income"), polars.col("dti")
        return polars_loans.select(
            ratio=loan / income,
            high=((dti > 20) & (loan > 50)).cast(polars.Float64),
            root=loan.sqrt() * 2 + dti,
        )

    return _both("three formulas", rows, (step, pandas_loans, polars_loans), by_pandas, by_polars)


def _lookups(rows: int) -> list[Duel]:
    """A number by a text."""
    import numpy
    import pandas
    import polars

    from penstock.steps import Lookup

    chosen = numpy.random.default_rng(1).integers(0, KEYS * 6 // 5, rows)
    columns = {"key": [f"k{at}" for at in chosen]}
    known = {"key": [f"k{at}" for at in range(KEYS)], "value": numpy.arange(float(KEYS))}
    pandas_keys, polars_keys = pandas.DataFrame(columns), polars.DataFrame(columns)
    pandas_table, polars_table = pandas.DataFrame(known), polars.DataFrame(known)
    step = Lookup(pandas_table, on="key").fit(pandas_keys.head(100))

    def by_pandas() -> Any:
        return pandas_keys.merge(pandas_table, on="key", how="left")[["value"]]

    def by_polars() -> Any:
        joined = polars_keys.join(polars_table, on="key", how="left", maintain_order="left")
        return joined.select("value")

    return _both("a lookup", rows, (step, pandas_keys, polars_keys), by_pandas, by_polars)


def _checks(rows: int) -> list[Duel]:
    """A range that clips and a value for what is missing."""
    import numpy
    import pandas
    import polars

    from penstock import Field
    from penstock.steps import Check

    numbers = numpy.random.default_rng(1)
    columns = {
        "amount": numbers.uniform(-25, 125, rows),
        "age": numpy.where(numbers.random(rows) < 0.1, numpy.nan, numbers.uniform(18, 90, rows)),
    }
    pandas_loans, polars_loans = pandas.DataFrame(columns), polars.DataFrame(columns)
    step = Check(
        amount=Field(minimum=0, maximum=100, on_range="clip"),
        age=Field(on_missing="replace", replacement=40),
    ).fit(pandas_loans.head(100))

    def by_pandas() -> Any:
        return pandas_loans.assign(
            amount=pandas_loans["amount"].clip(0, 100), age=pandas_loans["age"].fillna(40)
        )

    def by_polars() -> Any:
        return polars_loans.with_columns(
            polars.col("amount").clip(0, 100), polars.col("age").fill_nan(40)
        )

    frames = (step, pandas_loans, polars_loans)
    return _both("a check of two numbers", rows, frames, by_pandas, by_polars)


def _levels(rows: int) -> list[Duel]:
    """Levels of a text, of which no other is taken."""
    import numpy
    import pandas
    import polars

    from penstock import Field
    from penstock.steps import Check

    known = ["RENT", "OWN", "OTHER"]
    chosen = numpy.random.default_rng(1).integers(0, 3, rows)
    columns = {"home": [known[at] for at in chosen]}
    pandas_homes, polars_homes = pandas.DataFrame(columns), polars.DataFrame(columns)
    step = Check(home=Field(levels=known, on_unseen="refuse")).fit(pandas_homes.head(100))

    def checked(frame: Any, is_known: Any) -> Any:
        if not is_known.all():
            raise ValueError("home")
        return frame

    def by_pandas() -> Any:
        return checked(pandas_homes, pandas_homes["home"].isin(known))

    def by_polars() -> Any:
        return checked(polars_homes, polars_homes["home"].is_in(known))

    frames = (step, pandas_homes, polars_homes)
    return _both("a check of levels", rows, frames, by_pandas, by_polars)


def _both(
    name: str,
    rows: int,
    given: tuple[Any, Any, Any],
    by_pandas: Callable[[], Any],
    by_polars: Callable[[], Any],
) -> list[Duel]:
    """Against pandas on its frame, and against Polars on its own."""
    step, pandas_frame, polars_frame = given
    count = (rows, rows)
    return [
        Duel(name, "pandas", count, lambda: step.transform(pandas_frame), by_pandas, PANDAS_GOAL),
        Duel(name, "Polars", count, lambda: step.transform(polars_frame), by_polars, POLARS_GOAL),
    ]


if __name__ == "__main__":
    sys.exit(print_section(section))
