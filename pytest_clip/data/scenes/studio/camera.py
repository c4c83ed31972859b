"""Where the eye of a portrait is, and what it sees."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .materials import Floats
from .mesh import Array, Mesh
from .portrait import Portrait


@dataclass(frozen=True)
class Camera:
    """Eye, axes (right, up, ahead), and the part of the picture plane that is shown."""

    eye: Array
    axes: Array
    centre: Array
    scale: float
    """half the picture's width is this in units of distance"""

    def project(self, points: Array, *, size: int) -> tuple[Array, Array]:
        """Pixels [n, 2] and nearness [n]."""
        x, y, z = ((points - self.eye) @ self.axes.T).T
        across, down = (x / z - self.centre[0]) / self.scale, -(y / z - self.centre[1]) / self.scale
        return np.stack([across + 1, down + 1], 1) * (size / 2), 1 / z

    def rays(self, *, size: int) -> Floats:
        """Directions [size^2, 3] through the pixels' centres, one unit ahead."""
        axis = (np.arange(size) + 0.5) / size * 2 - 1
        u, v = np.meshgrid(axis * self.scale + self.centre[0], -axis * self.scale + self.centre[1])
        out: Floats = (np.stack([u, v, np.ones_like(u)], -1).reshape(-1, 3) @ self.axes).astype(np.float32)
        return out


def camera(portrait: Portrait, mesh: Mesh) -> tuple[Camera, float]:
    """The camera that shows the whole object as large as asked, and half the object's diagonal."""
    own = mesh.vertices[: mesh.own]
    low, high = own.min(0), own.max(0)
    radius, middle = float(np.linalg.norm(high - low)) / 2, (low + high) / 2
    az, el, roll = portrait.yaw, portrait.elevation, portrait.roll
    back = np.array([math.sin(az) * math.cos(el), math.sin(el), math.cos(az) * math.cos(el)])
    right = np.array([math.cos(az), 0.0, -math.sin(az)])
    up = np.cross(back, right)
    axes = np.stack([right * math.cos(roll) + up * math.sin(roll), up * math.cos(roll) - right * math.sin(roll), -back])
    eye = middle + back * radius * 4.2
    x, y, z = ((own - eye) @ axes.T).T
    at = np.stack([x / z, y / z], 1)
    return Camera(eye, axes, (at.min(0) + at.max(0)) / 2, float(np.ptp(at, axis=0).max()) / 2 / portrait.fill * mesh.room), radius
