"""Blur of the lens, of frosted glass, of motion and of zooming in. Lengths are those of a 224-pixel image and scale with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from .filters import canvas, clipped_zoom, correlate, each_image, gaussian, motion, scale, warp
from .seeds import draw, uniform

GAUSSIAN = (1, 2, 3, 4, 6)  # sigma
DEFOCUS = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))  # radius of the disk, sigma that softens its rim
GLASS = ((0.7, 1, 2), (0.9, 2, 1), (1.0, 2, 3), (1.1, 3, 2), (1.5, 4, 2))  # sigma, reach, rounds
MOTION = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))  # radius, sigma
ZOOM = ((12, 0.01), (16, 0.01), (11, 0.02), (13, 0.02), (11, 0.03))  # number of enlargements from 1 on, step


def gaussian_blur(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Gaussian blur."""
    return gaussian(x, GAUSSIAN[level] * scale(x))


def defocus_blur(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """The image of a point out of focus is a disk."""
    radius, rim = DEFOCUS[level]
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


@lru_cache(maxsize=64)
def _smooth_disk(radius: float) -> Tensor:
    """A disk of any radius: every pixel weighs by the part of it that the disk covers (16 x 16 samples a pixel)."""
    half = math.ceil(radius)
    fine = (torch.arange((2 * half + 1) * 16, dtype=torch.float64) + 0.5) / 16 - half - 0.5
    inside = (fine[:, None] ** 2 + fine**2 <= radius**2).double()
    disk = F.avg_pool2d(inside[None, None], 16)[0, 0]
    return disk / disk.sum()


def glass_blur(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Blurred, then every pixel shows one near it, then blurred again.

    The reference means to swap pixels but copies: its tuple assignment works on views, so the pixel swapped in is overwritten before it
    is read. The published images are made that way, and so are these.
    """
    sigma, reach, rounds = GLASS[level]
    sigma *= scale(x)
    height, width = canvas(x)
    places = torch.arange(height * width, device=x.device).expand(len(x), -1)
    source = places
    for _ in range(rounds):
        source = source.gather(1, _copied_from(height, width, reach, each))
    x = ((gaussian(x, sigma) * 255 + 1e-3).floor() / 255).clamp(0, 1)
    if scale(x) <= 1:  # smaller images are shuffled in parts of pixels: repeated up to the canvas, averaged down again
        shuffled = F.interpolate(x, (height, width), mode="nearest-exact").flatten(2).gather(2, source[:, None].expand(-1, 3, -1))
        x = F.adaptive_avg_pool2d(shuffled.view(len(x), 3, height, width), (x.shape[2], x.shape[3]))
    else:
        moved = torch.stack((source // width - places // width, source % width - places % width), 1).to(x.dtype)
        dy, dx = F.interpolate(moved.view(len(x), 2, height, width), x.shape[-2:], mode="nearest-exact").mul(scale(x)).unbind(1)
        x = warp(x, dy, dx)
    return gaussian(x, sigma)


def _copied_from(height: int, width: int, reach: int, each: Sequence[Generator]) -> Tensor:
    """[n, height * width]: the pixel whose value each pixel has after one round of copying from last to first pixel.

    A pixel reads at an offset in [-reach, reach) that was either read over already (its place is later: follow that pixel's own
    source) or not yet (take it as it is). Following all of these chains at once, doubling the step, replaces the loop over pixels.
    """
    offsets = draw(torch.rand, (2, height, width), each).mul(2 * reach).floor().sub(reach).clamp(max=reach - 1).long()
    places = torch.arange(height * width, device=offsets.device)
    rows, columns = places // width, places % width
    moves = (rows > reach) & (rows <= height - reach) & (columns > reach) & (columns <= width - reach)
    target = places + torch.where(moves, (offsets[:, 0] * width + offsets[:, 1]).flatten(1), 0)
    done = moves[target] & (target > places)
    chain = torch.where(done, target, places)
    while not torch.equal(further := chain.gather(1, chain), chain):
        chain = further
    return target.gather(1, chain)


def motion_blur(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Smeared one way along a direction within 45 degrees of horizontal."""
    radius, sigma = MOTION[level]
    angles = uniform(-45, 45, each)
    return torch.stack([motion(image, radius, sigma, angle, scale(x)) for image, angle in zip(x, angles, strict=True)])


def zoom_blur(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """The mean of the image and its enlargements."""
    count, step = ZOOM[level]
    height, width = x.shape[-2:]

    def one(image: Tensor) -> Tensor:
        out = image + image  # itself, and its enlargement by 1
        for k in range(1, count):
            out += clipped_zoom(image, 1 + k * step)[:, :height, :width]
        return out / (count + 1)

    return each_image(one, x)
