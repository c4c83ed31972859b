"""Which pixels of two scenes show the same point of an object, or the same part: exact, from the geometry, without drawing a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..correspondences import Floats, KeypointPair, ViewPair
from .backgrounds import rays
from .camera import pose, project
from .objects import build
from .partners import degrees_between
from .raycast import cast
from .render import CHUNK, SIZE
from .spec import Scene
from .staging import SUBJECT, stage

RAYS = 64
"""Rays a side that find what a camera sees; every second one a side is a point to match: 32 x 32, a quarter of a picture's pixels a side,
as Probe3D takes a quarter of ScanNet's and NAVI's."""
SEEN = 0.05
"""A point is seen again when the other camera sees a point of the object this near, in object units (an object is about 2 long). Two rays
meet a surface about 0.04 apart, so what lies between four of them is within 0.03, and within 0.05 on a surface tilted by 50 degrees."""


@dataclass(frozen=True)
class Geometry:
    """What the rays of n cameras meet of the main objects, [n, RAYS, RAYS]."""

    points: NDArray[np.float32]
    """[..., 3] in the object's own coordinates, NaN beside it"""
    part: NDArray[np.int64]
    """which primitive of the object, -1 beside it"""


@lru_cache(maxsize=2)
def geometry(scenes: tuple[Scene, ...]) -> Geometry:
    """Points and parts that the scenes show; the same points as `render` gives, without colours (1.2 ms a scene instead of 6)."""
    found = [_chunk(scenes[i : i + CHUNK]) for i in range(0, len(scenes), CHUNK)]
    return Geometry(np.concatenate([points for points, _ in found]), np.concatenate([part for _, part in found]))


def _chunk(scenes: Sequence[Scene]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    device = torch.device("cpu")
    with torch.inference_mode():
        on_stage = stage(scenes, device=device)
        depth, prim = cast(on_stage, images=len(scenes), size=RAYS)
        X, Y = rays(RAYS, device=device)
        subject = (prim >= 0) & (on_stage.role[on_stage.body[prim.clamp_min(0)]] == SUBJECT)
        R, t = (torch.from_numpy(np.stack(part)).float() for part in zip(*map(pose, scenes), strict=True))
        points = torch.einsum("nyxi,nij->nyxj", torch.stack([X * depth, Y * depth, -depth], -1) - t[:, None, None], R)
        points[~subject] = float("nan")
        first = torch.from_numpy(np.searchsorted(on_stage.image, np.arange(len(scenes))))
        part = torch.where(subject, prim - first[:, None, None], -1)
    return points.numpy(), part.numpy()


def view_pairs(first: Sequence[Scene], second: Sequence[Scene]) -> tuple[ViewPair, ...]:
    """The points of each scene of `first` that are seen again in the scene of `second` beside it."""
    ours, theirs = geometry(tuple(first)), geometry(tuple(second))
    return tuple(_view_pair(a, b, ours.points[i], theirs.points[i]) for i, (a, b) in enumerate(zip(first, second, strict=True)))


def _view_pair(a: Scene, b: Scene, ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> ViewPair:
    (source, points), (target, candidates) = (_to_match(seen) for seen in (ours, theirs))
    everything = theirs[~np.isnan(theirs[..., 0])].astype(np.float64)
    again = cKDTree(everything).query(points)[0] <= SEEN
    landing, _ = project(b, points[again], size=SIZE)
    return ViewPair((SIZE, SIZE), degrees_between(a, b), source[again], points[again], landing, target, candidates)


def _to_match(points: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Places [k, 2] and points [k, 3] of every second ray that meets the object."""
    some = np.zeros(points.shape[:2], dtype=np.bool_)
    some[1::2, 1::2] = True
    some &= ~np.isnan(points[..., 0])
    y, x = np.nonzero(some)
    return _pixels(np.stack([x, y], axis=1)), points[some].astype(np.float64)


def _pixels(rays_at: NDArray[np.int64]) -> Floats:
    """Rays [k, 2] (column, row) as places in the rendered picture."""
    return (rays_at.astype(np.float64) + 0.5) * (SIZE / RAYS) - 0.5


def keypoint_pairs(first: Sequence[Scene], second: Sequence[Scene]) -> tuple[KeypointPair, ...]:
    """The landmarks of each scene of `first` that the scene of `second` beside it shows, too.

    A landmark is the centre of a part: a wheel, a chair's left front leg, a rung, the neck of a bottle. The objects of a class are built
    part by part in one order, so the same landmark exists in every instance that has the same parts, which the set `instances` sees to.
    A landmark is seen where the ray through it meets its own part first. Extreme points of the object would be the alternative, but what
    is topmost of a table is a face, and what is leftmost of a ball a matter of the direction: no point that two instances share.
    """
    ours, theirs = geometry(tuple(first)), geometry(tuple(second))
    pairs = zip(first, second, ours.part, theirs.part, strict=True)
    return tuple(_keypoint_pair(*_landmarks(a, seen), *_landmarks(b, again), again >= 0) for a, b, seen, again in pairs)


def _keypoint_pair(
    first: Floats, seen: NDArray[np.bool_], second: Floats, again: NDArray[np.bool_], mask: NDArray[np.bool_]
) -> KeypointPair:
    both = seen & again
    y, x = np.nonzero(mask)
    cell = SIZE / RAYS
    return KeypointPair((SIZE, SIZE), first[both], second[both], ((np.ptp(y) + 1) * cell, (np.ptp(x) + 1) * cell))


def _landmarks(scene: Scene, part: NDArray[np.int64]) -> tuple[Floats, NDArray[np.bool_]]:
    """Places [parts, 2] of the parts' centres, and whether each is seen."""
    parts = build(scene.cls, instance=scene.instance, stretch=scene.stretch, variant=scene.variant)
    at, _ = project(scene, np.stack([p.c for p in parts]), size=SIZE)
    ray = np.rint((at + 0.5) * (RAYS / SIZE) - 0.5).astype(np.int64)
    inside = ((ray >= 0) & (ray < RAYS)).all(axis=1)
    x, y = ray.clip(0, RAYS - 1).T
    return at, inside & (part[y, x] == np.arange(len(parts)))
