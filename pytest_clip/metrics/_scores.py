"""Wilson's score interval from a proportion, and normal quantiles: what the intervals share; the score interval of an AUROC."""

import math

from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from . import _checks


def score_interval(p: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's interval for a proportion `p` of `n` (whole or not).

    The ends are exact where rounding would move them off 0, 1 or the wrong side of p.
    """
    centre, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)
    return (0.0 if p == 0 else min(max(low, 0.0), p)), (1.0 if p == 1 else max(min(high, 1.0), p))


def z_of(level: float) -> float:
    """Standard errors to either side of a normal interval of this confidence."""
    return float(ndtri(0.5 + _checks.level_of(level) / 2.0))


def level_of_z(z: float) -> float:
    """The confidence of a normal interval of so many standard errors to either side; the inverse of `z_of`."""
    return float(2.0 * ndtr(z) - 1.0)


def area_interval(area: float, n: int, m: int, z: float) -> tuple[float, float]:
    """Every AUROC h of two exponential distributions from which `area`, of n and m scores, is at most z standard errors of h away.

    The variance is of h, not of the sample, so it is none too small where the sample happens to overlap little. It supposes that both
    spread alike and knows nothing of ties: to be joined with another interval. Source: Newcombe 2006, "Confidence intervals for an effect
    size measure based on the Mann-Whitney statistic", part 2, method 5; the variance of Hanley & McNeil 1982.
    """
    half = (n + m) / 2 - 1

    def beyond(h: float) -> float:
        return (area - h) ** 2 - z * z * h * (1 - h) * (1 + half * ((1 - h) / (2 - h) + h / (1 + h))) / (n * m)

    low = float(brentq(beyond, 0.0, area)) if beyond(0.0) > 0 else area
    high = float(brentq(beyond, area, 1.0)) if beyond(1.0) > 0 else area
    return low, high
