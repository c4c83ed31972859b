"""Textures of objects: functions of object-space points and normals, so that a texture sticks to its object in every view.

Flat patterns (dots, bricks, a grid) are laid on a surface from the side it faces; as functions of the point alone they showed cuts through
a solid lattice, which look alike (zero-shot texture of a bundled model: 0.42 of 11). Wood, marble, spots and the like are solid. `blend`
gives the share of the second colour in [0, 1]. Patterns are coarse: a stripe is about 0.3 units, 5 pixels at 64 px.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .vocabulary import SURFACES

_PERIOD = 16
_LATTICE = torch.rand(_PERIOD**3, generator=torch.Generator().manual_seed(7))


def value_noise(p: Tensor) -> Tensor:
    """Smooth noise in [0, 1] at points p [n, 3]: trilinear value noise with smoothstep weights, period 16."""
    lattice = _LATTICE.to(p.device)
    cell = torch.floor(p)
    w = p - cell
    w = w * w * (3 - 2 * w)
    low = cell.long() & (_PERIOD - 1)
    high = (low + 1) & (_PERIOD - 1)
    (x0, y0, z0), (x1, y1, z1), (wx, wy, wz) = low.unbind(-1), high.unbind(-1), w.unbind(-1)

    def edge(y: Tensor, z: Tensor) -> Tensor:
        return torch.lerp(lattice[(x0 * _PERIOD + y) * _PERIOD + z], lattice[(x1 * _PERIOD + y) * _PERIOD + z], wx)

    return torch.lerp(torch.lerp(edge(y0, z0), edge(y1, z0), wy), torch.lerp(edge(y0, z1), edge(y1, z1), wy), wz)


def _fraction(x: Tensor) -> Tensor:
    return x - torch.floor(x)


def laid(p: Tensor, normal: Tensor) -> Tensor:
    """Surface coordinates (u, v) [n, 2] of points [n, 3]: x or z across and y up, from above x and z.

    The factors 1.1 and 1.3 keep walls at 45 degrees and roofs of equal slope from falling to one side or the other by rounding.
    """
    (x, y, z), (nx, ny, nz) = p.unbind(-1), normal.abs().unbind(-1)
    above, aside = ny > 1.3 * torch.maximum(nx, nz), nx > 1.1 * nz
    return torch.stack([torch.where(aside & ~above, z, x), torch.where(above, z, y)], -1)


def _checkered(p: Tensor, uv: Tensor) -> Tensor:
    u, v = torch.floor(uv * 3.0).unbind(-1)
    return (u + v) % 2


def _striped(p: Tensor, uv: Tensor) -> Tensor:
    return (torch.sin(p[:, 1] * 10 + p[:, 0] * 2) > 0).float()


def _dotted(p: Tensor, uv: Tensor) -> Tensor:
    u, v = (_fraction(uv * 2.7 + 0.25) - 0.5).unbind(-1)
    return (u * u + v * v < 0.1).float()


def _wooden(p: Tensor, uv: Tensor) -> Tensor:
    x, _, z = p.unbind(-1)
    grain = value_noise(p * torch.tensor([2.0, 0.6, 2.0], device=p.device))
    rings = torch.sqrt((x - 0.35) ** 2 + (z + 0.6) ** 2) * 9 + grain * 3
    return (0.5 + 0.5 * torch.sin(rings * 1.6)).pow(2) * 0.85


def _marble(p: Tensor, uv: Tensor) -> Tensor:
    x, y, _ = p.unbind(-1)
    vein = torch.sin(3.2 * x + 2.6 * y + 5 * value_noise(p * 1.8 + 3) + 2.5 * value_noise(p * 4.5))
    return (1.25 - 2.6 * vein.abs()).clamp(0, 1)


def _spotted(p: Tensor, uv: Tensor) -> Tensor:
    return (value_noise(p * 4.2) > 0.5).float()


def _brick(p: Tensor, uv: Tensor) -> Tensor:
    u, course = uv[:, 0] * 2.2, uv[:, 1] * 4.5
    row = torch.floor(course)
    return ((course - row < 0.2) | (_fraction(u + 0.5 * (row % 2)) < 0.1)).float()


def _gradient(p: Tensor, uv: Tensor) -> Tensor:
    return (p[:, 1] * 0.75 + 0.5).clamp(0, 1)


def _zigzag(p: Tensor, uv: Tensor) -> Tensor:
    u, v = uv.unbind(-1)
    return (torch.sin(11 * (v + 0.65 * ((u * 2.1) % 2 - 1).abs())) > 0).float()


def _grid(p: Tensor, uv: Tensor) -> Tensor:
    return (_fraction(uv * 2.6) < 0.2).any(-1).float()


def _rings(p: Tensor, uv: Tensor) -> Tensor:
    return (torch.sin(torch.sqrt((p * p).sum(-1)) * 14) > 0).float()


def _triangles(p: Tensor, uv: Tensor) -> Tensor:
    u, v = _fraction(uv * 2.0).unbind(-1)
    return (u < v).float()


def _plaid(p: Tensor, uv: Tensor) -> Tensor:
    return 0.5 * (torch.sin(uv * 9) > 0).float().sum(-1)


def _plain(p: Tensor, uv: Tensor) -> Tensor:
    return torch.zeros_like(p[:, 0])


def _furry(p: Tensor, uv: Tensor) -> Tensor:
    return value_noise(p * torch.tensor([18.0, 5.0, 18.0], device=p.device)) * 0.7


def _rusty(p: Tensor, uv: Tensor) -> Tensor:
    return (value_noise(p * 3.0) * 0.6 + value_noise(p * 11.0) * 0.6).clamp(0, 1).pow(2)


PATTERNS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "plain": _plain, "checkered": _checkered, "striped": _striped, "dotted": _dotted, "wooden": _wooden, "marble": _marble,
    "spotted": _spotted, "brick": _brick, "gradient": _gradient, "zigzag": _zigzag, "grid": _grid, "rings": _rings,
    "triangles": _triangles, "plaid": _plaid, "metallic": _plain, "furry": _furry, "rusty": _rusty,
}  # fmt: skip


def blend(surface: Tensor, p: Tensor, normal: Tensor) -> Tensor:
    """Share of the second colour [n] in [0, 1] at points p [n, 3] with object-space normals [n, 3]; `surface` [n] indexes SURFACES."""
    out = torch.zeros(len(p), device=p.device)
    uv = laid(p, normal)
    for k in torch.unique(surface).tolist():
        here = surface == k
        out[here] = PATTERNS[SURFACES[k]](p[here], uv[here])
    return out
