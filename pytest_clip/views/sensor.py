"""What the sensor and its electronics do: few colours, high sensitivity, little light. Depth plays no part."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from .noise import poisson
from .seeds import draw

BITS = (5, 4, 3, 2, 1)  # kept of each channel's 8
ISO_PHOTONS = 25  # of a full-scale pixel, at any sensitivity
ISO = (0.056, 0.084, 0.126, 0.182, 0.266)  # deviation of the electronic noise: 0.7 times that of Gaussian noise
LIGHT = (0.6, 0.5, 0.4, 0.3, 0.2)  # of full scale that is left
DARK_PHOTONS, DARK_NOISE = 120, 0.018


def color_quant(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Only the upper bits of each channel are kept."""
    step = 1 << (8 - BITS[level])
    return (x * 255 + 1e-3).floor().div(step).floor().mul(step) / 255


def iso_noise(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Poisson(25 x) / 25, cut off at 1, then N(0, c)."""
    return _shot(x, ISO_PHOTONS, each) + ISO[level] * draw(torch.randn, tuple(x.shape[1:]), each)


def low_light(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """The range of the picture squared and stretched to [0, c], then the noise of a dark exposure. A picture without any range is black."""
    low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
    dark = ((x - low) / (high - low).clamp(min=1e-12)) ** 2 * LIGHT[level]
    return _shot(dark, DARK_PHOTONS, each) + DARK_NOISE * draw(torch.randn, tuple(x.shape[1:]), each)


def _shot(x: Tensor, photons: int, each: Sequence[Generator]) -> Tensor:
    return poisson(x, photons, each) / photons
