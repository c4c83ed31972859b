"""Which triangle each pixel shows: rows of triangles are filled from edge to edge, and the nearest wins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
"""float64"""
Ints = NDArray[np.int64]


def fill(xy: Floats, near: Floats, triangles: Ints, *, size: int) -> tuple[Ints, Floats]:
    """Of `size` x `size` pixels the triangle that each shows (-1: none), and how near it is.

    `xy` [n, 2] are pixels (x right, y down, the first pixel's centre at 0.5); `near` [n], above 0, grows towards the eye and is linear on
    the screen.
    Corners are kept apart, not as an axis of three: sums over so short an axis took a third of the time.
    """
    area, top, stop = _extent(xy, triangles, size=size)
    kept = np.flatnonzero((np.abs(area) >= 1e-12) & (stop > top))
    triangles, top, stop = triangles[kept], top[kept], stop[kept]
    planes = _planes(xy, triangles)
    t, k = _spread(stop - top)
    y = top[t] + k
    low, high = np.full(len(t), -np.inf), np.full(len(t), np.inf)
    depth, rise = np.zeros(len(t)), np.zeros(len(t))
    with np.errstate(divide="ignore", invalid="ignore"):
        for (A, B, C), corner in zip(planes, triangles.T, strict=True):
            slope, rest, at = A[t], B[t] * (y + 0.5) + C[t], near[corner][t]
            edge = -rest / slope
            low = np.where(slope > 0, np.maximum(low, edge), np.where((slope == 0) & (rest < 0), np.inf, low))
            high = np.where(slope < 0, np.minimum(high, edge), high)
            depth += rest * at
            rise += slope * at
    x0 = np.clip(np.ceil(low - 0.5), 0, size).astype(np.int64)
    x1 = np.clip(np.floor(high - 0.5) + 1, 0, size).astype(np.int64)
    r, k = _spread(np.maximum(x1 - x0, 0))
    x = x0[r] + k
    pixel, depth = y[r] * size + x, rise[r] * (x + 0.5) + depth[r]
    nearest = np.zeros(size * size)
    np.maximum.at(nearest, pixel, depth)
    won = depth >= nearest[pixel]
    shown = np.full(size * size, -1)
    shown[pixel[won]] = kept[t[r[won]]]
    return shown, nearest


def weights(xy: Floats, triangles: Ints, pixel: Ints, *, size: int) -> Floats:
    """Weights [k, 3] of the corners of `triangles` [k, 3] at the centres of `pixel` [k]: 1 on a corner, 0 on the edge before it."""
    y, x = np.divmod(pixel, size)
    return np.stack([A * (x + 0.5) + B * (y + 0.5) + C for A, B, C in _planes(xy, triangles)], 1)


def _extent(xy: Floats, triangles: Ints, *, size: int) -> tuple[Floats, Ints, Ints]:
    """Twice the area of each triangle, its first row of pixels and the row after its last."""
    (ax, ay), (bx, by), (cx, cy) = (xy[corner].T for corner in triangles.T)
    top = np.clip(np.ceil(np.minimum(np.minimum(ay, by), cy) - 0.5), 0, size).astype(np.int64)
    stop = np.clip(np.floor(np.maximum(np.maximum(ay, by), cy) - 0.5) + 1, 0, size).astype(np.int64)
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax), top, stop


def _planes(xy: Floats, triangles: Ints) -> list[tuple[Floats, Floats, Floats]]:
    """For each corner A, B, C of its weight A x + B y + C; no triangle may be seen from its edge."""
    (ax, ay), (bx, by), (cx, cy) = (xy[corner].T for corner in triangles.T)
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    return [
        ((by - cy) / area, (cx - bx) / area, (bx * cy - by * cx) / area),
        ((cy - ay) / area, (ax - cx) / area, (cx * ay - cy * ax) / area),
        ((ay - by) / area, (bx - ax) / area, (ax * by - ay * bx) / area),
    ]


def _spread(counts: Ints) -> tuple[Ints, Ints]:
    """For [2, 0, 3]: the rows 0 0 2 2 2, and 0 1 0 1 2."""
    rows = np.repeat(np.arange(len(counts)), counts)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
