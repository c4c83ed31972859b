"""Robust regression on several columns: Huber's estimate, for one sample or for all resamples of it at once."""

import math

import numpy as np
import numpy.typing as npt

from . import _checks

TUNING = 1.345
PLAIN = 100.0
"""A tuning from which on all weights are 1 in practice: least squares."""
CONDITION = 1e9
"""Of a matrix (1-norm) that is inverted as it is: no eigenvalue of it is one that the pseudo-inverse would leave out."""
_QUARTILE = 0.6744897501960817
"""The normal distribution's upper quartile."""


def huber(design: npt.ArrayLike, y: npt.ArrayLike, *, weights: npt.ArrayLike | None = None, tuning: float = TUNING) -> _checks.Floats:
    """Coefficients of y on the columns of `design` by Huber's estimate: iterated re-weighting from least squares until nothing changes.

    Each row counts w min(1, c s / |residual|), c = `tuning`, s = weighted median of |residual| / 0.6745. design: float [n, p], a column of
    ones included where an intercept is wanted; y: float [n]; weights: how often each row counts, float [n] or, for many resamples at once,
    [R, n], 0 or more. Returns [p], or [R, p]; columns that the rows cannot tell apart share their coefficient (least norm), which
    `estimable` tells. A single fit settles to 1e-10 or is a ValueError after 2,000 steps. Resamples settle to 1e-6; one that has not after
    100 steps goes to and fro between two scales (1 in 100 samples of 100 models) and is taken as it is then. ValueError for NaN, wrong
    shapes, fewer rows than columns. Source: Huber 1981; equals statsmodels' RLM with HuberT.
    """
    x, values = _checks.finite(design, name="design", ndim=2), _checks.finite(y, name="y", ndim=1)
    if len(x) != values.size or values.size < x.shape[1]:
        raise ValueError(
            f"design is {x.shape[0]} x {x.shape[1]} for {values.size} values: it needs a row for each, and as many rows as columns"
        )
    times = np.ones((1, values.size)) if weights is None else np.atleast_2d(np.asarray(weights, dtype=np.float64))
    if times.shape[1] != values.size or not np.isfinite(times).all() or (times < 0).any():
        raise ValueError(f"weights must be 0 or more, one for each of {values.size} rows")
    c = _checks.positive(tuning, name="tuning")
    many = weights is not None and np.ndim(weights) == 2
    steps, near = (100, 1e-6) if many else (2_000, 1e-10)
    found = np.empty((len(times), x.shape[1]))
    products = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
    open_, held, before = np.arange(len(times)), times.copy(), np.full((len(times), x.shape[1]), math.inf)
    if many and c < PLAIN:  # resamples are near the whole: from its weights on they take half the steps
        held *= _weights(np.abs(values - _settled(x, values, products, c) @ x.T), np.ones((1, values.size)), c)[0]
    for _ in range(steps):
        fitted = _least_squares(x, values, held[open_], products)
        distance = np.abs(values - fitted @ x.T)
        scale = _median(distance, times[open_]) / _QUARTILE
        found[open_] = fitted
        moving = (scale > 1e-12) & (np.abs(fitted - before[open_]).max(axis=1) > near)
        before[open_] = fitted
        held[open_] = times[open_] * _bounded(distance, scale, c)
        open_ = open_[moving]
        if not open_.size:
            break
    if many:
        return found
    if not open_.size:
        single: _checks.Floats = found[0]
        return single
    raise ValueError("the robust fit did not settle within 2,000 steps: use more models, or fewer columns")


def _settled(x: _checks.Floats, y: _checks.Floats, products: _checks.Floats, c: float) -> _checks.Floats:
    """About the estimate of all rows, [1, p]: after five steps."""
    ones = np.ones((1, y.size))
    held = ones
    for _ in range(5):
        fitted = _least_squares(x, y, held, products)
        held = _weights(np.abs(y - fitted @ x.T), ones, c)
    return fitted


def _weights(distance: _checks.Floats, times: _checks.Floats, c: float) -> _checks.Floats:
    return _bounded(distance, _median(distance, times) / _QUARTILE, c)


def _bounded(distance: _checks.Floats, scale: _checks.Floats, c: float) -> _checks.Floats:
    """Huber's weights [R, n] of residuals of so much."""
    bound = np.maximum(c * scale[:, None], 1e-300)
    found: _checks.Floats = bound / np.maximum(distance, bound)
    return found


def estimable(design: npt.ArrayLike, contrast: npt.ArrayLike) -> bool:
    """Whether the rows of `design` [n, p] determine contrast @ coefficients: the contrast [p] lies in the space that the rows span."""
    x, wanted = _checks.finite(design, name="design", ndim=2), _checks.finite(contrast, name="contrast", ndim=1)
    inside = np.linalg.pinv(x, rcond=1e-9) @ x @ wanted
    return bool(np.allclose(inside, wanted, atol=1e-6))


def _least_squares(x: _checks.Floats, y: _checks.Floats, w: _checks.Floats, products: _checks.Floats) -> _checks.Floats:
    """Coefficients [R, p] for row weights [R, n]; products [n, p p] are those of the columns of x with each other."""
    p = x.shape[1]
    gram = (w @ products).reshape(-1, p, p)
    size = np.sqrt(np.maximum(np.einsum("rpp->rp", gram), 1e-300))  # columns of one length, so that the cut-off means the same for each
    inverse = _inverse(gram / (size[:, :, None] * size[:, None, :]))
    found: _checks.Floats = np.einsum("rpq,rq->rp", inverse, ((w * y) @ x) / size) / size
    return found


def _inverse(gram: _checks.Floats) -> _checks.Floats:
    """Inverses of symmetric matrices [R, p, p], pseudo-inverses of those that have none: five times as quick as those of all."""
    try:
        found = np.linalg.inv(gram)
    except np.linalg.LinAlgError:
        return _pseudo_inverse(gram)
    condition = np.abs(found).sum(axis=1).max(axis=1) * np.abs(gram).sum(axis=1).max(axis=1)
    bad = ~(condition < CONDITION)
    if bad.any():
        found[bad] = _pseudo_inverse(gram[bad])
    return np.asarray(found, dtype=np.float64)


def _pseudo_inverse(gram: _checks.Floats) -> _checks.Floats:
    return np.asarray(np.linalg.pinv(gram, rcond=1e-10, hermitian=True), dtype=np.float64)


def _median(values: _checks.Floats, w: _checks.Floats) -> _checks.Floats:
    """Weighted medians [R] of the rows of values [R, n]; the mean of the two middle ones when they differ."""
    order = np.argsort(values, axis=1)
    ranked, counted = np.take_along_axis(values, order, axis=1), np.cumsum(np.take_along_axis(w, order, axis=1), axis=1)
    half = counted[:, -1:] / 2
    low, high = np.argmax(counted >= half - 1e-12, axis=1), np.argmax(counted > half + 1e-12, axis=1)
    rows = np.arange(len(values))
    middle: _checks.Floats = (ranked[rows, low] + ranked[rows, high]) / 2
    return middle
