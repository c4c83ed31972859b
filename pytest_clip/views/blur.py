"""Blur of the lens, of frosted glass, of motion and of zooming in. Lengths are those of a 224-pixel image and scale with it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.sparse
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from .filters import canvas, clipped_zoom, correlate, each_image, gaussian, motion, scale, stacked, warp, whole
from .seeds import bits, places, uniform

GAUSSIAN = (1, 2, 3, 4, 6)  # sigma
DEFOCUS = ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))  # radius of the disk, sigma that softens its rim
GLASS = ((0.7, 1, 2), (0.9, 2, 1), (1.0, 2, 3), (1.1, 3, 2), (1.5, 4, 2))  # sigma, reach, rounds
MOTION = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))  # radius, sigma
ZOOM = ((12, 0.01), (16, 0.01), (11, 0.02), (13, 0.02), (11, 0.03))  # number of enlargements from 1 on, step
LARGEST_SUM = 6  # radius of the largest disk whose sum of 8-bit levels is below 2^15
LARGEST = 400 * 400  # pixels for which zoom blur keeps a matrix; it has 60 MB then
GROUP = 4  # images that zoom blur takes together: always as many, so that the arithmetic of an image does not depend on them


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


def glass_blur(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Blurred, then every pixel shows one near it, then blurred again.

    The reference means to swap pixels but copies: its tuple assignment works on views, so the pixel swapped in is overwritten before it
    is read. The published images are made that way, and so are these.
    """
    sigma, reach, rounds = GLASS[level]
    sigma *= scale(x)
    levels = x.float() if x.dtype == torch.uint8 else x * 255
    first = gaussian(levels, sigma).add_(1e-3).floor()  # whole levels as the published ones; see `filters.whole`
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


def motion_blur(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Smeared one way along a direction within 45 degrees of horizontal."""
    radius, sigma = MOTION[level]
    angles = uniform(-45, 45, each)
    smeared = [motion(image.float(), radius, sigma, angle, scale(x)) for image, angle in zip(x, angles, strict=True)]
    return stacked([whole(image, means=True) for image in smeared] if x.dtype == torch.uint8 else smeared)


def zoom_blur(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """The mean of the image (twice) and its enlargements, the first of which is by 1."""
    if x.device.type != "cpu" or x[0, 0].numel() > LARGEST:
        x = x.float().div_(255) if x.dtype == torch.uint8 else x
        return each_image(lambda image: _enlargements(image, level), x)
    height, width = x.shape[-2:]
    mixture = _mixture(level, height, width)
    out = []
    for group in torch.split(x, GROUP):
        images = torch.cat((group, group.new_zeros(GROUP - len(group), *group.shape[1:]))) if len(group) < GROUP else group
        mixed = mixture(_turned(images.view(3 * GROUP, height * width)).float())
        mixed = whole(mixed, means=True) if x.dtype == torch.uint8 else mixed
        out.append(_turned(mixed).view(GROUP, 3, height, width)[: len(group)])
    return torch.cat(out)


def _turned(x: Tensor) -> Tensor:
    """The transpose, in NumPy, where it takes a fifth of torch's time for such long, narrow ones."""
    return torch.from_numpy(np.ascontiguousarray(x.numpy().T))


def _enlargements(image: Tensor, level: int) -> Tensor:
    (count, step), (height, width) = ZOOM[level], image.shape[-2:]
    total = 2 * image
    for k in range(1, count):
        total += clipped_zoom(image, 1 + k * step)[:, :height, :width]
    return total / (count + 1)


@lru_cache(maxsize=2)
def _mixture(level: int, height: int, width: int) -> Callable[[Tensor], Tensor]:
    """Product with a sparse matrix: the parts that 22 to 35 pixels (at 224) of the image have in every pixel of the result.

    Takes a fifth of the time of the enlargements one by one. 9 to 15 MB, made in a quarter of a second.
    """
    count, step = ZOOM[level]
    total = 2 * scipy.sparse.identity(height * width, dtype=np.float64, format="csr")
    for k in range(1, count):
        total = total + scipy.sparse.kron(*(_enlarging(n, 1 + k * step) for n in (height, width)), format="csr")
    total = (total / (count + 1)).astype(np.float32)
    total.sum_duplicates()
    if not torch.backends.mkl.is_available():  # type: ignore[no-untyped-call]  # torch knows no such product then
        return lambda pixels: torch.from_numpy(total @ pixels.numpy())
    rows, columns = (torch.from_numpy(part.astype(np.int32)) for part in (total.indptr, total.indices))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        matrix = torch.sparse_csr_tensor(rows, columns, torch.from_numpy(total.data), total.shape, check_invariants=False)
    return lambda pixels: matrix @ pixels


def _enlarging(n: int, factor: float) -> scipy.sparse.csr_matrix:
    """[n, n]: `clipped_zoom` along one axis."""
    middle = math.ceil(n / factor)
    read = np.arange(n) * ((middle - 1) / (round(middle * factor) - 1))
    left = np.minimum(np.floor(read).astype(int), middle - 1)
    right, part = np.minimum(left + 1, middle - 1), read - left
    columns = np.concatenate((left, right)) + (n - middle) // 2
    return scipy.sparse.csr_matrix((np.concatenate((1 - part, part)), (np.tile(np.arange(n), 2), columns)), shape=(n, n))
