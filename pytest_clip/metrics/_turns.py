"""Drops of resamples and of exchanges where the number itself misleads: extremes of groups, ratios of few.

Each function takes a `Pair` and gives functions of weights [R, n] and [R, m] whose results are drops [R].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from . import _checks
from ._pairs import Pair
from .outcomes import Outcomes
from .statistics import STATISTICS

Floats: TypeAlias = _checks.Floats
Weighing: TypeAlias = Callable[[Floats, Floats], Floats]

RATE = 1 / 6
"""Resampled values of groups lie U^RATE times as far from the observed ones: a step of U^(-1/3), between noise, U^(-1/2), and 1."""


def resampled(pair: Pair) -> Weighing:
    """The drop of a resample; of an extreme of groups (the lowest of several means), by the numerical delta method.

    Which group is the lowest changes from resample to resample, so the distances between the groups' drops count as noise of the drop,
    which they are not: between equal copies the lowest of five groups came out "worse" in 0.0 % (n = 50) to 1.3 % (n = 1,900) of the
    samples, not in 5 %. Here the derivative in the direction of each resample is taken by a step longer than the noise, so groups that
    noise cannot tell apart are one, and those that it can keep their place. Source: Hong & Li 2018, "The numerical delta method"; Fang &
    Santos 2019, "Inference on directionally differentiable functions".
    """
    statistic = STATISTICS[str(pair.base.statistic)]
    if statistic.parts is None or statistic.reduce is None:
        return pair.drops()
    parts, reduce, step = statistic.parts, statistic.reduce, max(pair.units, 1) ** RATE
    whole = [np.ones((1, len(members))) for members in pair.members]

    def of(outcomes: Outcomes) -> Weighing:
        each = parts(outcomes.arrays, outcomes.others, outcomes.params)
        middle = each(*whole)

        def weighed(w: Floats, v: Floats) -> Floats:
            values: Floats = reduce(middle) + (reduce(middle + step * (each(w, v) - middle)) - reduce(middle)) / step
            return values

        return weighed

    before, after = of(pair.base), of(pair.now)

    def drop(w: Floats, v: Floats) -> Floats:
        values: Floats = pair.sign * (after(w, v) - before(w, v))
        return values

    return drop


def crossed(pair: Pair) -> tuple[Weighing, Weighing] | None:
    """Of ratios top / bottom whose bottoms differ: the drop as (top' bottom - top bottom') over the observed bottoms; drawn, exchanged.

    It is 0 exactly when the drop is, and its noise has no small numbers below (Fieller 1954). A ratio of few errors scatters so widely
    that an exchange compared with it found next to nothing: of error ratios 0.2 % between equal copies at n = 190, now 2.2 %; 1.7 % under
    unequal spread at n = 1,900, now 2.7 %. None where both have the same bottoms, or the statistic is no ratio of sums.
    """
    sums = STATISTICS[str(pair.base.statistic)].sums
    if sums is None:
        return None
    (top, bottom), (other_top, other_bottom) = (sums(each.arrays, each.params) for each in (pair.base, pair.now))
    if np.array_equal(bottom, other_bottom):
        return None
    scale = pair.sign / (bottom.sum() * other_bottom.sum())

    def drawn(w: Floats, v: Floats) -> Floats:
        values: Floats = scale * ((w @ other_top) * (w @ bottom) - (w @ top) * (w @ other_bottom))
        return values

    def exchanged(w: Floats, v: Floats) -> Floats:
        def mixed(mine: Floats, theirs: Floats) -> tuple[Floats, Floats]:
            moved = w @ (theirs - mine)
            return mine.sum() + moved, theirs.sum() - moved

        (a, b), (c, d) = mixed(top, other_top), mixed(bottom, other_bottom)
        values: Floats = scale * (b * c - a * d)
        return values

    return drawn, exchanged
