"""The pinhole camera: at the origin, looking along -z, 40 degrees wide. The ray of pixel (x, y) is (rx, ry, -1), so t is z-depth."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .primitives import rotation
from .spec import Scene

SIZE = 128
"""Every embedded picture is rendered at 128 x 128; each model's own preprocessing resizes it (and so anti-aliases it)."""
HALF_WIDTH = math.tan(math.radians(20))
NEAR, WALL, NOTHING = 0.1, 12.0, 1e9
"""Nearest visible depth, depth of the backdrop, and the depth of a ray that hits no primitive (all in object units)."""

Array = NDArray[np.float64]


def view_rotation(scene: Scene) -> Array:
    """World to camera, without the object's own yaw."""
    out: Array = rotation(z=scene.roll) @ rotation(x=scene.elevation)
    return out


def pose(scene: Scene) -> tuple[Array, Array]:
    """Rotation [3, 3] and translation [3] that take the main object's space to camera space."""
    R = view_rotation(scene) @ rotation(y=scene.yaw)
    if scene.lying:
        R = R @ rotation(z=math.pi / 2)
    return R, np.array([scene.dx, scene.dy, -scene.distance])


def project(scene: Scene, points: Array, *, size: int) -> tuple[Array, Array]:
    """Pixel coordinates [n, 2] (x right, y down, pixel centres at integers) and depth [n] of object-space points [n, 3]."""
    R, t = pose(scene)
    at = points @ R.T + t
    depth = -at[:, 2]
    x = (at[:, 0] / depth / HALF_WIDTH * 0.5 + 0.5) * size - 0.5
    y = (0.5 - at[:, 1] / depth / HALF_WIDTH * 0.5) * size - 0.5
    return np.stack([x, y], axis=1), depth
