"""Instances of scikit-learn's classes: as they are tested there, and each option by its values."""

import inspect
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from sklearn.base import clone
from sklearn.utils._param_validation import Interval, StrOptions, generate_valid_param
from sklearn.utils._test_common.instance_generator import _construct_instances

from tests.examination.given import INSTEAD, given, together

__all__ = ["base", "variants"]

# What changes how an estimator is fitted or run, but nothing of the kind of what it answers.
WITHOUT_INFLUENCE = {
    "cache_size",
    "check_input",
    "compute_score",
    "copy",
    "copy_X",
    "copy_X_train",
    "copy_x",
    "early_stopping",
    "eps",
    "iterated_power",
    "max_fun",
    "max_iter",
    "memory",
    "n_iter_no_change",
    "n_jobs",
    "n_oversamples",
    "oob_score",
    "pre_dispatch",
    "precompute",
    "random_state",
    "refit",
    "return_train_score",
    "scoring",
    "shrinking",
    "shuffle",
    "skip_complete",
    "store_cv_results",
    "store_precision",
    "tol",
    "validation_fraction",
    "verbose",
    "verbose_feature_names_out",
    "verbose_interval",
    "warm_start",
}


def base(cls: type) -> Any:
    """The class with the options that scikit-learn tests it with; `None` if it has none."""
    try:
        return next(iter(_construct_instances(cls))).set_params(**INSTEAD.get(cls.__name__, {}))
    except Exception:
        return None


def variants(cls: type) -> Iterator[tuple[str, Any]]:
    """`option=value`, and the instance that has it."""
    plain = base(cls)
    if plain is None:
        return
    known = getattr(cls, "_parameter_constraints", {})
    for option in inspect.signature(cls).parameters:
        if option in WITHOUT_INFLUENCE:
            continue
        for value in _values(known.get(option, ()), plain, option):
            with suppress(Exception):
                yield f"{option}={value!r}", clone(plain).set_params(**{option: value})
    for options in together(cls):
        with suppress(Exception):
            yield repr(options), clone(plain).set_params(**options)


def _values(constraints: Any, plain: Any, option: str) -> Iterator[Any]:
    """Values that are declared or given, without the present one."""
    present = getattr(plain, option)
    declared = constraints if isinstance(constraints, list) else ()
    values = [value for constraint in declared for value in _allowed(constraint, present)]
    seen = [repr(present)]
    for value in (*values, *given(plain, option)):
        if repr(value) not in seen:
            seen.append(repr(value))
            yield value


def _allowed(constraint: Any, present: Any) -> list[Any]:
    if constraint is None:
        return [None]
    if constraint == "boolean":
        return [False, True]
    if isinstance(constraint, StrOptions):
        return sorted(constraint.options - constraint.deprecated)
    if isinstance(constraint, Interval):
        number = isinstance(present, (int, float)) and not isinstance(present, bool)
        near = [present + 1, present / 2] if number else []
        return [next((x for x in near if x in constraint), generate_valid_param(constraint))]
    return []
