"""Portraits to pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .light import Lit, corners, lit, surroundings
from .materials import Floats, albedo, linear, noise
from .mesh import Array, Mesh, dot, unit
from .portrait import SIZE, Portrait
from .raster import fill, weights
from .things import build

FINE = 2
"""Rows of samples in a pixel: the mean of 2 x 2 has no stairs."""
ALIKE = 0.98
"""Cosine of the angle between normals below which a pixel's samples are shaded one by one (11 degrees)."""
KEY, AROUND = np.float32(1.75), np.float32(0.62)
"""Strength of the light that casts shadows, and of all the other."""


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
    # Weights on the screen become weights on the surface when each is multiplied by its corner's nearness.
    corner = mesh.triangles[shown[rows]]
    w = weights(xy, corner, rows, size=fine) * near[corner]
    w = (w / (w[:, :1] + w[:, 1:2] + w[:, 2:])).astype(np.float32)
    points, normals = (
        w[:, :1] * each[corner[:, 0]] + w[:, 1:2] * each[corner[:, 1]] + w[:, 2:] * each[corner[:, 2]]
        for each in (mesh.vertices.astype(np.float32), mesh.normals.astype(np.float32))
    )
    normals = unit(normals)
    kept, counts = _spared(mesh, mesh.material[shown[rows]], normals, rows, size=size)
    rows, points, normals = rows[kept], points[kept], normals[kept]
    colour = _developed(_shade(portrait, mesh, shown[rows], points, normals, view, light, rows, ground, backdrop, fine))
    y, x = np.divmod(rows, fine)
    pixel = y // FINE * size + x // FINE
    free = FINE**2 - np.bincount(pixel, weights=counts, minlength=size * size).astype(np.int64)
    mean = np.stack([np.bincount(pixel, weights=channel * counts, minlength=size * size) for channel in colour.T], 1)
    around = np.flatnonzero(free)
    behind = _behind(view, light, ground, backdrop, around, size=size, radius=radius, open_air=portrait.open_air)
    mean[around] += free[around, None] * _developed(behind)
    picture: NDArray[np.uint8] = np.round(np.clip(mean / FINE**2, 0, 1) * 255).astype(np.uint8)
    return picture.reshape(size, size, 3)


def _spared(
    mesh: Mesh, kind: NDArray[np.int64], normals: Floats, rows: NDArray[np.int64], *, size: int
) -> tuple[NDArray[np.int64], Floats]:
    """The samples to shade, and for how many each stands: one for all of a pixel whose samples lie on one smooth surface without fine grain."""
    table = np.full(size * FINE * size * FINE, -1)
    table[rows] = np.arange(len(rows))
    four = table.reshape(size, FINE, size, FINE).transpose(0, 2, 1, 3).reshape(-1, FINE**2)
    four = four[four.min(1) >= 0]
    smooth = np.array([m.pattern in ("plain", "speckle", "patches") and m.bump <= 0.25 for m in mesh.materials])
    k, n = kind[four[:, 0]], [normals[four[:, i]] for i in range(FINE**2)]
    alike = smooth[k]
    for i in range(1, FINE**2):
        alike &= (kind[four[:, i]] == k) & (dot(n[0], n[i])[:, 0] > ALIKE)
    counts = np.ones(len(rows), np.float32)
    counts[four[alike, 1:]] = 0
    counts[four[alike, 0]] = FINE**2
    kept = np.flatnonzero(counts)
    return kept, counts[kept]


def _developed(light: Floats) -> Floats:
    """Light to sRGB: bright parts are compressed as film does."""
    soft = np.where(light < 0.6, light, 0.6 + 0.4 * (1 - np.exp(-(light - 0.6) / 0.4)))
    out: Floats = np.maximum(soft, 0) ** np.float32(1 / 2.2)
    return out


def _behind(
    view: Camera, light: Lit, ground: Floats, backdrop: Floats, pixel: NDArray[np.int64], *, size: int, radius: float, open_air: bool
) -> Floats:
    """Ground with the object's shadow and what is behind it [k, 3] at these pixels."""
    d = view.rays(size=size)[pixel]
    down = d[:, 1] < -1e-4
    t = np.where(down, -view.eye[1] / np.where(down, d[:, 1], -1), 1e9)
    x, z = view.eye[0] + t * d[:, 0], view.eye[2] + t * d[:, 2]
    far = np.hypot(x - view.eye[0], z - view.eye[2]) / radius
    there = np.where(down, 1 - np.clip((far - 9) / 8, 0, 1) if not open_air else np.clip((60 - far) / 25, 0, 1), 0).astype(np.float32)[
        :, None
    ]
    dark = np.where(down, light.ground(np.where(down, x, 1e9), np.where(down, z, 1e9)), 0)[:, None]
    grain = noise(np.stack([x, 0 * x, z], 1).astype(np.float32) * np.float32(18 / radius))[:, None]
    floor = ground * (1 - dark) * (0.94 + 0.12 * grain)
    wall = backdrop * (1 - 0.25 * np.clip(d[:, 1:2] * 3, -0.3, 1))
    out: Floats = (floor * there + wall * (1 - there)).astype(np.float32)
    return out


