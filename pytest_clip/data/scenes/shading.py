"""Colour, normal and object-space point of the pixels that show an object: Blinn-Phong on solid textures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .primitives import ACCENT, BOX, CARROT, DARK, FRUSTUM, LIGHT, MAIN, WOOD
from .spec import Scene
from .staging import Stage
from .textures import blend
from .vocabulary import SURFACES

FIXED = {DARK: (0.06, 0.06, 0.07), LIGHT: (0.9, 0.9, 0.85), WOOD: (0.4, 0.24, 0.12), CARROT: (0.95, 0.5, 0.1)}
METALLIC = SURFACES.index("metallic")


def unit_normals(local: Tensor, kind: Tensor, shape: Tensor) -> Tensor:
    """Outward normals [n, 3] in unit coordinates of the primitives hit at `local` [n, 3]."""
    out = local.clone()
    size = local.abs()
    faces = (size == size.max(1, keepdim=True).values) * local.sign()
    slanted = torch.tensor([1.0, 1.0, 0.0], device=local.device).expand_as(local)
    on_slant = (shape[:, 3] < 2) & (local[:, 0] + local[:, 1] > shape[:, 3] - 1e-3) & (size[:, 2] < 0.999)
    out = torch.where((kind == BOX)[:, None], torch.where(on_slant[:, None], slanted, faces), out)
    k = (shape[:, 1] - shape[:, 0]) / 2
    radius = (shape[:, 0] + shape[:, 1]) / 2 + k * local[:, 1]
    flat = (size[:, 1] > 0.999) & (local[:, 0] ** 2 + local[:, 2] ** 2 < radius * radius * 0.995)
    side = torch.stack([local[:, 0], -k * radius, local[:, 2]], -1)
    cap = torch.stack([torch.zeros_like(k), local[:, 1].sign(), torch.zeros_like(k)], -1)
    return torch.where((kind == FRUSTUM)[:, None], torch.where(flat[:, None], cap, side), out)


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Scalar product over a last axis of three, written out: `sum(-1)` over three elements takes two to five times as long."""
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]


def _apply(M: Tensor, v: Tensor) -> Tensor:
    """M v row by row, element by element (a batched matmul may round differently for another batch)."""
    return dot(M, v[:, None, :])


def _unit(v: Tensor) -> Tensor:
    return v / dot(v, v).sqrt().clamp_min(1e-9)[:, None]


def albedo(stage: Stage, prim: Tensor, points: Tensor, normals: Tensor) -> Tensor:
    """Surface colour [n, 3] at object-space points and normals [n, 3] of primitives [n]."""
    body, material = stage.body[prim], stage.material[prim]
    out = stage.colours[body, 0].clone()
    main = material == MAIN
    share = blend(stage.surface[body[main]], points[main], normals[main])[:, None]
    out[main] = out[main] * (1 - share) + stage.colours[body[main], 1] * share
    out[material == ACCENT] = stage.colours[body[material == ACCENT], 2]
    for k, colour in FIXED.items():
        out[material == k] = torch.tensor(colour, device=out.device)
    return out


def shade(stage: Stage, scenes: Sequence[Scene], prim: Tensor, at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Colour, camera-space normal and object-space point, each [n, 3], of the camera-space points `at` [n, 3] on primitives [n]."""
    device = at.device

    def per_scene(fact: Callable[[Scene], float]) -> Tensor:
        return torch.tensor([fact(s) for s in scenes], dtype=torch.float32, device=device)

    body = stage.body[prim]
    image = stage.scene[body]
    local = _apply(stage.inverse[prim], at) + stage.offset[prim]
    kind = torch.from_numpy(stage.kind).to(device)[prim]
    # A normal goes through the transposed inverse of its primitive's map.
    normal = _unit(_apply(stage.inverse[prim].transpose(1, 2), unit_normals(local, kind, stage.shape[prim])))
    normal = torch.where((dot(normal, at) > 0)[:, None], -normal, normal)
    home = stage.R[body].transpose(1, 2)
    point = _apply(home, at - stage.t[body]) / stage.scale[body][:, None]
    az, el = per_scene(lambda s: s.light_azimuth), per_scene(lambda s: s.light_elevation)
    light = torch.stack([torch.sin(az) * torch.cos(el), torch.sin(el), torch.cos(az) * torch.cos(el)], -1)[image]
    to_eye = -_unit(at)
    diffuse = dot(normal, light).clamp_min(0)
    toon = per_scene(lambda s: s.style == "cartoon")[image] > 0
    diffuse = torch.where(toon, torch.floor(diffuse * 3) / 3, diffuse)
    highlight = dot(normal, _unit(to_eye + light)).clamp_min(0) ** 24 * 0.25 * (~toon)
    intensity = per_scene(lambda s: s.light_intensity)[image]
    colour = albedo(stage, prim, point, _apply(home, normal))
    chrome = (stage.surface[body] == METALLIC) & (stage.material[prim] == MAIN)
    mirror = 2 * dot(normal, to_eye)[:, None] * normal - to_eye
    sheen = (0.5 + 0.5 * torch.sin(mirror[:, 1:2] * 7 + mirror[:, 0:1] * 3)) ** 2
    colour = torch.where(chrome[:, None], colour * 0.35 + 0.65 * sheen, colour)
    lit = colour * (per_scene(lambda s: s.ambient)[image] + intensity * diffuse)[:, None] + (highlight * intensity)[:, None]
    tint = torch.tensor([s.tint for s in scenes], device=device)[image]
    return lit * tint, normal, point
