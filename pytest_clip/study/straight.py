"""Where the relation of an accuracy under shift to clean accuracy is a straight line: nothing is read off one elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_clip.study.axes import Axis, onto
from pytest_clip.study.clusters import fit
from pytest_clip.study.design import design
from pytest_clip.study.population import Population

LOWER_ENDS = (0.0, 0.3, 0.4, 0.5, 0.6)
"""Clean accuracies from which on a line is tried, widest range first."""
FEWEST_LINEAGES = 8
ALPHA = 0.05
TOO_FEW = "too few families to see whether it is straight"


@dataclass(frozen=True)
class Range:
    """Models with clean accuracies from `lowest` to `highest`; `p`: that the relation is straight there, None of too few."""

    lowest: float
    highest: float
    models: int
    lineages: int
    p: float | None

    @property
    def straight(self) -> bool:
        return self.p is not None and self.p >= ALPHA


def straight_said(tried: Iterable[Range]) -> str:
    """Why there is no straight range."""
    return "curved in every range that was tried" if any(each.p is not None for each in tried) else TOO_FEW


def straight_range(
    population: Population, on: str, *, clean: str, factors: Sequence[str], amounts: Sequence[str] = (), axis: Axis = "logit"
) -> tuple[Range | None, tuple[Range, ...]]:
    """The widest range of clean accuracies with no curve to be seen, None where there is none; and every range that was tried.

    The test is of the coefficient of (clean - mean)^2 beside the factors' columns, by the jackknife over lineages. Not seeing a curve is no
    proof that there is none: with few lineages left only a strong one is seen, so a range of fewer than eight says nothing.
    """
    tried = []
    for lowest in LOWER_ENDS:
        kept = population.only((population.values[clean] >= lowest) & np.isfinite(population.values[on]))
        lineages = len(set(kept.lineages))
        p = _curve(kept, on, clean, factors, amounts, axis) if lineages >= FEWEST_LINEAGES else None
        xs = kept.values[clean]
        tried.append(Range(float(xs.min()) if len(kept) else lowest, float(xs.max()) if len(kept) else lowest, len(kept), lineages, p))
        if tried[-1].straight:
            return tried[-1], tuple(tried)
    return None, tuple(tried)


def _curve(population: Population, on: str, clean: str, factors: Sequence[str], amounts: Sequence[str], axis: Axis) -> float | None:
    x = onto(population.values[clean], axis, n=population.counts[clean])
    made = design(population, np.column_stack([x, (x - x.mean()) ** 2]), factors=factors, amounts=amounts)
    wanted = np.zeros(len(made.columns))
    wanted[2] = 1.0
    if len(population) <= len(made.columns) + 2 or not made.tells(wanted):
        return None
    y = onto(population.values[on], axis, n=population.counts[on])
    return fit(made.rows, y, lineages=population.lineages, strata=[""] * len(population), seed=0, resamples=0).estimate(wanted).p
