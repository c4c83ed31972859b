"""Frost on a window, without the photographs.

The reference adds a random crop of one of six photographs of frost; no picture is shipped here. Six made pictures take their place, each a
random field with the mean colour, the contrast and the fall of the spectrum measured on one of the photographs, made on first use. A
random crop of one of them is blended with the published weights.
What is lost: the shapes. Ice ferns become ridged clouds, and a photograph's bright and dark regions become stationary noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Generator, Tensor

from .grid import REFERENCE, canvas, fit, stacked, whole
from .seeds import draw

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
SIDE = 512  # of a made picture


def frost(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """a x + b frost."""
    keep, amount = FROST[level]
    height, width = canvas(x)
    layers = []
    for look, top, left in draw(torch.rand, (3,), each).tolist():
        ice = photograph(min(int(look * len(LOOKS)), len(LOOKS) - 1))
        ice = ice.repeat(1, -(-height // SIDE), -(-width // SIDE))  # it goes on beyond its border; once for all but very long images
        top, left = (int(u * (n - m + 1)) for u, n, m in zip((top, left), ice.shape[1:], (height, width), strict=True))
        layers.append(ice[:, top : top + height, left : left + width].to(x.device))
    if x.dtype == torch.uint8 and layers[0].shape == x.shape[1:]:
        return whole(stacked(layers).float().mul_(amount).add_(x.float(), alpha=keep))
    x = x.float().div_(255) if x.dtype == torch.uint8 else x
    return keep * x + amount * fit(stacked(layers).float().div_(255), x.shape[-2:])


@lru_cache(maxsize=len(LOOKS))
def photograph(look: int) -> Tensor:
    """uint8 [3, 512, 512] from two planes of white noise: one becomes clouds, one the ridges between them. Its borders fit each other."""
    mean, deviation, fall = (torch.tensor(v) for v in LOOKS[look])
    noise = torch.randn(2, SIDE, SIDE, generator=Generator().manual_seed(look))
    shaped = torch.fft.irfft2(torch.fft.rfft2(noise) * _slope(float(fall)), s=(SIDE, SIDE))
    clouds, ridges = _standard(shaped[0]), _standard(-_standard(shaped[1]).abs().sqrt())
    ice = mean[:, None, None] + deviation[:, None, None] * _standard(clouds + ridges)
    return (ice.clamp(0, 1) * 255).round().to(torch.uint8)


def _slope(fall: float) -> Tensor:
    """Amplitude by frequency; nothing below half a wave per 224 pixels, so that crops have their look's own mean, more or less."""
    waves = REFERENCE / SIDE
    frequency = torch.hypot(torch.fft.fftfreq(SIDE)[:, None], torch.fft.rfftfreq(SIDE).expand(SIDE, -1)) * SIDE * waves
    return torch.where(frequency >= 0.5, frequency.clamp(min=1) ** (-fall / 2), 0.0)


def _standard(field: Tensor) -> Tensor:
    return (field - field.mean()) / field.std()
