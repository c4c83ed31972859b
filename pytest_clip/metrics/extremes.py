"""Extremes chosen by looking: the worst of several groups, the distance between the best and the worst, and how sure they are.

The interval of the group that happens to be the worst is not one of the worst group: of ten groups with the same accuracy it covers 77 %.
Here every group may be the worst. For the largest of J true values, an upper bound is the largest of their one-sided upper bounds (one of
them is that of the true largest), and a lower bound the largest of lower bounds that hold for all candidates at once, at a critical value
from resamples in which the largest deviation is looked for each time. Groups that share images are resampled together.
Source: Chernozhukov, Lee & Rosen 2013, "Intersection bounds: estimation and inference", with the candidates of their section 4.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from . import _checks
from ._scores import level_of_z, score_interval, z_of
from .intervals import paired_difference
from .outcomes import Outcomes
from .resampling import Interval, totals, weights_of
from .statistics import columns

CANDIDATE = 0.99
"""Confidence with which a group is not the largest before it stops to count."""
Ends = Callable[[float], npt.ArrayLike]
"""Interval ends [J] at so many standard errors."""


def largest(estimates: npt.ArrayLike, noise: npt.ArrayLike, *, low: Ends, high: Ends, level: float = 0.95) -> Interval:
    """Interval for the largest of J true values, whichever it is.

    estimates: float [J]; noise: float [R, J], resampled minus observed, the columns drawn together; low, high: ends [J] of the interval of
    each value by itself, at z standard errors. Holds max(estimates) when each interval holds its estimate. ValueError for wrong shapes.
    """
    observed, errors = _checks.finite(estimates, name="estimates", ndim=1), _checks.finite(noise, name="noise", ndim=2)
    if errors.shape[1] != observed.size:
        raise ValueError(f"noise has {errors.shape[1]} columns where {observed.size} are needed, one per value")
    z = z_of(level)
    scale = errors.std(axis=0, ddof=1)
    deviations = np.divide(errors, scale, out=np.zeros_like(errors), where=scale > 0)
    wide = max(float(np.quantile(deviations.max(axis=1), CANDIDATE)), z)
    candidates = observed >= (observed - wide * scale).max() - 2 * wide * scale
    critical = max(float(np.quantile(deviations[:, candidates].max(axis=1), 0.5 + level / 2)), z)
    return float(np.max(low(critical))), float(np.max(high(z)))


def lowest_share(right: Sequence[npt.ArrayLike], *, units: Sequence[npt.ArrayLike], seed: int, resamples: int = 1000) -> Interval:
    """95 % interval for the lowest true share of right answers among groups: the worst factor, the worst wording.

    right: bool or 0/1 [n_g] of each group; units: int [n_g], 0 or more, what is drawn as one (scene, image): entries of one number,
    in one group or in several, are drawn together. Each group by itself has Wilson's interval. ValueError for wrong shapes.
    """
    groups = [_checks.binary(each, name=f"right[{g}]") for g, each in enumerate(right)]
    shares, sizes = np.array([each.mean() for each in groups]), [each.size for each in groups]

    def ends(z: float, side: int) -> list[float]:
        return [score_interval(float(p), n, z)[side] for p, n in zip(shares, sizes, strict=True)]

    low, high = largest(
        -shares, -resampled_means(groups, units=units, seed=seed, resamples=resamples),
        low=lambda z: np.negative(ends(z, 1)), high=lambda z: np.negative(ends(z, 0)),
    )  # fmt: skip
    return -high, -low


def largest_drop(
    before: Sequence[npt.ArrayLike], after: Sequence[npt.ArrayLike], *, units: Sequence[npt.ArrayLike], seed: int, resamples: int = 1000
) -> Interval:
    """95 % interval for the largest true drop mean(before) - mean(after) among groups of pairs, each with Newcombe's; as `lowest_share`."""
    pairs = [
        (_checks.binary(one, name=f"before[{g}]"), _checks.binary(two, name=f"after[{g}]"))
        for g, (one, two) in enumerate(zip(before, after, strict=True))
    ]
    lost = [one.astype(np.float64) - two for one, two in pairs]

    def ends(z: float, side: int) -> list[float]:
        return [paired_difference(*pair, level=level_of_z(z))[side] for pair in pairs]

    noise = resampled_means(lost, units=units, seed=seed, resamples=resamples)
    return largest([each.mean() for each in lost], noise, low=lambda z: ends(z, 0), high=lambda z: ends(z, 1))


def share_spread(right: npt.ArrayLike, *, seed: int, resamples: int = 1000) -> Interval:
    """`spread_interval` of the shares of right answers of the same n images under k choices; Newcombe's interval for every two of them.

    right: bool or 0/1 [n, k]. 95 %; never a point.
    """
    answers = _checks.finite(right, name="right", ndim=2)
    noise = resampled_means(list(answers.T), units=[np.arange(len(answers))] * answers.shape[1], seed=seed, resamples=resamples)

    def difference(i: int, j: int, z: float) -> Interval:
        return paired_difference(answers[:, i], answers[:, j], level=level_of_z(z))

    return spread_interval(answers.mean(axis=0), noise, within=difference)


