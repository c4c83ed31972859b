"""Drops of water or mud on the lens. The layer is drawn at a shorter side of 224 pixels and fitted to the image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from .edges import FARTHEST, canny, distance
from .filters import gaussian
from .grid import canvas, fit
from .seeds import draw

# mean and deviation of the noise, sigma, threshold, amount of water or sigma of the mud's rim, mud instead of water
SPATTER = (
    (0.65, 0.3, 4, 0.69, 0.6, False),
    (0.65, 0.3, 3, 0.68, 0.6, False),
    (0.65, 0.3, 2, 0.68, 0.5, False),
    (0.65, 0.3, 1, 0.65, 1.5, True),
    (0.67, 0.4, 1, 0.65, 1.5, True),
)
WATER = (175 / 255, 238 / 255, 238 / 255)
MUD = (63 / 255, 42 / 255, 20 / 255)
RELIEF = ((-2.0, -1.0, 0.0), (-1.0, 1.0, 1.0), (0.0, 1.0, 2.0))  # light from the upper left


def spatter(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Water brightens the picture by a shaded layer; mud covers it."""
    mean, deviation, sigma, threshold, amount, mud = SPATTER[level]
    liquid = gaussian(draw(torch.randn, (1, *canvas(x)), each) * deviation + mean, sigma)
    colour = x.new_tensor(MUD if mud else WATER)[:, None, None]
    if mud:
        cover = gaussian((liquid > threshold).to(x.dtype), amount)
        cover = fit(torch.where(cover < 0.8, 0.0, cover), x.shape[-2:])
        return x * (1 - cover) + colour * cover
    liquid = (torch.where(liquid < threshold, 0.0, liquid) * 255).clamp(0, 255).floor()
    water = liquid * _shading(liquid)
    water = water / water.amax((1, 2, 3), keepdim=True).clamp(min=1e-12) * amount
    return x + fit((water * colour).clamp(0, 1), x.shape[-2:])


def _shading(liquid: Tensor) -> Tensor:
    """[n, 1, h, w] in 0..255: the distance from the drops' rims, made even by its histogram and lit from one side."""
    even = torch.stack([_equalise(d) for d in _mean3(distance(canny(liquid))).floor()])
    kernel = even.new_tensor(RELIEF)
    padded = F.pad(even, (1, 1, 1, 1), mode="reflect")
    height, width = even.shape[-2:]
    lit = torch.zeros_like(even)
    for row in range(3):
        for column in range(3):
            lit += kernel[row, column] * padded[..., row : row + height, column : column + width]
    return _mean3(lit.clamp(0, 255)).round()


def _mean3(x: Tensor) -> Tensor:
    """Mean over 3 x 3, border dcb|abcd|cba."""
    padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
    rows = padded[..., :-2, :] + padded[..., 1:-1, :] + padded[..., 2:, :]
    return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9


def _equalise(x: Tensor) -> Tensor:
    """Histogram equalisation of whole numbers 0..FARTHEST to 0..255: the lowest level present becomes 0."""
    levels = x.long()
    counts = torch.bincount(levels.flatten(), minlength=FARTHEST + 1).float()
    first = int((counts > 0).nonzero()[0])
    total = counts.sum() - counts[first]
    table = (counts.cumsum(0) - counts[: first + 1].sum()).clamp(min=0) * (255 / total.clamp(min=1))
    return table.round()[levels] if total > 0 else x
