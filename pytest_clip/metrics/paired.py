"""Paired comparison: the same samples answered by two models, so that what is hard for both cancels and small drops are seen.

A *drop* is how much worse the second model ("now") is than the first ("base"), in the unit of the metric; below 0 it is better. Bounds are
one-sided, each at 0.95 by itself; together they are a 90 % interval.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from . import _checks, _turns
from ._pairs import Floats, Pair, coins, with_replacement
from .bounds import SURE as SURE
from .bounds import Bounds as Bounds
from .mcnemar import mcnemar as mcnemar
from .mcnemar import pairs_to_settle as pairs_to_settle
from .mcnemar import score_bounds as score_bounds
from .outcomes import Outcomes
from .statistics import STATISTICS

RESAMPLES, FEWEST, MANY = 2000, 500, 20_000
"""Resamples of up to MANY samples; of more, in proportion fewer, so that a gate takes seconds at any size. Of 500, the bound at 5 % lies
between those at 4 % and 6 % in two cases of three."""
UNDEFINED = 0.05
"""Share of resamples without a value (an error ratio when nothing is wrong) beyond which the rest says nothing about the whole."""
STEADY = 0.2
"""The least standard error of a resample, in those of the sample: one that drew nothing of what differs has none."""
FEW_HITS = 10


def bootstrap(
    base: Outcomes,
    now: Outcomes,
    *,
    seed: int,
    sign: int,
    drop: float | None = None,
    resamples: int | None = None,
    level: float = SURE,
) -> Bounds:
    """Bounds of the drop sign * (now - base) of any statistic, from samples drawn with replacement, the same ones for both models.

    Samples of one cluster are drawn together; the two samples of a two-sample statistic independently of each other. `sign`: -1 where
    higher is better, 1 where lower is. `drop`: the observed one, computed here when None. `resamples`: RESAMPLES, fewer for many samples.
    `level`: of each bound by itself; beyond what so many resamples can tell, it is that of Student's t.

    Null hypothesis: the statistic of the two models is the same on all images there are. They need not be exchangeable: one may be
    better on some images and worse on others, or spread more. Two tests must reject it, and the larger p counts:

    - Bootstrap-t (Efron 1979; Hall 1988): how far resampled drops lie from their mean, each in standard errors of its own resample. A
      plain percentile takes a sample in which the rare images that improved are too few for one that is sure: where 10 % improve much and
      the rest lose a little, it finds a loss of the mean in 9.3 % at n = 50, this in 0.1 %. Standard errors come from what each unit adds
      (jackknife).
    - Whole units are exchanged between the two models at random; ties count by half (mid-p), for shares of right answers as in McNemar's
      test. By itself that is exact for exchangeable models, and keeps four samples that differ, all to the worse, from being a proof (1/16;
      a bootstrap alone says 0.02). Its drops are studentised, divided by their own spread and multiplied by the standard error of the
      observed one (Janssen 1997; Chung & Romano 2013, "Exact and asymptotically robust permutation tests"), which keeps its level where
      the models spread differently. For a mean the two are equal and nothing changes: a sign-flip is studentised as it is. Ratios of sums
      are exchanged crosswise (`_turns.crossed`). p is never below 2^-differing, the least that the exchange allows.

    Resamples of extremes of groups are those of `_turns.resampled`, without standard errors of their own. Of ratios of sums with unlike
    bottoms the bounds are percentiles: error ratios of 50 and 190 images are covered by 0.94 to 0.98, by the bootstrap-t 0.78 to 0.93.

    The resampled drops are taken from their mean, not from the observed one: resampling adds noise to numbers that noise pushes up, such as
    the ECE, and pulls their drops towards 0. A lower bound above 0 that the larger p does not confirm is moved to 0. Bounds of shares of
    right answers are `mcnemar.score_bounds` of the effective number of samples. Bounds are never equal: where no unit differs, up to
    1 - 0.05^(1/U) of all images may, each by as much as units differ in what they add to the base model's number.
    """
    pair, tail = Pair.of(base, now, sign), 1 - _checks.level_of(level)
    many = max(1.0, (len(base.ids) + len(base.other_ids)) / MANY)
    resamples = _checks.count(max(FEWEST, int(RESAMPLES / many)) if resamples is None else resamples, name="resamples")
    observed = float(sign * (now.value - base.value)) if drop is None else drop
    units, differing = pair.units, pair.differing
    if units < 2 or not math.isfinite(observed):
        return Bounds(-math.inf, math.inf, 1.0, units, differing)
    rng = np.random.default_rng(seed)
    share = pair.shares(level=level)
    if differing == 0:
        lower, upper = share or (-_unseen(pair, tail), _unseen(pair, tail))
        return Bounds(lower, upper, 1.0, units, 0)
    off, plain = _off(pair, rng, resamples)
    if off.size < (1 - UNDEFINED) * resamples:
        return Bounds(-math.inf, math.inf, 1.0, units, differing)
    p = max(float(1 + np.count_nonzero(off >= observed)) / (off.size + 1), 0.5 ** min(differing, 1000))  # the least of the exchange
    if p <= max(tail, FEW_HITS / off.size):  # else nothing is sure already
        exchange = _by_exchange(pair, rng, observed, plain, resamples, differing)
        p = exchange if p < FEW_HITS / off.size else max(p, exchange)
    lower, upper = share or _ends(off, observed, units, tail)
    if upper - lower <= 1e-9 * abs(observed):  # every unit lost the same: so much times the share of all units that do
        ends = [observed * float(each) for each in score_bounds(units, 0, units, level=level)]
        lower, upper = sorted(ends) if observed else (-_unseen(pair, tail), _unseen(pair, tail))
    return Bounds(lower if p <= tail else min(lower, 0.0), upper, min(p, 1.0), units, differing)


def _off(pair: Pair, rng: np.random.Generator, resamples: int) -> tuple[Floats, Floats]:
    """How far the drops of resamples lie from their mean, times the standard error of all over that of each; and, for the exchange to be
    compared with, without that (of ratios, crosswise)."""
    weighed, error_of, crossed = _turns.resampled(pair), pair.errors(), _turns.crossed(pair)
    drops, errors, across = [], [], []
    for first, second, w, v in pair.draws(rng, resamples, with_replacement):
        drops.append(weighed(w, v))
        errors.append(error_of(first, second))
        across.append(crossed[0](w, v) if crossed else drops[-1])
    values, each, other = (np.concatenate(found) for found in (drops, errors, across))
    kept = np.isfinite(values)
    if not kept.any():
        return values[kept], values[kept]
    plain, other, each = values[kept] - values[kept].mean(), other[kept] - other[kept].mean(), each[kept]
    if (
        crossed
    ):  # ratios err to the high side, and errors taken from so skewed a resample make it worse: percentiles, as of their logarithms
        return -plain, other
    error = float(error_of(*(np.ones((1, count)) for count in pair.counts))[0])
    if STATISTICS[str(pair.base.statistic)].parts or not error > 0:  # nothing moves when one unit is left out: a median among equals
        return plain, other
    return plain * error / np.maximum(each, STEADY * error), other


def _ends(off: Floats, observed: float, units: int, tail: float) -> tuple[float, float]:
    """Bounds that leave out `tail` on each side; where that is too few resamples, farther out as Student's t would be."""
    held = min(max(tail, FEW_HITS / off.size), 0.5)
    farther = float(stdtrit(units - 1, tail) / stdtrit(units - 1, held)) if held > tail else 1.0
    ordered, k = np.sort(off), max(math.floor(held * (off.size + 1)), 1)
    return observed - farther * float(ordered[-k]), observed - farther * float(ordered[k - 1])


