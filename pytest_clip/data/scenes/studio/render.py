"""Portraits to pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .camera import camera
from .light import lit
from .materials import Floats, linear
from .mesh import Mesh, dot, unit
from .portrait import SIZE, Portrait
from .raster import fill, weights
from .shading import behind, shade
from .things import build

FINE = 2
"""Rows of samples in a pixel: the mean of 2 x 2 has no stairs."""
Rows = NDArray[np.int64]
SMOOTH = ("plain", "speckle", "patches")
"""Patterns without edges finer than a pixel."""
ALIKE = 0.98
"""Cosine of the angle between normals below which a pixel's samples are shaded one by one (11 degrees)."""


def render(portraits: Sequence[Portrait], *, size: int = SIZE) -> NDArray[np.uint8]:
    """Pictures uint8 [n, size, size, 3]. The same portrait gives the same pixels next to any others (on one machine)."""
    return np.stack([_shoot(each, size=size) for each in portraits])


def _shoot(portrait: Portrait, *, size: int) -> NDArray[np.uint8]:
    mesh = build(portrait.cls, instance=portrait.instance, variant=portrait.variant)
    view, radius = camera(portrait, mesh)
    az, el = portrait.yaw + portrait.light_azimuth, portrait.light_elevation
    light = lit(mesh, np.array([math.sin(az) * math.cos(el), math.sin(el), math.cos(az) * math.cos(el)]), radius)
    ground, backdrop = linear(portrait.ground), linear(portrait.backdrop)
    fine = size * FINE
    xy, near = view.project(mesh.vertices, size=fine)
    ahead = np.flatnonzero((near[mesh.triangles] > 0).all(1))  # scenery may also be behind the eye
    shown, _ = fill(xy, near, mesh.triangles[ahead], size=fine)
    shown[shown >= 0] = ahead[shown[shown >= 0]]
    rows = np.flatnonzero(shown >= 0)
    rows, counts = _spared(mesh, shown, rows, size=size)
    # Weights on the screen become weights on the surface when each is multiplied by its corner's nearness.
    corner = mesh.triangles[shown[rows]]
    w = weights(xy, corner, rows, size=fine) * near[corner]
    w = (w / (w[:, :1] + w[:, 1:2] + w[:, 2:])).astype(np.float32)
    points, normals = (
        w[:, :1] * each[corner[:, 0]] + w[:, 1:2] * each[corner[:, 1]] + w[:, 2:] * each[corner[:, 2]]
        for each in (mesh.vertices.astype(np.float32), mesh.normals.astype(np.float32))
    )
    normals = unit(normals)
    colour = _developed(shade(portrait, mesh, shown[rows], points, normals, view, light, rows, ground, backdrop, fine))
    y, x = np.divmod(rows, fine)
    pixel = y // FINE * size + x // FINE
    free = FINE**2 - np.bincount(pixel, weights=counts, minlength=size * size).astype(np.int64)
    mean = np.stack([np.bincount(pixel, weights=channel * counts, minlength=size * size) for channel in colour.T], 1)
    around = np.flatnonzero(free)
    back = behind(view, light, ground, backdrop, around, size=size, radius=radius, open_air=portrait.open_air)
    mean[around] += free[around, None] * _developed(back)
    picture: NDArray[np.uint8] = np.round(np.clip(mean / FINE**2, 0, 1) * 255).astype(np.uint8)
    return picture.reshape(size, size, 3)


def _spared(mesh: Mesh, shown: Rows, rows: Rows, *, size: int) -> tuple[Rows, Floats]:
    """Of the samples `rows` those to shade, and for how many each stands: one for all of a pixel that shows one smooth surface."""
    table = np.full(len(shown), -1)
    table[rows] = np.arange(len(rows))
    four = table.reshape(size, FINE, size, FINE).transpose(0, 2, 1, 3).reshape(-1, FINE**2)
    four = four[four.min(1) >= 0]
    smooth = np.array([m.pattern in SMOOTH and m.bump <= 0.25 for m in mesh.materials])
    facing = unit(sum(mesh.normals[corner] for corner in mesh.triangles.T).astype(np.float32))
    first, *others = (shown[rows[four[:, i]]] for i in range(FINE**2))
    kind, way = mesh.material[first], facing[first]
    alike = smooth[kind]
    for other in others:
        alike &= (mesh.material[other] == kind) & (dot(way, facing[other])[:, 0] > ALIKE)
    counts = np.ones(len(rows), np.float32)
    counts[four[alike, 1:]] = 0
    counts[four[alike, 0]] = FINE**2
    kept = np.flatnonzero(counts)
    return rows[kept], counts[kept]


def _developed(light: Floats) -> Floats:
    """Light to sRGB: bright parts are compressed as film does."""
    soft = np.where(light < 0.6, light, 0.6 + 0.4 * (1 - np.exp(-(light - 0.6) / 0.4)))
    out: Floats = np.maximum(soft, 0) ** np.float32(1 / 2.2)
    return out
