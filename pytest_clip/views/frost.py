"""Frost on a window, without the photographs.

The reference adds a random crop of one of six photographs of frost; no picture is shipped here. Made pictures take their place (`ice`),
with the colours, the contrast and the power by frequency of crops of the photographs. A random crop of one of them is blended with the
published weights. Spectrum, mean and contrast of frosted photographs agree with the reference (benchmarks/frost.py).
What is lost: the shapes of this one window, and that a photograph is bright at one end and dark at the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from .grid import canvas, fit, stacked, whole
from .ice import SIDE, picture
from .seeds import draw

FROST = ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))  # weight of the image, weight of the frost

PHOTOGRAPHS = (0, 1, 1, 2, 3, 4)  # looks of the six: two are one photograph twice


def frost(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """a x + b frost."""
    keep, amount = FROST[level]
    height, width = canvas(x)
    layers = []
    for look, top, left in draw(torch.rand, (3,), each).tolist():
        ice = picture(PHOTOGRAPHS[min(int(look * len(PHOTOGRAPHS)), len(PHOTOGRAPHS) - 1)])
        ice = ice.repeat(1, -(-height // SIDE), -(-width // SIDE))  # it goes on beyond its border; once for all but very long images
        top, left = (int(u * (n - m + 1)) for u, n, m in zip((top, left), ice.shape[1:], (height, width), strict=True))
        layers.append(ice[:, top : top + height, left : left + width].to(x.device))
    if x.dtype == torch.uint8 and layers[0].shape == x.shape[1:]:
        return whole(stacked(layers).float().mul_(amount).add_(x.float(), alpha=keep))
    x = x.float().div_(255) if x.dtype == torch.uint8 else x
    return keep * x + amount * fit(stacked(layers).float().div_(255), x.shape[-2:])
