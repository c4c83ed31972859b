"""Bounds of a drop: how much worse at least, and how much worse at most, one of two models may be."""

from __future__ import annotations

from dataclasses import dataclass

SURE = 0.95


@dataclass(frozen=True)
class Bounds:
    """One-sided bounds of a drop, and the probability `p` of a drop this large when there is none.

    `lower` and `upper` hold with 95 % each by itself (another level where it was asked for); together they are a 90 % interval, which is
    never a point. `units`: scenes or images that were drawn, `differing`: those that the models answered differently. The bounds are
    infinite and p is 1 where nothing can be said.
    """

    lower: float
    upper: float
    p: float
    units: int
    differing: int

    @property
    def half_width(self) -> float:
        return (self.upper - self.lower) / 2