def _by_exchange(pair: Pair, rng: np.random.Generator, observed: float, off: Floats, resamples: int, differing: int) -> float:
    """p of the observed drop among those of models that exchange their answers to each unit with probability 1/2, studentised.

    Of ties half count (mid-p, Lancaster 1961); of shares of right answers all, as in McNemar's test.
    """
    crossed, exact = _turns.crossed(pair), pair.base.binary is not None and pair.now.binary is not None
    weighed = crossed[1] if crossed else pair.exchanged()
    values = np.concatenate([weighed(w, v) for _, _, w, v in pair.draws(rng, resamples, coins, width=2)])
    values = values[np.isfinite(values)]
    times = _wider(off, values, observed / math.sqrt(pair.units)) if values.size else 1.0
    values, spread = values * times, float(values.std()) * times if values.size else 0.0
    beyond, reached = (np.count_nonzero(values >= observed + side * 1e-12 * max(1.0, abs(observed))) for side in (1, -1))
    hits = reached if exact else (beyond + reached) / 2
    p = (1 + hits) / (values.size + 1)
    if hits < FEW_HITS and spread > 0:  # a count this low says little
        p = min(p, float(stdtr(pair.units - 1, -observed / spread)))
    return max(float(p), 0.5 ** min(differing, 1000))


def _wider(off: Floats, exchanged: Floats, drop: float) -> float:
    """How many times as wide resampled drops are as exchanged ones, which have the drop itself for noise too.

    By standard deviation and by the middle 90 %, whichever is nearer to 1: few large ones say nothing of the rest, nor do steps. 1 where
    the two disagree, and within what so many resamples leave open, so that ties stay ties.
    """
    found = []
    for width in (np.std, lambda each: np.ptp(np.quantile(each, [0.05, 0.95])) / (2 * ndtri(0.95))):
        one, two = float(width(off)), float(width(exchanged))
        ratio = math.hypot(one, drop) / two if two > 0 else 1.0
        found.append(math.copysign(max(abs(ratio - 1) - 3 / math.sqrt(exchanged.size), 0.0) and abs(ratio - 1), ratio - 1))
    low, high = sorted(found)
    return 1 + (low if low > 0 else high if high < 0 else 0.0)


def _unseen(pair: Pair, tail: float) -> float:
    """A drop that is not excluded when no unit of a sample differs: a share 1 - tail^(1/U) of all units may."""
    most = 0.0
    for each in pair.left_out(pair.base.prepared()):
        if each.size:
            reach = float(np.ptp(each)) if np.isfinite(each).all() else 0.0
            most += (reach or 1.0) * (1 - tail ** (1 / each.size))
    return most
