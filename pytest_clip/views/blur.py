"""Blur of the lens, of frosted glass, of motion and of zooming in. Lengths are those of a 224-pixel image and scale with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from .filters import canvas, clipped_zoom, correlate, gaussian, motion, scale, warp
from .seeds import draw, uniform

GAUSSIAN = (1, 2, 3, 4, 6)  # sigma
DEFOCUS = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))  # radius of the disk, sigma that softens its rim
GLASS = ((0.7, 1, 2), (0.9, 2, 1), (1.0, 2, 3), (1.1, 3, 2), (1.5, 4, 2))  # sigma, reach, rounds
MOTION = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))  # radius, sigma
ZOOM = ((12, 0.01), (16, 0.01), (11, 0.02), (13, 0.02), (11, 0.03))  # number of enlargements from 1 on, step
GROUP = 8  # images that zoom blur takes together


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
    x = ((gaussian(x, sigma) * 255 + 1e-3).floor() / 255).clamp(0, 1)
    return gaussian(torch.stack([_shuffled(image, reach, rounds, g) for image, g in zip(x, each, strict=True)]), sigma)


def _shuffled(image: Tensor, reach: int, rounds: int, generator: Generator) -> Tensor:
    """[3, h, w] of whole 8-bit levels after rounds of copying, on a canvas whose shorter side has 224 pixels."""
    height, width = canvas(image)
    source = torch.arange(height * width, device=image.device)
    for _ in range(rounds):
        source = source.index_select(0, _copied_from(height, width, reach, generator))
    size = (image.shape[1], image.shape[2])
    if scale(image) <= 1:  # smaller images are shuffled in parts of pixels: repeated up to the canvas, averaged down again
        red, green, blue = (image * 255).round().int().flatten(1).unbind()  # one number a pixel: a third of the look-ups
        if size != (height, width):
            source = _repeated(size, (height, width), image.device).index_select(0, source)
        pixels = (red | green << 8 | blue << 16).index_select(0, source)
        shuffled = torch.stack([pixels & 255, pixels >> 8 & 255, pixels >> 16]).float().div_(255).view(3, height, width)
        return shuffled if size == (height, width) else F.adaptive_avg_pool2d(shuffled, size)
    places = torch.arange(height * width, device=image.device)
    moved = torch.stack((source // width - places // width, source % width - places % width)).to(image.dtype)
    dy, dx = F.interpolate(moved.view(1, 2, height, width), size, mode="nearest-exact").mul(scale(image)).unbind(1)
    return warp(image[None], dy, dx)[0]


def _repeated(size: tuple[int, int], larger: tuple[int, int], device: torch.device) -> Tensor:
    """The pixel of a picture of `size` that each pixel of a larger one shows."""
    row, column = (((torch.arange(b, device=device) + 0.5) * (s / b)).long() for s, b in zip(size, larger, strict=True))
    return (row[:, None] * size[1] + column).flatten()


def _copied_from(height: int, width: int, reach: int, generator: Generator) -> Tensor:
    """[height * width]: the pixel whose value each pixel has after one round of copying from last to first pixel.

    A pixel reads at an offset in [-reach, reach) that was either read over already (its place is later: follow that pixel's own
    source) or not yet (take it as it is). Following all of these chains at once, doubling the step, replaces the loop over pixels.
    """
    choices = 4 * reach * reach
    drawn = draw(torch.rand, (height * width,), [generator])[0].mul(choices).floor().clamp(max=choices - 1).long()
    places = torch.arange(height * width, device=drawn.device)
    moves = _inside(height, width, reach, drawn.device)
    target = places + ((drawn // (2 * reach) - reach) * width + drawn % (2 * reach) - reach) * moves
    done = moves.index_select(0, target) * (target > places)
    chain = places + (target - places) * done
    while not torch.equal(further := chain.index_select(0, chain), chain):
        chain = further
    return target.index_select(0, chain)


@lru_cache(maxsize=16)
def _inside(height: int, width: int, reach: int, device: torch.device) -> Tensor:
    """1 for the pixels that are copied to, 0 along the border."""
    rows, columns = torch.arange(height, device=device)[:, None], torch.arange(width, device=device)
    inside: Tensor = (rows > reach) & (rows <= height - reach) & (columns > reach) & (columns <= width - reach)
    return inside.flatten().long()


def motion_blur(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Smeared one way along a direction within 45 degrees of horizontal."""
    radius, sigma = MOTION[level]
    angles = uniform(-45, 45, each)
    return torch.stack([motion(image, radius, sigma, angle, scale(x)) for image, angle in zip(x, angles, strict=True)])


def zoom_blur(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """The mean of the image and its enlargements."""
    count, step = ZOOM[level]
    height, width = x.shape[-2:]
    out = []
    # Eight images are one picture of 24 channels, beside each other in memory: five times as fast as one by one. Always eight, so that
    # the arithmetic of an image does not depend on how many there are.
    for group in torch.split(x, GROUP):
        full = torch.cat([group, group.new_zeros(GROUP - len(group), *group.shape[1:])]).view(1, 3 * GROUP, height, width)
        full = full.contiguous(memory_format=torch.channels_last)
        total = full + full  # itself, and its enlargement by 1
        for k in range(1, count):
            total += clipped_zoom(full[0], 1 + k * step)[:, :height, :width]
        out.append(total.div_(count + 1)[0].contiguous().view(GROUP, 3, height, width)[: len(group)])
    return torch.cat(out)
