"""What a converter is given: it adds nodes, converts inner estimators and refuses by name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NoReturn, Protocol

from penstock.converters.output import frame_output, framed
from penstock.converters.refusals import misplaced, public_name, unlike, unsupported
from penstock.converters.values import EXACT, LINK_TOLERANCE, Column, Prediction, Reordering, Value
from penstock.errors import ConvertError, PenstockError
from penstock.graph import FIELD_PREFIX, Graph, Node, Scalar, Tensor, Texts
from penstock.schema import Field

__all__ = ["Context", "Converter", "public_name"]


class Converter(Protocol):
    """A function of a family's table: what a fitted estimator makes of what flows into it."""

    def __call__(
        self, estimator: Any, value: Value, context: "Context", /
    ) -> Value | Prediction: ...


INPUTS = "inputs"
# numpy types that become other types in tensors, because operators take only one type of integer.
_STORED = {
    "int8": "int32",
    "int16": "int32",
    "uint16": "int32",
    "int64": "int32",
    "uint64": "uint32",
}


class Context:
    """The graph under construction and the step that is being converted."""

    def __init__(
        self,
        converters: Mapping[str, Callable[..., Any]],
        columns: Sequence[Column],
        *,
        frame: str,
        flat: bool = False,
        keyed: bool = False,
    ) -> None:
        self._converters = converters
        self._nodes: dict[str, Node] = {}
        self._widths: dict[str, int] = {}
        self._tolerances: dict[str, float] = {}
        self._path: list[str] = []
        self.libraries: set[str] = set()
        # What steps declare of inputs, by name.
        self.policies: dict[str, Field] = {}
        # Whether the source library answers to several rows otherwise than to each alone.
        self.row_by_row = False
        # Estimators of which the order of the training data decides between equally near rows.
        self.reorderings: list[Reordering] = []
        # Inputs of nodes that only gather, one entry per element, so that selecting from them
        # gathers less.
        self._gathered: dict[str, tuple[str, ...]] = {}
        self._inputs = self._gather(
            INPUTS, [f"{FIELD_PREFIX}{column.name}" for column in columns], tuple(columns), frame
        )
        # Nodes whose numbers need no check.
        self._finite: set[str] = set()
        self._inputs = replace(self._inputs, flat=flat, keyed=keyed)

    # -- what flows --

    @property
    def inputs(self) -> Value:
        """All input fields in the order of the example."""
        return self._inputs

    @property
    def path(self) -> str:
        """The step that is being converted, as `preprocess/num/scale`."""
        return "/".join(self._path)

    def graph(self, targets: Sequence[str]) -> Graph:
        """The nodes that these need."""
        return Graph(tuple(self._nodes.values())).reachable(targets)

    @property
    def widths(self) -> Mapping[str, int]:
        """Number of elements of every node."""
        return self._widths

    @property
    def tolerances(self) -> Mapping[str, float]:
        """How far, relatively, the inputs of each node may be from those of the source library."""
        return self._tolerances

    # -- nodes --

    def add(
        self,
        operator: str,
        inputs: Value | Sequence[Value],
        columns: Sequence[Column],
        *,
        sparse: bool = False,
        frame: str = "",
        tolerance: float = 0.0,
        **fields: Any,
    ) -> Value:
        """A new node, named by the step; it is no more exact than its inputs and `tolerance`.

        In `fields`, numpy arrays become tensors (integers I32, unsigned U32, booleans U8) and lists
        of str become texts; scalars are inline, and finite.
        """
        sources = [inputs] if isinstance(inputs, Value) else list(inputs)
        stored = {name: self._field(name, field) for name, field in fields.items()}
        name = self._unique(self.path or operator)
        node = Node(name, operator, tuple(source.node for source in sources), stored)
        self._nodes[name] = node
        self._widths[name] = len(columns)
        inherited = max((source.tolerance for source in sources), default=0.0)
        self._tolerances[name] = inherited
        return Value(name, tuple(columns), sparse, frame, max(tolerance, inherited))

    def arithmetic(
        self,
        value: Value,
        function: str,
        operands: Any,
        *,
        precision: str | None = None,
        sparse: bool = False,
        frame: str = "",
    ) -> Value:
        """The function of each column and its operand, in the value's precision if none is said."""
        import numpy

        numbers = numpy.asarray(operands, dtype="float64")
        return self.add(
            "arithmetic",
            value,
            value.columns,
            sparse=sparse,
            frame=frame,
            function=function,
            operands=numbers if numbers.ndim else numpy.full(value.width, numbers),
            precision=precision or value.precision,
        )

    def map(
        self,
        value: Value,
        function: str,
        *,
        tolerance: float = LINK_TOLERANCE,
        precision: str | None = None,
    ) -> Value:
        """The function of each element, in the value's precision if none is said."""
        return self.add(
            "map",
            value,
            value.columns,
            tolerance=0.0 if function in EXACT else tolerance,
            function=function,
            precision=precision or value.precision,
        )

    def combine(self, left: Value, function: str, right: Value, *, tolerance: float = 0.0) -> Value:
        """The function of each element and its neighbor in a value of the same width, in f64."""
        return self.add(
            "combine", [left, right], left.columns, tolerance=tolerance, function=function
        )

    def concat(self, values: Sequence[Value], *, sparse: bool = False, frame: str = "") -> Value:
        """The elements of all values in order; nothing is added for one value."""
        columns = tuple(column for value in values for column in value.columns)
        if len(values) == 1:
            return replace(values[0], sparse=sparse, frame=frame)
        return self.add("concat", values, columns, sparse=sparse, frame=frame)

    def select(self, value: Value, indices: Sequence[int]) -> Value:
        """The elements at these positions; nothing is added where that is all of them in order."""
        positions = [int(index) for index in indices]
        if positions == list(range(value.width)):
            return value
        columns = tuple(value.columns[position] for position in positions)
        gathered = self._gathered.get(value.node)
        if gathered is not None and positions:
            sources = [gathered[position] for position in positions]
            return self._gather(f"{self.path or INPUTS}", sources, columns, value.frame)
        import numpy

        return self.add(
            "select",
            value,
            columns,
            sparse=value.sparse,
            frame=value.frame,
            indices=numpy.array(positions, dtype="int32"),
        )

    def number(self, value: Value) -> Value:
        """The value as scikit-learn's validation sees it: plain numbers; text is refused."""
        for column in value.columns:
            if column.kind not in ("number", "boolean"):
                self.refuse(
                    f"column `{column.name or '?'}` is {column.kind}, and this step takes numbers; "
                    "encode it in a step before"
                )
        return value.with_columns(
            Column(column.name, "number", _numeric_dtype(column)) for column in value.columns
        )

    def cast(self, value: Value, precision: str) -> Value:
        """The numbers rounded to `f32`; nothing is added where that changes nothing."""
        if precision == "f64" or all(column.dtype in _F32_EXACT for column in value.columns):
            return value
        columns = tuple(replace(column, dtype="float32") for column in value.columns)
        return self.add(
            "map",
            value,
            columns,
            sparse=value.sparse,
            frame=value.frame,
            function="identity",
            precision="f32",
        )

    def require(
        self, value: Value, *, missing: bool = False, infinite: bool = False, precision: str = "f64"
    ) -> Value:
        """The same numbers; a row is refused where one is missing or infinite against the rule."""
        if (missing and infinite) or value.node in self._finite:
            return value
        return self.add(
            "require",
            value,
            value.columns,
            sparse=value.sparse,
            frame=value.frame,
            missing=missing,
            infinite=infinite,
            precision=precision,
        )

    def finite(self, value: Value) -> Value:
        """The same numbers, of which none is ever missing or infinite, nor in float32."""
        self._finite.add(value.node)
        return value

    def is_finite(self, value: Value) -> bool:
        """Whether that is known of the numbers."""
        return value.node in self._finite

    def declare(self, value: Value, at: int, policy: Field) -> Field | None:
        """Makes this the policy of the input that the element is; `None`: it is none."""
        sources = self._gathered.get(value.node, ())
        if at >= len(sources) or not sources[at].startswith(FIELD_PREFIX):
            return None
        name = sources[at].removeprefix(FIELD_PREFIX)
        known = self.policies.get(name)
        if known not in (None, policy):
            self.refuse(f"column `{name}` is checked twice, and not in the same way")
        return self.policies.setdefault(name, policy)

    # -- inner estimators --

    def convert(self, estimator: Any, value: Value, step: str | None = None) -> Value | Prediction:
        """What the estimator makes of the value; `step` is its name within the outer step."""
        with self.within(step):
            return self._result(estimator, value)

    def transform(self, estimator: Any, value: Value, step: str | None = None) -> Value:
        """As `convert`, where only a transformer may stand, or what `transform` answers too."""
        with self.within(step):
            result = self._result(estimator, value)
            if isinstance(result, Value):
                return result
            if result.features is not None:
                return self._framed(result.features, estimator)
            self.refuse(f"`{public_name(type(estimator))}` predicts, and a transformer is due")

    def predict(self, estimator: Any, value: Value, step: str | None = None) -> Prediction:
        """As `convert`, where only a predictor may stand."""
        with self.within(step):
            result = self._result(estimator, value)
            if isinstance(result, Value):
                self.refuse(f"`{public_name(type(estimator))}` transforms, and a predictor is due")
            return result

    @contextmanager
    def within(self, step: str | None) -> Iterator[None]:
        """Nodes and errors inside bear the name of this inner step."""
        if step is None:
            yield
            return
        # Dots separate nodes from their fields and numbers; a colon would make `field:` possible.
        self._path.append(str(step).replace(".", "_").replace(":", "_"))
        try:
            yield
        finally:
            self._path.pop()

    def refuse(self, reason: str, *, option: str | None = None) -> NoReturn:
        """Raises the error that names the step and the option."""
        where = f"step `{self.path}`: " if self.path else ""
        named = f"option `{option}`: " if option else ""
        raise ConvertError(f"{where}{named}{reason}")

    # -- inside --

    def _unique(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self._nodes:
            count += 1
            candidate = f"{name}.{count}"
        return candidate

    def _gather(
        self, name: str, sources: Sequence[str], columns: tuple[Column, ...], frame: str
    ) -> Value:
        unique = self._unique(name)
        self._nodes[unique] = Node(unique, "concat", tuple(sources))
        self._gathered[unique] = tuple(sources)
        self._widths[unique] = len(columns)
        return Value(unique, columns, frame=frame)

    def _field(self, name: str, field: Any) -> Scalar | Tensor | Texts:
        if hasattr(field, "dtype") and getattr(field, "ndim", 1) == 0:
            field = field.item()
        if field is None or isinstance(field, (str, bool, int, float, Tensor, Texts)):
            return field
        if isinstance(field, (list, tuple)) and all(isinstance(item, str) for item in field):
            return Texts(tuple(str(item) for item in field))
        if hasattr(field, "dtype"):
            return self._tensor(name, field)
        raise TypeError(f"field `{name}`: {type(field).__name__} is no array, text or scalar")

    def _tensor(self, name: str, array: Any) -> Tensor:
        import numpy

        wanted = _STORED.get(str(array.dtype))
        if wanted is not None:
            limits = numpy.iinfo(wanted)
            if array.size and (array.min() < limits.min or array.max() > limits.max):
                self.refuse(f"`{name}` has integers beyond {wanted}")
            array = array.astype(wanted)
        return Tensor.of(numpy.ascontiguousarray(array))

    def _result(self, estimator: Any, value: Value) -> Value | Prediction:
        converter = self._converter(estimator)
        reason = misplaced(type(estimator), flat=value.flat, keyed=value.keyed)
        if reason:
            self.refuse(reason)
        try:
            result: Value | Prediction = converter(estimator, value, self)
        except PenstockError:
            raise
        except Exception as error:
            self.refuse(unlike(estimator, error))
        self.libraries.add(type(estimator).__module__.split(".")[0])
        return self._framed(result, estimator) if isinstance(result, Value) else result

    def _framed(self, value: Value, estimator: Any) -> Value:
        return framed(value, estimator, self) if frame_output(estimator) else value

    def _converter(self, estimator: Any) -> Callable[..., Any]:
        name = public_name(type(estimator))
        converter = self._converters.get(name)
        if converter is None:
            self.refuse(unsupported(type(estimator), self._converters))
        return converter


# Numbers that f32 holds exactly.
_F32_EXACT = frozenset(("float16", "float32", "int8", "int16", "uint8", "uint16", "bool"))


def _numeric_dtype(column: Column) -> str:
    """The dtype of the numbers: objects, categories and nullable dtypes are seen as float64."""
    # sklearn/utils/validation.py, `check_array`: nullable columns go through `astype(None)`.
    nullable = column.dtype != column.dtype.lower() or column.dtype == "boolean"
    return "float64" if nullable or column.dtype in ("category", "object") else column.dtype
