"""Which triangle each pixel shows: rows of triangles are filled from edge to edge, and the nearest wins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
"""float64"""
Ints = NDArray[np.int64]


def fill(xy: Floats, near: Floats, triangles: Ints, *, size: int) -> tuple[Ints, Floats, Floats]:
    """Of `size` x `size` pixels the triangle that each shows (-1: none), its weights [size^2, 3] of the corners, and how near it is.

    `xy` [n, 2] are pixels (x right, y down, the first pixel's centre at 0.5), `near` [n] grows towards the eye and is linear on the screen.
    """
    corner = xy[triangles]
    a, b, c = corner[:, 0], corner[:, 1], corner[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    safe = np.where(np.abs(area) < 1e-12, 1.0, area)
    # Weight i of a pixel is A x + B y + C: 1 on corner i, 0 on the edge before it.
    A = np.stack([b[:, 1] - c[:, 1], c[:, 1] - a[:, 1], a[:, 1] - b[:, 1]], 1) / safe[:, None]
    B = np.stack([c[:, 0] - b[:, 0], a[:, 0] - c[:, 0], b[:, 0] - a[:, 0]], 1) / safe[:, None]
    C = np.stack([b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0], c[:, 0] * a[:, 1] - c[:, 1] * a[:, 0], a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]], 1)
    C /= safe[:, None]
    top = np.clip(np.ceil(corner[:, :, 1].min(1) - 0.5), 0, size).astype(np.int64)
    stop = np.clip(np.floor(corner[:, :, 1].max(1) - 0.5) + 1, 0, size).astype(np.int64)
    tall = np.where(np.abs(area) < 1e-12, 0, np.maximum(stop - top, 0))
    t, k = _spread(tall)
    y = top[t] + k
    rest, slope = B[t] * (y + 0.5)[:, None] + C[t], A[t]
    with np.errstate(divide="ignore", invalid="ignore"):
        edge = -rest / slope
    low = np.where(slope > 0, edge, np.where((slope == 0) & (rest < 0), np.inf, -np.inf)).max(1)
    high = np.where(slope < 0, edge, np.inf).min(1)
    x0 = np.clip(np.ceil(low - 0.5), 0, size).astype(np.int64)
    x1 = np.clip(np.floor(high - 0.5) + 1, 0, size).astype(np.int64)
    r, k = _spread(np.maximum(x1 - x0, 0))
    x = x0[r] + k
    f, pixel = t[r], y[r] * size + x
    at = near[triangles]
    depth = ((A * at).sum(1)[f]) * (x + 0.5) + ((rest * at[t]).sum(1))[r]
    nearest = np.zeros(size * size)
    np.maximum.at(nearest, pixel, depth)
    won = depth >= nearest[pixel]
    shown = np.full(size * size, -1)
    shown[pixel[won]] = f[won]
    weights = np.zeros((size * size, 3))
    weights[pixel[won]] = rest[r[won]] + slope[r[won]] * (x[won] + 0.5)[:, None]
    return shown, weights, nearest


def _spread(counts: Ints) -> tuple[Ints, Ints]:
    """For [2, 0, 3]: the rows 0 0 2 2 2, and 0 1 0 1 2."""
    rows = np.repeat(np.arange(len(counts)), counts)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
