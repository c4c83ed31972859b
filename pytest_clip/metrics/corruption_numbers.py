"""The numbers that the two suites of corruptions share, each with what every image contributes to it.

Tables of right answers: ``right`` is bool [severities, n] of one kind, ``table`` bool [kinds, severities, n], ``clean`` bool [n] of the
same images without corruption.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import corruption
from .alexnet import Reference


@dataclass(frozen=True)
class Number:
    """``value`` is the ``statistic`` of ``each`` [n, ...], which is called ``name``; ``over`` the model whose errors it is divided by."""

    value: float
    name: str
    each: npt.NDArray[Any]
    statistic: str = "mean"
    over: Reference | None = None


def accuracy(right: npt.NDArray[np.bool_]) -> Number:
    """Top-1 under one kind, mean of its severities; 0..1, higher is better."""
    each = right.mean(0)
    return Number(float(each.mean()), "correct", each)


def mce_unnormalised(table: npt.NDArray[np.bool_]) -> Number:
    """Mean error over all kinds and severities; 0..1, lower is better."""
    value = corruption.mean_corruption_error_rate(corruption.error_table(table))
    return Number(value, "error", 1 - table.mean((0, 1)))


def relative_mce_unnormalised(table: npt.NDArray[np.bool_], clean: npt.NDArray[np.bool_]) -> Number:
    """What corruption adds to the clean error of the same images, mean over all kinds and severities."""
    added = clean - table.mean((0, 1))
    return Number(float(added.mean()), "added", added)


def mce(table: npt.NDArray[np.bool_], *, kinds: Sequence[str], reference: Reference) -> Number:
    """Error of each kind over the reference's, mean over the kinds (Hendrycks & Dietterich 2019, eq. 1); 1 = as bad as the reference."""
    value = corruption.mce(corruption.error_table(table), kinds=kinds, reference=reference)
    return Number(value, "error", corruption.over_reference(table, kinds=kinds, reference=reference), over=reference)


def relative_mce(table: npt.NDArray[np.bool_], clean: npt.NDArray[np.bool_], *, kinds: Sequence[str], reference: Reference) -> Number:
    """What each kind adds to the clean error over what it adds to the reference's, mean over the kinds (the same, eq. 2)."""
    errors = corruption.error_table(table)
    value = corruption.relative_mce(errors, clean_error=1 - float(np.mean(clean)), kinds=kinds, reference=reference)
    return Number(value, "added", corruption.over_reference(table, clean=clean, kinds=kinds, reference=reference), over=reference)


def largest_rise(right: npt.NDArray[np.bool_]) -> tuple[Number, tuple[int, int] | None]:
    """By how much accuracy rises from a severity to any later one, 0 where it never does, and between which two."""
    [trend] = corruption.monotonicity(corruption.error_table(right[None]))
    return Number(trend.largest_fall, "correct", right.T, statistic="largest_rise"), trend.between
