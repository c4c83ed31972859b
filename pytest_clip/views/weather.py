"""Snow and fog. Their layers are drawn at a shorter side of 224 pixels with the published lengths and fitted to the image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from .filters import motion
from .grid import canvas, fit, stacked, whole
from .resampling import enlarged
from .seeds import bits, normal, uniform

# mean and deviation of the noise, size of a flake, threshold, radius and sigma of the fall, part of the picture that keeps its colour
SNOW = (
    (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
    (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
    (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
    (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
    (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
)
FOG = ((1.5, 2), (2.0, 2), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4))  # thickness, decay of the fractal from octave to octave


def snow(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Falling flakes, thresholded noise smeared downwards, over a whitened picture; the flakes once more upside down."""
    mean, deviation, size, threshold, radius, sigma, keep = SNOW[level]
    height, width = canvas(x)
    angles = uniform(-135, -45, each)
    layers = []
    # Of the noise only its middle is seen, enlarged: no more is drawn.
    for noise, angle in zip(normal((1, math.ceil(height / size), math.ceil(width / size)), each), angles, strict=True):
        flakes = enlarged(noise.mul_(deviation).add_(mean), size)[:, :height, :width]
        flakes = F.threshold(flakes, threshold, 0.0).clamp_(0, 1)
        layers.append(motion(flakes, int(radius), sigma, angle))
    layer = stacked(layers).mul_(255).round_()
    layer = fit(layer + layer.rot90(2, (-2, -1)), x.shape[-2:])
    if x.dtype == torch.uint8:
        return stacked([_snowed(image.float(), flakes, keep) for image, flakes in zip(x, layer, strict=True)])
    red, green, blue = x.unbind(1)
    grey = (0.299 * red + 0.587 * green + 0.114 * blue)[:, None]
    return keep * x + (1 - keep) * torch.maximum(x, grey * 1.5 + 0.5) + layer / 255


def _snowed(image: Tensor, flakes: Tensor, keep: float) -> Tensor:
    """The same in levels, written over."""
    white = (image[0] * (0.299 * 1.5)).add_(image[1], alpha=0.587 * 1.5).add_(image[2], alpha=0.114 * 1.5).add_(127.5)
    return whole(torch.maximum(image, white).mul_(1 - keep).add_(image, alpha=keep).add_(flakes))


def fog(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """A height map of fog added and the sum scaled so that the brightest pixel of the image can stay what it was."""
    thickness, decay = FOG[level]
    height, width = canvas(x)
    layer = plasma(1 << (max(height, width) - 1).bit_length(), decay, each)[:, None, :height, :width]
    layer = fit(layer, x.shape[-2:])
    if x.dtype == torch.uint8:
        return stacked([_fogged(image, fog, thickness) for image, fog in zip(x, layer[:, 0], strict=True)])
    brightest = x.amax((1, 2, 3), keepdim=True)
    return (x + thickness * layer) * (brightest / (brightest + thickness))


def _fogged(image: Tensor, layer: Tensor, thickness: float) -> Tensor:
    """The same in levels."""
    brightest = int(image.max()) / 255
    keep = brightest / (brightest + thickness)
    return whole(image.float().mul_(keep).add_(layer, alpha=255 * thickness * keep))


def plasma(size: int, decay: float, each: Sequence[Generator]) -> Tensor:
    """[n, size, size] fractal in [0, 1] by diamonds and squares on a torus; `size` is a power of two.

    Every round halves the step: a new point is the mean of its four neighbours plus wibble^2 U(-1, 1), and wibble shrinks by `decay`.
    """
    numbers = bits((size * size - 1,), each).float().add_(0.5).div_(2**15)
    # Rounds of few points: numpy begins an operation in a fifth of torch's time.
    out = torch.from_numpy(_rounds(numbers.numpy(), size, decay)) if numbers.device.type == "cpu" else _rounds(numbers, size, decay)
    return torch.stack([(image - low) / (high - low) for image, (low, high) in ((i, i.aminmax()) for i in out[:, :-1, :-1])])


def _rounds(numbers: Any, size: int, decay: float) -> Any:
    """[n, size + 1, size + 1] with the first row and column again behind the last; an array if `numbers` are one, or a tensor."""
    empty: Any = np.empty if isinstance(numbers, np.ndarray) else partial(torch.empty, device=numbers.device)
    count, n, used, wibble = len(numbers), 1, 0, 100.0
    out: Any = empty((count, 2, 2), dtype=numbers.dtype)
    out[:] = 0.0

    def noise() -> Any:
        nonlocal used
        used += n * n
        return numbers[:, used - n * n : used].reshape(count, n, n) * (wibble * wibble)

    while n < size:
        finer, pairs = empty((count, 2 * n + 1, 2 * n + 1), dtype=numbers.dtype), out[:, :-1] + out[:, 1:]
        centres = pairs[:, :, :-1] + pairs[:, :, 1:]
        centres *= 0.25
        centres += noise()
        beside, above = centres + pairs[:, :, :-1], centres + out[:, :-1, :-1]
        beside[:, :, 1:] += centres[:, :, :-1]
        beside[:, :, 0] += centres[:, :, -1]
        above += out[:, :-1, 1:]
        above[:, 1:] += centres[:, :-1]
        above[:, 0] += centres[:, -1]
        for points in (beside, above):
            points *= 0.25
            points += noise()
        finer[:, ::2, ::2] = out
        finer[:, 1::2, 1::2] = centres
        finer[:, 1::2, :-1:2] = beside
        finer[:, 1::2, -1] = beside[:, :, 0]
        finer[:, :-1:2, 1::2] = above
        finer[:, -1, 1::2] = above[:, 0]
        out, n, wibble = finer, 2 * n, wibble / decay
    return out
