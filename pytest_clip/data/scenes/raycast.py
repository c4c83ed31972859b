"""Which primitive each pixel sees, and how far away: analytic intersections, culled to 8x8-pixel tiles.

Only (primitive, tile) pairs whose screen bounds overlap are intersected; per tile the nearest hit wins. All arithmetic is element by
element in float32, so the result does not depend on how scenes are grouped into chunks.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .camera import HALF_WIDTH, NEAR, NOTHING
from .primitives import BOX, FRUSTUM, SPHERE
from .staging import Stage

TILE = 8
TINY = 1e-7
CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)

Ray = tuple[Tensor, Tensor, Tensor]


def _nonzero(x: Tensor) -> Tensor:
    return torch.where(x.abs() < TINY, TINY, x)


def sphere(o: Ray, d: Ray, shape: Tensor) -> Tensor:
    """Depth of the first point of |x| = 1, y >= cut."""
    aa = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    bb = o[0] * d[0] + o[1] * d[1] + o[2] * d[2]
    cc = o[0] * o[0] + o[1] * o[1] + o[2] * o[2] - 1
    disc = bb * bb - aa * cc
    root, cut = disc.clamp_min(0).sqrt(), shape[:, 3:4]
    t0, t1 = (-bb - root) / aa, (-bb + root) / aa
    hit0 = (disc > 0) & (o[1] + t0 * d[1] >= cut) & (t0 > NEAR)
    hit1 = (disc > 0) & (o[1] + t1 * d[1] >= cut) & (t1 > NEAR)
    return torch.where(hit0, t0, torch.where(hit1, t1, NOTHING))


def box(o: Ray, d: Ray, shape: Tensor) -> Tensor:
    """Depth of the first point of [-1, 1]^3 with x + y <= cut (slabs, Kay and Kajiya 1986)."""
    enter, leave = torch.full_like(d[0], -NOTHING), torch.full_like(d[0], NOTHING)
    for oi, di in zip(o, d, strict=True):
        inverse = 1 / _nonzero(di)
        a, b = (-1 - oi) * inverse, (1 - oi) * inverse
        enter, leave = torch.maximum(enter, torch.minimum(a, b)), torch.minimum(leave, torch.maximum(a, b))
    cut = shape[:, 3]
    wedges = (cut < 2).nonzero()[:, 0]
    if len(wedges):
        slope = _nonzero((d[0] + d[1])[wedges])
        t = (cut[wedges, None] - (o[0] + o[1])[wedges]) / slope
        enter[wedges] = torch.where(slope < 0, torch.maximum(enter[wedges], t), enter[wedges])
        leave[wedges] = torch.where(slope > 0, torch.minimum(leave[wedges], t), leave[wedges])
    return torch.where((enter < leave) & (enter > NEAR), enter, NOTHING)


def frustum(o: Ray, d: Ray, shape: Tensor) -> Tensor:
    """Depth of the first point of the cone x^2 + z^2 = (m + k y)^2, |y| <= 1, and of its caps."""
    m, k = (shape[:, 0:1] + shape[:, 1:2]) / 2, (shape[:, 1:2] - shape[:, 0:1]) / 2
    e = m + k * o[1]
    aa = _nonzero(d[0] * d[0] + d[2] * d[2] - k * k * d[1] * d[1])
    bb = o[0] * d[0] + o[2] * d[2] - e * k * d[1]
    cc = o[0] * o[0] + o[2] * o[2] - e * e
    disc = bb * bb - aa * cc
    root, best = disc.clamp_min(0).sqrt(), torch.full_like(d[0], NOTHING)
    for sign in (-1, 1):
        t = (-bb + sign * root) / aa
        y = o[1] + t * d[1]
        best = torch.where((disc > 0) & (y.abs() <= 1) & (t > NEAR) & (t < best), t, best)
    slope, caps = _nonzero(d[1]), shape[:, 2:3].int()
    for end, bit, radius in ((-1.0, 1, shape[:, 0:1]), (1.0, 2, shape[:, 1:2])):
        t = (end - o[1]) / slope
        x, z = o[0] + t * d[0], o[2] + t * d[2]
        best = torch.where(((caps & bit) > 0) & (x * x + z * z <= radius * radius) & (t > NEAR) & (t < best), t, best)
    return best


INTERSECT = {SPHERE: sphere, BOX: box, FRUSTUM: frustum}


def _pairs(stage: Stage, *, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Overlapping (primitive, tile column, tile row) triples from the projected corners of each unit cube."""
    corners = np.einsum("pij,kj->pki", stage.A, CORNERS) + stage.c[:, None]
    z = np.minimum(corners[..., 2], -0.2)
    x, y = ((s * corners[..., i] / -z / HALF_WIDTH * 0.5 + 0.5) * size / TILE for i, s in ((0, 1), (1, -1)))
    n = size // TILE
    x0, y0 = (np.clip(np.floor(v.min(1)), 0, n).astype(int) for v in (x, y))
    x1, y1 = (np.clip(np.floor(v.max(1)) + 1, 0, n).astype(int) for v in (x, y))
    wide, tall = np.maximum(x1 - x0, 0), np.maximum(y1 - y0, 0)
    count = wide * tall
    prim = np.repeat(np.arange(len(count)), count)
    j = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return prim, x0[prim] + j % np.maximum(wide[prim], 1), y0[prim] + j // np.maximum(wide[prim], 1)


