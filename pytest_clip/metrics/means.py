"""Intervals of means: a bootstrap of the studentised mean, which is honest about skewed terms such as losses. Import from `intervals`."""

import math

import numpy as np
import numpy.typing as npt

from . import _checks
from ._scores import score_interval, z_of
from .few import TooFewError
from .resampling import Interval, totals

FEWEST = 30
"""Units below which a mean of terms without a known range has no interval: what one sample in ten is like is not seen among 20 in 12 %
of the cases, and no method covers what it has not seen."""
SKEWED = 8.0
"""How much wider skewed terms make it; from the simulations of `benchmarks/gates/coverage_means.py`."""


def mean_interval(
    values: npt.ArrayLike,
    *,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
    groups: npt.ArrayLike | None = None,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> Interval:
    """Bootstrap-t interval for mean(values): NLL or Brier terms, ranks, shares of each pair.

    values: float [n], each in `within`, as is the mean (an NLL: 0 to infinity); the rest as in `resampling.bootstrap`. For 0/1 outcomes
    without groups take `wilson`. An end is infinite (or that of `within`) where n is too small to say more: fewer than FEWEST units
    without a range, all values the same, or resamples without any spread. Values of a range that are all the same, or fewer than FEWEST,
    get Wilson's interval at their mean: no distribution in a range varies more than that of its two ends.
    Method and errors: `ratio_interval_of_sums`.
    """
    terms = _checks.finite(values, name="values", ndim=1)
    return ratio_interval_of_sums(terms, np.ones_like(terms), seed=seed, resamples=resamples, level=level, groups=groups, within=within)


def ratio_interval_of_sums(
    part: npt.ArrayLike,
    whole: npt.ArrayLike,
    *,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
    groups: npt.ArrayLike | None = None,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> Interval:
    """Bootstrap-t interval for sum(part) / sum(whole), such as landmarks found of landmarks shown, over pairs with more and fewer of them.

    m - t_hi se to m - t_lo se, where t = (m* - m) / se* of each resample, se^2 = n / (n - 1) sum_i (part_i - m whole_i)^2 / sum(whole)^2
    over units (rows, or `groups` of rows), and t_lo, t_hi its quantiles at tail / (1 + SKEWED g^2 / n), g the skewness of the residuals:
    the error of a bootstrap-t is of the order g^2 / n (Hall 1992, section 3.5), and a sample's own g is too small where it matters.
    A plain percentile interval reaches 85 % of nominal 95 % for n = 50 losses whose logarithm is normal with deviation 1.5, this one 95 %.

    part: float [n]; whole: float [n], 0 or more, not all 0; `within`: the range of the ratio. What is too little: `mean_interval`.
    ValueError for fewer than 2 units, wrong shapes, a ratio outside of `within`. Source: Efron & Tibshirani 1993, section 12.5.
    """
    top, bottom = _checks.finite(part, name="part", ndim=1), _checks.finite(whole, name="whole", ndim=1)
    if bottom.size != top.size or bottom.min() < 0 or bottom.sum() <= 0:
        raise ValueError(f"whole must hold {top.size} numbers of 0 or more that are not all 0")
    low, high = within
    ratio = float(top.sum() / bottom.sum())
    if not low <= ratio <= high:
        raise ValueError(f"the mean {ratio:.6g} is outside of its range, {low:g} to {high:g}")
    columns = _units(np.stack([top - ratio * bottom, bottom], axis=1), groups)
    off, weight = columns.T
    n, z = len(columns), z_of(level)
    ranged = math.isfinite(low) and math.isfinite(high)
    spread = math.sqrt(float(off @ off) * n / (n - 1)) / float(weight.sum())
    if spread <= 1e-12 * max(1.0, abs(ratio)) or n < FEWEST:
        return _of_range(ratio, n, low, high, z) if ranged else (low, high)
    t = _studentised(off, weight, seed=seed, resamples=resamples)
    skewness = float(np.mean(off**3) / np.mean(off**2) ** 1.5)
    tail = (1.0 - _checks.level_of(level)) / 2.0 / (1.0 + SKEWED * skewness**2 / n)
    # order statistics, not interpolated: an infinite neighbour must not spoil a finite one
    ends = np.quantile(t, [tail, 1.0 - tail], method="nearest")
    return max(ratio - float(ends[1]) * spread, low), min(ratio - float(ends[0]) * spread, high)


def _studentised(off: _checks.Floats, weight: _checks.Floats, *, seed: int, resamples: int) -> _checks.Floats:
    """(m* - m) / se* of each resample of units with residuals `off` and weights; infinite where a resample has no spread."""
    n = off.size
    sums = totals(np.stack([off, weight, off**2, off * weight, weight**2], axis=1), seed=seed, resamples=resamples, groups=None)
    moved, total = sums[:, 0] / sums[:, 1], sums[:, 1]
    squares = np.maximum(sums[:, 2] - 2 * moved * sums[:, 3] + moved**2 * sums[:, 4], 0.0) * n / (n - 1)
    flat = squares <= 1e-20 * float(off @ off)
    infinite = np.where(moved > 1e-14, np.inf, np.where(moved < -1e-14, -np.inf, 0.0))
    t: _checks.Floats = np.divide(moved * total, np.sqrt(squares), out=infinite, where=~flat)
    return t


def _units(columns: _checks.Floats, groups: npt.ArrayLike | None) -> _checks.Floats:
    """Sums of `columns` [n, k] over each group, or the rows themselves; ValueError for fewer than 2."""
    if groups is not None:
        labels = np.unique(_checks.integers(groups, name="groups", n=len(columns)), return_inverse=True)[1]
        columns = np.stack([np.bincount(labels, column) for column in columns.T], axis=1)
    if len(columns) < 2:
        raise TooFewError(f"a bootstrap needs at least 2 {'samples' if groups is None else 'groups'}; got {len(columns)}")
    return columns


def _of_range(mean: float, n: int, low: float, high: float, z: float) -> Interval:
    share = (mean - low) / (high - low)
    ends = score_interval(share, n, z)
    return low + ends[0] * (high - low), low + ends[1] * (high - low)
