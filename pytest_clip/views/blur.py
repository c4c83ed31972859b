"""Blur of the lens and of motion. Lengths are those of a 224-pixel image and scale with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from .filters import correlate, gaussian, motion
from .grid import each_image, scale, stacked, whole
from .seeds import uniform

GAUSSIAN = (1, 2, 3, 4, 6)  # sigma
DEFOCUS = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))  # radius of the disk, sigma that softens its rim
MOTION = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))  # radius, sigma
LARGEST_SUM = 6  # radius of the largest disk whose sum of 8-bit levels is below 2^15


def gaussian_blur(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Gaussian blur."""
    return gaussian(x, GAUSSIAN[level] * scale(x))


def defocus_blur(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """The image of a point out of focus is a disk."""
    radius, rim = DEFOCUS[level]
    if x.dtype == torch.uint8:
        if scale(x) == 1 and radius <= LARGEST_SUM and x.device.type == "cpu":
            return each_image(lambda image: whole(_disk_means(image, radius, rim), means=True), x)
        x = x.float().div_(255)
    return correlate(x, _disk(radius, rim) if scale(x) == 1 else _smooth_disk(radius * scale(x)))


@lru_cache(maxsize=16)
def _disk(radius: int, rim: float) -> Tensor:
    """The published disk: whole pixels of at least 17 x 17, rim softened by a Gaussian of 3 (5 above radius 8) taps."""
    half = max(8, radius)
    squares = torch.arange(-half, half + 1, dtype=torch.float64) ** 2
    disk = (squares[:, None] + squares <= radius**2).double()
    disk /= disk.sum()
    taps = torch.arange(-1, 2) if radius <= 8 else torch.arange(-2, 3)
    weights = torch.exp(-0.5 * (taps.double() / rim) ** 2)
    weights /= weights.sum()
    pad = len(taps) // 2
    padded = F.pad(disk[None, None], (pad, pad, pad, pad), mode="reflect")
    return F.conv2d(padded, (weights[:, None] * weights)[None, None])[0, 0]


def _disk_means(image: Tensor, radius: int, rim: float) -> Tensor:
    """float32 [3, h, w] levels under the published disk, by sums of 16 bits: a third of the time of the FFT.

    Sums of 1, 3, 5, ... pixels of a row, of each the rows that are as wide; the rim is softened in what comes out. Not for the disks of
    radius 8 and 10, whose published kernels lack what softening spreads beyond their array.
    """
    (height, width), pad = image.shape[1:], radius + 1
    row = width + 2 * pad
    pixels = _mirrored(image.numpy(), pad).ravel()
    sums = pixels[radius:-radius].copy()
    total = np.zeros(len(sums) - 2 * radius * row, np.int16)
    for half in range(radius + 1):
        if half:
            sums += pixels[radius - half : len(pixels) - radius - half]
            sums += pixels[radius + half : len(pixels) - radius + half]
        for down in range(-radius, radius + 1):
            if half == math.isqrt(radius**2 - down**2):
                total += sums[(radius + down) * row :][: len(total)]
    # `total` begins one row and one column before the image.
    soft = [math.exp(-0.5 * (k / rim) ** 2) for k in (1, 0, 1)]
    out, area = torch.from_numpy(total).float(), sum(2 * math.isqrt(radius**2 - k**2) + 1 for k in range(-radius, radius + 1))
    for step in (row, 1):
        around, out = out, out[step:-step]
        if soft[0] > 1e-9:  # it is 2e-22 for the rim of the smallest disk
            out = out * (soft[1] / sum(soft))
            out.add_(around[: -2 * step], alpha=soft[0] / sum(soft)).add_(around[2 * step :], alpha=soft[2] / sum(soft))
    full = out.new_empty(3, height + 2 * pad, row)
    torch.mul(out, 1 / area, out=full.view(-1)[: len(out)])
    return full[:, :height, :width]


def _mirrored(image: Any, pad: int) -> Any:
    """int16 [c, h + 2 pad, w + 2 pad] of an array, border dcb|abcd|cba: a third of the time of `np.pad`."""
    count, height, width = image.shape
    out = np.empty((count, height + 2 * pad, width + 2 * pad), np.int16)
    middle = out[:, pad:-pad]
    middle[:, :, pad:-pad] = image
    middle[:, :, :pad] = image[:, :, pad:0:-1]
    middle[:, :, -pad:] = image[:, :, -2 : -pad - 2 : -1]
    out[:, :pad] = out[:, 2 * pad : pad : -1]
    out[:, -pad:] = out[:, -pad - 2 : -2 * pad - 2 : -1]
    return out


@lru_cache(maxsize=64)
def _smooth_disk(radius: float) -> Tensor:
    """A disk of any radius: every pixel weighs by the part of it that the disk covers (16 x 16 samples a pixel)."""
    half = math.ceil(radius)
    fine = (torch.arange((2 * half + 1) * 16, dtype=torch.float64) + 0.5) / 16 - half - 0.5
    inside = (fine[:, None] ** 2 + fine**2 <= radius**2).double()
    disk = F.avg_pool2d(inside[None, None], 16)[0, 0]
    return disk / disk.sum()


def motion_blur(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Smeared one way along a direction within 45 degrees of horizontal."""
    radius, sigma = MOTION[level]
    angles = uniform(-45, 45, each)
    smeared = [motion(image.float(), radius, sigma, angle, scale(x)) for image, angle in zip(x, angles, strict=True)]
    return stacked([whole(image, means=True) for image in smeared] if x.dtype == torch.uint8 else smeared)
