"""What LAION-C puts over a picture, geometric shapes and stickers: drawn with the published lengths on 224 pixels, then fitted.

Source: Li et al. 2025, "LAION-C: An Out-of-Distribution Benchmark for Web-Scale Vision Models", arXiv 2506.16950.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Generator, Tensor

from .grid import REFERENCE, canvas, fit, stacked

Floats: TypeAlias = npt.NDArray[np.float32]
Draw: TypeAlias = Callable[[Floats, Floats, np.random.Generator], None]
SHAPES = (150, 300, 600, 800, 1000)  # on 224 x 224 pixels
SMALLEST, LARGEST = 6, 15  # pixels of a shape
STICKERS = (100, 200, 400, 600, 1200)
STICKER = 16  # pixels
BANK = 256  # different stickers


def random_of(generator: Generator) -> np.random.Generator:
    """NumPy's, seeded as the image's own: the same numbers on every device."""
    return np.random.default_rng(generator.initial_seed())


def geometric_shapes(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Triangles, squares, five-pointed stars and circles of one colour each, the later ones over the earlier."""
    return _over(x, each, lambda colour, cover, rng: _shapes(colour, cover, rng, SHAPES[level]))


def stickers(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Small square pictures, the later ones over the earlier.

    The published ones are photographs of ImageNet, 16 pixels wide. None are shipped here: ours are drawn, with a spectrum like that of
    photographs and a disk or an edge in it. They are the same for all models and runs.
    """
    return _over(x, each, lambda colour, cover, rng: _stickers(colour, cover, rng, STICKERS[level]))


def _over(x: Tensor, each: Sequence[Generator], draw: Draw) -> Tensor:
    """float32 images [n, 3, h, w] in [0, 1] under a layer of each, whose edges are as soft as the resize makes them."""
    out = []
    for image, generator in zip(x, each, strict=True):
        height, width = canvas(image)
        layer = np.zeros((4, height, width), dtype=np.float32)  # colours times cover, cover
        draw(layer[:3], layer[3], random_of(generator))
        fitted = fit(torch.from_numpy(layer)[None].to(x.device), image.shape[-2:])[0]
        out.append(image * (1 - fitted[3]) + fitted[:3])
    return stacked(out)


def _many(number: int, cover: Floats) -> int:
    """As many per pixel as on a square."""
    return round(number * cover.size / REFERENCE**2)


def _shapes(colour: Floats, cover: Floats, rng: np.random.Generator, number: int) -> None:
    many, (height, width) = _many(number, cover), cover.shape
    kinds, sizes = rng.integers(4, size=many), rng.integers(SMALLEST, LARGEST + 1, size=many)
    left, top = rng.integers(width, size=many), rng.integers(height, size=many)
    colours, turns = rng.integers(256, size=(many, 3)) / 255, rng.integers(360, size=many)
    seen = np.zeros(cover.shape, dtype=np.int32)  # which shape each pixel shows, from 1 on: colours are filled in once, not for each
    for number, (kind, size, x, y, turn) in enumerate(zip(*map(np.ndarray.tolist, (kinds, sizes, left, top, turns)), strict=True), 1):
        mask = _star(size, turn % 72) if kind == 2 else _solid(kind, size)
        before = mask.shape[0] // 2 if kind == 2 else 0  # a star lies around its place, the others to the right and below
        _paste(seen, mask, number, x - before, y - before)
    np.minimum(seen, 1, out=cover, casting="unsafe")
    colour[:] = np.concatenate((np.zeros((1, 3)), colours)).astype(np.float32).T[:, seen]


def _paste(seen: npt.NDArray[np.int32], mask: npt.NDArray[np.bool_], number: int, x: int, y: int) -> None:
    """One shape at column x and row y, cut off at the border."""
    height, width = seen.shape
    part = mask[max(-y, 0) : height - y, max(-x, 0) : width - x]
    top, left = max(y, 0), max(x, 0)
    np.copyto(seen[top : top + part.shape[0], left : left + part.shape[1]], number, where=part)


@lru_cache(maxsize=64)
def _solid(kind: int, size: int) -> npt.NDArray[np.bool_]:
    """bool [size + 1, size + 1] of a triangle that points down (0), a square (1) or a circle (3)."""
    y, x = np.mgrid[: size + 1, : size + 1]
    if kind == 0:
        return np.asarray((x >= y / 2 - 0.25) & (x <= size - y / 2 + 0.25))
    if kind == 1:
        return np.ones((size + 1, size + 1), dtype=bool)
    return np.asarray((x - size / 2) ** 2 + (y - size / 2) ** 2 <= ((size + 1) / 2) ** 2 - 0.5)


@lru_cache(maxsize=1024)
def _star(size: int, turn: int) -> npt.NDArray[np.bool_]:
    """A star with points at size / 1.2 from its middle and notches at half of that, turned by so many degrees."""
    outer = size / 1.2
    reach = math.ceil(outer)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    far, angle = np.hypot(x, y), np.degrees(np.arctan2(x, y)) - turn
    folded = np.radians(np.abs((angle + 36) % 72 - 36))  # from the nearest point, 0 to 36 degrees
    along_x, along_y = outer / 2 * math.cos(math.radians(36)) - outer, outer / 2 * math.sin(math.radians(36))  # from point to notch
    inside = (along_x * far * np.sin(folded) - along_y * (far * np.cos(folded) - outer)) / math.hypot(along_x, along_y)
    return np.asarray(inside >= -0.25)  # pixels that the outline meets belong to it


def _stickers(colour: Floats, cover: Floats, rng: np.random.Generator, number: int) -> None:
    many, (height, width) = _many(number, cover), cover.shape
    chosen = rng.integers(BANK, size=many)
    left, top = rng.integers(width - STICKER, size=many), rng.integers(height - STICKER, size=many)
    for which, x, y in zip(chosen.tolist(), left.tolist(), top.tolist(), strict=True):
        colour[:, y : y + STICKER, x : x + STICKER] = bank()[which]
        cover[y : y + STICKER, x : x + STICKER] = 1


@lru_cache(maxsize=1)
def bank() -> Floats:
    """float32 [BANK, 3, STICKER, STICKER] in [0, 1], the same everywhere."""
    rng, n = np.random.default_rng(2506_16950), STICKER
    frequency = np.maximum(np.hypot(np.fft.fftfreq(n)[:, None] * n, np.fft.rfftfreq(n) * n), 1)
    y, x = np.mgrid[:n, :n] / n
    out = np.empty((BANK, 3, n, n), dtype=np.float32)
    for k in range(BANK):
        clouds = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(3, n, n))) / frequency**1.1, s=(n, n))
        clouds += 1.5 * clouds.mean(0)  # colours go together, mostly
        picture = rng.uniform(0.25, 0.75, (3, 1, 1)) + 0.15 * (clouds - clouds.mean()) / clouds.std()
        middle, turn, radius = rng.uniform(0.2, 0.8, 2), rng.uniform(0, math.tau), rng.uniform(0.15, 0.4)
        disk = np.hypot(y - middle[0], x - middle[1]) < radius
        edge = math.cos(turn) * (x - middle[1]) + math.sin(turn) * (y - middle[0]) > 0
        out[k] = np.where(disk if k % 2 else edge, 0.3 * picture + 0.7 * rng.random((3, 1, 1)), picture)
    return (np.round(out.clip(0, 1) * 255) / 255).astype(np.float32)
