"""Snow and fog. Their layers are drawn at a shorter side of 224 pixels with the published lengths and fitted to the image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from .filters import canvas, clipped_zoom, fit, motion
from .seeds import draw, uniform

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
    for noise, angle in zip(draw(torch.randn, (1, height, width), each), angles, strict=True):
        flakes = clipped_zoom(noise * deviation + mean, size)
        flakes = torch.where(flakes < threshold, 0.0, flakes).clamp(0, 1)
        layers.append(motion(flakes, int(radius), sigma, angle)[:, :height, :width])
    layer = (torch.stack(layers) * 255).round() / 255
    layer = fit(layer + layer.rot90(2, (-2, -1)), x.shape[-2:])
    red, green, blue = x.unbind(1)
    grey = (0.299 * red + 0.587 * green + 0.114 * blue)[:, None]
    return keep * x + (1 - keep) * torch.maximum(x, grey * 1.5 + 0.5) + layer


def fog(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """A height map of fog added and the sum scaled so that the brightest pixel of the image can stay what it was."""
    thickness, decay = FOG[level]
    height, width = canvas(x)
    layer = plasma(1 << (max(height, width) - 1).bit_length(), decay, each)[:, None, :height, :width]
    brightest = x.amax((1, 2, 3), keepdim=True)
    return (x + thickness * fit(layer, x.shape[-2:])) * (brightest / (brightest + thickness))


def plasma(size: int, decay: float, each: Sequence[Generator]) -> Tensor:
    """[n, size, size] fractal in [0, 1] by diamonds and squares on a torus; `size` is a power of two.

    Every round halves the step: a new point is the mean of its four neighbours plus wibble^2 U(-1, 1), and wibble shrinks by `decay`.
    """
    numbers = draw(torch.rand, (size * size - 1,), each) * 2 - 1
    used = 0

    def middle(total: Tensor) -> Tensor:
        nonlocal used
        noise = numbers[:, used : used + total[0].numel()].view_as(total)
        used += total[0].numel()
        return total / 4 + wibble * wibble * noise

    out = numbers.new_zeros(len(numbers), size, size)
    step, wibble = size, 100.0
    while step >= 2:
        half = step // 2
        corners = out[:, ::step, ::step]
        pairs = corners + corners.roll(-1, 1)
        out[:, half::step, half::step] = middle(pairs + pairs.roll(-1, 2))
        centres = out[:, half::step, half::step]
        out[:, ::step, half::step] = middle(centres + centres.roll(1, 1) + corners + corners.roll(-1, 2))
        out[:, half::step, ::step] = middle(centres + centres.roll(1, 2) + corners + corners.roll(-1, 1))
        step, wibble = half, wibble / decay
    out = out - out.amin((1, 2), keepdim=True)
    return out / out.amax((1, 2), keepdim=True)
