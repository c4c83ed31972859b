"""Pseudo-objects of the OOD sets: nothing at all, and a wall that fills the frame."""

from __future__ import annotations

import numpy as np

from ..primitives import Builder

Draw = np.random.Generator


def nothing(g: Draw, b: Builder) -> None:
    """A speck that no pixel's ray can hit: an empty scene still has one primitive."""
    del g
    b.ball((0, 0, 0), 1e-7)


def slab(g: Draw, b: Builder) -> None:
    """A wall whose face lies off the planes z = 0 where checks change colour and grid lines run: there rounding would draw noise."""
    del g
    b.box((0, 0, -0.3), (6, 6, 0.1))
