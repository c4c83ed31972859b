"""Where a note lies: the first of some random places in the scene in which it is seen, and not hidden or cut off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....views.lettering import Array, area, corners, hit
from ..camera import HALF_WIDTH, WALL, pose, view_rotation
from ..primitives import rotation
from .note import Noted

TRIES, SHRINK, STEPS = 24, 0.8, 12
ENOUGH = 0.9
"""Share of a note that must be seen; where no place of TRIES shows so much of it, a smaller one is tried."""
COARSE = 4
"""Every so many pixels it is asked whether a note is seen there."""
EDGE = 0.97
"""Corners lie within this part of the picture."""
Place = tuple[Array, Array, Array]
"""Centre, and the vectors from there to the middles of the right and of the upper edge, in camera space."""


def _upright(g: np.random.Generator, noted: Noted, tilt: float) -> tuple[Array, Array]:
    """Edges of a sheet that faces the camera but for a random tilt (radians)."""
    R = rotation(z=float(g.uniform(-0.25, 0.25)))
    if tilt:
        R = rotation(y=float(g.uniform(-tilt, tilt))) @ rotation(x=float(g.uniform(-tilt, tilt) * 0.7)) @ R
    return R @ np.array([1.0, 0, 0]), R @ np.array([0, 0.5, 0.0])


def _flat(g: np.random.Generator, noted: Noted) -> tuple[Array, Array]:
    """Edges of a sheet on the ground, its letters drawn tall as on a road: seen from the side they are short."""
    V = view_rotation(noted.scene) @ rotation(y=float(g.uniform(-0.4, 0.4)))
    return V[:, 0], V[:, 2] * -0.9


def _ray(spot: Array) -> Array:
    """The ray through a spot in [-1, 1] of the picture."""
    return np.array([spot[0] * HALF_WIDTH, spot[1] * HALF_WIDTH, -1.0])


def _scaled(centre: Array, u: Array, v: Array, share: float) -> Place:
    """Edges as long as makes the sheet cover `share` of the picture."""
    k = 0.1
    for _ in range(4):
        k *= float(np.sqrt(share / area(corners(centre, u * k, v * k, half=HALF_WIDTH))))
    return centre, u * k, v * k


def _spots(noted: Noted, mask: NDArray[np.bool_], g: np.random.Generator) -> Array:
    """TRIES random spots [TRIES, 2] of the picture: on the object, or anywhere."""
    size = mask.shape[0]
    if noted.note.place == "object" and mask.any():
        rows = np.flatnonzero(mask)
        at = rows[g.integers(len(rows), size=TRIES)]
        middle = np.array([(rows % size).mean(), (rows // size).mean()])
        spots = np.stack([at % size, at // size], 1) * 0.6 + middle * 0.4
        within: Array = np.stack([spots[:, 0] + 0.5, size - spots[:, 1] - 0.5], 1) / size * 2 - 1
        return within
    return g.uniform(-0.85, 0.85, (TRIES, 2))


def seen(place: Place, depth: NDArray[np.float32]) -> float:
    """Share of a sheet that is in the picture with nothing nearer before it, by every COARSE-th pixel."""
    size = depth.shape[0]
    axis = ((np.arange(size)[COARSE // 2 :: COARSE] + 0.5) / size * 2 - 1) * HALF_WIDTH
    x, y = np.broadcast_to(axis, (len(axis), len(axis))), np.broadcast_to(-axis[:, None], (len(axis), len(axis)))
    along, across, t = hit(x, y, *place)
    inside = (np.abs(along) < 1) & (np.abs(across) < 1) & (t > 0)
    if not inside.any():  # smaller than the grid: by its centre
        centre = place[0]
        col = int((centre[0] / -centre[2] / HALF_WIDTH * 0.5 + 0.5) * size)
        row = int((0.5 - centre[1] / -centre[2] / HALF_WIDTH * 0.5) * size)
        return float(0 <= row < size and 0 <= col < size and -centre[2] < depth[row, col])
    return float((t < depth[COARSE // 2 :: COARSE, COARSE // 2 :: COARSE])[inside].mean())


def find(noted: Noted, *, depth: NDArray[np.float32], mask: NDArray[np.bool_]) -> tuple[Place, NDArray[np.float32]]:
    """Where the note lies, and the depth of what may hide it; `depth` [s, s] and `mask` [s, s] are those of the scene's picture."""
    note, scene = noted.note, noted.scene
    g = np.random.default_rng(note.seed)
    spots = _spots(noted, mask, g)
    if note.place == "ground":
        u, v = _flat(g, noted)
        up, below = view_rotation(scene)[:, 1], pose(scene)[1] - view_rotation(scene)[:, 1] * 0.98
        behind = depth
    else:
        u, v = _upright(g, noted, 0.4 if note.place == "object" else 0.0)
        up, below = np.zeros(3), np.zeros(3)
        # The object itself never hides what sticks on it.
        behind = np.where(mask, np.float32(1e9), depth) if note.place == "object" else depth + 0.5 * (depth == WALL)
    best, most = None, -1.0
    for step in range(STEPS):
        for spot in spots:
            ray = _ray(spot)
            if note.place == "ground":
                t = float(up @ below) / float(up @ ray) if up @ ray < -1e-3 else -1.0
                if not 0 < t < 15:
                    continue
            else:
                t = WALL if note.place == "wall" else _before(spot, depth, mask)
            place = _scaled(ray * t, u, v, note.area * SHRINK**step)
            inside = float(np.abs(corners(*place, half=HALF_WIDTH)).max() <= EDGE)
            share = seen(place, behind) * (0.5 + 0.5 * inside)
            if share > most:
                best, most = place, share
        if most >= ENOUGH:
            break
    assert best is not None or note.place == "ground"
    if best is None:  # no ground in the picture: it sticks on the object
        from dataclasses import replace

        return find(replace(noted, note=replace(note, place="object")), depth=depth, mask=mask)
    return best, behind


def _before(spot: Array, depth: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Depth of the nearest part of the object around a spot."""
    if not mask.any():
        return float(WALL) - 1
    size = depth.shape[0]
    col, row = int((spot[0] * 0.5 + 0.5) * size), int((0.5 - spot[1] * 0.5) * size)
    window = (slice(max(0, row - 6), row + 7), slice(max(0, col - 6), col + 7))
    near = depth[window][mask[window]] if mask[window].any() else depth[mask]
    return float(near.min()) - 0.02
