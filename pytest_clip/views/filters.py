"""Linear filters that several corruptions share. Images are [n, c, h, w] float32.

Everything that sums over pixels runs image by image: matrix products, FFTs and reductions may add in another order when the batch has
another size, and an image must not depend on its neighbours by a single bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from .grid import each_image

FEW = 12  # taps on each side: up to here adding shifted pictures is faster than a matrix product (at 224 pixels 1.3 ms against 1.5)


def gaussian(x: Tensor, sigma: float, *, truncate: float = 4.0, border: str = "nearest") -> Tensor:
    """Gaussian blur as scipy's gaussian_filter: kernel cut at `truncate` sigma, border "nearest" (aaa|abcd) or "reflect" (cba|abcd)."""
    radius, (height, width) = int(truncate * sigma + 0.5), x.shape[-2:]
    if radius <= FEW and (border == "nearest" or radius <= min(height, width)):
        weights = _gaussian_weights(sigma, radius)
        return tapped(x.flatten(0, 1), weights, border).view_as(x)
    down = _gaussian_matrix(height, sigma, radius, border).to(x.device)
    across = _gaussian_matrix(width, sigma, radius, border).to(x.device).T
    return each_image(lambda image: down @ image @ across, x)


def _gaussian_weights(sigma: float, radius: int) -> list[float]:
    """From the middle outwards; all taps together weigh 1."""
    half = [math.exp(-0.5 * (k / sigma) ** 2) for k in range(radius + 1)]
    total = 2 * math.fsum(half) - 1
    return [weight / total for weight in half]


def tapped(image: Tensor, weights: Sequence[float], border: str = "nearest") -> Tensor:
    """[c, h, w] under a separable symmetric filter, tap by tap; `weights` from the middle outwards, borders as in `gaussian`.

    Rows lie apart in memory. Sums run over whole lines, border and all: 5 % faster than over the pixels of each row.
    """
    (count, height, width), radius = image.shape, len(weights) - 1
    padded = _padded(image, radius, border)
    row = width + 2 * radius
    down = _summed(padded.view(count, -1), weights, row)
    return _summed(down.view(1, -1), weights, 1).as_strided((count, height, width), (height * row, row, 1))


def _padded(image: Tensor, pad: int, border: str) -> Tensor:
    if border == "nearest":
        return F.pad(image[None], (pad, pad, pad, pad), mode="replicate")[0]
    count, height, width = image.shape
    padded = image.new_empty(count, height + 2 * pad, width + 2 * pad)  # filled: torch.cat along columns takes several times as long
    middle = padded[:, pad : pad + height]
    middle[:, :, pad : pad + width] = image
    middle[:, :, :pad] = image[:, :, :pad].flip(2)
    middle[:, :, pad + width :] = image[:, :, width - pad :].flip(2)
    padded[:, :pad] = middle[:, :pad].flip(1)
    padded[:, pad + height :] = middle[:, height - pad :].flip(1)
    return padded


def _summed(lines: Tensor, weights: Sequence[float], step: int) -> Tensor:
    """[c, n - 2 r step] of [c, n]: sums of 2 r + 1 numbers `step` apart."""
    radius = len(weights) - 1
    shifted = windows(lines, lines.shape[1] - 2 * radius * step, step)
    out = shifted[radius] * weights[0]
    for k, weight in enumerate(weights[1:], 1):
        out.add_(shifted[radius - k], alpha=weight).add_(shifted[radius + k], alpha=weight)
    return out


