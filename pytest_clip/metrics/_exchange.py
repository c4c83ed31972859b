"""Drops of models that have exchanged whole units at random: how often they are as large as the observed one."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtri, stdtr

from ._pairs import Floats, Pair, coins

FEW_HITS = 10


def by_exchange(pair: Pair, rng: np.random.Generator, observed: float, off: Floats, resamples: int) -> float:
    """p of the observed drop among those of models that exchange their answers to each unit with probability 1/2, studentised.

    off: how far resampled drops lie from their mean [R]. Ties: `chance`.
    """
    weighed = pair.exchanged()
    values = np.concatenate([weighed(w, v) for _, _, w, v in pair.draws(rng, resamples, coins, width=2)])
    values = values[np.isfinite(values)]
    times = _wider(off, values, observed / math.sqrt(pair.units)) if values.size else 1.0
    exact = pair.base.binary is not None and pair.now.binary is not None
    return chance(values * times, observed, units=pair.units, differing=pair.differing, exact=exact)


def chance(values: Floats, observed: float, *, units: int, differing: int, exact: bool = False) -> float:
    """How often `values` [R] of exchanges reach the observed one; never below 2^-differing, the least that the exchange allows.

    Of ties half count (mid-p, Lancaster 1961); of shares of right answers (`exact`) all, as in McNemar's test.
    """
    spread = float(values.std()) if values.size else 0.0
    beyond, reached = (np.count_nonzero(values >= observed + side * 1e-12 * max(1.0, abs(observed))) for side in (1, -1))
    hits = reached if exact else (beyond + reached) / 2
    p = float(1 + hits) / (values.size + 1)
    if hits < FEW_HITS and spread > 0:  # a count this low says little
        p = min(p, float(stdtr(units - 1, -observed / spread)))
    return max(p, 0.5 ** min(differing, 1000))


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
