"""What processing does to a picture: brightness, saturation, contrast, elastic stretching, pixelation, JPEG."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO

import torch
from PIL import Image
from torch import Generator, Tensor

from .filters import gaussian
from .grid import canvas, cut, each_image, fit, scale, stacked
from .resampling import warp
from .seeds import bits

BRIGHTNESS = (0.1, 0.2, 0.3, 0.4, 0.5)  # added to V of HSV
SATURATE = ((0.3, 0.0), (0.1, 0.0), (2.0, 0.0), (5.0, 0.1), (20.0, 0.2))  # factor and addend for S of HSV
CONTRAST = (0.4, 0.3, 0.2, 0.1, 0.05)  # what is left of it
ELASTIC = (12.5, 16.25, 21.25, 25.0, 30.0)  # strength; see elastic_transform
PIXELATE = (0.6, 0.5, 0.4, 0.3, 0.25)  # pixels left along a side: a ratio, so it does not scale with the image's size
JPEG = (25, 18, 15, 10, 7)  # quality


def brightness(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """V of HSV plus c, at most 1; hue and saturation stay, so the three channels grow by one factor. Black becomes grey."""
    if x.dtype == torch.uint8:
        value = x.amax(1, keepdim=True)
        factor = _growth(level).to(x.device).index_select(0, value.flatten().int()).view_as(value)
        black = 1 - value.clamp_(max=1)
        return cut((x | black).float().mul_(factor))  # 1 instead of 0 where all three are black
    value = x.amax(1, keepdim=True)
    brighter = (value + BRIGHTNESS[level]).clamp(max=1)
    return torch.where(value > 0, x * (brighter / value.clamp(min=1e-12)), brighter)


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
        levels = x.float()
        # Sums of whole numbers below 2^24 and 2^53: the same in any batch, and in half the time of a sum of bytes.
        mean = levels.sum(3, keepdim=True).double().sum(2, keepdim=True) / x[0, 0].numel()
        rest = (mean * (1 - CONTRAST[level]) + 1e-3).float()
        return cut(levels.mul_(CONTRAST[level]).add_(rest))
    mean = each_image(lambda image: image.mean((1, 2), keepdim=True), x)
    return (x - mean) * CONTRAST[level] + mean


def elastic_transform(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Every pixel read from nearby, the displacement a smoothed random field of 1 to 2.4 pixels' deviation at 224.

    As in imagecorruptions: uniform noise of 0.005 side, Gaussian blur of 0.01 side, times c. The first release of ImageNet-C used other
    lengths and an affine jump at severities 1 and 2.
    """
    height, width = canvas(x)
    noise = bits((2, height, width), each).float().add_(0.5).mul_(0.005 * height * ELASTIC[level] * scale(x) / 2**15)
    # The reference smooths rows by 0.01 height and columns by 0.01 width; the shorter side for both keeps the field round.
    field = gaussian(noise, 0.01 * min(height, width), truncate=3, border="reflect")
    dx, dy = fit(field, x.shape[-2:]).unbind(1)
    return warp(x, dy, dx)


def pixelate(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Box-averaged to a smaller size, enlarged again by repeating pixels; 8-bit levels after each of the two passes, as Pillow has it."""
    height, width = x.shape[-2:]
    small = (int(height * PIXELATE[level]), int(width * PIXELATE[level]))
    levels = x if x.dtype == torch.uint8 else (x * 255).round().to(torch.uint8)
    rows, columns = (_shown(n, s, x.device) for n, s in zip((height, width), small, strict=True))
    out = []
    for image in levels:  # whole rows are averaged and repeated much faster than columns: turned between
        across = _averaged(image.transpose(1, 2).contiguous(), small[1])
        both = _averaged(across.transpose(1, 2).contiguous(), small[0])
        wide = both.transpose(1, 2).contiguous().index_select(1, columns)
        out.append(wide.transpose(1, 2).contiguous().index_select(1, rows))
    shown = stacked(out)
    return shown if x.dtype == torch.uint8 else shown.to(x.dtype) / 255


def _averaged(image: Tensor, small: int) -> Tensor:
    """uint8 [c, small, w]: the mean of each box of rows of uint8 [c, n, w], to the nearest level, halves upwards."""
    always, last, more, share = (part.to(image.device) for part in _boxes(image.shape[1], small))
    total = image.index_select(1, last).to(torch.int16).mul_(more)
    for row in always:
        total.add_(image.index_select(1, row).to(torch.int16))
    return total.float().mul_(share).add_(0.5 + 1e-4).to(torch.int16).to(torch.uint8)


@lru_cache(maxsize=32)
def _boxes(n: int, small: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of `small` boxes over n rows, each of the rows whose centre lies in it: the rows [k, small] that are the first, second, ... k-th of
    every box; the row [small] after these, and 1 where it belongs to the box, else 0 [small, 1]; one over its number of rows [small, 1].
    """
    ratio = n / small
    offset = (torch.arange(n) + 0.5 - (torch.arange(small, dtype=torch.float64)[:, None] + 0.5) * ratio) / ratio
    inside = (offset > -0.5) & (offset <= 0.5)
    count, first = inside.sum(1, keepdim=True), inside.int().argmax(1)
    always = first + torch.arange(int(count.min()))[:, None]
    return always, (first + len(always)).clamp(max=n - 1), (count > len(always)).to(torch.int16), (1 / count).float()


@lru_cache(maxsize=32)
def _shown(n: int, small: int, device: torch.device) -> Tensor:
    """Which of `small` rows each of n shows."""
    return ((torch.arange(n) + 0.5) * (small / n)).long().to(device)


def jpeg_compression(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Encoded and decoded by libjpeg on the host, chroma at half resolution. Its blocks are 8 pixels at any size of image.

    Through Pillow, as the reference: torchvision.io's encoder warns of its removal since torchvision 0.29.
    """
    levels = (x if x.dtype == torch.uint8 else (x * 255).round().to(torch.uint8)).contiguous().cpu()
    out = each_image(lambda image: _through_jpeg(image, JPEG[level]), levels).to(x.device)
    return out if x.dtype == torch.uint8 else out.to(x.dtype) / 255


def _through_jpeg(image: Tensor, quality: int) -> Tensor:
    """uint8 [3, h, w]; plane by plane into and out of Pillow, which is faster than turning channels in torch."""
    file, (height, width) = BytesIO(), image.shape[1:]
    planes = [Image.frombuffer("L", (width, height), plane, "raw", "L", 0, 1) for plane in image.numpy()]
    Image.merge("RGB", planes).save(file, "JPEG", quality=quality)
    shown = Image.open(file, formats=("JPEG",))
    return torch.frombuffer(bytearray(b"".join(plane.tobytes() for plane in shown.split())), dtype=torch.uint8).view(3, height, width)
