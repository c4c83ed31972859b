"""What light does: shadows by a map seen from the light, corners that get less of it, and surroundings that are mirrored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from .materials import Floats
from .mesh import Array, Mesh, dot, unit
from .raster import fill

MAP, FLOOR = 224, 144
"""Sides of the map seen from the light, and of the one of the ground, which is blurred anyway."""
TAPS = np.array([(r * np.cos(t), r * np.sin(t)) for r, t in ((np.sqrt((i + 0.5) / 8), 2.399963 * i) for i in range(8))])
"""Eight places spread over a disc."""


@dataclass(frozen=True)
class Lit:
    """What stops the light from `towards`, for an object of radius `radius`."""

    towards: Array
    radius: float
    axes: Array
    corner: Array
    step: float
    depth: Floats
    """[MAP, MAP] how near to the light the first surface is; -inf where nothing is"""
    blot: Floats
    """[FLOOR, FLOOR] darkness of the ground, blurred more where what casts it is higher"""
    floor: tuple[Array, float]

    def shadow(self, p: Floats, n: Floats) -> Floats:
        """Share of the light [n] that reaches points [n, 3] of the object."""
        out = np.zeros(len(p), np.float32)
        raised = p + n * np.float32(0.012 * self.radius)
        axes, corner = (each.astype(np.float32) for each in (self.axes, self.corner))
        x, y = ((raised @ axis - start) / np.float32(self.step) for axis, start in zip(axes, corner, strict=True))
        deep, seen = raised @ self.towards.astype(np.float32) + np.float32(0.01 * self.radius), self.depth.ravel()
        for right, up in (TAPS * (0.025 * self.radius / self.step)).astype(np.float32):
            i = np.clip(y + up, 0, MAP - 1).astype(np.intp) * MAP + np.clip(x + right, 0, MAP - 1).astype(np.intp)
            out += seen[i] <= deep
        return out / np.float32(len(TAPS))

    def ground(self, x: Floats, z: Floats) -> Floats:
        """Darkness in [0, 1] of the ground at these places."""
        corner, step = self.floor
        out: Floats = map_coordinates(self.blot, [(z - corner[1]) / step - 0.5, (x - corner[0]) / step - 0.5], order=1, mode="constant")
        return out


def lit(mesh: Mesh, towards: Array, radius: float) -> Lit:
    """Look at the mesh from the light."""
    e1 = unit(np.cross(towards, (0.0, 1.0, 0.01)))
    axes = np.stack([e1, np.cross(towards, e1)])
    own = mesh.vertices[: mesh.own]
    flat, deep = own @ axes.T, own @ towards
    corner, step = flat.min(0) - 0.05 * radius, float((np.ptp(flat, axis=0).max() + 0.1 * radius) / MAP)
    seen, near = fill((flat - corner) / step, deep - deep.min() + 1, mesh.triangles[: mesh.own_triangles], size=MAP)
    depth = np.where(seen >= 0, near + deep.min() - 1, -np.inf).astype(np.float32).reshape(MAP, MAP)
    blot, floor = _blot(mesh, towards, radius)
    return Lit(towards, radius, axes, corner, step, depth, blot, floor)


def _blot(mesh: Mesh, towards: Array, radius: float) -> tuple[Floats, tuple[Array, float]]:
    """The object's shadow on the ground, and the darkness where it stands."""
    own, triangles = mesh.vertices[: mesh.own], mesh.triangles[: mesh.own_triangles]
    high = own[:, 1]
    cast = (own - towards * (high / towards[1])[:, None])[:, [0, 2]]
    below = own[:, [0, 2]]
    margin = 0.5 * radius
    corner = np.minimum(cast.min(0), below.min(0)) - margin
    step = float((np.maximum(cast.max(0), below.max(0)) + margin - corner).max() / FLOOR)
    seen, near = fill((cast - corner) / step, high.max() - high + 1, triangles, size=FLOOR)
    cover = (seen >= 0).reshape(FLOOR, FLOOR).astype(np.float32)
    height = np.where(seen >= 0, high.max() + 1 - near, 0).reshape(FLOOR, FLOOR).astype(np.float32)
    sharp, soft, wide = (_blurred(cover, s * radius / step) for s in (0.012, 0.05, 0.12))
    up = _blurred(height, 0.05 * radius / step) / np.maximum(soft, 1e-3) / radius
    key = np.where(up < 0.5, sharp + (soft - sharp) * np.clip(up * 2, 0, 1), soft + (wide - soft) * np.clip(up - 0.5, 0, 1))
    seen, near = fill((below - corner) / step, high.max() - high + 1, triangles, size=FLOOR)
    lowest = np.where(seen >= 0, high.max() + 1 - near, 1e9).reshape(FLOOR, FLOOR)
    touch = np.exp(-lowest / (0.12 * radius)).astype(np.float32)
    close = _blurred(touch, 0.03 * radius / step) * 0.5 + _blurred(touch, 0.12 * radius / step) * 0.7
    dark: Floats = 1 - (1 - 0.62 * np.clip(key, 0, 1)) * (1 - 0.75 * np.clip(close, 0, 1))
    return dark.astype(np.float32), (corner, step)


def _blurred(a: Floats, sigma: float) -> Floats:
    out: Floats = gaussian_filter(a, sigma, truncate=2.5)
    return out


def corners(points: Floats, normals: Floats, rows: np.ndarray, *, size: int, radius: float) -> Floats:
    """How open [n] the surface is at pixels `rows`, by what the picture shows around them; `points` [size^2, 3]: NaN where nothing is."""
    p, n = points[rows], normals[rows]
    y, x = np.divmod(rows, size)
    closed = np.zeros(len(rows), np.float32)
    for i in range(8):
        r, t = size * (0.012 + 0.075 * (i + 0.5) / 8), 2.399963 * i
        other = np.clip(y + round(r * np.sin(t)), 0, size - 1) * size + np.clip(x + round(r * np.cos(t)), 0, size - 1)
        d = points[other] - p
        far = np.sqrt(dot(d, d)[:, 0])
        rise = np.maximum(dot(d, n)[:, 0] / np.maximum(far, 1e-6) - 0.12, 0) / (1 + (far / (0.22 * radius)) ** 2)
        closed += np.nan_to_num(rise)
    out: Floats = np.clip(1 - closed / 8 * 2.2, 0.15, 1)
    return out


def surroundings(d: Floats, gloss: Floats | float, *, ground: Floats, backdrop: Floats, open_air: bool) -> Floats:
    """Light [n, 3] that comes from directions `d` [n, 3]: a bright room with two soft boxes, or the sky."""
    up = d[:, 1:2]
    edge = np.float32(0.04) + np.float32(0.5) * (1 - np.float32(gloss)) ** 2
    horizon = np.clip(up / edge * 0.5 + 0.5, 0, 1)
    if open_air:
        above = (
            np.array([0.95, 1.0, 1.05], np.float32)
            * (1 - 0.45 * np.clip(up, 0, 1))
            * (0.4 + 0.6 * backdrop / max(float(backdrop.max()), 1e-3))
        )
    else:
        box = np.clip((0.35 - np.abs(d[:, 0:1] - 0.55)) / edge * 0.5 + 0.5, 0, 1) * np.clip((up - 0.25) / edge * 0.5 + 0.5, 0, 1)
        strip = np.clip((0.13 - np.abs(d[:, 0:1] + 0.7)) / edge * 0.5 + 0.5, 0, 1)
        above = backdrop * 0.35 + 1.5 * box + 0.9 * strip
    out: Floats = ground * 0.45 * (1 - horizon) + above * horizon
    return out
