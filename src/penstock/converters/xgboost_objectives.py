"""XGBoost's objectives: from the base score to the margin, and from the margin to the prediction.

Source: XGBoost, src/objective/ (`ProbToMargin`, `PredTransform`) and src/common/math.h, all in f32.
"""

import math
import sys
from collections.abc import Callable, Mapping
from ctypes import CDLL, c_float
from dataclasses import dataclass
from typing import Any

from penstock.converters.context import Context
from penstock.converters.scores import link, softmax
from penstock.converters.values import Value

__all__ = ["OBJECTIVES", "SINGLE_TOLERANCE", "Objective", "ascending"]

# One unit in the last place of a f32: `expf` of the C library is not rounded correctly.
SINGLE_TOLERANCE = 1.2e-7
# include/xgboost/base.h, `kRtEps`.
CLOSEST = 1e-6


@dataclass(frozen=True)
class Objective:
    """`margin`: of a base score in f32; `link`: what is predicted for raw scores."""

    link: Callable[[Value, Context], Value]
    margin: Callable[[Any], Any] = lambda score: score
    tolerance: float = 0.0


def _identity(raw: Value, context: Context) -> Value:
    return raw


def _exponential(raw: Value, context: Context) -> Value:
    return link(raw, "exp", context)


def _sigmoid(raw: Value, context: Context) -> Value:
    return context.add("sigmoid_f32", raw, raw.columns)


def _softmax(raw: Value, context: Context) -> Value:
    return softmax(raw, context)


def _positive(raw: Value, context: Context) -> Value:
    return context.add("binarize", raw, raw.columns, threshold=0.0, precision="f32")


def ascending(raw: Value, context: Context) -> Value:
    """The scores of a row in ascending order: neighbors change places, round after round."""
    width = raw.width
    for first in (at % 2 for at in range(width)):
        pairs = range(first, width - 1, 2)
        left = context.select(raw, pairs)
        right = context.select(raw, [at + 1 for at in pairs])
        lower, upper = (
            context.combine(left, function, right) for function in ("minimum", "maximum")
        )
        order = list(range(width))
        for place, at in enumerate(pairs):
            order[at], order[at + 1] = width + place, width + len(pairs) + place
        raw = context.select(context.concat([raw, lower, upper]), order)
    return raw


def _logit(score: Any) -> Any:
    """The margin of a probability that is kept from 0 and 1."""
    import numpy

    one = numpy.float32(1)
    bound = numpy.float32(CLOSEST)
    score = min(max(score, bound), one - bound)
    return -_log(one / score - one)


def _log(x: Any) -> Any:
    """`logf` as XGBoost has it, of the C library: numpy's differs in the last bit."""
    import numpy

    if not x > 0:
        return numpy.float32(-math.inf if x == 0 else math.nan)
    try:
        logf = CDLL("ucrtbase" if sys.platform == "win32" else None).logf
    except (AttributeError, OSError):
        return numpy.float32(math.log(x))
    logf.restype, logf.argtypes = c_float, (c_float,)
    return numpy.float32(logf(float(x)))


IDENTITY = Objective(_identity)
EXPONENTIAL = Objective(_exponential, _log, SINGLE_TOLERANCE)
LOGISTIC = Objective(_sigmoid, _logit, SINGLE_TOLERANCE)

OBJECTIVES: Mapping[str, Objective] = {
    "binary:hinge": Objective(_positive),
    "binary:logistic": LOGISTIC,
    "binary:logitraw": IDENTITY,
    "count:poisson": EXPONENTIAL,
    "multi:softmax": IDENTITY,
    "multi:softprob": Objective(_softmax, tolerance=SINGLE_TOLERANCE),
    "rank:map": IDENTITY,
    "rank:ndcg": IDENTITY,
    "rank:pairwise": IDENTITY,
    "reg:absoluteerror": IDENTITY,
    "reg:expectileerror": IDENTITY,
    "reg:gamma": EXPONENTIAL,
    "reg:linear": IDENTITY,
    "reg:logistic": LOGISTIC,
    "reg:pseudohubererror": IDENTITY,
    "reg:quantileerror": IDENTITY,
    "reg:squarederror": IDENTITY,
    "reg:squaredlogerror": IDENTITY,
    "reg:tweedie": EXPONENTIAL,
    "survival:aft": EXPONENTIAL,
    "survival:cox": EXPONENTIAL,
}
