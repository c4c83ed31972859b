"""Paired comparison: the same samples answered by two models, so that what is hard for both cancels and small drops are seen.

A *drop* is how much worse the second model ("now") is than the first ("base"), in the unit of the metric; below 0 it is better. Bounds are
one-sided, each at 0.95 by itself; together they are a 90 % interval.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import stdtrit

from . import _checks, _inverted, _labels, _turns
from ._exchange import FEW_HITS, by_exchange
from ._inverted import STEADY, Tested
from ._pairs import Floats, Pair, with_replacement
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
      the models spread differently. For a mean the two are equal and nothing changes: a sign-flip is studentised as it is. p is never
      below 2^-differing, the least that the exchange allows.

    Ratios of sums with unlike bottoms, and medians, are tested at every size of the drop and bounded by the sizes that are not rejected
    (`_inverted`). Error ratios of a part are not exchanged: which images that err lie in the part is left to chance (`_labels`). Resamples
    of extremes of groups are those of `_turns.resampled`, without standard errors of their own.

    The resampled drops are taken from their mean, not from the observed one: resampling adds noise to numbers that noise pushes up, such as
    the ECE, and pulls their drops towards 0. What noise pushes the observed drop by, of extremes, distances and calibration errors, is
    taken off where it would help to reject (`_turns.pushed_out`, `_turns.pushed_apart`). A lower bound above 0 that the larger p does not
    confirm is moved to 0. Bounds of shares of right answers are `mcnemar.score_bounds` of the effective number of samples. Bounds are
    never equal: where no unit differs, up to 1 - 0.05^(1/U) of all images may, each by as much as units differ in what they add to the
    base model's number.
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
    tested = _inverted.of(pair, rng, resamples) or _plain(pair, rng, resamples, observed)
    if tested.defined < 1 - UNDEFINED:
        return Bounds(-math.inf, math.inf, 1.0, units, differing)
    values = max(int(tested.defined * resamples), 1)
    p = max(tested.chance(), 0.5 ** min(differing, 1000))  # the least of the exchange
    labels = _labels.chances(pair, rng, resamples)
    if p <= max(tail, FEW_HITS / values):  # else nothing is sure already
        other = labels[0] if labels else tested.exchange(rng, resamples)
        p = other if p < FEW_HITS / values else max(p, other)
    lower, upper = share or _ends(tested, observed, values, units, tail)
    if labels and labels[1] > tail:
        upper = max(upper, 0.0)
    if upper - lower <= 1e-9 * abs(observed):  # every unit lost the same: so much times the share of all units that do
        ends = [observed * float(each) for each in score_bounds(units, 0, units, level=level)]
        lower, upper = sorted(ends) if observed else (-_unseen(pair, tail), _unseen(pair, tail))
    return Bounds(lower if p <= tail else min(lower, 0.0), upper, min(p, 1.0), units, differing)


def _plain(pair: Pair, rng: np.random.Generator, resamples: int, observed: float) -> Tested:
    """The drop itself: how far the drops of resamples lie from their mean, times the standard error of all over that of each."""
    plain, each, pushed = _off(pair, rng, resamples, observed)
    error = float(pair.errors()(*(np.ones((1, count)) for count in pair.counts))[0])
    steady = STATISTICS[str(pair.base.statistic)].parts is None and error > 0  # 0: nothing moves when one unit is left out
    off = plain * error / np.maximum(each, STEADY * error) if steady else plain

    def exchange(rng: np.random.Generator, resamples: int) -> float:
        return by_exchange(pair, rng, observed - max(pushed, 0.0), plain, resamples)

    return Tested(
        lambda size: (observed - size, off), exchange, plain.size / resamples, max(float(off.std()), 1e-12) if off.size else 1.0, pushed
    )


def _off(pair: Pair, rng: np.random.Generator, resamples: int, observed: float) -> tuple[Floats, Floats, float]:
    """How far drops of resamples lie from their mean [R'], their standard errors [R'], and how far noise has pushed the observed drop.

    R': resamples in which the drop is defined.
    """
    statistic, columns = STATISTICS[str(pair.base.statistic)], _turns.columns(pair)
    weighed, error_of = _turns.resampled(pair), pair.errors()
    drops, errors, values = [], [], []
    for first, second, w, v in pair.draws(rng, resamples, with_replacement):
        errors.append(error_of(first, second))
        if columns:
            values.append(np.stack([each(w, v) for each in columns]))
        if columns and statistic.apart and statistic.reduce:
            drops.append(pair.sign * np.diff([statistic.reduce(each) for each in values[-1]], axis=0)[0])
        else:
            drops.append(weighed(w, v))
    found, each = np.concatenate(drops), np.concatenate(errors)
    kept = np.isfinite(found)
    if not kept.any():
        return found[kept], found[kept], 0.0
    pushed = float(found[kept].mean()) - observed if statistic.pushed else 0.0
    if columns and statistic.reduce:
        whole = [np.ones((1, len(members))) for members in pair.members]
        drawn, how = np.concatenate(values, axis=1)[:, kept], _turns.pushed_apart if statistic.apart else _turns.pushed_out
        pushed = pair.sign * how([of(*whole)[0] for of in columns], list(drawn), statistic.reduce)
    return found[kept] - found[kept].mean(), each[kept], pushed


def _ends(tested: Tested, observed: float, many: int, units: int, tail: float) -> tuple[float, float]:
    """Bounds that leave out `tail` on each side; where that is too few resamples, farther out as Student's t would be."""
    held = min(max(tail, FEW_HITS / many), 0.5)
    farther = float(stdtrit(units - 1, tail) / stdtrit(units - 1, held)) if held > tail else 1.0
    return tested.ends(observed, max(math.floor(held * (many + 1)), 1), farther)


def _unseen(pair: Pair, tail: float) -> float:
    """A drop that is not excluded when no unit of a sample differs: a share 1 - tail^(1/U) of all units may."""
    most = 0.0
    for each in pair.left_out(pair.base.prepared()):
        if each.size:
            reach = float(np.ptp(each)) if np.isfinite(each).all() else 0.0
            most += (reach or 1.0) * (1 - tail ** (1 / each.size))
    return most
