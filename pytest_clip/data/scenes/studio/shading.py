"""The light that surfaces, the ground and what is behind send to the eye."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .light import Lit, corners, surroundings
from .materials import Floats, albedo, noise
from .mesh import Mesh, dot, unit
from .portrait import Portrait

KEY, AROUND = np.float32(1.75), np.float32(0.62)
"""Strength of the light that casts shadows, and of all the other."""


def behind(
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


def shade(
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
