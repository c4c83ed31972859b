"""Resampling: seeded bootstrap intervals for numbers without a closed form. Import them from `intervals`.

The same seed, arrays and number of resamples give the same interval on every machine and worker: take the seed from the gate id with
`seed_from`. Fewer than 2 samples (or groups) is an error, not an interval of width 0.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtr, stdtrit

from . import _checks
from .calibration import binned
from .few import TooFewError

Interval: TypeAlias = tuple[float, float]


def seed_from(text: str) -> int:
    """A 63-bit seed that depends on `text` only (blake2b), so not on PYTHONHASHSEED, the clock, the host or the order of the tests."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def bootstrap(
    statistic: Callable[..., float],
    *arrays: npt.ArrayLike,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
    groups: npt.ArrayLike | None = None,
) -> Interval:
    """Percentile interval for `statistic(*arrays)` from samples drawn with replacement, the same ones in every array.

    Percentiles are expanded for few units, as Student's t is (Hesterberg 2015, "What teachers should know about the bootstrap").
    Skewed means have `mean_interval`.

    arrays: each [n, ...]; groups: int [n], samples of one group (frames of a video, views of a scene) are drawn together. Not for numbers
    that noise pushes one way, such as the ECE: see `ece_interval`. ValueError for n < 2, different lengths, or a statistic that is NaN on
    some resamples (says how many). Source: Efron & Tibshirani 1993, section 13.3.
    """
    if not arrays:
        raise ValueError("bootstrap needs at least one array")
    columns = [np.asarray(a) for a in arrays]
    lengths = [c.shape[0] if c.ndim else 0 for c in columns]
    if len(set(lengths)) > 1:
        raise ValueError(f"arrays must have one length; got {lengths}")
    members = _members(lengths[0], groups)
    rng, values = np.random.default_rng(seed), np.empty(_checks.count(resamples, name="resamples"))
    for r in range(values.size):
        drawn = rng.integers(len(members), size=len(members))
        chosen = drawn if groups is None else np.concatenate([members[g] for g in drawn])
        values[r] = statistic(*(c[chosen] for c in columns))
    return _interval(values, level=level, units=len(members))


def two_sample_bootstrap(
    statistic: Callable[..., float],
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
) -> Interval:
    """Percentile interval for `statistic(first, second)` where the two sets (ID and OOD scores) are drawn independently of each other.

    Expanded as in `bootstrap`.

    first: [n, ...]; second: [m, ...]. ValueError for n < 2, m < 2 or a statistic that is NaN on some resamples.
    """
    a, b = np.asarray(first), np.asarray(second)
    n, m = (len(_members(x.shape[0] if x.ndim else 0, None)) for x in (a, b))
    rng, values = np.random.default_rng(seed), np.empty(_checks.count(resamples, name="resamples"))
    for r in range(values.size):
        values[r] = statistic(a[rng.integers(n, size=n)], b[rng.integers(m, size=m)])
    return _interval(values, level=level, units=min(n, m))


def ece_interval(
    confidence: npt.ArrayLike,
    correct: npt.ArrayLike,
    *,
    seed: int,
    bins: int = 15,
    resamples: int = 1000,
    level: float = 0.95,
    groups: npt.ArrayLike | None = None,
    adaptive: bool = False,
) -> Interval:
    """Interval for `calibration.ece`, or for `adaptive_ece` with adaptive=True (bins kept as observed), by inverting a bootstrap test.

    ECE = sum_b |g_b| with signed gaps g_b, so noise in a bin can only push it up: a percentile interval of a calibrated model lies wholly
    above the truth. Here the bootstrap gives the noise e_b of the gaps, and the interval holds every t * ECE, t >= 0, at which the
    observed ECE is neither in the upper nor in the lower tail of sum_b |t g_b + e_b|; widened, if need be, to hold the estimate. So low is
    0 when the gaps are no larger than noise. Measured coverage at level 0.95, n = 300 to 1900: 0.92 to 0.98; with adaptive=True 0.90 to
    0.98, and as little as 0.88 on other data: take it for 90 % (`benchmarks/gates/coverage_means.py`). Like any bootstrap it has width 0
    when the model is right on every sample at confidence 1.
    Inputs as in `ece` and `bootstrap`. Source: Carpenter 1999, "Test inversion bootstrap confidence intervals", along the observed gaps.
    """
    held, right, which = binned(confidence, correct, bins=bins, adaptive=adaptive)
    columns = np.zeros((held.size, bins + 1))
    columns[np.arange(held.size), which] = held - right
    columns[:, bins] = 1.0
    gaps = columns[:, :bins].mean(axis=0)
    sums = totals(columns, seed=seed, resamples=resamples, groups=groups)
    noise = sums[:, :bins] / sums[:, bins:] - gaps
    observed, tail = float(np.abs(gaps).sum()), (1.0 - _checks.level_of(level)) / 2.0

    def excess(scale: float, quantile: float) -> float:
        return float(np.quantile(np.abs(scale * gaps + noise).sum(axis=1), quantile)) - observed

    low = _root(lambda t: excess(t, 1.0 - tail), 0.0, 1.0)
    high = _root(lambda t: excess(t, tail), 1.0, 1.0 / observed if observed > 0 else 1.0)
    return low * observed, min(high * observed, 1.0)


