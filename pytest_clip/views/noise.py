"""Noise of the sensor and of the wire: Gaussian, shot, impulse, speckle. No lengths, so nothing scales with the image's size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from .seeds import draw

GAUSSIAN = (0.08, 0.12, 0.18, 0.26, 0.38)  # standard deviation
SHOT = (60, 25, 12, 5, 3)  # photons of a full-scale pixel
IMPULSE = (0.03, 0.06, 0.09, 0.17, 0.27)  # share of values replaced
SPECKLE = (0.15, 0.2, 0.35, 0.45, 0.6)  # standard deviation relative to the value


def gaussian_noise(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """x + N(0, c)."""
    return x + GAUSSIAN[level] * draw(torch.randn, tuple(x.shape[1:]), each)


def shot_noise(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Poisson(c x) / c: the fewer photons, the grainier."""
    photons = SHOT[level]
    return torch.stack([torch.poisson(image * photons, generator=g) / photons for image, g in zip(x, each, strict=True)])


def impulse_noise(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """A share c of the values (each channel on its own) becomes 0 or 1, either with the same chance."""
    share = IMPULSE[level]
    u = draw(torch.rand, tuple(x.shape[1:]), each)
    return torch.where(u < share, (u < share / 2).to(x.dtype), x)


def speckle_noise(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """x + x N(0, c)."""
    return x + x * (SPECKLE[level] * draw(torch.randn, tuple(x.shape[1:]), each))
