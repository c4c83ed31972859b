"""Quantiles of strengths of which some are only known to be larger than the search went."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr

from . import _checks


def quantile(values: npt.ArrayLike, share: float) -> float:
    """The smallest of `values` [n] that at least `share` of them do not exceed: one of them, never between two. They may hold inf.

    ValueError for no value, for NaN, and for a share outside 0 to 1.
    """
    ordered, share = _ordered(values), _checks.share(share, name="share")
    return float(ordered[max(0, math.ceil(round(share * len(ordered), 9)) - 1)])


def quantile_interval(values: npt.ArrayLike, share: float, *, level: float = 0.95) -> tuple[float, float]:
    """Two of the ordered `values` [n] between which the quantile of the population lies with at least `level`; -inf or inf where n is too
    small for one. It asks nothing of the distribution: how many values lie below is binomial (Hahn and Meeker 1991, section 5.2).
    """
    ordered, share = _ordered(values), _checks.share(share, name="share")
    n, tail = len(ordered), (1 - _checks.level_of(level)) / 2
    below = np.asarray(bdtr(np.arange(n + 1), n, share), np.float64)  # P(at most k of n lie below)
    first = int((below <= tail).sum())  # rank from 1; 0: none
    last = int((below < 1 - tail).sum()) + 1
    return (float(ordered[first - 1]) if first else -math.inf, float(ordered[last - 1]) if last <= n else math.inf)


def _ordered(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array) or bool(np.isnan(array).any()):
        raise ValueError("values must be a list of at least one number, without NaN")
    return np.sort(array)