def _root(rising: Callable[[float], float], start: float, end: float) -> float:
    """Where `rising` crosses 0 between start and end; the nearer end where it does not."""
    if rising(start) >= 0:
        return start
    if rising(end) <= 0:
        return end
    return float(brentq(rising, start, end, xtol=1e-6))


def totals(columns: _checks.Floats, *, seed: int, resamples: int, groups: npt.ArrayLike | None) -> _checks.Floats:
    """Column sums [resamples, k] of `columns` [n, k] over rows drawn with replacement, as (how often each row was drawn) @ columns."""
    members = _members(columns.shape[0], groups)
    if groups is not None:
        columns = np.stack([columns[m].sum(axis=0) for m in members])
    n, left = len(members), _checks.count(resamples, name="resamples")
    rng, sums = np.random.default_rng(seed), []
    while left:
        rows = min(left, max(1, 2**21 // n))  # 16 MB of indices at a time
        drawn = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        sums.append(np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n) @ columns)
        left -= rows
    return np.concatenate(sums)


def weights_of(n: int, m: int, *, seed: int, resamples: int) -> Iterator[tuple[_checks.Floats, _checks.Floats]]:
    """How often each of n samples, and each of m others, is drawn: weights [some, n] and [some, m], `resamples` rows in all."""
    rng, left = np.random.default_rng(seed), _checks.count(resamples, name="resamples")

    def drawn(rows: int, of: int) -> _checks.Floats:
        places = rng.integers(max(of, 1), size=(rows, of)) + of * np.arange(rows)[:, None]
        return np.bincount(places.ravel(), minlength=rows * of).reshape(rows, of).astype(np.float64)

    while left:
        rows = min(left, max(1, 2**18 // (n + m)))  # 2 MB at a time
        yield drawn(rows, n), drawn(rows, m)
        left -= rows


def _members(n: int, groups: npt.ArrayLike | None) -> list[npt.NDArray[np.intp]] | range:
    """Row numbers of each unit to draw; `range(n)` when every row is its own."""
    if groups is None:
        if n < 2:
            raise TooFewError(f"a bootstrap needs at least 2 samples; got {n}")
        return range(n)
    labels = _checks.integers(groups, name="groups", n=n)
    order = np.argsort(labels, kind="stable")
    units = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    if len(units) < 2:
        raise TooFewError(f"a bootstrap needs at least 2 groups; got {len(units)}")
    return units


def expanded(tail: float, units: int) -> float:
    """The tail at which a percentile interval of a mean is as wide as Student's: for 20 units 0.018 instead of 0.025."""
    return float(ndtr(math.sqrt(units / (units - 1)) * stdtrit(units - 1, tail)))


def _interval(values: _checks.Floats, *, level: float, units: int) -> Interval:
    tail = expanded((1.0 - _checks.level_of(level)) / 2.0, units)
    missing = int(np.count_nonzero(~np.isfinite(values)))
    if missing:
        raise TooFewError(f"the statistic is NaN or infinite on {missing} of {values.size} resamples: too few samples for an interval")
    low, high = (float(q) for q in np.quantile(values, [tail, 1.0 - tail]))
    return low, high
