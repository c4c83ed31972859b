"""Scenes to pictures: the public entry of the renderer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from .backgrounds import backdrop, rays
from .camera import SIZE
from .raycast import TILE, cast
from .shading import object_points, shade
from .spec import Scene
from .staging import BARRIER, SUBJECT, Stage, stage
from .styles import restyle
from .vectors import Vector, picked

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
    """A rendered chunk: pictures, and a row for each pixel (`rows` count through all pictures) that shows an object or an occluder."""

    rgb: Tensor
    depth: Tensor
    stage: Stage
    rows: Tensor
    prim: Tensor
    at: Vector
    normal: Vector


def _shots(scenes: Sequence[Scene], *, size: int, device: torch.device, chunk: int) -> Iterator[_Shot]:
    if not scenes or size % TILE:
        raise ValueError(f"render needs at least one scene and a size that is a multiple of {TILE}, not {len(scenes)} scenes at {size}")
    for i in range(0, len(scenes), chunk):
        with torch.inference_mode():
            yield _shoot(scenes[i : i + chunk], size=size, device=device)


def _scatter(values: Vector, rows: Tensor, *, like: Tensor, fill: float) -> Tensor:
    """Vectors of pixels `rows` put back into pictures [n, s, s, 3], as many and as large as `like` [n, s, s]."""
    out = torch.full((*like.shape, 3), fill, device=like.device)
    out.view(-1, 3)[rows] = torch.stack(values, -1)
    return out


def _shoot(scenes: Sequence[Scene], *, size: int, device: torch.device) -> _Shot:
    on_stage = stage(scenes, device=device)
    depth, prim = cast(on_stage, images=len(scenes), size=size)
    rgb, wall = backdrop(scenes, size=size, device=device)
    rows = (prim.view(-1) >= 0).nonzero()[:, 0]
    q, t = prim.view(-1).index_select(0, rows), depth.view(-1).index_select(0, rows)
    x, y = (axis.reshape(-1).index_select(0, rows % size**2) for axis in rays(size, device=device))
    at = (x * t, y * t, -t)
    colour, normal = shade(on_stage, scenes, q, at)
    for plane, shown in zip(rgb.view(3, -1), colour, strict=True):
        plane.index_copy_(0, rows, shown)
    if any(s.exposure != 1 for s in scenes):
        rgb *= torch.tensor([s.exposure for s in scenes], device=device).view(-1, 1, 1)
    rgb.clamp_(0, 1)
    shot = _Shot(rgb, torch.where(prim >= 0, depth, wall), on_stage, rows, q, at, normal)
    ink = torch.where(prim >= 0, depth, 9.0)
    for style in sorted({s.style for s in scenes} - {"photo"}):
        _restyle(shot, style, torch.tensor([k for k, s in enumerate(scenes) if s.style == style], device=device), ink=ink)
    return replace(shot, rgb=rgb.mul_(255).round_().to(torch.uint8).permute(1, 2, 3, 0).contiguous())


def _restyle(shot: _Shot, style: str, those: Tensor, *, ink: Tensor) -> None:
    """Draw pictures `those` in another style, in place; `ink` is the depth in which their lines are looked for."""
    size = ink.shape[-1]
    mine = torch.isin(shot.rows // size**2, those).nonzero()[:, 0]
    there = shot.rows.index_select(0, mine)
    where = torch.searchsorted(those, there // size**2) * size**2 + there % size**2
    solid = torch.zeros(len(those), size, size, dtype=torch.bool, device=ink.device)
    solid.view(-1)[where] = _role(shot).index_select(0, mine) != BARRIER
    normal = _scatter(picked(shot.normal, mine), where, like=solid, fill=0.0)
    photo = shot.rgb[:, those].permute(1, 2, 3, 0).contiguous()
    shot.rgb[:, those] = restyle(style, photo, depth=ink[those], normal=normal, mask=solid).permute(3, 0, 1, 2)


def _role(shot: _Shot) -> Tensor:
    return shot.stage.role[shot.stage.body[shot.prim]]


def _frames(shot: _Shot) -> Frames:
    mask = torch.zeros(shot.depth.shape, dtype=torch.bool, device=shot.depth.device)
    mask.view(-1)[shot.rows] = _role(shot) == SUBJECT
    points = _scatter(object_points(shot.stage, shot.prim, shot.at), shot.rows, like=mask, fill=float("nan"))
    points[~mask] = float("nan")
    return Frames(shot.rgb, shot.depth, mask, _scatter(shot.normal, shot.rows, like=mask, fill=0.0), points)
