"""How far a fine-tuned model lies below the path of weights that leads to it: WiSE-FT (Wortsman et al. 2022, arXiv 2109.01903).

Of the models between BASE and TUNED, those are as good as TUNED on clean images whose accuracy there is at least its own less MARGIN. The
gap is the accuracy of the best of them under a shift minus that of TUNED, 0 or more since TUNED is one of them. All models answer the same
images.

The best is chosen by looking, at shifted images for the gap and at clean ones for who may be it. So the interval is wider than that of the
model that happens to be best: its upper end holds every model that may be as good on clean images, its lower end only those that
surely are; over these it is the interval for the largest of several (`extremes.largest`). Error rates are added (Bonferroni): 1.25 % a side
for the clean images, for the lower end shared among the models, and 1.25 % a side for the shifted ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _checks
from ._scores import level_of_z
from .extremes import largest, resampled_means
from .intervals import paired_difference, wilson
from .resampling import Interval

MARGIN = 0.005
"""Clean accuracy that a model may have less and still count as equally good: half a point."""
_SIDE = 0.0125
"""Error rate of one side of the interval that is spent on clean images, and again on shifted ones."""


@dataclass(frozen=True)
class Gap:
    """The gap in 0..1, the column of the best model (TUNED's own where no other is better), and those that are as good on clean images."""

    value: float
    best: int
    as_good: tuple[int, ...]


def gap(clean: npt.ArrayLike, shifted: npt.ArrayLike, *, margin: float = MARGIN) -> Gap:
    """The gap of the model in the last column below those in the others.

    clean: bool or 0/1 [n, k] and shifted: [m, k], right answers of k >= 2 models to the same n clean and m shifted images.
    ValueError for other shapes and values.
    """
    known, moved = _answers(clean, shifted)
    tuned, gains = known.shape[1] - 1, moved.mean(axis=0) - moved[:, -1].mean()
    behind = known.mean(axis=0) - known[:, -1].mean()
    as_good = [k for k in range(tuned) if _reaches(behind[k], margin)]
    best = max([tuned, *as_good], key=lambda k: gains[k])
    return Gap(max(float(gains[best]), 0.0), best, (*as_good, tuned))


def interval(clean: npt.ArrayLike, shifted: npt.ArrayLike, *, seed: int, margin: float = MARGIN, resamples: int = 1000) -> Interval:
    """95 % interval of the true gap, never a point; inputs as in `gap`. TooFewError for a single shifted image."""
    known, moved = _answers(clean, shifted)
    others = range(known.shape[1] - 1)
    seen = gap(known, moved, margin=margin).as_good
    sure = [k for k in others if _reaches(_clean(known, k, _SIDE / len(others))[0], margin)]
    possible = [k for k in others if _reaches(_clean(known, k, _SIDE)[1], margin) or k in seen]
    low = _of(moved, sure, seed=seed, resamples=resamples)[0] if sure else 0.0
    high = _of(moved, possible, seed=seed, resamples=resamples)[1] if possible else 0.0
    floor = wilson(0, len(moved))[1]  # of no image on which anything was gained
    return max(low, 0.0), max(high, floor)


def _answers(clean: npt.ArrayLike, shifted: npt.ArrayLike) -> tuple[_checks.Floats, _checks.Floats]:
    known, moved = (_checks.finite(each, name=name, ndim=2) for each, name in ((clean, "clean"), (shifted, "shifted")))
    for each, name in ((known, "clean"), (moved, "shifted")):
        _checks.binary(each.ravel(), name=name)
    if known.shape[1] != moved.shape[1] or known.shape[1] < 2:
        raise ValueError(f"clean and shifted need the same models, two or more; got {known.shape[1]} and {moved.shape[1]}")
    return known, moved


def _reaches(difference: float, margin: float) -> bool:
    return bool(difference >= -margin - 1e-12)


def _clean(known: _checks.Floats, k: int, side: float) -> Interval:
    """Of the clean accuracy of a model minus that of the last, `side` of error on each side."""
    return paired_difference(known[:, k], known[:, -1], level=1 - 2 * side)


def _of(moved: _checks.Floats, columns: Sequence[int], *, seed: int, resamples: int) -> Interval:
    """Of the largest gain of these columns over the last."""
    gained = [moved[:, k] - moved[:, -1] for k in columns]
    noise = resampled_means(gained, units=[np.arange(len(moved))] * len(gained), seed=seed, resamples=resamples)

    def ends(z: float, side: int) -> list[float]:
        return [paired_difference(moved[:, k], moved[:, -1], level=level_of_z(z))[side] for k in columns]

    means = [each.mean() for each in gained]
    return largest(means, noise, low=lambda z: ends(z, 0), high=lambda z: ends(z, 1), level=1 - 2 * _SIDE)
