"""Multiple choice: which options a question has, which one is chosen, and what positions have to do with it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from . import _checks
from .intervals import Interval, wilson_share

NOBODY = -1
"""Chosen where no option is likelier than all others."""


def highest_wrong(scores: npt.ArrayLike, wrong: npt.ArrayLike, *, k: int) -> npt.NDArray[np.int64]:
    """The `k` classes of each image that score highest among those that are wrong, int64 [n, k], the highest first.

    scores: float [n, C], higher is likelier; wrong: bool [n, C]. Of equal scores the lower number comes first. k = 1 is the failure
    category of ImageNet-D (Zhang et al. 2024, arXiv 2403.18775): the model's answer where that is wrong, else its second one. So truth
    and distractor are told apart by the model exactly where its top-1 answer is right. ValueError where an image has fewer wrong classes.
    """
    rows, off = np.asarray(scores, dtype=np.float64), np.asarray(wrong, dtype=bool)
    if rows.ndim != 2 or off.shape != rows.shape:
        raise ValueError(f"scores and wrong must both be [n, C]; got {rows.shape} and {off.shape}")
    if len(rows) and off.sum(1).min() < k:
        raise ValueError(f"{k} wrong classes are asked for, and an image has {off.sum(1).min()}")
    order = np.argsort(np.where(off, -rows, np.inf), axis=1, kind="stable")
    return order[:, :k].astype(np.int64)


def drawn_wrong(wrong: npt.ArrayLike, *, k: int, seeds: Sequence[int]) -> npt.NDArray[np.int64]:
    """`k` wrong classes of each image at random, int64 [n, k]; each image draws from a generator of its own seed. Errors as above."""
    off = np.asarray(wrong, dtype=bool)
    if len(off) and off.sum(1).min() < k:
        raise ValueError(f"{k} wrong classes are asked for, and an image has {off.sum(1).min()}")
    drawn = [np.random.default_rng(seed).permutation(np.flatnonzero(row))[:k] for row, seed in zip(off, seeds, strict=True)]
    return np.array(drawn, dtype=np.int64).reshape(len(off), k)


def rotations(k: int) -> npt.NDArray[np.int64]:
    """The k orders of k options that put each at each place once, int64 [k, k]: row r lists which option stands at each place."""
    k = _checks.count(k, name="k")
    return (np.arange(k)[None] + np.arange(k)[:, None]) % k


def chosen(scores: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The place of the likeliest option, int64 [...] of scores [..., k]; NOBODY for a tie at the top."""
    values = np.asarray(scores, dtype=np.float64)
    best = values.max(-1, keepdims=True)
    out: npt.NDArray[np.int64] = np.where((values == best).sum(-1) == 1, values.argmax(-1), NOBODY).astype(np.int64)
    return out


def circular(right: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether a question was answered rightly in every order, bool [n] of bool [n, r] (CircularEval of MMBench, Liu et al. 2023,
    arXiv 2307.06281). Guessing has (1/k)^r of them."""
    out: npt.NDArray[np.bool_] = np.logical_and.reduce(np.asarray(right, dtype=bool), axis=1)
    return out


def position_bias(places: npt.ArrayLike, *, k: int) -> float:
    """How far the chosen places are from falling on all k equally often, 0 to 1, lower is better.

    places: int [n, k], the place chosen in each of the k rotations of n questions, NOBODY counted nowhere. Every option stands at every
    place once, so a model that reads only what the options say chooses all places equally often, right or wrong. The total
    variation distance from 1/k each, over its largest value 1 - 1/k: 1 for who always chooses one place; for two options |2p - 1|, p the
    share of first places. NaN where nothing was chosen.
    """
    counted = np.asarray(places, dtype=np.int64)
    k = _checks.count(k, name="k", at_least=2)
    if counted.ndim != 2 or counted.shape[1] != k or (counted.size and not (counted.min() >= NOBODY and counted.max() < k)):
        raise ValueError(f"places must be [n, {k}] of {NOBODY} .. {k - 1}")
    said = counted[counted != NOBODY]
    if not said.size:
        return float("nan")
    shares = np.bincount(said, minlength=k) / said.size
    return float(0.5 * np.abs(shares - 1 / k).sum() / (1 - 1 / k))


def position_bias_interval(places: npt.ArrayLike, *, k: int, seed: int, resamples: int = 1000, level: float = 0.95) -> Interval:
    """Interval for `position_bias` from questions drawn with replacement; holds the value, stays in [0, 1], is never a point.

    Noise lifts the distance, so percentiles alone would leave 0 out where it is true: the interval is the hull of percentiles and of
    their reflection at the value (Davison & Hinkley 1997, section 5.2). Where all questions were answered at the same places no resample
    differs: then so many questions may be answered elsewhere as Wilson's interval has for none of n.
    """
    counted = np.asarray(places, dtype=np.int64)
    counts = np.stack([(counted == place).sum(1) for place in range(k)], axis=1).astype(np.float64)
    value, n = position_bias(counted, k=k), len(counts)
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples) @ counts
    drawn = drawn[drawn.sum(1) > 0]
    found = 0.5 * np.abs(drawn / drawn.sum(1, keepdims=True) - 1 / k).sum(1) / (1 - 1 / k)
    low, high = (float(each) for each in np.quantile(found, [(1 - level) / 2, (1 + level) / 2]))
    if high - low > 1e-12:
        return max(min(low, 2 * value - high, value), 0.0), min(max(high, 2 * value - low, value), 1.0)
    other = wilson_share(0.0, n, level=level)[1]
    return value - value * other, value + (1 - value) * other


def gain_interval(gains: npt.ArrayLike, *, level: float = 0.95) -> Interval:
    """Interval for the mean of differences of two shares of each sample, such as LMM minus CLIP, each in [-1, 1].

    The mean is what was won less what was lost, two shares whose Wilson intervals are known; their distances are squared and added with
    the covariance -won x lost / n (MOVER: Zou & Donner 2008, "Construction of confidence limits about effect measures"). Holds the
    mean, stays in [-1, 1], is never a point: a bootstrap says nothing where few samples differ. ValueError for none and values outside.
    """
    values = _checks.finite(gains, name="gains", ndim=1)
    if np.abs(values).max() > 1:
        raise ValueError("gains must each be in -1 .. 1")
    won, lost, n = float(values.clip(min=0).mean()), float((-values).clip(min=0).mean()), values.size
    (won_low, won_high), (lost_low, lost_high) = (wilson_share(share, n, level=level) for share in (won, lost))
    both = 2 * float(norm.ppf((1 + level) / 2)) ** 2 * won * lost / n
    low = won - lost - math.sqrt((won - won_low) ** 2 + (lost_high - lost) ** 2 + both)
    high = won - lost + math.sqrt((won_high - won) ** 2 + (lost - lost_low) ** 2 + both)
    return max(low, -1.0), min(high, 1.0)


def hard_classes(right: npt.ArrayLike, labels: npt.ArrayLike, *, classes: int) -> npt.NDArray[np.bool_]:
    """Which classes are answered below the median class, bool [classes]; those without an image are neither counted nor hard.

    right: bool [n]; labels: int [n] in 0 .. classes - 1.
    """
    of, hits = np.asarray(labels, dtype=np.int64), np.asarray(right, dtype=bool)
    sizes = np.bincount(of, minlength=classes)
    shares = np.divide(np.bincount(of, hits, minlength=classes), sizes, out=np.full(classes, np.nan), where=sizes > 0)
    known = shares[sizes > 0]
    middle = float(np.median(known)) if known.size else 0.0
    out: npt.NDArray[np.bool_] = np.less(shares, middle)
    return out
