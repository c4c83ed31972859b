"""Two pictures of one place with known cameras and depth: which point of the one is where in the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .correspondences import Floats, ViewPair

STEP = 2
"""Every second point a side, and of matches a quarter too: Probe3D's 19,200 points a picture of ScanNet would take 16 times as long to
match, and features of 14 x 14 places say nothing more about them."""
KEEP = 1000 // STEP**2


@dataclass(frozen=True)
class Seen:
    """What one camera sees: places [n, 2] in the frame, pixels with centres at integers, and their points [n, 3] in camera coordinates."""

    places: Floats
    points: Floats


@dataclass(frozen=True)
class LazyPairs(Sequence[ViewPair]):
    """Pairs that are read when they are asked for: all of them at once would be gigabytes."""

    n: int
    make: Callable[[int], ViewPair]

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, row):  # type: ignore[no-untyped-def]
        if isinstance(row, slice):
            return tuple(self.make(k) for k in range(self.n)[row])
        return self.make(range(self.n)[row])

    def __iter__(self) -> Iterator[ViewPair]:
        return map(self.make, range(self.n))


def lifted(depth: Floats, *, focal: tuple[float, float], centre: tuple[float, float], origin: tuple[float, float] = (0.0, 0.0)) -> Seen:
    """Every `STEP`-th pixel of a depth map [h, w] whose depth is above 0, as a point.

    focal, centre: of the camera, in pixels of the map, whose pixel (column, row) covers (column, row) to (column + 1, row + 1); origin:
    where the map's upper left corner is in the camera's picture.
    """
    rows, columns = np.nonzero(depth[STEP // 2 :: STEP, STEP // 2 :: STEP] > 0)
    rows, columns = rows * STEP + STEP // 2, columns * STEP + STEP // 2
    z = depth[rows, columns]
    x = (columns + 0.5 + origin[0] - centre[0]) / focal[0] * z
    y = (rows + 0.5 + origin[1] - centre[1]) / focal[1] * z
    return Seen(np.stack([columns, rows], axis=1).astype(np.float64), np.stack([x, y, z], axis=1))


def landing(points: Floats, *, focal: tuple[float, float], centre: tuple[float, float], origin: tuple[float, float] = (0.0, 0.0)) -> Floats:
    """Where points [n, 3] in camera coordinates are in the frame; infinity for those behind the camera."""
    behind = points[:, 2] <= 0
    z = np.where(behind, 1.0, points[:, 2])
    x = points[:, 0] / z * focal[0] + centre[0] - origin[0] - 0.5
    y = points[:, 1] / z * focal[1] + centre[1] - origin[1] - 0.5
    at = np.stack([x, y], axis=1)
    at[behind] = np.inf
    return at


def moved(points: Floats, transform: NDArray[np.floating]) -> Floats:
    """Points [n, 3] under a rigid transform [4, 4]."""
    turned: Floats = points @ np.asarray(transform, dtype=np.float64)[:3, :3].T + np.asarray(transform, dtype=np.float64)[:3, 3]
    return turned