def _shade(
    portrait: Portrait, mesh: Mesh, triangle: NDArray[np.int64], p: Floats, n: Floats, view: Camera, light: Lit, rows: NDArray[np.int64],
    ground: Floats, backdrop: Floats, size: int,
) -> Floats:  # fmt: skip
    """Light [k, 3] that surface points send to the eye."""
    to_eye = unit(view.eye.astype(np.float32) - p)
    n = np.where(dot(n, to_eye) < 0, -n, n)
    kind = mesh.material[triangle]
    open_ = _open(p, n, rows, size=size, radius=light.radius)[:, None]
    lamp = light.towards.astype(np.float32)
    shadow = light.shadow(p, n)[:, None]
    out = np.empty_like(p)
    for k, m in enumerate(mesh.materials):
        here = np.flatnonzero(kind == k)
        if not len(here):
            continue
        q, eye, free, shade = p[here], to_eye[here], open_[here], shadow[here]
        normal = n[here]
        if m.bump:
            fine = q * np.float32(m.scale * 6)
            wobble = np.stack([noise(fine + np.float32(s)) for s in (0, 11.3, 23.7)], 1) - np.float32(0.5)
            normal = unit(normal + np.float32(m.bump) * wobble).astype(np.float32)
        colour = albedo(m, q, n[here])
        diffuse = np.maximum(normal @ lamp, 0)[:, None] * shade * KEY
        sky = np.float32(0.5) + np.float32(0.5) * normal[:, 1:2]
        ambient = AROUND * free * (sky * (np.float32(0.7) + np.float32(0.3) * backdrop) + (1 - sky) * (0.15 + 0.5 * ground))
        if not (m.mirror or m.metal):
            out[here] = colour * (diffuse + ambient + np.float32(m.glow))
            continue
        facing = np.clip(dot(normal, eye), 0, 1)
        mirrored = 2 * facing * normal - eye
        seen = surroundings(mirrored @ _room(portrait), m.gloss, ground=ground, backdrop=backdrop, open_air=portrait.open_air) * free
        half = unit(eye + lamp)
        sharp = np.float32(4 + 400 * m.gloss**3)
        glint = np.clip(dot(normal, half), 0, 1) ** sharp * (sharp / 60 + np.float32(0.12)) * shade * KEY
        if m.metal:
            out[here] = colour * (seen * 1.1 + glint * 0.8 + 0.12 * (diffuse + ambient))
            continue
        away = (1 - facing) * (1 - facing)
        fresnel = m.mirror + (1 - m.mirror) * np.float32(m.gloss) * away * away * (1 - facing)
        out[here] = colour * (diffuse + ambient) * (1 - fresnel) + fresnel * (seen + glint) + colour * np.float32(m.glow)
    return out


def _room(portrait: Portrait) -> Floats:
    """Rotation that turns directions of the world into those of the room, which stands with the camera."""
    c, s = math.cos(portrait.yaw), math.sin(portrait.yaw)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]], np.float32)


def _open(p: Floats, n: Floats, rows: NDArray[np.int64], *, size: int, radius: float) -> Floats:
    """How open the surface is at each sample, asked at every second one a side, and less near the ground for what looks down."""
    coarse = size // 2
    y, x = np.divmod(rows, size)
    place = (y // 2) * coarse + x // 2
    points = np.full((coarse * coarse, 3), np.nan, np.float32)
    normals = np.zeros((coarse * coarse, 3), np.float32)
    points[place], normals[place] = p, n
    asked = np.flatnonzero(~np.isnan(points[:, 0]))
    table = np.ones(coarse * coarse, np.float32)
    table[asked] = corners(points, normals, asked, size=coarse, radius=radius)
    low = np.exp(-p[:, 1] / np.float32(0.2 * radius)) * (0.5 - 0.5 * n[:, 1])
    out: Floats = table[place] * (1 - 0.6 * low)
    return out
