"""Scenes to pictures: the public entry of the renderer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from .backgrounds import backdrop, rays
from .raycast import TILE, cast
from .shading import shade
from .spec import Scene
from .staging import BARRIER, SUBJECT, stage
from .styles import restyle

SIZE = 128
"""Every embedded picture is rendered at 128 x 128; each model's own preprocessing resizes it (and so anti-aliases it)."""
VERSION = 1
"""Part of the data fingerprint: raise it whenever a pixel changes."""
CHUNK = 24


@dataclass(frozen=True)
class Frames:
    """What the camera sees of n scenes, on the device of the renderer."""

    rgb: Tensor
    """uint8 [n, s, s, 3]"""
    depth: Tensor
    """float32 [n, s, s]: z-depth in object units, backdrop at 12"""
    mask: Tensor
    """bool [n, s, s]: the main object, where nothing hides it"""
    normal: Tensor
    """float32 [n, s, s, 3]: unit normals in camera space, 0 on the background"""
    points: Tensor
    """float32 [n, s, s, 3]: the main object's own coordinates, NaN elsewhere"""


def render(scenes: Sequence[Scene], *, size: int = SIZE, device: str | torch.device = "cpu", chunk: int = CHUNK) -> Frames:
    """Render `scenes` (at least one) at `size` x `size` pixels, `size` a multiple of 8.

    The same scene gives the same pixels in any chunk, at any thread count and next to any other scenes (on one machine; another CPU or a
    GPU may differ in the last bit of a float and so, rarely, by one level of a pixel).
    """
    shots = _shots(scenes, size=size, device=torch.device(device), chunk=chunk)
    parts = [_frames(shot) for shot in shots]
    return Frames(*(torch.cat([getattr(p, f.name) for p in parts]) for f in fields(Frames)))


def render_rgb(scenes: Sequence[Scene], *, size: int = SIZE, device: str | torch.device = "cpu", chunk: int = CHUNK) -> Tensor:
    """Only the pictures, uint8 [n, size, size, 3]: the same pixels as `render` in about 60 % of its time."""
    return torch.cat([shot.rgb for shot in _shots(scenes, size=size, device=torch.device(device), chunk=chunk)])


@dataclass(frozen=True)
class _Shot:
    """A rendered chunk: pictures, and one row for each pixel (image, y, x) that shows an object or an occluder."""

    rgb: Tensor
    depth: Tensor
    at: tuple[Tensor, Tensor, Tensor]
    role: Tensor
    normal: Tensor
    point: Tensor


def _shots(scenes: Sequence[Scene], *, size: int, device: torch.device, chunk: int) -> Iterator[_Shot]:
    if not scenes or size % TILE:
        raise ValueError(f"render needs at least one scene and a size that is a multiple of {TILE}, not {len(scenes)} scenes at {size}")
    for i in range(0, len(scenes), chunk):
        with torch.inference_mode():
            yield _shoot(scenes[i : i + chunk], size=size, device=device)


def _scatter(shot_at: tuple[Tensor, Tensor, Tensor], values: Tensor, *, like: Tensor, fill: float) -> Tensor:
    """Rows of values [k, 3] put back into pictures shaped as `like` [n, s, s, 3]."""
    out = torch.full(like.shape, fill, device=like.device)
    out[shot_at] = values
    return out


def _shoot(scenes: Sequence[Scene], *, size: int, device: torch.device) -> _Shot:
    on_stage = stage(scenes, device=device)
    depth, prim = cast(on_stage, images=len(scenes), size=size)
    rgb, wall = backdrop(scenes, size=size, device=device)
    i, y, x = (prim >= 0).nonzero(as_tuple=True)
    at = (i, y, x)
    q, t = prim[at], depth[at]
    X, Y = rays(size, device=device)
    colour, normal, point = shade(on_stage, scenes, q, torch.stack([X[y, x] * t, Y[y, x] * t, -t], -1))
    rgb[at] = colour
    if any(s.exposure != 1 for s in scenes):
        rgb *= torch.tensor([s.exposure for s in scenes], device=device).view(-1, 1, 1, 1)
    rgb.clamp_(0, 1)
    role = on_stage.role[on_stage.body[q]]
    for style in sorted({s.style for s in scenes} - {"photo"}):
        those = torch.tensor([k for k, s in enumerate(scenes) if s.style == style], device=device)
        mine = torch.isin(i, those)
        where = (torch.searchsorted(those, i[mine]), y[mine], x[mine])
        solid = torch.zeros(len(those), size, size, dtype=torch.bool, device=device)
        solid[where] = role[mine] != BARRIER
        ink = torch.where(prim[those] >= 0, depth[those], 9.0)
        rgb[those] = restyle(style, rgb[those], depth=ink, normal=_scatter(where, normal[mine], like=rgb[those], fill=0.0), mask=solid)
    return _Shot(rgb.mul_(255).round_().to(torch.uint8), torch.where(prim >= 0, depth, wall), at, role, normal, point)


def _frames(shot: _Shot) -> Frames:
    mask = torch.zeros(shot.depth.shape, dtype=torch.bool, device=shot.depth.device)
    mask[shot.at] = shot.role == SUBJECT
    points = _scatter(shot.at, shot.point, like=shot.rgb, fill=float("nan"))
    points[~mask] = float("nan")
    return Frames(shot.rgb, shot.depth, mask, _scatter(shot.at, shot.normal, like=shot.rgb, fill=0.0), points)
