"""Metrics of weighted samples, for all resamples at once: weights [R, n] say how often each of n samples was drawn; results are [R].

Weights are whole numbers held as floats, because most metrics are matrix products. Metrics of ranks sort once and count in integers: sums
along a row of int64 take a sixth of the time of those of float64, and `np.take` half of that of an index in brackets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from . import _checks
from .calibration import binned

Floats: TypeAlias = _checks.Floats
Whole: TypeAlias = npt.NDArray[np.int64]
Weighing: TypeAlias = Callable[[Floats, Floats], Floats]


def mean(values: Floats, w: Floats) -> Floats:
    """Weighted mean of values [n]."""
    sums: Floats = w @ values
    return ratio(sums, w.sum(axis=1))


def ratio(top: Floats, bottom: Floats | Whole) -> Floats:
    """top / bottom, NaN where bottom is 0."""
    out: Floats = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)
    return out


def median(values: Floats, w: Floats) -> Floats:
    """Weighted median of values [n]; the mean of the two middle ones when they differ."""
    order = np.argsort(values, kind="stable")
    twice = 2 * np.cumsum(_counts(w, order), axis=1)
    everything = twice[:, -1:] // 2
    low, high = np.argmax(twice >= everything, axis=1), np.argmax(twice > everything, axis=1)
    middle: Floats = (values[order][low] + values[order][high]) / 2
    return middle


def group_means(values: Floats, groups: npt.NDArray[Any]) -> Callable[[Floats], Floats]:
    """Weighted means [R, G] of values [n] by group number [n], one column per group present; NaN for a group that was not drawn."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(groups[order]) != 0])
    held = values[order]

    def means(w: Floats) -> Floats:
        drawn = np.take(w, order, axis=1)
        return ratio(np.add.reduceat(drawn * held, starts, axis=1), np.add.reduceat(drawn, starts, axis=1))

    return means


def ece(confidence: npt.NDArray[Any], correct: npt.NDArray[Any], *, bins: int) -> Weighing:
    """`calibration.ece`, whose bins do not move."""
    held, right, which = binned(confidence, correct, bins=bins)
    gaps = np.zeros((held.size, bins))
    gaps[np.arange(held.size), which] = held - right
    return lambda w, v: ratio(np.abs(w @ gaps).sum(axis=1), w.sum(axis=1))


def adaptive_ece(confidence: npt.NDArray[Any], correct: npt.NDArray[Any], *, bins: int) -> Weighing:
    """`calibration.adaptive_ece`, whose bins are made anew on each resample."""
    held, right, _ = binned(confidence, correct, bins=bins, adaptive=True)
    order = np.argsort(held, kind="stable")
    gap = (held - right)[order]
    first = np.searchsorted(held[order], held[order], side="left")  # of the samples with the same confidence

    def weighed(w: Floats, v: Floats) -> Floats:
        drawn = _counts(w, order)
        cumulated = _cumulated(drawn)
        total = cumulated[:, -1]
        below = np.take(cumulated, first, axis=1)
        which = np.minimum(below * bins // np.maximum(total, 1)[:, None], bins - 1) + bins * np.arange(len(w))[:, None]
        sums = np.bincount(which.ravel(), weights=(drawn * gap).ravel(), minlength=bins * len(w)).reshape(len(w), bins)
        return ratio(np.abs(sums).sum(axis=1), total)

    return weighed


def auroc(known: npt.NDArray[Any], unknown: npt.NDArray[Any]) -> Weighing:
    """`ood.auroc` of scores [n] and [m]."""
    (ins, order), (outs, order_of_outs) = _sorted(known, "known"), _sorted(unknown, "unknown")
    first, last = np.searchsorted(outs, ins, side="left"), np.searchsorted(outs, ins, side="right")
    tied = not np.array_equal(first, last)

    def weighed(w: Floats, v: Floats) -> Floats:
        drawn, below = _counts(w, order), _cumulated(_counts(v, order_of_outs))
        won = np.take(below, first, axis=1)
        twice = won + (np.take(below, last, axis=1) if tied else won)
        return ratio(np.einsum("rk,rk->r", drawn, twice) / 2, drawn.sum(axis=1) * below[:, -1])

    return weighed


def average_precision(positive: npt.NDArray[Any], negative: npt.NDArray[Any]) -> Weighing:
    """`ood.aupr_in` of scores that are high for the positive class."""
    (own, order), (theirs, order_of_theirs) = _sorted(positive, "positive"), _sorted(negative, "negative")
    lower, passed = np.searchsorted(own, own, side="left"), np.searchsorted(theirs, own, side="left")

    def weighed(w: Floats, v: Floats) -> Floats:
        drawn, others = _counts(w, order), _cumulated(_counts(v, order_of_theirs))
        below = _cumulated(drawn)
        hits = below[:, -1:] - np.take(below, lower, axis=1)
        seen = hits + others[:, -1:] - np.take(others, passed, axis=1)
        precision = hits / np.maximum(seen, 1)  # nobody seen, no hits
        return ratio(np.einsum("rk,rk->r", drawn.astype(np.float64), precision), below[:, -1])

    return weighed


def passed_at_95(kept: npt.NDArray[Any], passing: npt.NDArray[Any]) -> Weighing:
    """Share of `passing` with a score at or above the highest one that keeps at least 95 % of `kept` (`ood.fpr95_id_positive`)."""
    (own, order), (theirs, order_of_theirs) = _sorted(-kept, "kept"), _sorted(-passing, "passing")
    through = np.searchsorted(theirs, own, side="right")

    def weighed(w: Floats, v: Floats) -> Floats:
        reached, total = np.cumsum(_counts(w, order), axis=1), _cumulated(_counts(v, order_of_theirs))
        # whole numbers, because 0.95 * n rounds up or down
        at = np.argmax(100 * reached >= 95 * reached[:, -1:], axis=1)
        return ratio(total[np.arange(len(at)), through[at]], np.where(reached[:, -1] > 0, total[:, -1], 0.0))

    return weighed


def _sorted(scores: npt.NDArray[Any], name: str) -> tuple[Floats, npt.NDArray[np.intp]]:
    values = _checks.finite(scores, name=name, ndim=1)
    order = np.argsort(values, kind="stable")
    return values[order], order


def _counts(w: Floats, order: npt.NDArray[np.intp]) -> Whole:
    """[R, n]: the weights in this order."""
    counts: Whole = np.take(w, order, axis=1).astype(np.int64)
    return counts


def _cumulated(counts: Whole) -> Whole:
    """[R, n + 1]: the weight before each sample, and that of all."""
    out = np.zeros((len(counts), counts.shape[1] + 1), dtype=np.int64)
    np.cumsum(counts, axis=1, out=out[:, 1:])
    return out
