"""Average precision of many resamples of many scores: neighbours are drawn together, so the cost does not grow with the samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ._checks import Floats

CELLS = 2_000


def average_precisions(positive: Floats, negative: Floats, *, seed: int, resamples: int) -> tuple[float, Floats]:
    """`ood.aupr_in` of the scores and [resamples] of both kinds drawn with replacement, all of them with scores cut into CELLS.

    Cells hold about as many scores each, and all that are equal lie in one; in a cell of several scores both kinds are taken to be spread
    evenly. How often a cell is drawn is multinomial, which is what drawing its samples one by one comes to.
    """
    own, theirs, tied = _cells(positive, negative)
    rng = np.random.default_rng(seed)
    hits, passed = (rng.multinomial(each.sum(), each / each.sum(), size=resamples) for each in (own, theirs))
    found = _precision(own[None], theirs[None], tied)
    return float(found[0]), _precision(hits, passed, tied)


def _cells(positive: Floats, negative: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """By cell, from the highest scores to the lowest: how many positive, how many negative, and whether all of them are equal."""
    pooled = np.sort(np.concatenate([positive, negative]))
    edges = np.unique(pooled[np.linspace(0, pooled.size - 1, CELLS).astype(int)])
    counts = [np.bincount(np.searchsorted(edges, each, side="right"), minlength=edges.size + 1)[::-1] for each in (positive, negative)]
    cell, cells = np.searchsorted(edges, pooled, side="right"), np.arange(edges.size + 1)
    first, last = np.searchsorted(cell, cells, side="left"), np.searchsorted(cell, cells, side="right")
    low, high = pooled[np.minimum(first, pooled.size - 1)], pooled[np.maximum(last - 1, 0)]
    return counts[0], counts[1], ((low == high) | (last <= first))[::-1]


def _precision(own: npt.NDArray[np.int64], theirs: npt.NDArray[np.int64], tied: npt.NDArray[np.bool_]) -> Floats:
    """[R] of counts [R, cells]."""
    hits, passed = np.cumsum(own, axis=1), np.cumsum(theirs, axis=1)
    right = np.where(tied, hits, hits - (own - 1) / 2)
    seen = right + np.where(tied, passed, passed - theirs / 2)
    found: Floats = (own * right / np.maximum(seen, 1)).sum(axis=1) / own.sum(axis=1)
    return found
