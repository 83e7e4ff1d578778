"""The worlds of the examination: tables to fit on, rows held out, and hostile rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from scipy.sparse import csr_matrix

from tests import contract

__all__ = ["WORLDS", "World", "hostile", "targets"]

ROWS = 150
HELD = 40
HOSTILE = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, 1e-300, 1e4, -1e4, -1e9)
WORDS = ("", " ", "never seen", "Ünseen→ß", "nan", "0", "The THE, \u017ftraße: e\u0301-x2 İ_3.14😀")
# Words in other letters, marks, numbers, signs, spaces beyond ASCII: whatever is cut otherwise.
PROSE = (
    *("the", "The", "a", "I", "naïve", "NAÏVE", "Straße", "STRASSE", "İstanbul", "ﬁne", "x2"),
    *("it's", "don't", "e-mail", "über_cool", "3.14", "٣٤", "東京", "e\u0301te\u0301", "😀", "ǅ"),
    *("no\u00a0break", "tab\there", "line\nend", "…", "--", "C++", "a.b,c;d", "ß", "\u017f", "ΣΑΣ"),
)


MOMENTS = (
    None,
    "1970-01-01",
    "2000-02-29T23:59:59.999999",
    "1900-02-28",
    "2100-12-31",
    "1677-01-01",
)


@dataclass(frozen=True)
class World:
    """`frame`: rows of this seed; `build`: what estimators get; `fit`: what they are fitted on.

    `tolerance` of answers is relative, and absolute below 1: far more than sums in another order,
    far less than another path.
    """

    frame: Callable[[int], Any]
    build: Callable[[Any], Any] = lambda frame: frame
    fit: Callable[[Any], Any] | None = None
    tolerance: float = 1e-6


def scaled(seed: int = 0) -> Any:
    frame = contract.numbers(ROWS, seed=seed)
    return frame.assign(large=np.log(frame["large"])).drop(columns="constant")


def _whole(seed: int) -> Any:
    return (scaled(seed) * 3).round().clip(-50, 50)


def _missing(seed: int) -> Any:
    frame = scaled(seed)
    for at, name in enumerate(frame):
        frame.loc[frame.index % (7 + at) == 0, name] = np.nan
    return frame


def _sparse(seed: int) -> Any:
    frame = scaled(seed)
    return frame.where(frame > frame.median(), 0.0)


def _mixed(seed: int) -> Any:
    return pd.concat([scaled(seed), contract.texts(ROWS, missing=False, seed=seed)], axis=1)


def _gaps(seed: int) -> Any:
    return pd.concat([_missing(seed), contract.texts(ROWS, missing=False, seed=seed)], axis=1)


def _times(seed: int) -> Any:
    random = np.random.default_rng(seed)
    seconds = random.integers(-(10**9), 2 * 10**9, size=(ROWS, 2))
    moments = pd.DataFrame(seconds, columns=["start", "end"]).astype("datetime64[s]")
    return moments.astype("datetime64[us]").assign(number=random.normal(size=ROWS))


def _documents(seed: int) -> Any:
    random = np.random.default_rng(seed)
    texts = [" ".join(random.choice(PROSE, size=random.integers(0, 12))) for _ in range(ROWS)]
    return pd.DataFrame({"review": texts}, dtype="object")


def _categories(seed: int) -> Any:
    frame = contract.texts(ROWS, missing=False, seed=seed)
    return frame.apply(lambda texts: pd.Categorical(texts, sorted({*texts} | {"unused"})))


def _dictionaries(frame: Any) -> Any:
    """What is missing has no key."""
    rows = frame.to_dict(orient="records")
    return [{key: value for key, value in row.items() if not pd.isna(value)} for row in rows]


def _array(frame: Any) -> Any:
    return frame.to_numpy()


WORLDS = {
    "numbers": World(scaled),
    "texts": World(lambda seed: contract.texts(ROWS, missing=False, seed=seed)),
    "missing": World(_missing),
    "array": World(scaled, _array),
    "float32": World(scaled, lambda frame: frame.to_numpy(dtype="float32"), tolerance=1e-5),
    "integers": World(lambda seed: _whole(seed).abs().astype("int64")),
    "ties": World(_whole, _array),
    "positive": World(lambda seed: scaled(seed).abs()),
    "above zero": World(lambda seed: scaled(seed).abs() + 0.1),
    "times": World(_times),
    "zero or one": World(lambda seed: (scaled(seed) > 0.5).astype("float64")),
    "booleans": World(lambda seed: scaled(seed) > 0.5),
    "sparse": World(_sparse, _array, csr_matrix),
    "all sizes": World(lambda seed: contract.numbers(ROWS, seed=seed)),
    "one column": World(lambda seed: scaled(seed)[["normal"]]),
    "one text": World(lambda seed: contract.texts(ROWS, missing=False, seed=seed)[["color"]]),
    "missing texts": World(lambda seed: contract.texts(ROWS, missing=True, seed=seed)),
    "mixed": World(_mixed),
    "dictionaries": World(_gaps, _dictionaries),
    "documents": World(_documents, lambda frame: frame["review"]),
    "list of documents": World(_documents, lambda frame: frame["review"].tolist()),
    "categories": World(_categories),
    "nullable": World(lambda seed: _missing(seed).convert_dtypes(dtype_backend="numpy_nullable")),
    "polars": World(_missing, pl.from_pandas),
}


def targets(regression: bool) -> Any:
    """Targets to try, the simplest first; the first that fits is taken."""
    frame = scaled()
    amount = contract.amount(frame)
    if not regression:
        yield contract.answer(frame, ("a", "b", "c"))
        yield contract.answer(frame, (0, 1))
    yield amount
    yield np.abs(amount) + 0.1
    if regression:
        yield contract.answer(frame, (0, 1))
    yield np.stack([contract.answer(frame, (0, 1), seed=seed) for seed in (4, 5)], axis=1)
    yield np.stack([amount, -3 * amount], axis=1)
    yield None


def hostile(held: Any) -> Any:
    """Frames of rows in which one column after the other has something unusual."""
    for at, name in enumerate(held.columns):
        numeric = held[name].dtype.kind in "fiub"
        # Missing is either None or NaN to scikit-learn, and one thing in an artifact: what the
        # example has, or NaN.
        gaps = held[name][held[name].isna()].tolist() or [np.nan]
        values = HOSTILE if numeric else (gaps[0], *WORDS)
        dtype = None if numeric else "object"
        if held[name].dtype.kind == "M":
            values, dtype = MOMENTS, held[name].dtype
        if isinstance(held[name].dtype, pd.CategoricalDtype):
            values, dtype = (np.nan, *held[name].cat.categories[:2]), held[name].dtype
        rows = held.iloc[[(at + step) % len(held) for step in range(len(values))]].copy()
        rows[name] = pd.Series(values, index=rows.index, dtype=dtype)
        yield rows.reset_index(drop=True)
