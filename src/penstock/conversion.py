"""From a fitted model and an example of its data to a proved `Model`: `penstock.convert`."""

import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from penstock.artifact import Draft
from penstock.baseline import answered, baseline
from penstock.centers import centered
from penstock.converters import table
from penstock.converters.context import Context, public_name
from penstock.converters.refusals import cutting, unlike
from penstock.converters.values import Answer, Ask, Prediction, Value
from penstock.description import steps
from penstock.errors import ArtifactError, ConvertError, PenstockError
from penstock.frames import KEYED, Example, describe
from penstock.graph import Graph
from penstock.model import Model
from penstock.proof.examples import choose
from penstock.proof.hostile import Probe, typical
from penstock.proof.oracle import Oracle
from penstock.proof.parity import Outcome, Proof, Subject, prove, sent
from penstock.proof.policies import declared, inferred
from penstock.proof.thresholds import sentinels, single, thresholds
from penstock.schema import Field, Output, Schema

__all__ = ["Prepared", "convert", "planned", "prepare"]


def convert(
    model: Any,
    example: Any,
    *,
    name: str | None = None,
    version: str | None = None,
    policies: Mapping[str, Field] | None = None,
    verify: bool = True,
    provenance: Callable[[Model], Mapping[str, Any]] | None = None,
) -> Model:
    """A `Model` that answers as the fitted model does, proved on the example and on hostile rows.

    `example`: rows as the model was trained on, a frame or, for models trained on arrays, a 2-D
    array (the inputs are then `feature_names_in_` or `x0` to `xn`); a list of texts, or of
    dictionaries, for models that take those. Types, levels and missing
    policies are inferred; `policies={"age": Field(minimum=0, maximum=120, on_invalid="missing")}`
    declares more. `provenance`: what to keep of where the model comes from, as a function of the
    proved model, whose metrics may be among it.

    Raises `ConvertError` for an estimator or option that is not supported, and for a difference.
    `verify=False` leaves the proof out, and with it the refusals of the source library.
    """
    prepared = prepare(model, example, name=name, version=version)
    with _plainly(model):
        proof = prove(prepared.subject) if verify else _unproved(prepared.subject)
    fields = declared(proof.fields, policies)
    draft = prepared.draft.with_inputs(fields)
    try:
        engine = prepared.subject.engine(fields)
    except ArtifactError as error:
        # The graph has passed; a pattern may be one that only Python understands.
        raise ConvertError(f"the engine cannot keep these policies: {error}") from error
    examples = choose(proof.outcomes, prepared.subject.oracle.answers, fields, engine)
    proved = _model(replace(draft, examples=examples), verify=True)
    outputs = answered(proved, draft.schema.outputs, prepared.subject.oracle.example)
    # An input that is called so comes first.
    draft = replace(draft, examples=examples, baseline=outputs | dict(draft.baseline))
    if provenance is not None:
        draft = replace(draft, provenance={**draft.provenance, **provenance(proved)})
    return _model(draft, verify=False)


@contextmanager
def _plainly(model: Any) -> Iterator[None]:
    """Whatever goes wrong with what a library has left comes as a `ConvertError`."""
    try:
        yield
    except (PenstockError, MemoryError):
        raise
    except Exception as error:
        raise ConvertError(unlike(model, error)) from error


@dataclass(frozen=True)
class Prepared:
    """A converted model before its proof."""

    draft: Draft
    subject: Subject


def prepare(
    model: Any, example: Any, *, name: str | None = None, version: str | None = None
) -> Prepared:
    """The graph of a fitted model, and its schema as far as the example tells."""
    described = describe(example, getattr(model, "feature_names_in_", None))
    context = Context(
        table(),
        described.columns,
        frame=described.kind if described.frame else "",
        flat=described.flat not in ("", KEYED),
        keyed=described.flat == KEYED,
    )
    _check_fitted(model)
    with _plainly(model):
        return _prepared(model, described, context, name or type(model).__name__, version or "1")


def _prepared(
    model: Any, described: Example, context: Context, name: str, version: str
) -> Prepared:
    answers = tuple(
        answer
        if answer.kind == "label"
        else replace(answer, tolerance=max(answer.tolerance, answer.value.tolerance))
        for answer in _answers(model, context.convert(model, context.inputs), context)
    )
    graph = context.graph([answer.value.node for answer in answers])
    described = described.widened(single(graph, context.widths))
    fields = declared(inferred(described.columns, graph.fields()), context.policies)
    draft = Draft(
        name=name,
        version=version,
        schema=Schema(fields, tuple(_output(answer) for answer in answers)),
        graph=graph,
        provenance=_provenance(model, described, context),
        baseline=baseline(described, fields),
    )
    draft = centered(draft, described, lambda draft: _model(draft, verify=False))
    subject = Subject(
        oracle=Oracle(
            model,
            answers,
            described,
            tuple(context.reorderings),
            row_by_row=context.row_by_row,
        ),
        fields=fields,
        # Packing and planning a large model takes a second.
        engine=cache(lambda fields: _model(draft.with_inputs(fields), verify=False)),
        thresholds=thresholds(graph, context.widths),
        sentinels=sentinels(graph, context.widths),
        steps=steps({"graph": graph.to_json()}) + cutting(graph, context.tolerances),
        mixed=_mixed(graph),
    )
    return Prepared(draft, subject)


