"""The pixels of an image and their levels: how long a published length is on it, one image at a time, and whole levels of 8 bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

REFERENCE = 224  # pixels: the shorter side that the published lengths are meant for


def scale(x: Tensor) -> float:
    """Length of this image's pixel grid relative to the reference: 1 at 224 pixels."""
    return min(x.shape[-2:]) / REFERENCE


def whole(levels: Tensor, *, means: bool = False) -> Tensor:
    """uint8 of levels in 0..255, cut off; written over. 1e-3: 51/255 * 255 is 50.999996 in float32 and must stay 51.

    `means`: these are means of levels, which lie outside of 0..255 by rounding at most; not clamped.
    """
    levels = levels.add_(1e-3)
    return cut(levels if means else levels.clamp_(0, 255))


def cut(levels: Tensor) -> Tensor:
    """uint8 of float32 levels in [0, 256), cut off."""
    # NumPy converts 224 x 224 pixels in 16 us; torch in 50, or in 26 by way of int16.
    return torch.from_numpy(levels.numpy().astype(np.uint8)) if levels.device.type == "cpu" else levels.to(torch.uint8)


def canvas(x: Tensor) -> tuple[int, int]:
    """Height and width with the shorter side at 224: layers are drawn on it with the published lengths, then fitted to the image."""
    height, width = x.shape[-2:]
    return round(height / scale(x)), round(width / scale(x))


def each_image(change: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """`change` ([c, h, w] -> [c', h', w']) of every image on its own, stacked."""
    return stacked([change(image) for image in x])


def stacked(images: Sequence[Tensor]) -> Tensor:
    """`torch.stack`, but one image as it is: a CPU takes them one at a time, and a copy costs 10 to 50 us of some 900 a picture."""
    return images[0][None] if len(images) == 1 else torch.stack(list(images))


def fit(x: Tensor, size: Sequence[int]) -> Tensor:
    """A layer drawn on the canvas, resized to the image (antialiased bilinear); untouched at 224 pixels."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    height, width = size
    return each_image(lambda i: F.interpolate(i[None], (height, width), mode="bilinear", align_corners=False, antialias=True)[0], x)
