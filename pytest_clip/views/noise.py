"""Noise of the sensor and of the wire: Gaussian, shot, impulse, speckle. No lengths, so nothing scales with the image's size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
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
    return poisson(x, SHOT[level], each) / SHOT[level]


def poisson(x: Tensor, photons: int, each: Sequence[Generator]) -> Tensor:
    """Counts of a Poisson process of mean x photons, cut off at `photons` (where a pixel is full), for x in [0, 1].

    An image of whole 8-bit levels has 256 means, for which the distributions are tabled: seven times as fast as drawing each on its own.
    """
    return torch.stack([_counts(image, photons, g) for image, g in zip(x, each, strict=True)])


def _counts(image: Tensor, photons: int, generator: Generator) -> Tensor:
    levels = (image * 255).round()
    if not bool(((levels / 255 - image).abs() < 1e-6).all()):
        return torch.poisson(image * photons, generator=generator).clamp(max=photons)
    keep, other = (table.to(image.device) for table in _alias(photons))
    column = draw(torch.rand, tuple(image.shape), [generator])[0] * (photons + 1)
    count = column.floor().clamp(max=photons)
    at = (levels * (photons + 1) + count).long().flatten()
    stay = (column - count < keep.index_select(0, at).view_as(column)).to(image.dtype)
    return count * stay + other.index_select(0, at).view_as(column) * (1 - stay)


@lru_cache(maxsize=16)
def _alias(photons: int) -> tuple[Tensor, Tensor]:
    """Walker's tables, float32 [256 * (photons + 1)]: of each level and count the chance to stay there, and the count to go to if not."""
    mean = np.arange(256)[:, None] * (photons / 255)
    k = np.arange(photons)
    logs = np.array([math.lgamma(i + 1) for i in k])
    chance = np.zeros((256, photons + 1))
    chance[:, :-1] = np.exp(k * np.log(np.maximum(mean, 1e-300)) - mean - logs)
    chance[:, -1] = np.maximum(1 - chance.sum(1), 0)
    keep, other = np.ones_like(chance), np.tile(np.arange(photons + 1.0), (256, 1))
    for weights, stay, go in zip(chance * (photons + 1), keep, other, strict=True):
        small, large = [i for i, w in enumerate(weights) if w < 1], [i for i, w in enumerate(weights) if w >= 1]
        while small and large:
            low, high = small.pop(), large[-1]
            stay[low], go[low] = weights[low], high
            weights[high] -= 1 - weights[low]
            if weights[high] < 1:
                small.append(large.pop())
    return torch.from_numpy(keep.ravel()).float(), torch.from_numpy(other.ravel()).float()


def impulse_noise(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """A share c of the values (each channel on its own) becomes 0 or 1, either with the same chance."""
    share = IMPULSE[level]
    u = draw(torch.rand, tuple(x.shape[1:]), each)
    kept = (u >= share).to(x.dtype)
    return x * kept + (u < share / 2).to(x.dtype)


def speckle_noise(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """x + x N(0, c)."""
    return x + x * (SPECKLE[level] * draw(torch.randn, tuple(x.shape[1:]), each))