def windows(lines: Tensor, length: int, step: int = 1) -> Tensor:
    """[k, c, length]: what begins at 0, step, 2 step, ... of each line [c, n]. One of them takes 1 us, `narrow` 2 to 3 of a sum's 25."""
    count, n = lines.shape
    return lines.as_strided(((n - length) // step + 1, count, length), (step, lines.stride(0), 1))


@lru_cache(maxsize=64)
def _gaussian_matrix(n: int, sigma: float, radius: int, border: str) -> Tensor:
    """The blur along one axis with its border as an [n, n] matrix."""
    offsets = torch.arange(-radius, radius + 1)
    weights = torch.exp(-0.5 * (offsets.double() / sigma) ** 2)
    weights /= weights.sum()
    source = torch.arange(n)[:, None] + offsets
    if border == "nearest":
        source = source.clamp(0, n - 1)
    else:
        source = source.remainder(2 * n)
        source = torch.minimum(source, 2 * n - 1 - source)
    matrix = torch.zeros(n, n, dtype=torch.float64)
    matrix.scatter_add_(1, source, weights.expand(n, -1).contiguous())
    return matrix.float()


def correlate(x: Tensor, kernel: Tensor) -> Tensor:
    """Filter with a symmetric odd square kernel, border dcb|abcd|cba, through the FFT: its cost does not grow with the kernel.

    The transform of the kernel is kept as long as somebody keeps the kernel.
    """
    half = kernel.shape[0] // 2
    height, width = x.shape[-2:]
    size = tuple((n + 2 * half + 15) // 16 * 16 for n in (height, width))
    spectrum = _spectrum(kernel, size, x.device)

    def one(image: Tensor) -> Tensor:
        padded = F.pad(image, (half, half, half, half), mode="reflect")
        filtered: Tensor = torch.fft.irfft2(torch.fft.rfft2(padded, s=size).mul_(spectrum), s=size)
        return filtered[:, 2 * half : 2 * half + height, 2 * half : 2 * half + width]

    return each_image(one, x)


@lru_cache(maxsize=8)
def _spectrum(kernel: Tensor, size: tuple[int, int], device: torch.device) -> Tensor:
    """A tenth of the time of a picture. Tensors hash by identity: so the kernel has to be one that is kept."""
    spectrum: Tensor = torch.fft.rfft2(kernel.to(device, torch.float32), s=size)
    return spectrum


def motion(image: Tensor, radius: int, sigma: float, angle: float, grid: float = 1.0) -> Tensor:
    """[c, h, w] smeared one way along `angle` (degrees), by half a Gaussian of 2 * radius + 1 taps; border aaa|abcd.

    `grid` is the image's scale: below 1 the published taps fall closer together, above 1 there are more of them.
    """
    width = 2 * round(radius * max(grid, 1.0)) + 1
    weights = [math.exp(-0.5 * (i / (sigma * max(grid, 1.0))) ** 2) for i in range(width)]
    total, step = math.fsum(weights), min(grid, 1.0)
    down, across = step * math.sin(math.radians(angle)), step * math.cos(math.radians(angle))
    taps: dict[tuple[int, int], float] = {}
    for i, weight in enumerate(weights):
        place = (math.ceil(i * down - 0.5), math.ceil(i * across - 0.5))
        taps[place] = taps.get(place, 0.0) + weight / total
    # What a level of 255 would add to no more than 1/40 level is left out: a third of the taps of a short, sharp smear.
    taps = {place: weight for place, weight in taps.items() if weight > 1e-4}
    spare = 1 / math.fsum(taps.values())
    top, bottom = -min(dy for dy, _ in taps), max(dy for dy, _ in taps)
    left, right = -min(dx for _, dx in taps), max(dx for _, dx in taps)
    padded = F.pad(image[None], (left, right, top, bottom), mode="replicate")[0]
    (height, wide), row = image.shape[-2:], padded.shape[-1]
    source, out = padded.flatten(1), image.new_empty(len(image), height * row)
    count = height * row - left - right
    (weight, first), *others = [(weight * spare, (top + dy) * row + left + dx) for (dy, dx), weight in taps.items()]
    shifted = windows(source, count)
    seen = torch.mul(shifted[first], weight, out=out[:, :count])
    for weight, start in others:
        seen.add_(shifted[start], alpha=weight)
    return out.view(-1, height, row)[:, :, :wide]