def _depths(stage: Stage, prim: np.ndarray, column: np.ndarray, row: np.ndarray, *, size: int) -> Tensor:
    """[pairs, TILE^2] depth of each primitive in each of its tiles."""
    device = stage.offset.device
    inner = (torch.arange(TILE, device=device, dtype=torch.float32) + 0.5) / size * 2
    u, v = inner.repeat(TILE), inner.repeat_interleave(TILE)

    def put(x: np.ndarray) -> Tensor:
        return torch.from_numpy(x).to(device)

    out = torch.full((len(prim), TILE * TILE), NOTHING, device=device)
    for kind, intersect in INTERSECT.items():
        chosen = np.nonzero(stage.kind[prim] == kind)[0]
        if not len(chosen):
            continue
        q = put(prim[chosen])
        rx = (put(column[chosen] * TILE * 2.0 / size - 1).float()[:, None] + u) * HALF_WIDTH
        ry = (1 - put(row[chosen] * TILE * 2.0 / size).float()[:, None] - v) * HALF_WIDTH
        A, o = stage.inverse[q], stage.offset[q]
        dx, dy, dz = (A[:, i, 0:1] * rx + A[:, i, 1:2] * ry - A[:, i, 2:3] for i in range(3))
        out[put(chosen)] = intersect((o[:, 0:1], o[:, 1:2], o[:, 2:3]), (dx, dy, dz), stage.shape[q])
    return out


def cast(stage: Stage, *, images: int, size: int) -> tuple[Tensor, Tensor]:
    """Depth [images, size, size] (NOTHING where no primitive is hit) and primitive row [images, size, size] (-1 likewise)."""
    device, n = stage.offset.device, size // TILE
    prim, column, row = _pairs(stage, size=size)
    hits = _depths(stage, prim, column, row, size=size)
    tile = stage.image[prim] * n * n + row * n + column
    order = np.argsort(tile, kind="stable")
    used, start, count = np.unique(tile[order], return_index=True, return_counts=True)
    slot, line = np.arange(len(order)) - np.repeat(start, count), np.repeat(np.arange(len(used)), count)

    def put(x: np.ndarray) -> Tensor:
        return torch.from_numpy(x).to(device)

    def untile(x: Tensor) -> Tensor:
        return x.view(images, n, n, TILE, TILE).transpose(2, 3).reshape(images, size, size)

    stack = torch.full((len(used), int(count.max()), TILE * TILE), NOTHING, device=device)
    stack[put(line), put(slot)] = hits[put(order)]
    owner = torch.zeros((len(used), int(count.max())), dtype=torch.long, device=device)
    owner[put(line), put(slot)] = put(prim[order])
    nearest, which = stack.min(1)
    depth = torch.full((images * n * n, TILE * TILE), NOTHING, device=device)
    seen = torch.full((images * n * n, TILE * TILE), -1, dtype=torch.long, device=device)
    depth[put(used)] = nearest
    seen[put(used)] = torch.where(nearest < NOTHING / 10, torch.gather(owner, 1, which), -1)
    return untile(depth), untile(seen)