def resampled_columns(base: str, outcomes: Outcomes, *, seed: int, resamples: int = 1000) -> tuple[_checks.Floats, _checks.Floats]:
    """Values [k] of the statistic `base` of each column, and resampled minus observed values [R, k].

    outcomes: arrays [n, k] and others [m, k], drawn apart from each other. The mean of what is resampled is not 0 where noise pushes a
    value up, as it does an ECE. ValueError where a resample has no value.
    """
    each = columns(base, outcomes.arrays, outcomes.others, outcomes.params)
    n, m = len(outcomes.ids), len(outcomes.other_ids)
    values = each(np.ones((1, n)), np.ones((1, m)))[0]
    drawn = np.concatenate([each(w, v) for w, v in weights_of(n, m, seed=seed, resamples=resamples)])
    return values, _checks.finite(drawn - values, name="resampled values", ndim=2)


def resampled_means(values: Sequence[npt.ArrayLike], *, units: Sequence[npt.ArrayLike], seed: int, resamples: int = 1000) -> _checks.Floats:
    """Resampled minus observed mean of each of G groups, float [R, G]; inputs as in `lowest_share`, `values` any finite numbers.

    0 where a resample draws nothing of a group.
    """
    each = [_checks.finite(array, name=f"values[{g}]", ndim=1) for g, array in enumerate(values)]
    if not each or len(units) != len(each):
        raise ValueError(f"groups and their units must be equally many, and at least one; got {len(each)} and {len(units)}")
    rows = [_checks.integers(array, name=f"units[{g}]", n=mine.size) for g, (mine, array) in enumerate(zip(each, units, strict=True))]
    place = np.split(np.unique(np.concatenate(rows), return_inverse=True)[1], np.cumsum([len(mine) for mine in rows])[:-1])
    n = 1 + max(int(at.max()) for at in place)
    off = [np.bincount(at, mine - mine.mean(), minlength=n) for at, mine in zip(place, each, strict=True)]
    drawn = totals(np.stack(off + [np.bincount(at, minlength=n) for at in place], axis=1), seed=seed, resamples=resamples, groups=None)
    moved: _checks.Floats = drawn[:, : len(each)] / np.maximum(drawn[:, len(each) :], 1)
    return moved


def spread_interval(
    values: npt.ArrayLike, noise: npt.ArrayLike, *, within: Callable[[int, int, float], Interval] | None = None, level: float = 0.95
) -> Interval:
    """Interval for the largest true difference between any two of k values, such as accuracies under k sets of prompts; 0 or more.

    The largest of all k (k - 1) signed differences. It reaches 0 when the differences are no larger than noise. values: float [k]; noise:
    float [R, k] as in `largest`. within(i, j, z): the interval of value i minus value j at z standard errors; None: the resampled one.
    """
    observed, errors = _checks.finite(values, name="values", ndim=1), _checks.finite(noise, name="noise", ndim=2)
    errors = errors - errors.mean(axis=0)
    pairs = [(i, j) for i in range(observed.size) for j in range(observed.size) if i != j]
    if not pairs:
        return math.nan, math.nan
    first, second = np.array(pairs).T
    differences, moved = observed[first] - observed[second], errors[:, first] - errors[:, second]
    scale = moved.std(axis=0, ddof=1)

    def ends(z: float, side: int) -> npt.ArrayLike:
        if within is None:
            return np.asarray(differences + (2 * side - 1) * z * scale)
        return [within(i, j, z)[side] for i, j in pairs]

    low, high = largest(differences, moved, low=lambda z: ends(z, 0), high=lambda z: ends(z, 1), level=level)
    return max(low, 0.0), max(high, 0.0)


def deviation_interval(values: npt.ArrayLike, noise: npt.ArrayLike, *, level: float = 0.95) -> Interval:
    """Interval for the standard deviation of k true values (`spread.deviation`), by inverting a bootstrap test; 0 or more.

    Like a calibration error, a deviation is pushed up by noise, so a percentile interval of equal values lies wholly above 0. This one
    holds every t * deviation, t >= 0, at which the observed deviation is in neither tail of that of t * (values - mean) + noise (Carpenter
    1999), noise less its mean, taken in any direction, so that equal observed values have a width, too. Where noise pushes the values
    themselves, a small calibration error farther than a large one, they are also taken less the mean of `noise`, and the interval
    reaches from the lower of both lower ends to the higher of both upper ones. Of seven calibration errors one of which is 5 points higher,
    500 images: covered by 0.97, without that by 0.87. Inputs as in `spread_interval`.
    """
    observed, errors = _checks.finite(values, name="values", ndim=1), _checks.finite(noise, name="noise", ndim=2)
    pushed, tail = errors.mean(axis=0), (1.0 - _checks.level_of(level)) / 2.0
    ends = [_deviation_ends(each, errors - pushed, tail) for each in (observed, observed - pushed)]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _deviation_ends(observed: _checks.Floats, errors: _checks.Floats, tail: float) -> Interval:
    gaps = observed - observed.mean()
    found, floor = float(gaps.std()), float(np.quantile(errors.std(axis=1), 1.0 - tail))  # floor: of equal values
    if found <= 1e-12:
        return 0.0, floor

    def excess(scale: float, quantile: float) -> float:
        return float(np.quantile((scale * gaps + errors).std(axis=1), quantile)) - found

    end = 1.0 + floor / found
    return _crossing(lambda t: excess(t, 1.0 - tail), 0.0, 1.0) * found, _crossing(lambda t: excess(t, tail), 1.0, 1.0 + 2 * end) * found


def _crossing(rising: Callable[[float], float], start: float, end: float) -> float:
    """Where `rising` crosses 0 between start and end, to 1e-4 of their distance; the nearer end where it does not."""
    if rising(start) >= 0:
        return start
    for _ in range(14):
        middle = (start + end) / 2
        start, end = (start, middle) if rising(middle) >= 0 else (middle, end)
    return end
