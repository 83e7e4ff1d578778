"""What converters hand to each other: values between nodes, and what a predictor answers."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from penstock.schema import Label

__all__ = [
    "EXACT",
    "LINEAR_TOLERANCE",
    "LINK_TOLERANCE",
    "SAME_IN_F32",
    "Answer",
    "Ask",
    "Column",
    "Prediction",
    "Reordering",
    "Value",
    "codes",
    "labels",
    "number",
    "numbers",
    "numeric_columns",
]

# One unit in the last place of a f64 is 1.1e-16 to 2.2e-16 relative; links differ by one, and
# differ in the library's own vectorized `exp`, which may be off by two (engine-notes.md: numpy's
# SIMD exp equals libm's in 98.4 % of cases).
LINK_TOLERANCE = 1e-15
# Functions of the operator `map` that IEEE 754 rounds correctly: the same bits everywhere, in f64
# and, but for the last three, also of numbers that are rounded to f32 afterwards.
SAME_IN_F32 = frozenset(("abs", "ceil", "floor", "identity", "negative", "rint", "sign", "trunc"))
SAME_IN_F32 |= {"isfinite", "isinf", "isnan"}
EXACT = SAME_IN_F32 | {"reciprocal", "sqrt", "square"}
# Sums whose order is a detail of the BLAS.
LINEAR_TOLERANCE = 1e-12
UNIT = 2.0**-52
# What tells apart rows of training that are equally near.
SHAKEN = 2.0**-40

# numpy's result type of float32 with these is float32; with anything else it is float64
# (numpy.result_type).
_WITHIN_F32 = frozenset(("float16", "float32", "int8", "int16", "uint8", "uint16", "bool"))


@dataclass(frozen=True)
class Column:
    """One element of a value.

    `kind` is `number`, `text`, `boolean`, or `code` (between an encoder and what follows it).
    `dtype` is what the source library sees, as numpy or pandas name it: `float64`, `int64`,
    `bool`, `object`, `category`.
    `categories` are those of a pandas category column, in its order.
    `missing` is what stands for a missing value there: `nan`, `none` (None in object columns),
    `na` (pandas.NA), `never` where none can be missing any more.
    `name` is `None` where the source library sees an array.
    `wider` is the dtype of a column of integers in which one is missing or too large.
    """

    name: str | None
    kind: str
    dtype: str = "float64"
    categories: tuple[Label, ...] | None = None
    missing: str = "nan"
    wider: str = "float64"


@dataclass(frozen=True)
class Value:
    """The elements that a node gives; `frame`: the source library sees a frame with names here.

    It is of the library of this name: `pandas`, `polars` or `arrow`; empty: it is an array.

    `tolerance` is how far, relatively, they may be from those of the source library.
    `flat`: the source library sees its only column as a list or a Series, as vectorizers take it.
    `keyed`: it sees dictionaries, which lack the keys of what is missing.
    """

    node: str
    columns: tuple[Column, ...]
    sparse: bool = False
    frame: str = ""
    tolerance: float = 0.0
    flat: bool = False
    keyed: bool = False

    @property
    def width(self) -> int:
        """Number of elements."""
        return len(self.columns)

    @property
    def arrow(self) -> bool:
        """Whether it is a frame of Polars or Arrow, which some libraries read in another way."""
        return self.frame in ("arrow", "polars")

    @property
    def names(self) -> tuple[str | None, ...]:
        """Names of the elements; `None` in arrays."""
        return tuple(column.name for column in self.columns)

    @property
    def numeric(self) -> bool:
        """Whether every element is a number or a boolean."""
        return all(column.kind in ("number", "boolean") for column in self.columns)

    @property
    def precision(self) -> str:
        """numpy's result type: `f32` where scikit-learn computes in float32, else `f64`."""
        dtypes = {column.dtype for column in self.columns}
        return "f32" if "float32" in dtypes and dtypes <= _WITHIN_F32 else "f64"

    @property
    def dtype(self) -> str:
        """`float32` or `float64`, by `precision`."""
        return {"f32": "float32", "f64": "float64"}[self.precision]

    def with_columns(self, columns: Iterable[Column]) -> "Value":
        """The same elements under other descriptions."""
        return replace(self, columns=tuple(columns))


def numeric_columns(
    count_or_names: int | Sequence[str | None], dtype: str = "float64"
) -> tuple[Column, ...]:
    """Columns of numbers: so many without a name, or one for each name."""
    names = [None] * count_or_names if isinstance(count_or_names, int) else count_or_names
    return tuple(Column(name, "number", dtype) for name in names)


def codes(count: int) -> tuple[Column, ...]:
    """Columns of codes, as `encode_text`, `argmax` and the like give them."""
    return (Column(None, "code", "int64"),) * count


