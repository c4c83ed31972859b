"""Frost on a window, without the photographs.

The reference adds a random crop of one of six photographs of frost; no picture is shipped here. Six looks take their place, each a
random field with the mean colour, the contrast and the fall of the spectrum measured on one of the photographs, blended with the
published weights.
What is lost: the shapes. Ice ferns become ridged clouds, and a photograph's bright and dark regions become stationary noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Generator, Tensor

from .filters import canvas, fit
from .seeds import draw, uniform

FROST = ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))  # weight of the image, weight of the frost

# mean red, green, blue; their deviations; fall of the power spectrum (power ~ frequency^-fall); frosts 2 and 3 are one photograph twice
LOOKS = (
    ((0.305, 0.585, 0.650), (0.106, 0.065, 0.060), 2.3),
    ((0.787, 0.805, 0.841), (0.084, 0.087, 0.089), 1.9),
    ((0.787, 0.805, 0.841), (0.084, 0.087, 0.089), 1.9),
    ((0.540, 0.599, 0.648), (0.112, 0.112, 0.117), 1.7),
    ((0.441, 0.484, 0.528), (0.174, 0.170, 0.163), 1.8),
    ((0.280, 0.374, 0.410), (0.138, 0.168, 0.186), 2.2),
)


def frost(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """a x + b frost."""
    keep, amount = FROST[level]
    size = canvas(x)
    looks = [min(int(u), len(LOOKS) - 1) for u in uniform(0, len(LOOKS), each)]
    layers = [_window(noise, look) for noise, look in zip(draw(torch.randn, (2, *size), each), looks, strict=True)]
    return keep * x + amount * fit(torch.stack(layers), x.shape[-2:])


def _window(noise: Tensor, look: int) -> Tensor:
    """[3, h, w] in [0, 1] from two planes of white noise: one becomes clouds, one the ridges between them."""
    mean, deviation, fall = (noise.new_tensor(v) for v in LOOKS[look])
    shaped = torch.fft.irfft2(torch.fft.rfft2(noise) * _slope(*noise.shape[-2:], float(fall)).to(noise.device), s=noise.shape[-2:])
    clouds, ridges = _standard(shaped[0]), _standard(-_standard(shaped[1]).abs().sqrt())
    ice = _standard(clouds + ridges)
    return (mean[:, None, None] + deviation[:, None, None] * ice).clamp(0, 1)


@lru_cache(maxsize=16)
def _slope(height: int, width: int, fall: float) -> Tensor:
    """Amplitude by frequency; nothing below one wave per picture, so that every picture has its look's own mean."""
    down, across = torch.fft.fftfreq(height) * height, torch.fft.rfftfreq(width) * width
    frequency = torch.hypot(down[:, None], across.expand(height, -1))
    return torch.where(frequency > 0, frequency.clamp(min=1) ** (-fall / 2), 0.0)


def _standard(field: Tensor) -> Tensor:
    return (field - field.mean()) / field.std()
