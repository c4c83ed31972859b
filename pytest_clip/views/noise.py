"""Noise of the sensor and of the wire: Gaussian, shot, impulse, speckle. No lengths, so nothing scales with the image's size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Generator, Tensor

from .grid import stacked
from .seeds import bits, normal, places, quantiles

GAUSSIAN = (0.08, 0.12, 0.18, 0.26, 0.38)  # standard deviation
SHOT = (60, 25, 12, 5, 3)  # photons of a full-scale pixel
IMPULSE = (0.03, 0.06, 0.09, 0.17, 0.27)  # share of values replaced
SPECKLE = (0.15, 0.2, 0.35, 0.45, 0.6)  # standard deviation relative to the value


def gaussian_noise(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """x + N(0, c)."""
    if x.dtype != torch.uint8:
        return x + GAUSSIAN[level] * normal(tuple(x.shape[1:]), each)
    at = places(bits(tuple(x.shape[1:]), each))
    noise = _whole_noise(level).to(x.device).index_select(0, at.flatten()).view_as(at)
    return noise.add_(x.to(torch.int16)).clamp_(0, 255).to(torch.uint8)


@lru_cache(maxsize=8)
def _whole_noise(level: int) -> Tensor:
    """int16 [65536]: what N(0, c) adds to a whole level when the sum is cut off to a whole level."""
    return (quantiles().double() * (255 * GAUSSIAN[level])).floor().to(torch.int16)


def shot_noise(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Poisson(c x) / c: the fewer photons, the grainier."""
    photons = SHOT[level]
    if x.dtype == torch.uint8:
        return stacked([_drawn(image, photons, g, full=255).to(torch.uint8) for image, g in zip(x, each, strict=True)])
    return poisson(x, photons, each) / photons


def poisson(x: Tensor, photons: int, each: Sequence[Generator]) -> Tensor:
    """Counts of a Poisson process of mean x photons, cut off at `photons` (where a pixel is full), for x in [0, 1].

    An image of whole 8-bit levels has 256 means, for which the distributions are tabled: 20 times as fast as drawing each on its own.
    """
    return stacked([_counts(image, photons, g) for image, g in zip(x, each, strict=True)])


def _counts(image: Tensor, photons: int, generator: Generator) -> Tensor:
    levels = (image * 255).round()
    if not bool(((levels / 255 - image).abs() < 1e-6).all()):
        return torch.poisson(image * photons, generator=generator).clamp(max=photons)
    return _drawn(levels.to(torch.uint8), photons, generator, full=photons).to(torch.uint8).to(image.dtype)


def _drawn(image: Tensor, photons: int, generator: Generator, *, full: int) -> Tensor:
    """int32 [c, h, w], whose lowest 8 bits are the counts, scaled so that `photons` are `full` and cut off to whole numbers.

    Of 16 random bits the upper ones choose a column of Walker's table, the lower ones toss its coin.
    """
    table, coins = _alias(photons, full)
    number = places(bits(tuple(image.shape), [generator])[0])
    at = (image.int() << 16).bitwise_or_(number).bitwise_right_shift_(coins)
    entry = table.to(image.device).index_select(0, at.flatten()).view_as(at)
    go = (entry & 0x7FFF).sub_(number.bitwise_and_((1 << coins) - 1)).sub_(1).bitwise_right_shift_(31)  # -1 or 0
    return entry.bitwise_right_shift_(go.mul_(-8).add_(15))


@lru_cache(maxsize=16)
def _alias(photons: int, full: int) -> tuple[Tensor, int]:
    """Walker's tables, one int32 for each of 256 levels and a power of two of columns; and how many bits of 16 are left for the coin.

    15 bits: how many of the coin's values stay. Two bytes above it: the result for those, and for the others.
    """
    columns = 1 << photons.bit_length()
    coin = (1 << 16) // columns
    mean = np.arange(256)[:, None] * (photons / 255)
    k = np.arange(photons)
    logs = np.array([math.lgamma(i + 1) for i in k])
    chance = np.zeros((256, columns))
    chance[:, :photons] = np.exp(k * np.log(np.maximum(mean, 1e-300)) - mean - logs)
    chance[:, photons] = np.maximum(1 - chance.sum(1), 0)
    keep, other = np.ones_like(chance), np.tile(np.arange(columns), (256, 1))
    for weights, stay, go in zip(chance * columns, keep, other, strict=True):
        small, large = [i for i, w in enumerate(weights) if w < 1], [i for i, w in enumerate(weights) if w >= 1]
        while small and large:
            low, high = small.pop(), large[-1]
            stay[low], go[low] = weights[low], high
            weights[high] -= 1 - weights[low]
            if weights[high] < 1:
                small.append(large.pop())
    shown = np.floor(np.arange(columns) * (full / photons) + 1e-3).astype(np.int64).clip(0, full)
    table = np.round(keep * coin).astype(np.int64) | shown << 15 | shown[other] << 23
    return torch.from_numpy(table.ravel()).int(), coin.bit_length() - 1


def impulse_noise(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """A share c of the values (each channel on its own) becomes 0 or 1, either with the same chance."""
    number = bits(tuple(x.shape[1:]), each)
    full = number >> 15  # the sign decides between the two: -1 or 0, which is 255 or 0 in 8 bits
    hit = number.bitwise_and_(0x7FFF).sub_(round(IMPULSE[level] * 2**15)).bitwise_right_shift_(15)
    if x.dtype == torch.uint8:
        full, hit = full.to(torch.uint8), hit.to(torch.uint8)
        return full.bitwise_and_(hit).bitwise_or_(hit.bitwise_not_().bitwise_and_(x))
    return torch.where(hit.bool(), full.neg_().to(x.dtype), x)


def speckle_noise(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """x + x N(0, c)."""
    return x + x * (SPECKLE[level] * normal(tuple(x.shape[1:]), each))
