"""What surfaces are made of: colour, pattern, and how much of their surroundings they mirror."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
"""float32"""
Colour = tuple[float, float, float]

_LATTICE = 32
_TABLE = np.random.default_rng(7).random((_LATTICE,) * 3, dtype=np.float32)


@dataclass(frozen=True)
class Material:
    """Colours are sRGB in [0, 1]."""

    colour: Colour
    second: Colour = (0.0, 0.0, 0.0)
    """of the pattern"""
    pattern: str = "plain"
    scale: float = 1.0
    """how many times finer the pattern is than one a unit"""
    mirror: float = 0.04
    """share of light that is mirrored straight on: 0.04 for what is painted, glazed or wet, 0 for cloth"""
    gloss: float = 0.5
    """0 matt to 1 polished"""
    metal: bool = False
    """what is mirrored has the material's colour, and nothing else is seen"""
    bump: float = 0.0
    """how rough the surface is"""
    glow: float = 0.0
    """light of its own"""


def linear(colour: Colour | Floats) -> Floats:
    """sRGB to light."""
    out: Floats = np.asarray(colour, np.float32) ** np.float32(2.2)
    return out


def noise(p: Floats) -> Floats:
    """Smooth noise in [0, 1] at points [n, 3], one lattice step a unit."""
    cell = np.floor(p)
    w = p - cell
    w = w * w * (3 - 2 * w)
    i, j = cell.astype(np.int64) % _LATTICE, (cell.astype(np.int64) + 1) % _LATTICE
    flat = _TABLE.reshape(-1)

    def row(y: NDArray[np.int64], z: NDArray[np.int64]) -> Floats:
        rest = y * _LATTICE + z
        a, b = flat[i[:, 0] * _LATTICE**2 + rest], flat[j[:, 0] * _LATTICE**2 + rest]
        out: Floats = a + (b - a) * w[:, 0]
        return out

    low, high = row(i[:, 1], i[:, 2]), row(i[:, 1], j[:, 2])
    low += (row(j[:, 1], i[:, 2]) - low) * w[:, 1]
    high += (row(j[:, 1], j[:, 2]) - high) * w[:, 1]
    out: Floats = low + (high - low) * w[:, 2]
    return out


def _laid(p: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Across and up on the face that a point lies on; from above x and z."""
    ax, ay, az = np.abs(n).T
    top, side = ay > np.maximum(ax, az) * 1.6, ax > az
    return np.where(side & ~top, p[:, 2], p[:, 0]), np.where(top, p[:, 2], p[:, 1])


def _wood(p: Floats, n: Floats) -> Floats:
    q = p * np.array([3, 0.5, 3], np.float32)
    rings = np.sqrt((p[:, 0] + 0.6) ** 2 + (p[:, 2] - 0.7) ** 2) * 14 + noise(q) * 3
    grain: Floats = (0.5 + 0.5 * np.sin(rings)) * 0.6 + 0.4 * noise(p * np.array([40, 3, 40], np.float32))
    return grain


def _wood_across(p: Floats, n: Floats) -> Floats:
    """Grain along x."""
    return _wood(p[:, [1, 0, 2]], n)


def _brick(p: Floats, n: Floats) -> Floats:
    u, v = _laid(p, n)
    row = np.floor(v * 2)
    along = u + 0.5 * (row % 2)
    joint = (v * 2 - row < 0.14) | (along - np.floor(along) < 0.07)
    tone = noise(np.stack([np.floor(along) * 3.3 + 0.5, row * 2.7 + 0.5, 0 * row], -1).astype(np.float32))
    return np.where(joint, np.float32(1), tone * 0.45)


def _boards(p: Floats, n: Floats) -> Floats:
    """Weatherboards: a dark line under each."""
    v = p[:, 1] - np.floor(p[:, 1])
    return np.where(v < 0.12, 1.0, 0.25 * (1 - v)).astype(np.float32)


def _shingle(p: Floats, n: Floats) -> Floats:
    along, down = _laid(p, n)[0], p[:, 1] * 1.6
    row = np.floor(down)
    u = along + 0.5 * (row % 2)
    tone = noise(np.stack([np.floor(u) * 3.3 + 0.5, row * 2.7 + 0.5, 0 * row], -1).astype(np.float32))
    edge = (down - row < 0.18) | (u - np.floor(u) < 0.06)
    return np.where(edge, np.float32(0.9), tone * 0.6)


def _speckle(p: Floats, n: Floats) -> Floats:
    return np.clip(noise(p * np.float32(1)) * 0.6 + noise(p * np.float32(3.1)) * 0.6 - 0.1, 0, 1)


def _patches(p: Floats, n: Floats) -> Floats:
    return np.clip((noise(p) * 0.8 + noise(p * np.float32(2.3)) * 0.2 - 0.5) * 12, 0, 1)


def _stripes(p: Floats, n: Floats) -> Floats:
    return (np.sin(p[:, 1] * np.float32(np.pi)) > 0).astype(np.float32)


def _checks(p: Floats, n: Floats) -> Floats:
    return ((np.floor(p[:, 0]) + np.floor(p[:, 1]) + np.floor(p[:, 2])) % 2).astype(np.float32)


def _fur(p: Floats, n: Floats) -> Floats:
    return noise(p * np.array([2, 9, 9], np.float32)) * 0.6 + noise(p * np.array([5, 22, 22], np.float32)) * 0.4


def _bark(p: Floats, n: Floats) -> Floats:
    return noise(p * np.array([9, 2, 9], np.float32)) * 0.6 + noise(p * np.array([25, 7, 25], np.float32)) * 0.4


PATTERNS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "wood": _wood, "wood across": _wood_across, "brick": _brick, "boards": _boards, "shingle": _shingle, "speckle": _speckle,
    "patches": _patches, "stripes": _stripes, "checks": _checks, "fur": _fur, "bark": _bark,
}  # fmt: skip


def albedo(m: Material, p: Floats, n: Floats) -> Floats:
    """Colour as light [n, 3] at object points [n, 3] with these normals."""
    first = linear(m.colour)
    if m.pattern == "plain":
        return np.broadcast_to(first, p.shape)
    w = PATTERNS[m.pattern](p * np.float32(m.scale), n)[:, None]
    out: Floats = first * (1 - w) + linear(m.second) * w
    return out