@dataclass(frozen=True)
class Ask:
    """How the source library is asked: a method of the fitted estimator, or a function of the data.

    `pick` takes the output from the answer, as where `predict` answers one column per target.
    """

    method: str | None = None
    keywords: Mapping[str, Any] = field(default_factory=dict)
    function: Callable[[Any], Any] | None = None
    pick: Callable[[Any], Any] | None = None

    def bound(self, estimator: Any, before: Callable[[Any], Any] | None = None) -> "Ask":
        """The same question to this estimator, as a function; `before` prepares the data for it."""
        return Ask(function=lambda data: self(estimator, data if before is None else before(data)))

    def __call__(self, estimator: Any, data: Any) -> Any:
        """What the source library answers for these rows."""
        if self.function is not None:
            answer = self.function(data)
        else:
            answer = getattr(estimator, self.method or "predict")(data, **self.keywords)
        return answer if self.pick is None else self.pick(answer)


@dataclass(frozen=True)
class Reordering:
    """An estimator that chooses between rows of training that are equally near.

    They may as well be in another order, and differ in their last bits, which tells them apart.
    `attributes` gives what changes with that, for an order and the rows.
    """

    estimator: Any
    points: Any
    attributes: Callable[[Any, Any], Mapping[str, Any]]

    @contextmanager
    def applied(self, seed: int) -> Iterator[None]:
        """Inside, the estimator has its rows as this seed has it."""
        import numpy

        random = numpy.random.default_rng(seed)
        order = random.permutation(len(self.points))
        points = self.points[order]
        sizes = numpy.nan_to_num(numpy.abs(points)).max(axis=0, initial=1e-300)
        # What rounding leaves of ‖x‖² - 2x·p + ‖p‖², as a difference of each number.
        left = numpy.minimum(8 * UNIT * float(sizes.max()) ** 2 / sizes, sizes / 1024)
        noise = random.uniform(-1.0, 1.0, points.shape) * numpy.maximum(left, SHAKEN * sizes)
        changed = self.attributes(order, (points + noise).astype(points.dtype))
        known = {name: getattr(self.estimator, name) for name in changed}
        try:
            for name, value in changed.items():
                setattr(self.estimator, name, value)
            yield
        finally:
            for name, value in known.items():
                setattr(self.estimator, name, value)


@dataclass(frozen=True)
class Answer:
    """One output of a fitted predictor; made by `labels`, `number` and `numbers` below.

    `names` are the class labels of a `label` as Python scalars, or the names of several numbers.
    `tolerance` is relative: 0 means the same bits.
    `decided_by` names the output that decides a label: within its tolerance a tie of the `rivals`
    among its elements may fall either way; by default of the two largest, or of one and zero.
    `exponent` names the output of whose elements these are exponentials: the error of one that is
    larger than any exponent of a finite number is larger in its exponential as well.
    `undecided` asks whether the source library could as well have answered otherwise, for each row.
    Several targets: a regressor has one `value` of several numbers, named 0, 1, ...; a classifier
    has `label_0`, `probability_0`, `label_1`, ... each asked with a `pick`.
    """

    name: str
    kind: str
    value: Value
    ask: Ask
    names: tuple[Label, ...] | None = None
    tolerance: float = 0.0
    decided_by: str | None = None
    rivals: Callable[[Sequence[float]], tuple[float, float]] | None = None
    exponent: str | None = None
    undecided: Ask | None = None

    def bound(self, estimator: Any, before: Callable[[Any], Any] | None = None) -> "Answer":
        """The same output, asked of this estimator behind `before`."""
        undecided = self.undecided and self.undecided.bound(estimator, before)
        return replace(self, ask=self.ask.bound(estimator, before), undecided=undecided)


@dataclass(frozen=True)
class Prediction:
    """What a fitted predictor answers; outputs in the order in which users see them.

    `features` is what it gives to steps behind it, where it has a `transform` too.
    """

    answers: tuple[Answer, ...]
    features: Value | None = None

    def bound(self, estimator: Any, before: Callable[[Any], Any] | None = None) -> "Prediction":
        """The same outputs, asked of this estimator behind `before`."""
        return Prediction(
            tuple(answer.bound(estimator, before) for answer in self.answers), self.features
        )


PREDICT = Ask("predict")


def labels(
    value: Value,
    classes: Iterable[Label],
    *,
    name: str = "label",
    ask: Ask = PREDICT,
    decided_by: str | None = None,
    rivals: Callable[[Sequence[float]], tuple[float, float]] | None = None,
) -> Answer:
    """A class label: `value` is one code into `classes` (numpy scalars become Python's)."""
    names = _python(classes)
    return Answer(name, "label", value, ask, names, decided_by=decided_by, rivals=rivals)


def number(name: str, value: Value, ask: Ask = PREDICT, *, tolerance: float = 0.0) -> Answer:
    """An output of one number, as `value` of a regressor or `raw` of a binary classifier."""
    return Answer(name, "number", value, ask, tolerance=tolerance)


def numbers(
    name: str, value: Value, names: Iterable[Label], ask: Ask, *, tolerance: float = 0.0
) -> Answer:
    """An output of several numbers, as `probability`: one element for each of `names`."""
    return Answer(name, "numbers", value, ask, _python(names), tolerance)


def _python(labels: Iterable[Any]) -> tuple[Label, ...]:
    return tuple(label.item() if hasattr(label, "item") else label for label in labels)
