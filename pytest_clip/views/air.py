"""Fog that thickens with distance, and the flash of a camera."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Generator, Tensor

from .grid import each_image
from .relief import relative, reshading

FOG = (4.0, 8.0, 12.0, 16.0, 20.0)  # attenuation per unit of relative depth
FLASH = (2.4, 1.4, 0.9, 0.6, 0.4)  # light of the scene over light of the flash


def fog_3d(x: Tensor, depth: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """t x + (1 - t) mean(x), t = exp(-a depth). The mean of each picture; the published script takes that of its whole batch."""
    clear = (relative(depth) * -FOG[level]).exp()[:, None]
    haze = each_image(lambda image: image.mean().view(1, 1, 1), x)
    return clear * x + (1 - clear) * haze


def flash(x: Tensor, depth: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """x + x shade / c, at most 1. Of a flash only the angle is modelled, not that it fades with distance: so is the published one."""
    return x * (1 + reshading(depth)[:, None] / FLASH[level])
