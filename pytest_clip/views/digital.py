"""What processing does to a picture: brightness, saturation, contrast, elastic stretching, pixelation, JPEG."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor

from .filters import canvas, each_image, fit, gaussian, scale, warp
from .seeds import draw

BRIGHTNESS = (0.1, 0.2, 0.3, 0.4, 0.5)  # added to V of HSV
SATURATE = ((0.3, 0.0), (0.1, 0.0), (2.0, 0.0), (5.0, 0.1), (20.0, 0.2))  # factor and addend for S of HSV
CONTRAST = (0.4, 0.3, 0.2, 0.1, 0.05)  # what is left of it
ELASTIC = (12.5, 16.25, 21.25, 25.0, 30.0)  # strength; see elastic_transform
PIXELATE = (0.6, 0.5, 0.4, 0.3, 0.25)  # pixels left along a side: a ratio, so it does not scale with the image's size
JPEG = (25, 18, 15, 10, 7)  # quality


def brightness(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """V of HSV plus c, at most 1; hue and saturation stay, so the three channels grow by one factor. Black becomes grey."""
    if x.dtype == torch.uint8:
        return torch.stack([_brighter(image, _growth(level).to(x.device)) for image in x])
    value = x.amax(1, keepdim=True)
    brighter = (value + BRIGHTNESS[level]).clamp(max=1)
    return torch.where(value > 0, x * (brighter / value.clamp(min=1e-12)), brighter)


def _brighter(image: Tensor, growth: Tensor) -> Tensor:
    value = image.amax(0)
    factor = growth.index_select(0, value.flatten().int()).view_as(value)
    black = 1 - value.clamp_(max=1)
    return torch.stack([_cut((channel | black).float().mul_(factor)) for channel in image])  # 1 instead of 0 where all three are black


@lru_cache(maxsize=8)
def _growth(level: int) -> Tensor:
    """float32 [256]: what the channels of a pixel are multiplied with, by its V; at V = 0 what one level is multiplied with."""
    value = torch.arange(256, dtype=torch.float64)
    # a little more, so that what is a whole level stays one in float32
    return ((value + 255 * BRIGHTNESS[level]).clamp(max=255) / value.clamp(min=1) * (1 + 4e-6)).float()


def saturate(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """S of HSV times a plus b, in [0, 1]. Grey has no hue; the reference takes hue 0, so where b > 0 it turns reddish, and so here."""
    factor, addend = SATURATE[level]
    value, low = x.amax(1, keepdim=True), x.amin(1, keepdim=True)
    chroma = value - low
    saturation = torch.where(value > 0, chroma / value.clamp(min=1e-12), 0.0)
    wanted = (saturation * factor + addend).clamp(0, 1)
    below = torch.where(chroma > 0, (value - x) / chroma.clamp(min=1e-12), x.new_tensor([0.0, 1.0, 1.0])[:, None, None])
    return value * (1 - wanted * below)


def contrast(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """(x - mean) c + mean, with the mean of each channel of each image."""
    if x.dtype == torch.uint8:
        return torch.stack([torch.stack([_flat(channel.float(), CONTRAST[level]) for channel in image]) for image in x])
    mean = each_image(lambda image: image.mean((1, 2), keepdim=True), x)
    return (x - mean) * CONTRAST[level] + mean


def _flat(channel: Tensor, keep: float) -> Tensor:
    return _cut(torch.add(channel.mean() * (1 - keep) + 1e-3, channel, alpha=keep))


def _cut(levels: Tensor) -> Tensor:
    """uint8 of levels that lie in [0, 256): by way of int16, which takes a third of the time."""
    return levels.to(torch.int16).to(torch.uint8)


def elastic_transform(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Every pixel read from nearby, the displacement a smoothed random field of 1 to 2.4 pixels' deviation at 224.

    As in imagecorruptions: uniform noise of 0.005 side, Gaussian blur of 0.01 side, times c. The first release of ImageNet-C used other
    lengths and an affine jump at severities 1 and 2.
    """
    height, width = canvas(x)
    noise = (draw(torch.rand, (2, height, width), each) * 2 - 1) * (0.005 * height)
    # The reference smooths rows by 0.01 height and columns by 0.01 width; the shorter side for both keeps the field round.
    field = gaussian(noise, 0.01 * min(height, width), truncate=3, border="reflect") * ELASTIC[level]
    dx, dy = (fit(field, x.shape[-2:]) * scale(x)).unbind(1)
    return warp(x, dy, dx)


def pixelate(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Box-averaged to a smaller size, enlarged again by repeating pixels; 8-bit levels after each of the two passes, as Pillow has it."""
    height, width = x.shape[-2:]
    small = (int(height * PIXELATE[level]), int(width * PIXELATE[level]))
    down, across = _boxes(height, small[0]).to(x.device), _boxes(width, small[1]).to(x.device).T
    x = each_image(lambda image: _levels(down @ _levels(image @ across)), x)
    rows, columns = (((torch.arange(n, device=x.device) + 0.5) * (s / n)).long() for n, s in zip((height, width), small, strict=True))
    shown = (rows[:, None] * small[1] + columns).flatten().expand(3, -1)
    return each_image(lambda image: image.flatten(1).gather(1, shown).view(3, height, width), x)


@lru_cache(maxsize=32)
def _boxes(n: int, small: int) -> Tensor:
    """[small, n]: the mean over the whole pixels whose centre lies in each box."""
    ratio = n / small
    centre = (torch.arange(small, dtype=torch.float64)[:, None] + 0.5) * ratio
    offset = (torch.arange(n) + 0.5 - centre) / ratio
    inside = ((offset > -0.5) & (offset <= 0.5)).double()
    return (inside / inside.sum(1, keepdim=True)).float()


def _levels(x: Tensor) -> Tensor:
    """The nearest of the 256 levels, halves upwards."""
    return (x * 255 + 0.5 + 1e-4).floor() / 255


def jpeg_compression(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Encoded and decoded by libjpeg on the host, chroma at half resolution. Its blocks are 8 pixels at any size of image.

    Through Pillow, as the reference: torchvision.io's encoder warns of its removal since torchvision 0.29.
    """
    levels = (x if x.dtype == torch.uint8 else (x * 255).round().to(torch.uint8)).contiguous().cpu()
    out = torch.stack([_through_jpeg(image, JPEG[level]) for image in levels]).to(x.device)
    return out if x.dtype == torch.uint8 else out.to(x.dtype) / 255


def _through_jpeg(image: Tensor, quality: int) -> Tensor:
    """uint8 [3, h, w]; plane by plane into and out of Pillow, which is faster than turning channels in torch."""
    file, (height, width) = BytesIO(), image.shape[1:]
    planes = [Image.frombuffer("L", (width, height), plane, "raw", "L", 0, 1) for plane in image.numpy()]
    Image.merge("RGB", planes).save(file, "JPEG", quality=quality)
    shown = Image.open(file, formats=("JPEG",))
    return torch.stack([torch.from_numpy(np.array(plane)) for plane in shown.split()])
