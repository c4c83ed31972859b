"""Which pixels of two scenes show the same point of an object, or the same part: exact, from the geometry, without drawing a picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from ..correspondences import Floats, KeypointPair, ViewPair
from .backgrounds import rays
from .camera import SIZE, pose, project
from .objects import build
from .partners import degrees_between
from .raycast import INTERSECT, cast
from .render import CHUNK
from .spec import Scene
from .staging import SUBJECT, stage

RAYS = 64
"""Rays a side that find what a camera sees; every second one a side is a point to match: 32 x 32, a quarter of a picture's pixels a side,
as Probe3D takes a quarter of ScanNet's and NAVI's."""
HIDDEN = 0.005
"""A point is hidden when something is this much nearer to the camera, in object units: more than float32 is wrong by, less than any part
is thick."""


@lru_cache(maxsize=2)
def surface(scenes: tuple[Scene, ...]) -> NDArray[np.float32]:
    """What the rays of the cameras meet of the main objects: [n, RAYS, RAYS, 3], in each object's own coordinates, NaN beside it.

    The same points as `render` gives, without colours: 1.2 ms a scene instead of 6.
    """
    return np.concatenate([_chunk(scenes[i : i + CHUNK]) for i in range(0, len(scenes), CHUNK)])


def _chunk(scenes: Sequence[Scene]) -> NDArray[np.float32]:
    device = torch.device("cpu")
    with torch.inference_mode():
        on_stage = stage(scenes, device=device)
        depth, prim = cast(on_stage, images=len(scenes), size=RAYS)
        X, Y = rays(RAYS, device=device)
        subject = (prim >= 0) & (on_stage.role[on_stage.body[prim.clamp_min(0)]] == SUBJECT)
        R, t = (torch.from_numpy(np.stack(part)).float() for part in zip(*map(pose, scenes), strict=True))
        points = torch.einsum("nyxi,nij->nyxj", torch.stack([X * depth, Y * depth, -depth], -1) - t[:, None, None], R)
        points[~subject] = float("nan")
    return points.numpy()


def view_pairs(first: Sequence[Scene], second: Sequence[Scene]) -> tuple[ViewPair, ...]:
    """The points of each scene of `first` that are seen again in the scene of `second` beside it."""
    pairs = zip(first, second, surface(tuple(first)), surface(tuple(second)), strict=True)
    return tuple(_view_pair(*pair) for pair in pairs)


def _view_pair(a: Scene, b: Scene, ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> ViewPair:
    (source, points), (target, candidates) = (_to_match(seen) for seen in (ours, theirs))
    landing, depth = project(b, points, size=SIZE)
    nearest, _ = first_hit(b, points)
    again = ((landing >= -0.5) & (landing <= SIZE - 0.5)).all(axis=1) & (depth <= nearest + HIDDEN)
    return ViewPair((SIZE, SIZE), degrees_between(a, b), source[again], points[again], landing[again], target, candidates)


def first_hit(scene: Scene, points: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """What the rays through object-space points [k, 3] meet first: depth [k], and which primitive of the stage [k] (0 where none)."""
    on_stage = stage([scene], device=torch.device("cpu"))
    R, t = pose(scene)
    at = points @ R.T + t
    d = (on_stage.inverse @ torch.from_numpy((at / -at[:, 2:]).T).float()).unbind(1)  # three of [primitives, k]
    o = on_stage.offset[..., None].unbind(1)
    hits = torch.empty(d[0].shape)
    for kind, intersect in INTERSECT.items():
        q = torch.from_numpy(np.flatnonzero(on_stage.kind == kind))
        if len(q):
            hits[q] = intersect((o[0][q], o[1][q], o[2][q]), (d[0][q], d[1][q], d[2][q]), on_stage.shape[q])
    nearest, which = hits.min(0)
    return nearest.numpy().astype(np.float64), which.numpy()


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
    return tuple(_keypoint_pair(*pair) for pair in zip(first, second, surface(tuple(second)), strict=True))


def _keypoint_pair(a: Scene, b: Scene, theirs: NDArray[np.float32]) -> KeypointPair:
    (first, seen), (second, again) = _landmarks(a), _landmarks(b)
    both = seen & again
    y, x = np.nonzero(~np.isnan(theirs[..., 0]))
    cell = SIZE / RAYS
    return KeypointPair((SIZE, SIZE), first[both], second[both], ((np.ptp(y) + 1) * cell, (np.ptp(x) + 1) * cell))


def _landmarks(scene: Scene) -> tuple[Floats, NDArray[np.bool_]]:
    """Places [parts, 2] of the parts' centres, and whether each is seen. The main object's parts are the first primitives of its stage."""
    parts = build(scene.cls, instance=scene.instance, stretch=scene.stretch, variant=scene.variant)
    centres = np.stack([p.c for p in parts])
    at, _ = project(scene, centres, size=SIZE)
    inside = ((at >= -0.5) & (at <= SIZE - 0.5)).all(axis=1)
    return at, inside & (first_hit(scene, centres)[1] == np.arange(len(parts)))
