"""McNemar: the drop of a share of right answers, from how many of n samples only one of two models got wrong.

The test is exact and conditional on the samples that disagree. Bounds made the same way are not bounds of the drop: how many disagree is
chance too, and of none that do a conditional bound says (0, 0) even at n = 5. They come from a score interval.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import betainc, ndtri

from . import _checks
from .bounds import SURE, Bounds

_STEPS = 48
"""Halvings of [-1, 1]: to 1e-14."""


def mcnemar(worse: int, better: int, *, n: int, level: float = SURE) -> Bounds:
    """Exact conditional test for two proportions of n paired samples, and score bounds of their difference.

    worse: pairs in which only the second model is wrong; better: only the first. The drop is (worse - better) / n, in [-1, 1], above 0 =
    worse. p = P(Binomial(m, 1/2) >= worse), m = worse + better; its null is that a pair that disagrees is as likely worse as better, which
    is the same as equal shares. Bounds: `score_bounds`, each at `level`; a lower bound above 0 that the exact test does not confirm is 0,
    so lower > 0 exactly when p <= 0.05 (at level 0.95). ValueError for counts that do not fit into n. Source: McNemar 1947; two-sided p is
    `statsmodels.stats.contingency_tables.mcnemar(exact=True)`.
    """
    worse, better = (_checks.count(each, name=name, at_least=0) for each, name in ((worse, "worse"), (better, "better")))
    n = _checks.count(n, name="n")
    if worse + better > n:
        raise ValueError(f"{worse} worse and {better} better are more than {n} pairs")
    p, other = tail(worse, better), tail(better, worse)
    low, high = (float(each) for each in score_bounds(worse, better, n, level=level))
    low = low if p <= 1 - level else min(low, 0.0)
    high = high if other <= 1 - level else max(high, 0.0)
    return Bounds(low, high, p, n, worse + better)


def score_bounds(worse: npt.ArrayLike, better: npt.ArrayLike, n: float, *, level: float = SURE) -> tuple[_checks.Floats, _checks.Floats]:
    """Lower and upper bounds of p01 - p10, each at `level` by itself, for any shape of counts `worse`, `better` of n pairs.

    The values theta at which the score statistic S = (d - theta) / sqrt(V), d = (worse - better) / n, is within +-z, where V is the
    variance (p01 + p10 - theta^2) / n at the likeliest p01, p10 with p01 - p10 = theta (Tango 1998, "Equivalence test and confidence
    interval for the difference in proportions for the paired-sample design", eq. 2 and 3). Two corrections, because Tango's own bounds,
    made to be used together, cover 0.91 to 0.97 one by one: z moves by (z^2 - 1) / 6 times the skewness of d at theta (Gart & Nam 1988,
    "Approximate interval estimation of the difference in binomial parameters: correction for skewness"; for pairs Laud 2017), and d by half
    a pair toward theta (continuity). Enumerated coverage with both: at least 0.95 for n = 5 to 1,900 (docs/statistics.md). Bounds lie in
    [-1, 1] and are never equal. The counts need not be whole (effective numbers of clustered samples).
    """
    w, b = np.broadcast_arrays(np.asarray(worse, dtype=np.float64), np.asarray(better, dtype=np.float64))
    z, d = float(ndtri(_checks.level_of(level))), (w - b) / n
    side = np.array([1.0, -1.0]).reshape(2, *([1] * d.ndim))
    out, inside = np.broadcast_arrays(-side, d)[0], np.broadcast_arrays(d, side)[0]
    for _ in range(_STEPS):
        theta = (out + inside) / 2
        variance, skewness = _restricted(w, b, n, theta)
        kept = side * (d - theta) - 0.5 / n <= (z + side * skewness * (z * z - 1) / 6) * np.sqrt(variance)
        out, inside = np.where(kept, out, theta), np.where(kept, theta, inside)
    return out[0], out[1]


def pairs_to_settle(worse: int, better: int, *, n: int, alpha: float = 1 - SURE) -> int | None:
    """How many pairs it takes for p <= `alpha` in `mcnemar` when the shares stay as they are; None when they say no drop at all."""
    if worse <= better:
        return None

    def excess(log_times: float) -> float:
        times = math.exp(log_times)
        return math.log(max(tail(worse * times, better * times), 1e-300)) - math.log(alpha)

    if excess(0.0) <= 0:
        return n
    end = 1.0
    while excess(end) > 0:
        end *= 2
    return math.ceil(n * math.exp(float(brentq(excess, 0.0, end, xtol=1e-6))))


def tail(worse: float, better: float) -> float:
    """P(Binomial(worse + better, 1/2) >= worse), for any numbers of 0 or more."""
    return float(betainc(worse, better + 1, 0.5)) if worse > 0 else 1.0


def _restricted(w: _checks.Floats, b: _checks.Floats, n: float, theta: _checks.Floats) -> tuple[_checks.Floats, _checks.Floats]:
    """Variance and skewness of d at the likeliest p10, and p01 = p10 + theta (Tango's quadratic)."""
    linear = (2 * n - w + b) * theta - w - b
    root = np.sqrt(np.maximum(linear**2 + 8 * n * b * theta * (1 - theta), 0.0))
    p10 = np.clip((root - linear) / (4 * n), np.maximum(0.0, -theta), (1 - theta) / 2)
    p01 = p10 + theta
    variance = np.maximum(p01 + p10 - theta**2, 1e-30)
    third = p01 * (1 - theta) ** 3 - p10 * (1 + theta) ** 3 - (1 - p01 - p10) * theta**3
    return variance / n, np.clip(third / variance**1.5 / math.sqrt(n), -1e6, 1e6)
