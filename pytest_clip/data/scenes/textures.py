"""Textures of objects: functions of object-space points and normals, so that a texture sticks to its object in every view.

Flat patterns (dots, bricks, a grid) are laid on a surface from the side it faces; as functions of the point alone they showed cuts through
a solid lattice, which look alike (zero-shot texture of a bundled model: 0.42 of 11). Wood, marble, spots and the like are solid. `share`
gives the share of the second colour in [0, 1]. Patterns are coarse: a stripe is about 0.3 units, 5 pixels at 64 px.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .vectors import Vector, dot

_PERIOD = 16
_LATTICE = torch.rand(_PERIOD**3, generator=torch.Generator().manual_seed(7))


def value_noise(p: Vector) -> Tensor:
    """Smooth noise [n] in [0, 1] at points p [n]: trilinear value noise with smoothstep weights, period 16."""
    lattice = _LATTICE.to(p[0].device)

    def along(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        cell = torch.floor(x)
        w = x - cell
        low = cell.int() & (_PERIOD - 1)
        return low, (low + 1) & (_PERIOD - 1), w * w * (3 - 2 * w)

    (x0, x1, wx), (y0, y1, wy), (z0, z1, wz) = (along(x) for x in p)

    def edge(y: Tensor, z: Tensor) -> Tensor:
        at, x0_, x1_ = y * _PERIOD + z, x0 * _PERIOD**2, x1 * _PERIOD**2
        return torch.lerp(lattice.index_select(0, x0_ + at), lattice.index_select(0, x1_ + at), wx)

    return torch.lerp(torch.lerp(edge(y0, z0), edge(y1, z0), wy), torch.lerp(edge(y0, z1), edge(y1, z1), wy), wz)


def scaled(p: Vector, by: float) -> Vector:
    return p[0] * by, p[1] * by, p[2] * by


def _fraction(x: Tensor) -> Tensor:
    return x - torch.floor(x)


def laid(p: Vector, normal: Vector) -> tuple[Tensor, Tensor]:
    """Surface coordinates u, v of points: x or z across and y up, from above x and z.

    The factors 1.1 and 1.3 keep walls at 45 degrees and roofs of equal slope from falling to one side or the other by rounding.
    """
    x, y, z = p
    nx, ny, nz = (n.abs() for n in normal)
    above, aside = ny > 1.3 * torch.maximum(nx, nz), nx > 1.1 * nz
    return torch.where(aside & ~above, z, x), torch.where(above, z, y)


def _plain(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    return torch.zeros_like(u)


def _checkered(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    return (torch.floor(u * 3.0) + torch.floor(v * 3.0)) % 2


def _striped(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    return (torch.sin(p[1] * 10 + p[0] * 2) > 0).float()


def _dotted(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    u, v = _fraction(u * 2.7 + 0.25) - 0.5, _fraction(v * 2.7 + 0.25) - 0.5
    return (u * u + v * v < 0.1).float()


def _wooden(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    x, y, z = p
    grain = value_noise((x * 2.0, y * 0.6, z * 2.0))
    rings = torch.sqrt((x - 0.35) ** 2 + (z + 0.6) ** 2) * 9 + grain * 3
    return (0.5 + 0.5 * torch.sin(rings * 1.6)).pow(2) * 0.85


def _marble(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    x, y, z = scaled(p, 1.8)
    vein = torch.sin(3.2 * p[0] + 2.6 * p[1] + 5 * value_noise((x + 3, y + 3, z + 3)) + 2.5 * value_noise(scaled(p, 4.5)))
    return (1.25 - 2.6 * vein.abs()).clamp(0, 1)


def _spotted(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    return (value_noise(scaled(p, 4.2)) > 0.5).float()


def _brick(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    u, course = u * 2.2, v * 4.5
    row = torch.floor(course)
    return ((course - row < 0.2) | (_fraction(u + 0.5 * (row % 2)) < 0.1)).float()


def _gradient(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    return (p[1] * 0.75 + 0.5).clamp(0, 1)


def _zigzag(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    return (torch.sin(11 * (v + 0.65 * ((u * 2.1) % 2 - 1).abs())) > 0).float()


def _grid(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    return ((_fraction(u * 2.6) < 0.2) | (_fraction(v * 2.6) < 0.2)).float()


def _rings(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    return (torch.sin(torch.sqrt(dot(p, p)) * 14) > 0).float()


def _triangles(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    return (_fraction(u * 2.0) < _fraction(v * 2.0)).float()


def _plaid(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    return 0.5 * ((torch.sin(u * 9) > 0).float() + (torch.sin(v * 9) > 0).float())


def _furry(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    return value_noise((p[0] * 18.0, p[1] * 5.0, p[2] * 18.0)) * 0.7


def _rusty(p: Vector, u: Tensor, v: Tensor) -> Tensor:
    return (value_noise(scaled(p, 3.0)) * 0.6 + value_noise(scaled(p, 11.0)) * 0.6).clamp(0, 1).pow(2)


PATTERNS: dict[str, Callable[[Vector, Tensor, Tensor], Tensor]] = {
    "plain": _plain, "checkered": _checkered, "striped": _striped, "dotted": _dotted, "wooden": _wooden, "marble": _marble,
    "spotted": _spotted, "brick": _brick, "gradient": _gradient, "zigzag": _zigzag, "grid": _grid, "rings": _rings,
    "triangles": _triangles, "plaid": _plaid, "metallic": _plain, "furry": _furry, "rusty": _rusty,
}  # fmt: skip


def share(surface: str, p: Vector, normal: Vector) -> Tensor:
    """Share of the second colour in [0, 1] that `surface` shows at object-space points with these object-space normals; all [n]."""
    return PATTERNS[surface](p, *laid(p, normal))
