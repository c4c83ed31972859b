"""Intervals: how far a number may be off for want of samples. Closed forms here, bootstraps in `resampling` (re-exported).

Every function returns (low, high), two Python floats, for the two-sided confidence `level`. A one-sided 95 % bound is one end of level
0.90.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, expit, logit, stdtrit

from . import _checks
from ._scores import area_interval
from ._scores import score_interval as _score
from ._scores import z_of as _z
from .few import TooFewError
from .means import mean_interval as mean_interval
from .means import ratio_interval_of_sums as ratio_interval_of_sums
from .ood import auroc, tally
from .resampling import Interval as Interval
from .resampling import bootstrap as bootstrap
from .resampling import ece_interval as ece_interval
from .resampling import seed_from as seed_from
from .resampling import two_sample_bootstrap as two_sample_bootstrap


def wilson(k: int, n: int, *, level: float = 0.95) -> Interval:
    """Score interval for a proportion of `k` in `n`; stays in [0, 1] and has width above 0 even at k = 0 or k = n.

    (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), p = k/n. ValueError for n < 1 (too few samples is an error, not 0) or k
    outside 0 .. n. Source: Wilson 1927; recommended by Brown, Cai & DasGupta 2001.
    """
    k, n = _successes(k, n)
    return _score(k / n, n, _z(level))


def wilson_share(share: float, n: float, *, level: float = 0.95) -> Interval:
    """`wilson` for a share with the precision of one of `n` independent images, where n is no count: an effective number of images.

    share: in [0, 1]; n: above 0. Holds the share, stays in [0, 1], is never a point. ValueError outside. Source: Korn & Graubard 1998,
    "Confidence intervals for proportions with small expected number of positive counts estimated from survey data".
    """
    return _score(_checks.share(share, name="share"), _checks.positive(n, name="n"), _z(level))


def clopper_pearson(k: int, n: int, *, level: float = 0.95) -> Interval:
    """Exact binomial interval for `k` in `n`: never covers less than `level`, wider than `wilson`.

    Quantiles alpha/2 of Beta(k, n-k+1) and 1 - alpha/2 of Beta(k+1, n-k). Errors as in `wilson`. Source: Clopper & Pearson 1934.
    """
    k, n = _successes(k, n)
    tail = (1.0 - _checks.level_of(level)) / 2.0
    low = float(betaincinv(k, n - k + 1, tail)) if k > 0 else 0.0
    high = float(betaincinv(k + 1, n - k, 1.0 - tail)) if k < n else 1.0
    return low, high


def paired_difference(first: npt.ArrayLike, second: npt.ArrayLike, *, level: float = 0.95) -> Interval:
    """Interval for mean(first) - mean(second), two outcomes of each sample (two models, or clean and changed image).

    Wilson intervals of both proportions, squared and added with the continuity-corrected correlation phi of the paired table. Inside [-1,
    1]; width above 0 even when no pair disagrees. first, second: bool or 0/1 [n]. ValueError for wrong shapes or values. Source: Newcombe
    1998, "Improved confidence intervals for the difference between binomial proportions based on paired data", method 10.
    """
    one = _checks.binary(first, name="first")
    two = _checks.binary(second, name="second", n=one.size)
    z, n = _z(level), one.size
    both, only_one, only_two, neither = _table(one, two)
    p1, p2 = (both + only_one) / n, (both + only_two) / n
    (low1, high1), (low2, high2) = _score(p1, n, z), _score(p2, n, z)
    product = (both + only_one) * (only_two + neither) * (both + only_two) * (only_one + neither)
    cross = both * neither - only_one * only_two
    phi = (max(cross - n / 2, 0.0) if cross > 0 else cross) / math.sqrt(product) if product else 0.0

    def reach(a: float, b: float) -> float:
        return math.sqrt(max(a * a - 2 * phi * a * b + b * b, 0.0))

    difference = (only_one - only_two) / n
    return max(difference - reach(p1 - low1, high2 - p2), -1.0), min(difference + reach(high1 - p1, p2 - low2), 1.0)


def unpaired_difference(first: npt.ArrayLike, second: npt.ArrayLike, *, level: float = 0.95) -> Interval:
    """Interval for mean(first) - mean(second) of two independent samples of 0/1 outcomes, of any sizes.

    Wilson intervals of both proportions, their distances squared and added. Inside [-1, 1]; width above 0 even when nothing varies.
    first: bool or 0/1 [n], second: [m]. ValueError for wrong shapes or values. Source: Newcombe 1998, "Interval estimation for the
    difference between independent proportions: comparison of eleven methods", method 10.
    """
    z, one, two = _z(level), _checks.binary(first, name="first"), _checks.binary(second, name="second")
    p1, p2 = float(one.mean()), float(two.mean())
    (low1, high1), (low2, high2) = _score(p1, one.size, z), _score(p2, two.size, z)
    low = p1 - p2 - math.hypot(p1 - low1, high2 - p2)
    return max(low, -1.0), min(p1 - p2 + math.hypot(high1 - p1, p2 - low2), 1.0)


def ratio_interval(top: npt.ArrayLike, bottom: npt.ArrayLike, *, paired: bool, level: float = 0.95) -> Interval:
    """Interval for mean(top) / mean(bottom) of 0/1 outcomes: relative robustness (pass correctness) or error ratio (pass errors).

    paired=True: entry i of both comes from the same sample; hybrid score interval of Bonett & Price 2006, "Confidence intervals for a
    ratio of binomial proportions based on paired data". paired=False: two independent sets of any sizes; Wilson intervals combined by
    MOVER-R, Donner & Zou 2012, "Closed-form confidence intervals for functions of the normal mean and standard deviation". Both
    are finite with width above 0 when top is all 0, where a bootstrap would say (0, 0). top, bottom: bool or 0/1. Returns (nan, nan) when
    bottom is all 0: the ratio does not exist. ValueError for wrong shapes or values.
    """
    z, over = _z(level), _checks.binary(top, name="top")
    under = _checks.binary(bottom, name="bottom", n=over.size if paired else None)
    k1, k2 = int(np.count_nonzero(over)), int(np.count_nonzero(under))
    if k2 == 0:
        return math.nan, math.nan
    if paired:
        return _paired_ratio(over, under, z)
    p1, p2 = k1 / over.size, k2 / under.size
    (low1, high1), (low2, high2) = _score(p1, over.size, z), _score(p2, under.size, z)

    def root(sign: int, end1: float, end2: float) -> float:
        scale = end2 * (2 * p2 - end2)
        inner = max((p1 * p2) ** 2 - end1 * (2 * p1 - end1) * scale, 0.0)
        return (p1 * p2 + sign * math.sqrt(inner)) / scale

    return max(root(-1, low1, high2), 0.0), root(1, high1, low2)


def auroc_interval(id_scores: npt.ArrayLike, ood_scores: npt.ArrayLike, *, level: float = 0.95) -> Interval:
    """Interval for `ood.auroc`, from DeLong's variance on the logit scale, so inside [0, 1], and Student's t of min(n, m) - 1; at least as
    wide as the score interval of the area of two exponential distributions (`_scores.area_interval`).

    Where few scores overlap, a sample often shows fewer still, and DeLong's variance is of those alone: by itself it covers 0.81 (normal
    scores, AUROC 0.996, n = 50 and 200, the 200 half as wide), with the other 0.97.

    var = var(V10)/n + var(V01)/m, V10_i = share of OOD scores below ID score i (ties 1/2), V01_j the same the other way round, in O((n+m)
    log(n+m)). Where that variance is 0 (perfect separation, or all scores equal) it is a Wilson interval over min(n, m) pairs, because
    that many pairs are independent: never (1, 1). id_scores: float [n], ood_scores: float [m], at least 2 of each. Source: DeLong et al.
    1988; midrank form of Sun & Xu 2014; logit scale as in Pepe 2003.
    """
    ins, outs = tally(id_scores, ood_scores)
    n, m, z = int(ins.sum()), int(outs.sum()), _z(level)
    if min(n, m) < 2:
        raise TooFewError(f"an AUROC interval needs at least 2 ID and 2 OOD scores; got {n} and {m}")
    area = auroc(id_scores, ood_scores)
    v10 = (np.cumsum(outs) - outs / 2) / m
    v01 = 1.0 - (np.cumsum(ins) - ins / 2) / n
    variance = float(ins @ (v10 - area) ** 2 / (n - 1) / n + outs @ (v01 - area) ** 2 / (m - 1) / m)
    if area in (0.0, 1.0) or variance < 1e-24:
        return _score(area, min(n, m), z)
    t = float(stdtrit(min(n, m) - 1, 0.5 + level / 2.0))
    centre, reach = float(logit(area)), t * math.sqrt(variance) / (area * (1.0 - area))
    low, high = area_interval(area, n, m, t)
    return min(float(expit(centre - reach)), low), max(float(expit(centre + reach)), high)


def _paired_ratio(over: _checks.Bools, under: _checks.Bools, z: float) -> Interval:
    both, only_one, only_two, _ = _table(over, under)
    k1, k2, seen = both + only_one, both + only_two, both + only_one + only_two
    joint = math.sqrt((only_one + only_two + 2) / ((k1 + 1) * (k2 + 1)))
    parts = [math.sqrt((1 - (k + 1) / (seen + 2)) / (k + 1)) for k in (k1, k2)]
    narrowed = z * joint / sum(parts)
    (low1, high1), (low2, high2) = (_score(k / seen, seen, narrowed) for k in (k1, k2))
    return low1 / high2, high1 / low2


def _table(one: _checks.Bools, two: _checks.Bools) -> tuple[int, int, int, int]:
    counts = np.bincount(2 * one.astype(np.int64) + two, minlength=4)
    return int(counts[3]), int(counts[2]), int(counts[1]), int(counts[0])


def _successes(k: int, n: int) -> tuple[int, int]:
    n = _checks.count(n, name="n")
    k = _checks.count(k, name="k", at_least=0)
    if k > n:
        raise ValueError(f"k must be at most n; got k = {k}, n = {n}")
    return k, n
