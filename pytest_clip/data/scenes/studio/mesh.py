"""Triangle meshes, and the vectors that they are of.

Lengths are free (a portrait is framed by what its object measures), y points up and the ground is y = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .materials import Material

Array = NDArray[Any]
"""float64"""


@dataclass(frozen=True)
class Mesh:
    """n vertices and m triangles; a vertex belongs to one smooth surface, so edges have theirs twice."""

    vertices: Array
    """[n, 3]"""
    normals: Array
    """[n, 3] of length 1; either side: what is seen from behind is turned"""
    triangles: NDArray[np.int64]
    """[m, 3] rows of vertices"""
    material: NDArray[np.int64]
    """[m] rows of materials"""
    materials: tuple[Material, ...]
    own: int
    """So many vertices and triangles, the first ones, are the object's own..."""
    own_triangles: int
    """...and the others are scenery: it is not framed and throws no shadow."""
    room: float
    """How many times as much is shown as the object itself needs."""


def unit(v: Array) -> Array:
    """Of length 1 along the last axis, or 0 where it was 0."""
    out: Array = v / np.maximum(np.sqrt(dot(v, v)), 1e-12)
    return out


def dot(a: Array, b: Array) -> Array:
    """Products of vectors along the last axis, which stays with length 1. (A sum over an axis of three takes ten times as long.)"""
    out: Array = np.einsum("...i,...i->...", a, b)[..., None]
    return out


def smooth(points: ArrayLike, steps: int) -> Array:
    """A Catmull-Rom curve [k, d] through points [n, d], `steps` pieces between two."""
    p = np.asarray(points, float)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    out = [0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
           for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)]  # fmt: skip
    return np.concatenate([*out, p[-2:-1]])
