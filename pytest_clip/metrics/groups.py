"""Groups of images that share no image: the distance of the best answered from the worst, and the worst calibration error among them.

The lowest accuracy of several groups is `extremes.lowest_share`. All three are chosen by looking, so their intervals are of the extreme,
whichever group it truly is: an upper bound of the largest true value is the largest of one-sided upper bounds (one of them is that of the
true largest), a lower bound the largest of lower bounds that hold for all groups at once.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from . import _checks
from ._scores import level_of_z
from .calibration import ece
from .extremes import resampled_means, spread_interval
from .intervals import unpaired_difference
from .resampling import Interval, ece_interval


def gap(right: Sequence[npt.ArrayLike]) -> float:
    """Accuracy of the best answered group minus that of the worst: max_g a_g - min_g a_g.

    right: bool or 0/1 [n_g] of each group. Returns 0 to 1, lower is better; NaN for fewer than two groups. It can only grow with the
    number of groups, and noise pushes it up: read it with its interval. ValueError for wrong values or an empty group.
    """
    shares = [_checks.binary(each, name=f"right[{g}]").mean() for g, each in enumerate(right)]
    return float(max(shares) - min(shares)) if len(shares) > 1 else math.nan


def gap_interval(right: Sequence[npt.ArrayLike], *, seed: int, resamples: int = 1000) -> Interval:
    """95 % interval for `gap`: `extremes.spread_interval`, with Newcombe's interval for every two groups.

    Reaches 0 when the groups differ by no more than noise. Inputs and errors as in `gap`.
    """
    groups = [_checks.binary(each, name=f"right[{g}]") for g, each in enumerate(right)]
    noise = resampled_means(groups, units=apart(groups), seed=seed, resamples=resamples)

    def difference(i: int, j: int, z: float) -> Interval:
        return unpaired_difference(groups[i], groups[j], level=level_of_z(z))

    return spread_interval([each.mean() for each in groups], noise, within=difference)


def apart(groups: Sequence[npt.NDArray[np.bool_]]) -> list[npt.NDArray[np.int64]]:
    """Units for `extremes.lowest_share` of groups that share no image: every image stands alone."""
    ends = np.cumsum([each.size for each in groups])
    return [np.arange(end - each.size, end) for end, each in zip(ends, groups, strict=True)]


def worst_ece(confidence: Sequence[npt.ArrayLike], correct: Sequence[npt.ArrayLike], *, bins: int = 15) -> float:
    """The largest expected calibration error among groups: max_g ECE_g.

    confidence, correct: of each group as in `calibration.ece`. Returns 0 to 1, lower is better. Noise pushes an ECE up, the more the
    fewer images a group has (0.09 for 100 images of a calibrated model, accuracy 0.8), and choosing the largest pushes it further.
    """
    return max(ece(sure, right, bins=bins) for sure, right in zip(confidence, correct, strict=True))


def worst_ece_interval(
    confidence: Sequence[npt.ArrayLike], correct: Sequence[npt.ArrayLike], *, seed: int, bins: int = 15, resamples: int = 1000
) -> Interval:
    """95 % interval for `worst_ece`: the largest lower end of `resampling.ece_interval` at 1 - 0.05 / G (Bonferroni), the largest upper
    end at 0.95.

    `ece_interval` knows that noise pushes an ECE up, so low is 0 when no group's gaps are larger than noise among so many groups.
    Holds the estimate. Inputs as in `worst_ece`. ValueError for groups of fewer than 2 images.
    """
    many = len(confidence)
    drawn = max(resamples, 40 * many)  # the tail of 0.025 / G must be more than one resample
    lows, highs = [], []
    for g, (sure, right) in enumerate(zip(confidence, correct, strict=True)):
        lows.append(ece_interval(sure, right, seed=seed + g, bins=bins, resamples=drawn, level=1 - 0.05 / many)[0])
        highs.append(ece_interval(sure, right, seed=seed + g, bins=bins, resamples=resamples)[1])
    return max(lows), max(highs)