# Operators that make one element of several.
MIXING = frozenset(
    ("choose", "combine", "compare_text", "encode_hashes", "join_text", "pair_codes")
)


# Features that a model answers with by themselves.
MOST_FEATURES = 50_000


def _mixed(graph: Graph) -> frozenset[str]:
    """Names of the inputs of which something is made together with others."""
    return graph.reachable([node.name for node in graph.nodes if node.operator in MIXING]).fields()


def planned(model: Any, example: Any, names: Sequence[str]) -> Model:
    """The engine behind a transformer of `penstock.steps`, which is its own source library."""
    described = describe(example, names)
    context = Context(table(), described.columns, frame=described.kind if described.frame else "")
    # Not `context.convert`, which would follow `set_output`.
    value = table()[public_name(type(model))](model, context.inputs, context)
    graph = context.graph([value.node])
    fields = declared(inferred(described.columns, graph.fields()), context.policies)
    labels = tuple(f"feature_{at}" for at in range(value.width))
    draft = Draft(
        name=type(model).__name__,
        version="1",
        schema=Schema(fields, (Output("features", "features", value.node, names=labels),)),
        graph=graph,
        provenance={},
        baseline={},
    )
    return _model(draft, verify=False)


def _check_fitted(model: Any) -> None:
    if not hasattr(model, "fit") or not hasattr(model, "get_params"):
        return
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(model)
    except NotFittedError as error:
        raise ConvertError(f"`{type(model).__name__}` is not fitted; fit it first") from error


def _answers(model: Any, result: Value | Prediction, context: Context) -> tuple[Answer, ...]:
    if isinstance(result, Prediction):
        # An estimator around another one may leave out what the shares are exponentials of.
        given = {answer.name for answer in result.answers}
        return tuple(
            answer if answer.exponent in given else replace(answer, exponent=None)
            for answer in result.answers
        )
    if not result.columns:
        context.refuse("the output has no columns, so there is nothing to answer")
    if len(result.columns) > MOST_FEATURES:
        context.refuse(
            f"the output has {len(result.columns)} columns, more than the {MOST_FEATURES} that can "
            "be proved one by one; convert it with the model behind it"
        )
    for column in result.columns:
        if column.kind not in ("number", "boolean", "text"):
            context.refuse(
                f"the output has {column.kind} values, which no artifact can answer with"
            )
    names = _feature_names(model, result)
    return (Answer("features", "features", result, Ask("transform"), names),)


def _feature_names(model: Any, value: Value) -> tuple[str, ...]:
    names: list[str] = []
    if value.frame:
        names = [str(name) for name in value.names]
    elif hasattr(model, "get_feature_names_out"):
        try:
            names = [str(name) for name in model.get_feature_names_out()]
        except (AttributeError, ValueError):
            # A step inside has no names, or names that are not unique.
            names = []
    if len(names) != value.width or len(set(names)) != len(names):
        names = [f"feature_{at}" for at in range(value.width)]
    return tuple(names)


def _output(answer: Answer) -> Output:
    return Output(
        name=answer.name,
        kind=answer.kind,
        node=answer.value.node,
        levels=answer.names if answer.kind == "label" else None,
        names=answer.names if answer.kind in ("numbers", "features") else None,
        tolerance=answer.tolerance,
    )


def _model(draft: Draft, *, verify: bool) -> Model:
    return Model.from_entries(draft.entries(), verify=verify)


def _unproved(subject: Subject) -> Proof:
    """No proof: typical rows as examples, as far as the source library answers them."""
    rows = typical(subject.oracle.example)
    refused = subject.oracle.refused(rows)
    accepted = [row for at, row in enumerate(rows) if at not in refused]
    expected = subject.oracle.ask(accepted) if accepted else []
    answers = subject.engine(subject.fields).predict(
        sent(accepted, subject.fields), on_error="return"
    )
    outcomes = tuple(
        Outcome(Probe(None, "typical", row), wanted, given)
        for row, wanted, given in zip(accepted, expected, answers, strict=True)
    )
    return Proof(subject.fields, outcomes)


def _provenance(model: Any, example: Example, context: Context) -> dict[str, Any]:
    from penstock import __version__

    libraries = sorted(context.libraries | {"numpy"})
    found = {
        library: getattr(sys.modules.get(library), "__version__", None) for library in libraries
    }
    versions = {library: str(version) for library, version in found.items() if version is not None}
    return {
        "class": public_name(type(model)),
        "example_rows": example.row_count,
        "library": type(model).__module__.split(".")[0],
        "versions": {"penstock": __version__, "python": platform.python_version(), **versions},
    }
