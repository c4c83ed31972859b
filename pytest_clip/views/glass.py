"""Frosted glass. Lengths are those of a 224-pixel image and scale with it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from .filters import gaussian
from .grid import canvas, each_image, scale, whole
from .resampling import warp
from .seeds import bits, places

GLASS = ((0.7, 1, 2), (0.9, 2, 1), (1.0, 2, 3), (1.1, 3, 2), (1.5, 4, 2))  # sigma, reach, rounds


def glass_blur(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Blurred, then every pixel shows one near it, then blurred again.

    The reference means to swap pixels but copies: its tuple assignment works on views, so the pixel swapped in is overwritten before it
    is read. The published images are made that way, and so are these.
    """
    sigma, reach, rounds = GLASS[level]
    sigma *= scale(x)
    levels = x.float() if x.dtype == torch.uint8 else x * 255
    first = gaussian(levels, sigma).add_(1e-3).floor()  # whole levels as the published ones; see `grid.whole`
    last = gaussian(_shuffled(first, reach, rounds, each), sigma)
    return whole(last, means=True) if x.dtype == torch.uint8 else last / 255


def _shuffled(x: Tensor, reach: int, rounds: int, each: Sequence[Generator]) -> Tensor:
    """float32 levels [n, 3, h, w] after rounds of copying, on a canvas whose shorter side has 224 pixels."""
    height, width = canvas(x)
    source = _copied_from(height, width, reach, each)
    for _ in range(rounds - 1):
        source = source.index_select(0, _copied_from(height, width, reach, each))
    size = (x.shape[2], x.shape[3])
    if scale(x) <= 1:  # smaller images are shuffled in parts of pixels: repeated up to the canvas, averaged down again
        if size != (height, width):
            source = _repeated(len(x), size, (height, width), x.device).index_select(0, source)
        planes = x.transpose(0, 1).flatten(1)
        shown = planes.new_empty(3, len(source))
        for plane, out in zip(planes, shown, strict=True):  # plane by plane, 0.15 ms faster than packing three bytes into one number
            torch.index_select(plane, 0, source, out=out)
        shuffled = shown.view(3, -1, height, width).transpose(0, 1)
        return shuffled if size == (height, width) else each_image(lambda image: F.adaptive_avg_pool2d(image, size), shuffled)
    moved: list[Tensor] = []
    for image in source.view(len(x), -1):
        number = image - image.numel() * len(moved)
        here = _here(len(number), x.device)
        moved.append(torch.stack((number // width - here // width, number % width - here % width)).float().view(2, height, width))
    dy, dx = F.interpolate(torch.stack(moved), size, mode="nearest-exact").mul(scale(x)).unbind(1)
    return warp(x, dy, dx)


def _repeated(count: int, size: tuple[int, int], larger: tuple[int, int], device: torch.device) -> Tensor:
    """Of `count` pictures of `size`, one after another, the pixel that each pixel of as many larger ones shows."""
    row, column = (((torch.arange(b, device=device) + 0.5) * (s / b)).long() for s, b in zip(size, larger, strict=True))
    one = (row[:, None] * size[1] + column).flatten()
    return (one + torch.arange(count, device=device)[:, None] * (size[0] * size[1])).flatten()


def _copied_from(height: int, width: int, reach: int, each: Sequence[Generator]) -> Tensor:
    """int32 [n * height * width]: the pixel whose value each pixel has after one round of copying from last to first pixel.

    A pixel reads at an offset in [-reach, reach) that was either read over already (its place is later: follow that pixel's own
    source) or not yet (take it as it is). Following all of these chains at once, doubling the step, replaces the loop over pixels.
    """
    count, device = height * width, each[0].device
    here = _here(len(each) * count, device)
    at = places(bits((count,), each)).flatten()
    offset = _offsets(reach, width).to(device).index_select(0, at)
    target = offset.view(-1, count).mul_(_inside(height, width, reach, device)).flatten().add_(here)
    if reach == 1:  # offsets of -1 and 0: nothing is read over
        return target
    chain, step = torch.maximum(here, target), 1  # one step, if that is a later pixel; where it leads to no later one, no further
    while True:
        while step < 16:  # that takes all chains of most pictures to their ends
            chain, step = chain.index_select(0, chain), 2 * step
        found = target.index_select(0, chain)
        if int((found - chain).max()) <= 0:
            return found
        step //= 2


@lru_cache(maxsize=16)
def _here(count: int, device: torch.device) -> Tensor:
    return torch.arange(count, dtype=torch.int32, device=device)


@lru_cache(maxsize=16)
def _offsets(reach: int, width: int) -> Tensor:
    """int32 [65536]: the offsets dy * width + dx with dy and dx in [-reach, reach), all about as often."""
    down, across = (torch.arange(2**16) * (2 * reach)) >> 16, (torch.arange(2**16) * (2 * reach) ** 2 >> 16) % (2 * reach)
    return ((down - reach) * width + across - reach).int()


@lru_cache(maxsize=16)
def _inside(height: int, width: int, reach: int, device: torch.device) -> Tensor:
    """1 for the pixels that are copied to, 0 along the border."""
    rows, columns = torch.arange(height, device=device)[:, None], torch.arange(width, device=device)
    inside: Tensor = (rows > reach) & (rows <= height - reach) & (columns > reach) & (columns <= width - reach)
    return inside.flatten().int()
