"""Colour, normal and object-space point of the pixels that show an object: Blinn-Phong on solid textures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .primitives import ACCENT, BOX, CARROT, DARK, FRUSTUM, LIGHT, MAIN, WOOD
from .spec import Scene
from .staging import Stage
from .textures import share
from .vectors import Vector, dot, looked_up, mapped, mapped_back, picked, unit
from .vocabulary import SURFACES

FIXED = {DARK: (0.06, 0.06, 0.07), LIGHT: (0.9, 0.9, 0.85), WOOD: (0.4, 0.24, 0.12), CARROT: (0.95, 0.5, 0.1)}
PLAIN, METALLIC = SURFACES.index("plain"), SURFACES.index("metallic")


def unit_normals(local: Vector, kind: Tensor, r0: Tensor, r1: Tensor, cut: Tensor) -> Vector:
    """Outward normals, not of length 1, in unit coordinates of the primitives hit at `local`; all of one shape."""
    x, y, z = local
    far = torch.maximum(torch.maximum(x.abs(), y.abs()), z.abs())
    on_slant = (cut < 2) & (x + y > cut - 1e-3) & (z.abs() < 0.999)
    k = (r1 - r0) / 2
    radius = (r0 + r1) / 2 + k * y
    flat = (y.abs() > 0.999) & (x**2 + z**2 < radius * radius * 0.995)
    box, frustum, zero = kind == BOX, kind == FRUSTUM, torch.zeros_like(x)

    def one(v: Tensor, slanted: float, side: Tensor, cap: Tensor) -> Tensor:
        faces = torch.where(on_slant, slanted, (v.abs() == far) * v.sign())
        return torch.where(frustum, torch.where(flat, cap, side), torch.where(box, faces, v))

    return one(x, 1.0, x, zero), one(y, 1.0, -k * radius, y.sign()), one(z, 0.0, z, zero)


def object_points(stage: Stage, prim: Tensor, at: Vector) -> Vector:
    """What camera-space points on primitives `prim` are in their objects' own coordinates; all [n]."""
    body = stage.body.index_select(0, prim)
    home, centre = looked_up(stage.R.view(-1, 9), body), looked_up(stage.t, body)
    scale = stage.scale.index_select(0, body)
    x, y, z = mapped_back(home, (at[0] - centre[0], at[1] - centre[1], at[2] - centre[2]))
    return x / scale, y / scale, z / scale


def albedo(stage: Stage, prim: Tensor, at: Vector, normal: Vector, to_eye: Vector) -> Vector:
    """Surface colour of primitives `prim` [n] at camera-space points with these normals; metal shows what it mirrors."""
    material, body = stage.material, stage.body
    first = stage.colours[body, 0]
    first[material == ACCENT] = stage.colours[body[material == ACCENT], 2]
    for k, colour in FIXED.items():
        first[material == k] = torch.tensor(colour, device=first.device)
    out = looked_up(first, prim)
    surface = torch.where(material == MAIN, stage.surface[body], PLAIN)
    worn = surface.index_select(0, prim)
    for k in sorted(set(surface.tolist()) - {PLAIN}):
        here = (worn == k).nonzero()[:, 0]
        if not len(here):
            continue
        if k == METALLIC:
            mirrored = _sheen(picked(normal, here), picked(to_eye, here))
            for channel in out:
                channel.index_copy_(0, here, channel.index_select(0, here) * 0.35 + 0.65 * mirrored)
            continue
        q = prim.index_select(0, here)
        home = looked_up(stage.R.view(-1, 9), body.index_select(0, q))
        w = share(SURFACES[k], object_points(stage, q, picked(at, here)), mapped_back(home, picked(normal, here)))
        for channel, second in zip(out, looked_up(stage.colours[body, 1], q), strict=True):
            channel.index_copy_(0, here, channel.index_select(0, here) * (1 - w) + second * w)
    return out[0], out[1], out[2]


def _sheen(normal: Vector, to_eye: Vector) -> Tensor:
    """The striped surroundings of polished metal, in the direction that it mirrors."""
    twice = 2 * dot(normal, to_eye)
    across, up = twice * normal[0] - to_eye[0], twice * normal[1] - to_eye[1]
    return (0.5 + 0.5 * torch.sin(up * 7 + across * 3)) ** 2


def shade(stage: Stage, scenes: Sequence[Scene], prim: Tensor, at: Vector) -> tuple[Vector, Vector]:
    """Colour and camera-space normal of the camera-space points `at` on primitives `prim`; all [n]."""
    device = at[0].device
    image = stage.scene.index_select(0, stage.body.index_select(0, prim))

    def table(fact: Callable[[Scene], float]) -> Tensor:
        return torch.tensor([fact(s) for s in scenes], dtype=torch.float32, device=device)

    def per_scene(fact: Callable[[Scene], float]) -> Tensor:
        return table(fact).index_select(0, image)

    inverse, offset = looked_up(stage.inverse.view(-1, 9), prim), looked_up(stage.offset, prim)
    x, y, z = mapped(inverse, at)
    r0, r1, _, cut = looked_up(stage.shape, prim)
    kind = torch.from_numpy(stage.kind).to(device).index_select(0, prim)
    # A normal goes through the transposed inverse of its primitive's map.
    outward = unit(mapped_back(inverse, unit_normals((x + offset[0], y + offset[1], z + offset[2]), kind, r0, r1, cut)))
    away = dot(outward, at) > 0
    nx, ny, nz = (torch.where(away, -n, n) for n in outward)
    normal = (nx, ny, nz)
    ex, ey, ez = unit(at)
    to_eye = (-ex, -ey, -ez)
    az, el = table(lambda s: s.light_azimuth), table(lambda s: s.light_elevation)
    lx, ly, lz = looked_up(torch.stack([torch.sin(az) * torch.cos(el), torch.sin(el), torch.cos(az) * torch.cos(el)], -1), image)
    diffuse = dot(normal, (lx, ly, lz)).clamp_min_(0)
    highlight = dot(normal, unit((to_eye[0] + lx, to_eye[1] + ly, to_eye[2] + lz))).clamp_min_(0) ** 24 * 0.25
    if any(s.style == "cartoon" for s in scenes):
        toon = per_scene(lambda s: s.style == "cartoon") > 0
        diffuse = torch.where(toon, torch.floor(diffuse * 3) / 3, diffuse)
        highlight = highlight * ~toon
    intensity = per_scene(lambda s: s.light_intensity)
    light, glint = per_scene(lambda s: s.ambient) + intensity * diffuse, highlight * intensity
    tint = looked_up(torch.tensor([s.tint for s in scenes], device=device), image)
    r, g, b = ((c * light + glint) * t for c, t in zip(albedo(stage, prim, at, normal, to_eye), tint, strict=True))
    return (r, g, b), normal
