"""Many tests at once: p values adjusted so that the chance of any false alarm, or the share of them, stays below a level."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

import numpy as np

from . import _checks

Key = TypeVar("Key", bound=Hashable)


def holm(pvalues: Mapping[Key, float]) -> dict[Key, float]:
    """Adjusted p values: max over the smaller ones of (m - rank + 1) p, at most 1. Reject those <= alpha: P(any false alarm) <= alpha.

    Holds for tests that depend on each other in any way, such as gates that share images. Never rejects less than Bonferroni (m p). Keys
    keep their order. ValueError for p outside [0, 1]. Source: Holm 1979; equals statsmodels' `multipletests(method="holm")`.
    """
    p, order = _sorted(pvalues)
    m = p.size
    return _back(pvalues, order, np.maximum.accumulate((m - np.arange(m)) * p))


def benjamini_hochberg(pvalues: Mapping[Key, float]) -> dict[Key, float]:
    """Adjusted p values: min over the larger ones of m p / rank, at most 1. Those <= alpha hold at most a share alpha of false ones.

    For tests that are independent or depend positively. Keys keep their order. ValueError for p outside [0, 1]. Source: Benjamini &
    Hochberg 1995; equals statsmodels' `multipletests(method="fdr_bh")`.
    """
    p, order = _sorted(pvalues)
    m = p.size
    return _back(pvalues, order, np.minimum.accumulate((m / np.arange(1, m + 1) * p)[::-1])[::-1])


def rejected(pvalues: Mapping[Key, float], *, alpha: float = 0.05) -> dict[Key, bool]:
    """Which tests `holm` rejects at `alpha`."""
    return {key: p <= alpha for key, p in holm(pvalues).items()}


def _sorted(pvalues: Mapping[Key, float]) -> tuple[_checks.Floats, _checks.Ints]:
    given = np.array([_checks.share(p, name=f"the p value of {key}") for key, p in pvalues.items()], dtype=np.float64)
    order = np.argsort(given, kind="stable").astype(np.int64)
    return given[order], order


def _back(pvalues: Mapping[Key, float], order: _checks.Ints, adjusted: _checks.Floats) -> dict[Key, float]:
    found = np.empty_like(adjusted)
    found[order] = np.minimum(adjusted, 1.0)
    return dict(zip(pvalues, found.tolist(), strict=True))
