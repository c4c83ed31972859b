"""Paired comparison: the same samples answered by two models, so that what is hard for both cancels and small drops are seen.

A *drop* is how much worse the second model ("now") is than the first ("base"), in the unit of the metric; below 0 it is better. Bounds are
one-sided, each at 0.95 by itself; together they are a 90 % interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import betainc, betaincinv, ndtr, ndtri, stdtr, stdtrit

from . import _checks
from .outcomes import Outcomes
from .statistics import STATISTICS, Columns

SURE = 0.95
RESAMPLES, FEWEST, MANY = 2000, 500, 20_000
"""Resamples of up to MANY samples; of more, in proportion fewer, so that a gate takes seconds at any size. Of 500, the bound at 5 % lies
between those at 4 % and 6 % in two cases of three."""
UNDEFINED = 0.05
"""Share of resamples without a value (an error ratio when nothing is wrong) beyond which the rest says nothing about the whole."""


@dataclass(frozen=True)
class Bounds:
    """One-sided bounds of a drop, and the probability `p` of a drop this large when the two models are equally good.

    `units`: scenes or images that were drawn, `differing`: those that the models answered differently. The bounds are infinite and p is 1
    where nothing can be said.
    """

    lower: float
    upper: float
    p: float
    units: int
    differing: int

    @property
    def half_width(self) -> float:
        return (self.upper - self.lower) / 2


def mcnemar(worse: int, better: int, *, n: int) -> Bounds:
    """Exact conditional test for two proportions of n paired samples: given the pairs that disagree, is `worse` more than half of them?

    worse: pairs in which only the second model is wrong; better: only the first. The drop is (worse - better) / n. p = P(Binomial(m, 1/2)
    >= worse), m = worse + better; the bounds are Clopper-Pearson's for the share of `worse` in m, times m / n: lower > 0 exactly when
    p < 0.05. Without a pair that disagrees both are 0 and p is 1. ValueError for counts that do not fit into n. Source: McNemar 1947;
    two-sided it is `statsmodels.stats.contingency_tables.mcnemar(exact=True)`.
    """
    worse, better = (_checks.count(each, name=name, at_least=0) for each, name in ((worse, "worse"), (better, "better")))
    n, m = _checks.count(n, name="n"), worse + better
    if m > n:
        raise ValueError(f"{worse} worse and {better} better are more than {n} pairs")
    if m == 0:
        return Bounds(0.0, 0.0, 1.0, n, 0)
    low = float(betaincinv(worse, better + 1, 1 - SURE)) if worse else 0.0
    high = float(betaincinv(worse + 1, better, SURE)) if better else 1.0
    return Bounds((2 * low - 1) * m / n, (2 * high - 1) * m / n, _tail(worse, better), n, m)


def pairs_to_settle(worse: int, better: int, *, n: int, alpha: float = 1 - SURE) -> int | None:
    """How many pairs it takes for p <= `alpha` in `mcnemar` when the shares stay as they are; None when they say no drop at all."""
    if worse <= better:
        return None

    def excess(log_times: float) -> float:
        times = math.exp(log_times)
        return math.log(max(_tail(worse * times, better * times), 1e-300)) - math.log(alpha)

    if excess(0.0) <= 0:
        return n
    end = 1.0
    while excess(end) > 0:
        end *= 2
    return math.ceil(n * math.exp(float(brentq(excess, 0.0, end, xtol=1e-6))))


def bootstrap(base: Outcomes, now: Outcomes, *, seed: int, sign: int, drop: float | None = None, resamples: int | None = None) -> Bounds:
    """Bounds of the drop sign * (now - base) of any statistic, from samples drawn with replacement, the same ones for both models.

    Samples of one cluster are drawn together; the two samples of a two-sample statistic independently of each other. `sign`: -1 where
    higher is better, 1 where lower is. `drop`: the observed one, computed here when None. `resamples`: RESAMPLES, fewer for many samples.

    The resampled drops are moved so that their mean is the observed one: resampling adds noise to numbers that noise pushes up, such as the
    ECE, and pulls their drops towards 0 (unmoved, it found an ECE risen from 0.020 to 0.056 in 57 % of 500-image samples; moved, in 72 %).
    The bounds are percentiles, widened for few units as in Hesterberg 2015 ("What teachers should know about the bootstrap", expanded
    percentiles). p turns the share of resamples without a drop into the same scale. A bootstrap of very few samples that differ is too
    sure: four that differ, all to the worse, give p = exp(-4) = 0.02, where a coin gives 1/16. So when the lower bound is above 0, whole
    units are exchanged between the two models at random too (an exact test of "equally good" for any statistic), the larger p counts, and
    a lower bound above 0 that this test does not confirm is moved to 0. Below 10 hits in `resamples` a count says little: there p comes
    from Student's t with the standard deviation of the exchanged drops, and is never below 2^-differing, the least that the exchange
    allows.
    """
    now = now.like(base)
    many = max(1.0, (len(base.ids) + len(base.other_ids)) / MANY)
    resamples = _checks.count(max(FEWEST, int(RESAMPLES / many)) if resamples is None else resamples, name="resamples")
    observed = sign * (now.value - base.value) if drop is None else drop
    units, differing = _units(base, now)
    if units < 2 or not math.isfinite(observed):
        return Bounds(-math.inf, math.inf, 1.0, units, differing)
    if differing == 0:
        return Bounds(0.0, 0.0, 1.0, units, 0)
    rng = np.random.default_rng(seed)
    drawn = np.sort(_resampled(base, now, rng, sign, resamples))
    drawn += observed - drawn.mean() if drawn.size else 0.0
    if drawn.size < (1 - UNDEFINED) * resamples:
        return Bounds(-math.inf, math.inf, 1.0, units, differing)
    width = math.sqrt(units / (units - 1))
    k = max(math.floor(float(ndtr(width * stdtrit(units - 1, 1 - SURE))) * (drawn.size + 1)), 1)
    lower, upper = float(drawn[k - 1]), float(drawn[-k])
    share = (1 + np.count_nonzero(drawn <= 0)) / (drawn.size + 1)
    p = float(stdtr(units - 1, ndtri(share) / width)) if share < 1 else 1.0
    if lower > 0:
        p_exchange = _exchanged(base, now, rng, sign, observed, resamples, units, differing)
        p = p_exchange if share < 10 / drawn.size else max(p, p_exchange)
        lower = lower if p <= 1 - SURE else 0.0
    return Bounds(lower, upper, min(p, 1.0), units, differing)


def _tail(worse: float, better: float) -> float:
    """P(Binomial(worse + better, 1/2) >= worse), for any numbers of 0 or more."""
    return float(betainc(worse, better + 1, 0.5)) if worse > 0 else 1.0


def _exchanged(
    base: Outcomes, now: Outcomes, rng: np.random.Generator, sign: int, observed: float, resamples: int, units: int, differing: int
) -> float:
    """p of the observed drop among the drops of models that exchange their answers to each unit with probability 1/2."""
    both = STATISTICS[str(base.statistic)].of(_stacked(base.arrays, now.arrays), _stacked(base.others, now.others), base.params)
    drops = []
    for w, v in _weights(base, rng, resamples, lambda rows, n: _coins(rng, rows, n), width=2):
        first, second = np.hstack([w, 1 - w]), np.hstack([v, 1 - v])
        drops.append(sign * (both(1 - first, 1 - second) - both(first, second)))
    values = np.concatenate(drops)
    values = values[np.isfinite(values)]
    hits = int(np.count_nonzero(values >= observed - 1e-12 * max(1.0, abs(observed))))
    p = (1 + hits) / (values.size + 1)
    spread = float(values.std()) if values.size else 0.0
    if hits < 10 and spread > 0:
        p = min(p, float(stdtr(units - 1, -observed / spread)))
    return max(p, 2.0 ** -min(differing, 1000))


def _coins(rng: np.random.Generator, rows: int, n: int) -> _checks.Floats:
    bits = np.frombuffer(rng.bytes(-(-rows * n // 8)), dtype=np.uint8)
    return np.unpackbits(bits, count=rows * n).reshape(rows, n).astype(np.float64)


def _resampled(base: Outcomes, now: Outcomes, rng: np.random.Generator, sign: int, resamples: int) -> _checks.Floats:
    def drawn(rows: int, n: int) -> _checks.Floats:
        places = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        return np.bincount(places.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)

    before, after = base.prepared(), now.prepared()
    values = np.concatenate([sign * (after(w, v) - before(w, v)) for w, v in _weights(base, rng, resamples, drawn, width=1)])
    kept: _checks.Floats = values[np.isfinite(values)]
    return kept


def _weights(
    of: Outcomes, rng: np.random.Generator, resamples: int, drawn: Any, *, width: int
) -> Iterator[tuple[_checks.Floats, _checks.Floats]]:
    """Weights [rows, n] and [rows, m] of `resamples` resamples, some rows at a time: 512 kB of them, which stay in a core's cache.

    They are drawn in blocks four times that large: how many are drawn at once decides which ones, and so every p and bound.
    """
    sides = ((of.clusters, len(of.ids)), (of.other_clusters, len(of.other_ids)))
    members = [None if clusters is None else _members(clusters, n) for clusters, n in sides]
    rows = max(1, 2**18 // (width * (len(of.ids) + len(of.other_ids))))
    step = max(1, rows // 4)

    def weights(some: int, unit: npt.NDArray[np.intp] | None, n: int) -> _checks.Floats:
        if n == 0:
            return np.zeros((some, 0))
        each: _checks.Floats = drawn(some, n if unit is None else int(unit.max()) + 1)
        return each if unit is None else np.take(each, unit, axis=1)

    for start in range(0, resamples, rows):
        some = min(rows, resamples - start)
        first, second = (weights(some, unit, n) for unit, (_, n) in zip(members, sides, strict=True))
        for part in range(0, some, step):
            yield first[part : part + step], second[part : part + step]


def _members(clusters: npt.NDArray[np.int64] | None, n: int) -> npt.NDArray[np.intp]:
    """The unit [n] of each sample, 0 .. units - 1."""
    return np.arange(n) if clusters is None else np.unique(clusters, return_inverse=True)[1]


def _units(base: Outcomes, now: Outcomes) -> tuple[int, int]:
    """Units of the smaller sample, and how many units of both the models answered differently."""
    counts, differing = [], 0
    for mine, theirs, clusters, n in (
        (base.arrays, now.arrays, base.clusters, len(base.ids)),
        (base.others, now.others, base.other_clusters, len(base.other_ids)),
    ):
        if mine:
            unlike = np.any([(mine[name] != theirs[name]).reshape(n, -1).any(axis=1) for name in mine], axis=0)
            members = _members(clusters, n)
            counts.append(int(members.max()) + 1)
            differing += np.unique(members[unlike]).size
    return min(counts), differing


def _stacked(one: Columns, two: Columns) -> Columns:
    return {name: np.concatenate([one[name], two[name]]) for name in one}
