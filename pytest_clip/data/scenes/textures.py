"""Solid textures: functions of object-space points, so that a texture sticks to its object in every view.

`blend` gives the share of the second colour in [0, 1]; patterns are coarse (a stripe is about 0.3 units, 5 pixels at 64 px) because finer
ones were below the resolution of the bundled models: zero-shot texture stayed at 28 % with stripes half as wide.
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


def _dotted(p: Tensor) -> Tensor:
    q = _fraction(p * 2.4 + 0.25) - 0.5
    return ((q * q).sum(-1) < 0.13).float()


def _wooden(p: Tensor) -> Tensor:
    x, _, z = p.unbind(-1)
    grain = value_noise(p * torch.tensor([2.0, 0.6, 2.0], device=p.device))
    rings = torch.sqrt((x - 0.35) ** 2 + (z + 0.6) ** 2) * 9 + grain * 3
    return (0.5 + 0.5 * torch.sin(rings * 1.8)).pow(2) * 0.85


def _brick(p: Tensor) -> Tensor:
    x, y, z = p.unbind(-1)
    course = y * 4.2
    row = torch.floor(course)
    along = (x + z) * 1.9 + 0.5 * (row % 2)
    return ((course - row < 0.2) | (_fraction(along) < 0.12)).float()


def _grid(p: Tensor) -> Tensor:
    return (torch.sin(p * 5.5).abs() < 0.3).any(-1).float()


def _zigzag(p: Tensor) -> Tensor:
    x, y, z = p.unbind(-1)
    return (torch.sin(9.5 * (y + 0.45 * (((x + z) * 1.6) % 2 - 1).abs())) > 0).float()


def _marble(p: Tensor) -> Tensor:
    x, y, _ = p.unbind(-1)
    return (0.5 + 0.5 * torch.sin(4 * x + 3 * y + 6 * value_noise(p * 2 + 3) + 3 * value_noise(p * 5))).pow(4)


def _checkered(p: Tensor) -> Tensor:
    x, y, z = (p * 2.6).unbind(-1)
    return (torch.floor(x) + torch.floor(y + 0.5) + torch.floor(z)) % 2


def _triangles(p: Tensor) -> Tensor:
    x, y, z = p.unbind(-1)
    return (_fraction((x + z) * 2.2) < _fraction(y * 2.2)).float()


def _plaid(p: Tensor) -> Tensor:
    x, y, z = p.unbind(-1)
    return 0.5 * (torch.sin(x * 9 + z * 9) > 0).float() + 0.5 * (torch.sin(y * 9) > 0).float()


PATTERNS: dict[str, Callable[[Tensor], Tensor]] = {
    "plain": lambda p: torch.zeros_like(p[:, 0]),
    "checkered": _checkered,
    "striped": lambda p: (torch.sin(p[:, 1] * 10 + p[:, 0] * 2) > 0).float(),
    "dotted": _dotted,
    "wooden": _wooden,
    "marble": _marble,
    "spotted": lambda p: (value_noise(p * 5.0) > 0.5).float(),
    "brick": _brick,
    "gradient": lambda p: (p[:, 1] * 0.62 + 0.5).clamp(0, 1),
    "zigzag": _zigzag,
    "grid": _grid,
    "rings": lambda p: (torch.sin(torch.sqrt((p * p).sum(-1)) * 14) > 0).float(),
    "triangles": _triangles,
    "plaid": _plaid,
    "metallic": lambda p: torch.zeros_like(p[:, 0]),
    "furry": lambda p: value_noise(p * torch.tensor([18.0, 5.0, 18.0], device=p.device)) * 0.7,
    "rusty": lambda p: (value_noise(p * 3.0) * 0.6 + value_noise(p * 11.0) * 0.6).clamp(0, 1).pow(2),
}


def blend(surface: Tensor, p: Tensor) -> Tensor:
    """Share of the second colour [n] in [0, 1] for points p [n, 3] on surfaces [n] (indices into SURFACES)."""
    out = torch.zeros(len(p), device=p.device)
    for k in torch.unique(surface).tolist():
        here = surface == k
        out[here] = PATTERNS[SURFACES[k]](p[here])
    return out
