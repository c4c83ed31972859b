"""Exact answers to two questions about two pictures: where is this point again, and where is this part again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ViewPair:
    """Two views of one object. Places are pixels (x right, y down, centres at integers), points lie in the object's own coordinates."""

    size: tuple[int, int]
    """height and width of both pictures"""
    degrees: float
    """angle between the two views"""
    source: Floats
    """[k, 2] places in the first view whose points the second view shows, too"""
    source_points: Floats
    """[k, 3]"""
    landing: Floats
    """[k, 2] where those points are in the second view, exactly: not at pixel centres"""
    target: Floats
    """[m, 2] places on the object in the second view, among which to search"""
    target_points: Floats
    """[m, 3]"""
    near: tuple[float, float] | None = None
    """pixels, and units of the points, up to which a published protocol calls a match right; None: the suite's own"""
    keep: int | None = None
    """matches that the protocol keeps; None: the suite's own share"""


@dataclass(frozen=True)
class KeypointPair:
    """Two instances of a class and the places of their landmarks that both pictures show; row i of both is the same landmark."""

    size: tuple[int, int]
    first: Floats
    """[k, 2]"""
    second: Floats
    """[k, 2]"""
    box: tuple[float, float]
    """height and width in pixels of what is seen of the object in the second picture"""
